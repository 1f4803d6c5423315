#include "check_scope.h"

#include "foreign.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

struct symbol *check_scope_symbol(struct checker *checker, enum symbol_kind kind, const char *name,
                                  struct place place) {
  struct symbol *symbol = arena_alloc(checker->arena, sizeof *symbol);
  *symbol = (struct symbol){.kind = kind, .name = name, .place = place};
  return symbol;
}

/* "already declared" and where. */
const char *check_scope_declared_at(struct checker *checker, struct place place) {
  unsigned line, column;
  source_position(checker->diag->source, place, &line, &column);
  return arena_printf(checker->arena, "already declared, at line %u", line);
}

bool check_scope_declare(struct checker *checker, struct symbol *symbol) {
  struct symbol **slot = (struct symbol **)map_slot(&checker->values, symbol->name, strlen(symbol->name));
  if (!*slot) {
    *slot = symbol;
    return true;
  }
  bool built_in = (*slot)->built_in || (*slot)->kind >= SYMBOL_SUCCESS;
  const char *taken = built_in ? "built in" : check_scope_declared_at(checker, (*slot)->place);
  const char **hint = diag_error(checker->diag, symbol->place, "'%s' is %s", symbol->name, taken);
  if ((*slot)->kind == SYMBOL_BUILTIN && symbol->kind == SYMBOL_EXTERN)
    *hint = arena_printf(checker->arena, "it can be called without a declaration, or be declared as 'ws%s'",
                         symbol->name + strlen("websocket"));
  else if (built_in)
    *hint = "choose another name";
  return false;
}

struct symbol *check_scope_find(struct checker *checker, const char *name) {
  struct symbol *symbol = map_get(&checker->values, name);
  if (!symbol)
    return map_get(&checker->library, name);
  bool depends = (symbol->kind == SYMBOL_FUNCTION || symbol->kind == SYMBOL_GLOBAL);
  if (depends && checker->uses)
    ARENA_PUSH(checker->arena, checker->uses->symbols, checker->uses->count, checker->uses->capacity, symbol);
  return symbol;
}

const char *check_scope_builtin_behind(const char *extern_name) {
  static const struct {
    const char *name, *alias, *symbol;
  } builtins[] = {
#define WS_P(name, type)
#define WS_BUILTIN(name, alias, symbol, result, requirement, parameters, doc) {#name, #alias, #symbol},
#include "ws_builtins.def"
  };
  for (size_t i = 0; i < sizeof builtins / sizeof *builtins; i++)
    if (strcmp(builtins[i].alias, extern_name) == 0 || strcmp(builtins[i].symbol, extern_name) == 0)
      return builtins[i].name;
  return NULL;
}

struct ast_variable *check_scope_variable(struct checker *checker, enum ast_variable_kind kind, const char *name,
                                          struct type *type, struct place place) {
  struct ast_variable *variable = arena_alloc(checker->arena, sizeof *variable);
  struct ast_function *function = checker->frame->function;
  *variable =
      (struct ast_variable){.kind = kind, .name = name ? name : "_", .type = type, .owner = function, .place = place};
  if (kind != AST_LOCAL)
    return variable;
  variable->index = (unsigned)function->variable_count;
  ARENA_PUSH(checker->arena, function->variables, function->variable_count, checker->frame->variable_capacity,
             variable);
  return variable;
}

void check_scope_enter(struct checker *checker, struct local *local) {
  struct local **slot = (struct local **)map_slot(&checker->locals, local->name, strlen(local->name));
  local->hidden = *slot;
  local->next = local->frame->locals;
  local->frame->locals = *slot = local;
}

struct local *check_scope_bind(struct checker *checker, struct ast_variable *variable) {
  struct local *local = arena_alloc(checker->arena, sizeof *local);
  *local = (struct local){.name = variable->name, .frame = checker->frame, .variable = variable};
  if (strcmp(variable->name, "_") != 0)
    check_scope_enter(checker, local);
  return local;
}

void check_scope_unbind(struct checker *checker, struct local *outer) {
  struct frame *frame = checker->frame;
  for (; frame->locals != outer; frame->locals = frame->locals->next)
    *map_slot(&checker->locals, frame->locals->name, strlen(frame->locals->name)) = frame->locals->hidden;
}

