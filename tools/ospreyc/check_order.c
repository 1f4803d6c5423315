#include "check_order.h"

#include <string.h>

/* A name bound inside the item. */
struct check_order_local {
  const char *name;
  const struct check_order_local *outer;
  void *hidden; /* the previous local of that name */
};

struct check_order_names {
  struct arena *arena;
  const struct check_order_local *locals;
  struct map bound; /* a name's innermost local; NULL if it is not bound */
  size_t count;
  size_t capacity;
  const char **names; /* may repeat */
};

static void check_order_expr(struct check_order_names *walk, const struct syntax_expr *expr);

static void check_order_bind(struct check_order_names *walk, const char *name) {
  struct check_order_local *local = arena_alloc(walk->arena, sizeof *local);
  void **slot = map_slot(&walk->bound, name, strlen(name));
  *local = (struct check_order_local){name, walk->locals, *slot};
  walk->locals = *slot = local;
}

static void check_order_unbind(struct check_order_names *walk, const struct check_order_local *outer) {
  for (; walk->locals != outer; walk->locals = walk->locals->outer)
    *map_slot(&walk->bound, walk->locals->name, strlen(walk->locals->name)) = walk->locals->hidden;
}

static void check_order_function(struct check_order_names *walk, const struct syntax_function *function) {
  const struct check_order_local *outer = walk->locals;
  for (size_t i = 0; i < function->count; i++)
    check_order_bind(walk, function->parameters[i].name.text);
  if (function->body)
    check_order_expr(walk, function->body);
  check_order_unbind(walk, outer);
}

static void check_order_block(struct check_order_names *walk, const struct syntax_block *block) {
  const struct check_order_local *outer = walk->locals;
  for (size_t i = 0; i < block->count; i++) {
    const struct syntax_item *item = &block->items[i];
    if (item->kind == SYNTAX_ITEM_FUNCTION)
      check_order_bind(walk, item->name.text);
    if (item->kind == SYNTAX_ITEM_FUNCTION)
      check_order_function(walk, item->function);
    else
      check_order_expr(walk, item->value);
    if (item->kind == SYNTAX_ITEM_LET)
      check_order_bind(walk, item->name.text);
  }
  check_order_unbind(walk, outer);
}

static void check_order_match(struct check_order_names *walk, const struct syntax_match *match) {
  check_order_expr(walk, match->subject);
  for (size_t i = 0; i < match->count; i++) {
    const struct check_order_local *outer = walk->locals;
    const struct syntax_pattern *pattern = &match->arms[i].pattern;
    if (pattern->kind == SYNTAX_PATTERN_NAME)
      check_order_bind(walk, pattern->name.text);
    for (size_t j = 0; j < pattern->count; j++)
      check_order_bind(walk, pattern->bindings[j].text);
    check_order_expr(walk, match->arms[i].body);
    check_order_unbind(walk, outer);
  }
}

static void check_order_arguments(struct check_order_names *walk, const struct syntax_argument *arguments,
                                  size_t count) {
  for (size_t i = 0; i < count; i++)
    check_order_expr(walk, arguments[i].value);
}

static void check_order_name(struct check_order_names *walk, const char *name) {
  if (!map_get(&walk->bound, name))
    ARENA_PUSH(walk->arena, walk->names, walk->count, walk->capacity, name);
}

static void check_order_expr(struct check_order_names *walk, const struct syntax_expr *expr) {
  switch (expr->kind) {
  case SYNTAX_INT:
  case SYNTAX_FLOAT:
  case SYNTAX_BOOL:
  case SYNTAX_STRING:
  case SYNTAX_CHECKED:
    break;
  case SYNTAX_INTERPOLATE:
    for (size_t i = 0; i < expr->list.count; i++)
      check_order_expr(walk, expr->list.items[i]);
    break;
  case SYNTAX_NAME:
    check_order_name(walk, expr->name);
    break;
  case SYNTAX_CALL:
    if (expr->call.callee->kind == SYNTAX_FIELD) /* perhaps a method call of a function */
      check_order_name(walk, expr->call.callee->field.name.text);
    check_order_expr(walk, expr->call.callee);
    check_order_arguments(walk, expr->call.arguments, expr->call.count);
    break;
  case SYNTAX_FIELD:
    check_order_expr(walk, expr->field.record);
    break;
  case SYNTAX_RECORD:
    if (expr->record.base)
      check_order_expr(walk, expr->record.base);
    check_order_arguments(walk, expr->record.fields, expr->record.count);
    break;
  case SYNTAX_UNARY:
  case SYNTAX_BINARY:
    check_order_expr(walk, expr->binary.left);
    if (expr->binary.right)
      check_order_expr(walk, expr->binary.right);
    break;
  case SYNTAX_IF:
    check_order_expr(walk, expr->branch.condition);
    check_order_expr(walk, expr->branch.then);
    check_order_expr(walk, expr->branch.otherwise);
    break;
  case SYNTAX_BLOCK:
    check_order_block(walk, &expr->block);
    break;
  case SYNTAX_MATCH:
    check_order_match(walk, &expr->match);
    break;
  case SYNTAX_LAMBDA:
    check_order_function(walk, expr->function);
    break;
  }
}

