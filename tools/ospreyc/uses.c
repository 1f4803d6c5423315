#include "uses.h"

#include "arena.h"
#include "map.h"

#include <string.h>

/* A name that is bound inside the item. */
struct uses_local {
  const char *name;
  const struct uses_local *outer;
  void *hidden; /* what stood for the name before */
};

struct uses_walk {
  struct arena *arena;
  const struct uses_local *locals;
  struct map bound; /* a name's innermost local; NULL where it is not bound */
  struct uses uses;
};

static void uses_expr(struct uses_walk *walk, const struct syntax_expr *expr);

static void uses_bind(struct uses_walk *walk, const char *name) {
  struct uses_local *local = arena_alloc(walk->arena, sizeof *local);
  void **slot = map_slot(&walk->bound, name, strlen(name));
  *local = (struct uses_local){name, walk->locals, *slot};
  walk->locals = *slot = local;
}

static void uses_unbind(struct uses_walk *walk, const struct uses_local *outer) {
  for (; walk->locals != outer; walk->locals = walk->locals->outer)
    *map_slot(&walk->bound, walk->locals->name, strlen(walk->locals->name)) = walk->locals->hidden;
}

static void uses_name(struct uses_walk *walk, const char *name) {
  if (!map_get(&walk->bound, name))
    ARENA_PUSH(walk->arena, walk->uses.names, walk->uses.count, walk->uses.capacity, name);
}

static void uses_function(struct uses_walk *walk, const struct syntax_function *function) {
  const struct uses_local *outer = walk->locals;
  for (size_t i = 0; i < function->count; i++)
    uses_bind(walk, function->parameters[i].name.text);
  if (function->body)
    uses_expr(walk, function->body);
  uses_unbind(walk, outer);
}

static void uses_block(struct uses_walk *walk, const struct syntax_block *block) {
  const struct uses_local *outer = walk->locals;
  for (size_t i = 0; i < block->count; i++) {
    const struct syntax_item *item = &block->items[i];
    if (item->kind == SYNTAX_ITEM_FUNCTION)
      uses_bind(walk, item->name.text);
    if (item->kind == SYNTAX_ITEM_FUNCTION)
      uses_function(walk, item->function);
    else
      uses_expr(walk, item->value);
    if (item->kind == SYNTAX_ITEM_LET)
      uses_bind(walk, item->name.text);
  }
  uses_unbind(walk, outer);
}

static void uses_match(struct uses_walk *walk, const struct syntax_match *match) {
  uses_expr(walk, match->subject);
  for (size_t i = 0; i < match->count; i++) {
    const struct uses_local *outer = walk->locals;
    const struct syntax_pattern *pattern = &match->arms[i].pattern;
    if (pattern->kind == SYNTAX_PATTERN_NAME)
      uses_bind(walk, pattern->name.text);
    for (size_t j = 0; j < pattern->count; j++)
      uses_bind(walk, pattern->bindings[j].text);
    uses_expr(walk, match->arms[i].body);
    uses_unbind(walk, outer);
  }
}

static void uses_arguments(struct uses_walk *walk, const struct syntax_argument *arguments, size_t count) {
  for (size_t i = 0; i < count; i++)
    uses_expr(walk, arguments[i].value);
}

static void uses_expr(struct uses_walk *walk, const struct syntax_expr *expr) {
  switch (expr->kind) {
  case SYNTAX_INT:
  case SYNTAX_FLOAT:
  case SYNTAX_BOOL:
  case SYNTAX_STRING:
    break;
  case SYNTAX_INTERPOLATE:
    for (size_t i = 0; i < expr->list.count; i++)
      uses_expr(walk, expr->list.items[i]);
    break;
  case SYNTAX_NAME:
    uses_name(walk, expr->name);
    break;
  case SYNTAX_CALL:
    uses_expr(walk, expr->call.callee);
    uses_arguments(walk, expr->call.arguments, expr->call.count);
    break;
  case SYNTAX_FIELD:
    uses_expr(walk, expr->field.record);
    break;
  case SYNTAX_RECORD:
    if (expr->record.base)
      uses_expr(walk, expr->record.base);
    uses_arguments(walk, expr->record.fields, expr->record.count);
    break;
  case SYNTAX_UNARY:
  case SYNTAX_BINARY:
    uses_expr(walk, expr->binary.left);
    if (expr->binary.right)
      uses_expr(walk, expr->binary.right);
    break;
  case SYNTAX_IF:
    uses_expr(walk, expr->branch.condition);
    uses_expr(walk, expr->branch.then);
    uses_expr(walk, expr->branch.otherwise);
    break;
  case SYNTAX_BLOCK:
    uses_block(walk, &expr->block);
    break;
  case SYNTAX_MATCH:
    uses_match(walk, &expr->match);
    break;
  case SYNTAX_LAMBDA:
    uses_function(walk, expr->function);
    break;
  }
}

struct uses uses_of(const struct syntax_item *item, struct arena *arena) {
  struct uses_walk walk = {.arena = arena};
  map_init(&walk.bound, arena);
  if (item->function)
    uses_function(&walk, item->function);
  if (item->value)
    uses_expr(&walk, item->value);
  return walk.uses;
}