/* Returns the variable in the frame's cell for a value of the enclosing function. */
static struct ast_variable *check_scope_capture(struct checker *checker, struct frame *frame, struct ast_expr *value,
                                                const char *name) {
  struct ast_function *function = frame->function;
  for (size_t i = 0; i < function->capture_count; i++)
    if (function->captures[i].value->kind == value->kind &&
        (value->kind == AST_SELF || function->captures[i].value->variable == value->variable))
      return function->captures[i].variable;
  struct ast_variable *variable = arena_alloc(checker->arena, sizeof *variable);
  *variable = (struct ast_variable){.kind = AST_CAPTURED,
                                    .name = name,
                                    .type = value->type,
                                    .owner = function,
                                    .index = (unsigned)function->capture_count,
                                    .place = value->place};
  struct ast_capture capture = {variable, value};
  ARENA_PUSH(checker->arena, function->captures, function->capture_count, frame->capture_capacity, capture);
  return variable;
}

static struct ast_expr *check_scope_local_in(struct checker *checker, struct frame *frame, const struct local *local,
                                             struct place place) {
  if (local->frame == frame) {
    struct ast_expr *own = ast_expr_new(checker->arena, local->self ? AST_SELF : AST_VARIABLE, local->self_type, place);
    if (local->self)
      return own;
    own->variable = local->variable;
    local->variable->is_read = true;
    own->type = local->variable->type;
    return own;
  }
  struct ast_expr *value = check_scope_local_in(checker, frame->outer, local, place);
  struct ast_expr *expr = ast_expr_new(checker->arena, AST_VARIABLE, NULL, place);
  expr->variable = check_scope_capture(checker, frame, value, local->name);
  expr->type = value->type;
  return expr;
}

/* A local of another function is captured by this function and those in between. */
struct ast_expr *check_scope_local(struct checker *checker, const struct local *local, struct place place) {
  return check_scope_local_in(checker, checker->frame, local, place);
}

/* The words of a name behind its "websocket" or "ws", or of a name that begins in upper case; or NULL. */
static const char *check_scope_words(const char *name) {
  static const char *const prefixes[] = {"websocket", "ws", ""};
  for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
    const char *words = name + strlen(prefixes[i]);
    if (strncasecmp(name, prefixes[i], strlen(prefixes[i])) == 0 && *words >= 'A' && *words <= 'Z')
      return words;
  }
  return NULL;
}

const char *check_scope_kin(const struct map *names, const char *name) {
  const char *kin = NULL, *words = check_scope_words(name);
  size_t count = words ? strlen(words) : 0;
  for (size_t i = 0; count > 2 && i < names->capacity; i++) {
    const char *known = names->entries[i].key;
    size_t length = names->entries[i].value ? strlen(known) : 0;
    if (!length || strncasecmp(known, "websocket", strlen("websocket")) != 0)
      continue;
    bool ends = length > count && strcmp(known + length - count, words) == 0;
    bool begins = words > name && strncmp(name, known, length) == 0 && name[length] >= 'A' && name[length] <= 'Z';
    bool nearer = !kin || (ends ? length < strlen(kin) : length > strlen(kin));
    if ((ends || begins) && nearer)
      kin = known;
  }
  return kin;
}

/* The known name most similar to an unknown one, or NULL. Gives up after many errors, because the search is slow. */
static const char *check_scope_guess(struct checker *checker, const char *name) {
  enum { MANY_ERRORS = 100 };
  struct diag_guess guess = {0};
  if (checker->diag->errors > MANY_ERRORS)
    return NULL;
  for (struct frame *frame = checker->frame; frame; frame = frame->outer)
    for (struct local *local = frame->locals; local; local = local->next)
      diag_guess_consider(&guess, name, local->name);
  const struct map *maps[] = {&checker->values, &checker->library};
  for (size_t m = 0; m < sizeof maps / sizeof *maps; m++)
    for (size_t i = 0; i < maps[m]->capacity; i++)
      if (maps[m]->entries[i].value)
        diag_guess_consider(&guess, name, maps[m]->entries[i].key);
  return guess.name ? guess.name : check_scope_kin(&checker->values, name);
}

static bool check_scope_same_line(const struct checker *checker, struct place first, struct place second) {
  return first.offset < second.offset &&
         !memchr(checker->diag->source->text + first.offset, '\n', second.offset - first.offset);
}