/* The items that an item depends on. */
struct check_order_edges {
  size_t count;
  size_t *targets;
};

/* Tarjan's algorithm, with an explicit stack: the program may be a chain of any length. */
struct check_order_node {
  size_t index; /* when it was reached, from 1; 0 before */
  size_t low;   /* the earliest node on the stack that it leads to */
  size_t next_edge;
  bool on_stack;
};

struct check_order_walk {
  const struct check_order_edges *edges;
  struct check_order_node *nodes;
  size_t reached;
  size_t path_count; /* the nodes being visited, each leading to the next */
  size_t *path;
  size_t stack_count; /* the nodes whose group is not known yet */
  size_t *stack;
  struct check_order order;
  size_t done;
};

static void check_order_enter(struct check_order_walk *walk, size_t item) {
  struct check_order_node *node = &walk->nodes[item];
  node->index = node->low = ++walk->reached;
  node->on_stack = true;
  walk->path[walk->path_count++] = item;
  walk->stack[walk->stack_count++] = item;
}

/* Follows the next edge of the item at the end of the path. Without one, the item leaves the path; if it leads to no
 * earlier item, the stack from it on is a group. */
static void check_order_step(struct check_order_walk *walk) {
  size_t item = walk->path[walk->path_count - 1];
  struct check_order_node *node = &walk->nodes[item];
  if (node->next_edge < walk->edges[item].count) {
    size_t target = walk->edges[item].targets[node->next_edge++];
    struct check_order_node *other = &walk->nodes[target];
    if (!other->index)
      check_order_enter(walk, target);
    else if (other->on_stack && other->index < node->low)
      node->low = other->index;
    return;
  }
  if (--walk->path_count) {
    struct check_order_node *before = &walk->nodes[walk->path[walk->path_count - 1]];
    if (node->low < before->low)
      before->low = node->low;
  }
  if (node->low != node->index)
    return;
  size_t member;
  do {
    member = walk->stack[--walk->stack_count];
    walk->nodes[member].on_stack = false;
    walk->order.items[walk->done++] = member;
  } while (member != item);
  walk->order.ends[walk->order.group_count++] = walk->done;
}

bool check_order_is_inferred(const struct symbol *symbol, const struct syntax_program *syntax) {
  if (symbol->kind == SYMBOL_FUNCTION)
    return !symbol->function->annotated;
  return symbol->kind == SYMBOL_GLOBAL && !syntax->items[symbol->item].type;
}

struct check_order check_order(struct checker *checker, const struct syntax_program *syntax) {
  struct arena *arena = checker->arena;
  size_t count = syntax->count;
  struct check_order_edges *edges = arena_array(arena, count, sizeof *edges);
  for (size_t i = 0; i < count; i++) {
    struct check_order_names walk = {.arena = arena};
    map_init(&walk.bound, arena);
    if (syntax->items[i].function)
      check_order_function(&walk, syntax->items[i].function);
    if (syntax->items[i].value)
      check_order_expr(&walk, syntax->items[i].value);
    edges[i].targets = arena_array(arena, walk.count, sizeof *edges[i].targets);
    for (size_t j = 0; j < walk.count; j++) {
      const struct symbol *symbol = map_get(&checker->values, walk.names[j]);
      if (symbol && check_order_is_inferred(symbol, syntax))
        edges[i].targets[edges[i].count++] = symbol->item;
    }
  }
  struct check_order_walk walk = {.edges = edges};
  walk.nodes = arena_array(arena, count, sizeof *walk.nodes);
  walk.path = arena_array(arena, count, sizeof *walk.path);
  walk.stack = arena_array(arena, count, sizeof *walk.stack);
  walk.order.items = arena_array(arena, count, sizeof *walk.order.items);
  walk.order.ends = arena_array(arena, count, sizeof *walk.order.ends);
  for (size_t item = 0; item < count; item++) {
    if (walk.nodes[item].index)
      continue;
    check_order_enter(&walk, item);
    while (walk.path_count)
      check_order_step(&walk);
  }
  return walk.order;
}
