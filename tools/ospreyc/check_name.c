/* Names, the scopes they are found in, and the functions whose bodies are scopes. */
#include "checker.h"

#include <string.h>

/* ---- Nodes and variables ----------------------------------------------------------------------------------------- */

struct ast_expr *check_new(struct checker *checker, enum ast_kind kind, struct type *type, struct place place) {
  struct ast_expr *expr = arena_alloc(checker->arena, sizeof *expr);
  expr->kind = kind;
  expr->type = type;
  expr->place = place;
  return expr;
}

struct ast_variable *check_new_variable(struct checker *checker, enum ast_variable_kind kind, const char *name,
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

static void check_enter(struct checker *checker, struct local *local) {
  struct local **slot = (struct local **)map_slot(&checker->locals, local->name, strlen(local->name));
  local->hidden = *slot;
  local->next = local->frame->locals;
  local->frame->locals = *slot = local;
}

/* Makes a variable's name known in the scope that is open. */
struct local *check_bind(struct checker *checker, struct ast_variable *variable) {
  struct local *local = arena_alloc(checker->arena, sizeof *local);
  *local = (struct local){.name = variable->name, .frame = checker->frame, .variable = variable};
  if (strcmp(variable->name, "_") != 0)
    check_enter(checker, local);
  return local;
}

void check_unbind(struct checker *checker, struct local *outer) {
  struct frame *frame = checker->frame;
  for (; frame->locals != outer; frame->locals = frame->locals->next)
    *map_slot(&checker->locals, frame->locals->name, strlen(frame->locals->name)) = frame->locals->hidden;
}

/* ---- Looking names up -------------------------------------------------------------------------------------------- */

struct local *check_find_local(struct checker *checker, const char *name) {
  return map_get(&checker->locals, name);
}

struct symbol *check_find(struct checker *checker, const char *name) {
  struct symbol *symbol = map_get(&checker->values, name);
  bool depends = symbol && (symbol->kind == SYMBOL_FUNCTION || symbol->kind == SYMBOL_GLOBAL);
  if (depends && checker->uses)
    ARENA_PUSH(checker->arena, checker->uses->symbols, checker->uses->count, checker->uses->capacity, symbol);
  return symbol;
}

/* The name most like one that means nothing. After many errors nobody would read it, and looking takes time. */
static const char *check_guess_name(struct checker *checker, const char *name) {
  enum { MANY_ERRORS = 100 };
  struct diag_guess guess = {0};
  if (checker->diag->errors > MANY_ERRORS)
    return NULL;
  for (struct frame *frame = checker->frame; frame; frame = frame->outer)
    for (struct local *local = frame->locals; local; local = local->next)
      diag_guess_consider(&guess, name, local->name);
  const struct map *map = &checker->values;
  for (size_t i = 0; i < map->capacity; i++)
    if (map->entries[i].value)
      diag_guess_consider(&guess, name, map->entries[i].key);
  return guess.name;
}

/* What other languages call something that this one has under another name. */
static const char *check_foreign_word(const char *name) {
  static const struct {
    const char *word, *hint;
  } words[] = {
      {"_", "'_' is not a value: give it a name"},
      {"return", "a block's value is its last expression"},
      {"for", "there are no loops: range(a, b) |> forEach(f), or recursion"},
      {"while", "there are no loops: range(a, b) |> forEach(f), or recursion"},
      {"var", "names are bound with 'let'"},
      {"const", "names are bound with 'let'"},
      {"function", "functions are declared with 'fn'"},
      {"def", "functions are declared with 'fn'"},
      {"null", "what may be missing is a Result"},
      {"nil", "what may be missing is a Result"},
      {"None", "what may be missing is a Result"},
      {"Ok", "a success is Success(value), or Success()"},
      {"Unit", "the value of Unit is '{}'"},
  };
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (strcmp(words[i].word, name) == 0)
      return words[i].hint;
  return NULL;
}

void check_unknown_name(struct checker *checker, const char *name, struct place place) {
  const char *guess = check_guess_name(checker, name);
  const char **hint = diag_error(checker->diag, place, "unknown name '%s'", name);
  *hint = check_foreign_word(name);
  if (builtin_behind(name))
    guess = builtin_behind(name);
  if (!*hint && guess)
    *hint = arena_printf(checker->arena, "did you mean '%s'?", guess);
}

/* ---- Captures ---------------------------------------------------------------------------------------------------- */

static bool check_same_source(const struct ast_expr *a, const struct ast_expr *b) {
  return a->kind == b->kind && (a->kind == AST_SELF || a->variable == b->variable);
}

/* The variable in the frame's cell that holds a value of the enclosing function. */
static struct ast_variable *check_capture(struct checker *checker, struct frame *frame, struct ast_expr *value,
                                          const char *name) {
  struct ast_function *function = frame->function;
  for (size_t i = 0; i < function->capture_count; i++)
    if (check_same_source(function->captures[i].value, value))
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

static struct ast_expr *check_local_in(struct checker *checker, struct frame *frame, const struct local *local,
                                       struct place place) {
  if (local->frame == frame) {
    struct ast_expr *own = check_new(checker, local->self ? AST_SELF : AST_VARIABLE, local->self_type, place);
    if (local->self)
      return own;
    own->variable = local->variable;
    own->type = local->variable->type;
    return own;
  }
  struct ast_expr *value = check_local_in(checker, frame->outer, local, place);
  struct ast_expr *expr = check_new(checker, AST_VARIABLE, NULL, place);
  expr->variable = check_capture(checker, frame, value, local->name);
  expr->type = value->type;
  return expr;
}

/* A local name as an expression: where it is another function's, this one and those between capture it. */
struct ast_expr *check_local(struct checker *checker, const struct local *local, struct place place) {
  return check_local_in(checker, checker->frame, local, place);
}

/* ---- Names as values --------------------------------------------------------------------------------------------- */

struct type *check_use_function(struct checker *checker, struct symbol *symbol) {
  struct check_function *function = symbol->function;
  if (checker->instance && function == checker->instance->function)
    return (struct type *)checker->instance->type;
  return function->generic ? infer_instantiate(&checker->infer, function->type) : function->type;
}

/* What can only be called becomes a value by a lambda around the call: `print` is |value| => print(value). */
static struct ast_expr *check_expand(struct checker *checker, const struct symbol *symbol, struct place place,
                                     const struct want *want) {
  size_t count = symbol->parameter_count;
  struct syntax_expr *nodes = arena_array(checker->arena, count + 3, sizeof *nodes);
  struct syntax_function *function = arena_alloc(checker->arena, sizeof *function);
  struct syntax_expr *lambda = &nodes[0], *call = &nodes[1], *callee = &nodes[2];
  *lambda = (struct syntax_expr){.kind = SYNTAX_LAMBDA, .place = place, .function = function};
  *call = (struct syntax_expr){.kind = SYNTAX_CALL, .place = place, .call = {.callee = callee, .count = count}};
  *callee = (struct syntax_expr){.kind = SYNTAX_NAME, .place = place, .name = symbol->name};
  *function = (struct syntax_function){.name = {.place = place}, .count = count, .body = call};
  function->parameters = arena_array(checker->arena, count, sizeof *function->parameters);
  call->call.arguments = arena_array(checker->arena, count, sizeof *call->call.arguments);
  for (size_t i = 0; i < count; i++) {
    const char *name = arena_printf(checker->arena, "%zu", i);
    function->parameters[i].name = (struct syntax_name){name, place};
    nodes[i + 3] = (struct syntax_expr){.kind = SYNTAX_NAME, .place = place, .name = name};
    call->call.arguments[i].value = &nodes[i + 3];
  }
  struct want own = {symbol->type, "the function", NULL};
  return symbol->type ? check_meet(checker, check_lambda(checker, lambda, &own), want)
                      : check_lambda(checker, lambda, want);
}

static struct ast_expr *check_function_value(struct checker *checker, struct symbol *symbol, struct place place,
                                             const struct want *want) {
  struct ast_expr *expr = check_new(checker, AST_CLOSURE, check_use_function(checker, symbol), place);
  expr->function = &symbol->function->shell;
  return check_meet(checker, expr, want);
}

static struct ast_expr *check_constructor_value(struct checker *checker, const struct symbol *symbol,
                                                struct place place, const struct want *want) {
  const struct type_constructor *constructor = symbol->constructor;
  if (constructor->field_count && constructor->type->kind == TYPE_UNION)
    return check_expand(checker, symbol, place, want);
  if (constructor->field_count) {
    diag_error(checker->diag, place, "'%s' is a record: write %s { … }", symbol->name, symbol->name);
    return check_wrong(checker, place);
  }
  struct ast_expr *expr = check_new(checker, AST_CONSTRUCT, constructor->type, place);
  expr->construct.constructor = constructor;
  return check_meet(checker, expr, want);
}

static struct ast_expr *check_intrinsic_value(struct checker *checker, const struct symbol *symbol, struct place place,
                                              const struct want *want) {
  if (symbol->intrinsic < INTRINSIC_RANGE)
    return check_expand(checker, symbol, place, want);
  diag_error(checker->diag, place, "'%s' can only be called", symbol->name);
  return check_wrong(checker, place);
}

static struct ast_expr *check_symbol(struct checker *checker, struct symbol *symbol, struct place place,
                                     const struct want *want) {
  switch (symbol->kind) {
  case SYMBOL_FUNCTION:
    return check_function_value(checker, symbol, place, want);
  case SYMBOL_EXTERN:
  case SYMBOL_BUILTIN:
    return check_expand(checker, symbol, place, want);
  case SYMBOL_INTRINSIC:
    return check_intrinsic_value(checker, symbol, place, want);
  case SYMBOL_CONSTRUCTOR:
    return check_constructor_value(checker, symbol, place, want);
  case SYMBOL_GLOBAL:
    break;
  case SYMBOL_SUCCESS:
  case SYMBOL_ERROR:
    *diag_error(checker->diag, place, "'%s' needs what it holds", symbol->name) =
        symbol->kind == SYMBOL_SUCCESS ? "write Success(value), or Success() for Unit" : "write Err(message)";
    return check_wrong(checker, place);
  }
  struct ast_expr *expr = check_new(checker, AST_VARIABLE, symbol->type, place);
  expr->variable = symbol->variable;
  return check_meet(checker, expr, want);
}

struct ast_expr *check_name(struct checker *checker, const char *name, struct place place, const struct want *want) {
  const struct local *local = check_find_local(checker, name);
  if (local)
    return check_meet(checker, check_local(checker, local, place), want);
  struct symbol *symbol = check_find(checker, name);
  if (symbol)
    return check_symbol(checker, symbol, place, want);
  check_unknown_name(checker, name, place);
  return check_wrong(checker, place);
}

/* ---- Functions --------------------------------------------------------------------------------------------------- */

const char *check_unique_symbol(struct checker *checker, const char *wish) {
  const char *name = wish;
  void **taken = map_slot(&checker->symbols_made, name, strlen(name));
  for (unsigned i = 2; *taken; i++) {
    name = arena_printf(checker->arena, "%s.%u", wish, i);
    taken = map_slot(&checker->symbols_made, name, strlen(name));
  }
  *taken = (void *)name;
  return name;
}

/* The type of a function by its annotations, with variables where there are none. */
struct type *check_signature(struct checker *checker, const struct syntax_function *syntax) {
  struct type **parameters = arena_array(checker->arena, syntax->count, sizeof(struct type *));
  for (size_t i = 0; i < syntax->count; i++) {
    const struct syntax_type *type = syntax->parameters[i].type;
    parameters[i] = type ? check_type(checker, type) : infer_variable(&checker->infer);
  }
  struct type *result = syntax->result ? check_type(checker, syntax->result) : infer_variable(&checker->infer);
  return infer_function(&checker->infer, parameters, syntax->count, result);
}

static void check_parameters(struct checker *checker, const struct syntax_function *syntax,
                             struct ast_function *function, const struct type *type) {
  function->parameter_count = syntax->count;
  function->parameters = arena_array(checker->arena, syntax->count, sizeof(struct ast_variable *));
  for (size_t i = 0; i < syntax->count; i++) {
    struct syntax_name name = syntax->parameters[i].name;
    function->parameters[i] =
        check_new_variable(checker, AST_PARAMETER, name.text, type->function.parameters[i], name.place);
    function->parameters[i]->index = (unsigned)i;
    check_bind(checker, function->parameters[i]);
    for (size_t j = 0; j < i; j++)
      if (strcmp(name.text, "_") != 0 && strcmp(name.text, syntax->parameters[j].name.text) == 0)
        diag_error(checker->diag, name.place, "the parameter '%s' is already declared", name.text);
  }
}

static void check_body(struct checker *checker, const struct syntax_function *syntax, struct ast_function *function,
                       struct type *type) {
  const char *what = syntax->name.text ? arena_printf(checker->arena, "the result of '%s'", syntax->name.text)
                                       : "the result of the lambda";
  struct want want = {type->function.result, what, NULL};
  function->body = check_expr(checker, syntax->body, &want);
}

void check_function_body(struct checker *checker, struct ast_function *function, const struct syntax_function *syntax,
                         struct type *type, const char *symbol, bool has_environment, const char *self_name) {
  struct frame frame = {.function = function, .outer = has_environment ? checker->frame : NULL};
  struct frame *outer = checker->frame;
  *function = (struct ast_function){.name = syntax->name.text ? syntax->name.text : "lambda",
                                    .symbol = symbol,
                                    .parent = has_environment ? outer->function : NULL,
                                    .has_environment = has_environment,
                                    .type = type,
                                    .place = syntax->name.place};
  checker->frame = &frame;
  struct local self = {
      .name = self_name, .frame = &frame, .self = function, .self_type = type, .known = syntax, .code = function};
  if (self_name)
    check_enter(checker, &self);
  check_parameters(checker, syntax, function, type);
  check_body(checker, syntax, function, type);
  check_unbind(checker, NULL);
  checker->frame = outer;
}

static const char *check_nested_symbol(struct checker *checker, const char *name) {
  const char *parent = checker->frame->function->symbol;
  return check_unique_symbol(checker, arena_printf(checker->arena, "%s.%s", parent, name));
}

/* A lambda takes the types of its parameters from where it is wanted, so that its body can use them. */
struct ast_expr *check_lambda(struct checker *checker, const struct syntax_expr *syntax, const struct want *want) {
  struct type *type = check_signature(checker, syntax->function);
  struct type *wanted = want ? infer_resolve(want->type) : NULL;
  bool fits = wanted && wanted->kind == TYPE_FUNCTION && wanted->function.parameter_count == syntax->function->count;
  for (size_t i = 0; fits && i < syntax->function->count; i++)
    infer_unify(&checker->infer, type->function.parameters[i], wanted->function.parameters[i]);
  if (fits && infer_resolve(type->function.result)->kind == TYPE_VARIABLE)
    infer_unify(&checker->infer, type->function.result, wanted->function.result);
  struct ast_expr *expr = check_new(checker, AST_CLOSURE, type, syntax->place);
  expr->function = arena_alloc(checker->arena, sizeof *expr->function);
  const char *symbol = check_nested_symbol(checker, "lambda");
  check_function_body(checker, expr->function, syntax->function, type, symbol, true, NULL);
  return check_meet(checker, expr, want);
}

/* A nested function is a `let` of a closure, whose name is known in its own body too. */
void check_nested_function(struct checker *checker, const struct syntax_item *item, struct ast_statement *statement) {
  const struct syntax_function *syntax = item->function;
  struct type *type = check_signature(checker, syntax);
  struct ast_expr *expr = check_new(checker, AST_CLOSURE, type, item->name.place);
  const char *symbol = check_nested_symbol(checker, item->name.text);
  expr->function = arena_alloc(checker->arena, sizeof *expr->function);
  check_function_body(checker, expr->function, syntax, type, symbol, true, item->name.text);
  statement->value = expr;
  statement->variable = check_new_variable(checker, AST_LOCAL, item->name.text, type, item->name.place);
  struct local *local = check_bind(checker, statement->variable);
  local->known = syntax;
  local->code = expr->function;
}