/* A hint for a name that the function right before this item has as a parameter, or NULL. */
static const char *check_scope_outside(struct checker *checker, const char *name, struct place place) {
  const struct syntax_function *before = checker->before;
  for (size_t i = 0; before && i < before->count; i++)
    if (strcmp(before->parameters[i].name.text, name) == 0)
      return before->body->kind == SYNTAX_NAME && check_scope_same_line(checker, before->body->place, place)
                 ? arena_printf(checker->arena, "write %s(%s)", before->body->name, name)
                 : arena_printf(checker->arena, "the body of '%s' has ended: put its expressions in { … }",
                                before->name.text);
  return NULL;
}

/* A hint for a name that a block around its use declares later, or NULL. */
static const char *check_scope_later(struct checker *checker, const char *name) {
  for (const struct check_block *block = checker->block; block; block = block->outer)
    for (size_t i = block->at; i < block->syntax->count; i++) {
      const struct syntax_item *item = &block->syntax->items[i];
      if (item->kind == SYNTAX_ITEM_EXPR || strcmp(item->name.text, name) != 0)
        continue;
      unsigned line, column;
      if (i == block->at && item->kind == SYNTAX_ITEM_LET)
        return "its own value cannot use it: 'let' binds a new name, and a function that calls itself begins with 'fn'";
      source_position(checker->diag->source, item->name.place, &line, &column);
      return arena_printf(checker->arena,
                          item->kind == SYNTAX_ITEM_FUNCTION
                              ? "it is declared in line %u: move it up, or functions that call each other to file scope"
                              : "it is declared in line %u: move it up",
                          line);
    }
  return NULL;
}

/* A hint for a name that another function has as a parameter, or binds at its begin; or NULL. */
static const char *check_scope_elsewhere(struct checker *checker, const char *name) {
  for (size_t i = 0; i < checker->syntax->count; i++) {
    const struct syntax_function *function = checker->syntax->items[i].function;
    if (checker->syntax->items[i].kind != SYNTAX_ITEM_FUNCTION)
      continue;
    bool binds = false;
    for (size_t j = 0; j < function->count; j++)
      binds |= strcmp(function->parameters[j].name.text, name) == 0;
    const struct syntax_block *block = function->body->kind == SYNTAX_BLOCK ? &function->body->block : NULL;
    for (size_t j = 0; !binds && block && j < block->count; j++)
      if (block->items[j].kind == SYNTAX_ITEM_LET && strcmp(block->items[j].name.text, name) == 0)
        return arena_printf(checker->arena, "it is a name of '%s' alone: pass it on as an argument",
                            function->name.text);
    if (binds)
      return arena_printf(checker->arena,
                          "it is a parameter of '%s': declare the function that uses it inside '%s', or pass it on",
                          function->name.text, function->name.text);
  }
  return NULL;
}

/* Hints at a keyword of another language, or suggests a name. */
void check_scope_unknown(struct checker *checker, const char *name, struct place place) {
  if (map_get(checker->skipped, name))
    return;
  if (library_leaves_out(name)) {
    *diag_error(checker->diag, place, "`%s` is part of Osprey, but not of ospreyc", name) = foreign_left_out(name);
    return;
  }
  const char *guess = check_scope_guess(checker, name);
  const char **hint =
      diag_error(checker->diag, place, "%s '%s'", foreign_word(name) ? "there is no" : "unknown name", name);
  *hint = check_scope_outside(checker, name, place);
  if (!*hint)
    *hint = check_scope_later(checker, name);
  if (!*hint && strcmp(name, "_") != 0)
    *hint = check_scope_elsewhere(checker, name);
  if (!*hint)
    *hint = foreign_name(name);
  if (!*hint)
    *hint = foreign_left_out(name);
  if (!*hint && *name >= 'A' && *name <= 'Z')
    *hint = foreign_type(name);
  if (!*hint && map_get(&checker->type_names, name))
    *hint = "this is a type, not a value";
  if (check_scope_builtin_behind(name))
    guess = check_scope_builtin_behind(name);
  if (!*hint && guess)
    *hint = arena_printf(checker->arena, "did you mean '%s'?", guess);
}

const char *check_scope_unique(struct checker *checker, const char *wish) {
  const char *name = wish;
  void **slot = map_slot(&checker->symbols_made, wish, strlen(wish));
  uintptr_t latest = (uintptr_t)*slot;
  while (*slot) {
    name = arena_printf(checker->arena, "%s.%zu", wish, (size_t)++latest);
    slot = map_slot(&checker->symbols_made, name, strlen(name));
  }
  *slot = (void *)(uintptr_t)1;
  if (name != wish)
    *map_slot(&checker->symbols_made, wish, strlen(wish)) = (void *)latest;
  return name;
}
