#include "check_expr.h"

#include "check_declare.h"
#include "check_operator.h"
#include "check_pattern.h"
#include "foreign.h"

#include <string.h>

static struct ast_expr *check_expr_if(struct checker *checker, const struct syntax_expr *syntax,
                                      const struct want *want, bool dropped);
static struct ast_expr *check_expr_match(struct checker *checker, const struct syntax_expr *syntax,
                                         const struct want *want, bool dropped);
static struct ast_expr *check_expr_dropped(struct checker *checker, const struct syntax_expr *syntax);
static struct ast_expr *check_expr_method(struct checker *checker, const struct syntax_expr *syntax,
                                          const struct want *want);

#define CHECK_EXPR_FALLBACK "the fallback after '?:'"

static struct ast_expr *check_expr_error(struct checker *checker, struct place place) {
  return ast_expr_new(checker->arena, AST_UNIT, checker->infer.error, place);
}

/* The fields of a record that have the type wanted, as a hint, or NULL. */
static const char *check_expr_fields_hint(struct checker *checker, const struct ast_expr *expr,
                                          const struct type *wanted, const struct type *found) {
  const struct type_constructor *record = &found->named.constructors[0];
  const char *list = NULL, *name = expr->kind == AST_VARIABLE ? expr->variable->name : "…";
  for (size_t i = 0; i < record->field_count; i++)
    if (infer_resolve(record->fields[i].type)->kind == wanted->kind)
      list = arena_printf(checker->arena, "%s%s%s.%s", list ? list : "write ", list ? " or " : "", name,
                          record->fields[i].name);
  return list;
}

/* How a string, or a Result of one, becomes a number; or NULL. */
static const char *check_expr_parse_hint(const struct type *wanted, const struct type *found) {
  if (wanted->kind == TYPE_INT)
    return found->kind == TYPE_RESULT ? "write parseInt(… ?: \"\") ?: 0, or match both Results"
                                      : "parseInt(…) makes a Result of a number from it";
  return found->kind == TYPE_RESULT ? "write parseFloat(… ?: \"\") ?: 0.0, or match both Results"
                                    : "parseFloat(…) makes a Result of a number from it";
}

/* A hint for a Result in place of another type. */
static const char *check_expr_result_hint(struct checker *checker, const struct ast_expr *expr, const char *what,
                                          const struct type *wanted, const struct type *found) {
  const struct type *value = infer_resolve(found->result.value);
  bool number = wanted->kind == TYPE_INT || wanted->kind == TYPE_FLOAT;
  if (wanted->kind == TYPE_UNIT)
    return value->kind == TYPE_UNIT ? "write -> Result<Success, String>, or match it: a Result is not dropped silently"
                                    : "a Result is not dropped silently: match it";
  if (number && value->kind == TYPE_STRING)
    return check_expr_parse_hint(wanted, found);
  if (strstr(what, "ID' of") && value->kind == TYPE_INT)
    return foreign_name("andThen");
  if (wanted->kind == TYPE_INT && value->kind == TYPE_FLOAT)
    return "'/' gives a float: write intDiv(a, b) ?: 0 to divide integers";
  if (wanted->kind == value->kind && number && expr->kind == AST_ARITHMETIC)
    return check_operator_fallback(checker, expr, CHECK_ALONE);
  return "a Result is never unwrapped silently: match it, or give a fallback with '?:'";
}

/* A hint for a function that differs from the one wanted. */
static const char *check_expr_function_hint(struct checker *checker, const struct ast_expr *expr,
                                            const struct type *wanted, const struct type *found) {
  size_t count = wanted->function.parameter_count;
  if (count == found->function.parameter_count && infer_resolve(wanted->function.result)->kind == TYPE_RESULT &&
      infer_resolve(found->function.result)->kind == TYPE_UNIT)
    return "end its body with a Result: Success()";
  if (count == 1 && found->function.parameter_count == 0 && expr->kind == AST_CLOSURE)
    return "it needs 1 parameter: fn(_) => …";
  const char *types = "";
  for (size_t i = 0; i < count; i++)
    types = arena_printf(checker->arena, "%s%s%s", types, i ? ", " : "",
                         type_name(checker->arena, wanted->function.parameters[i]));
  if (count != found->function.parameter_count)
    return arena_printf(checker->arena, "it needs %zu parameter%s: %s", count, count == 1 ? "" : "s", types);
  if (count == 1 && infer_resolve(wanted->function.parameters[0])->kind == TYPE_UNIT)
    return "there is no value for its parameter: fn(_) => …";
  for (size_t i = 0; i < count; i++)
    if (!infer_unify(&checker->infer, wanted->function.parameters[i], found->function.parameters[i]))
      return arena_printf(checker->arena, "its parameter %zu should be %s, not %s", i + 1,
                          type_name(checker->arena, wanted->function.parameters[i]),
                          type_name(checker->arena, found->function.parameters[i]));
  return arena_printf(checker->arena, "its result should be %s, not %s",
                      type_name(checker->arena, wanted->function.result),
                      type_name(checker->arena, found->function.result));
}

/* A hint for a type mismatch, or NULL. */
static const char *check_expr_mismatch_hint(struct checker *checker, const struct ast_expr *expr, const char *what,
                                            struct type *wanted, struct type *found) {
  wanted = infer_resolve(wanted);
  found = infer_resolve(found);
  if (found->kind == TYPE_VARIABLE || wanted->kind == TYPE_VARIABLE)
    return "the type would be infinite: it contains itself";
  if (wanted->kind == TYPE_FUNCTION && found->kind == TYPE_FUNCTION)
    return check_expr_function_hint(checker, expr, wanted, found);
  if (wanted->kind == TYPE_FUNCTION && expr->kind == AST_CALL)
    return expr->call.arguments.count ? "pass a function that calls it later: fn(_) => …"
                                      : "pass the function itself, without calling it";
  if (found->kind == TYPE_RECORD && wanted->kind != TYPE_RECORD)
    return check_expr_fields_hint(checker, expr, wanted, found);
  if (found->kind == TYPE_RESULT && wanted->kind != TYPE_RESULT && wanted->kind != TYPE_FUNCTION)
    return check_expr_result_hint(checker, expr, what, wanted, found);
  if (wanted->kind == TYPE_RESULT && found->kind == TYPE_RESULT &&
      infer_resolve(wanted->result.value)->kind == TYPE_UNIT)
    return "match it to use its value, and end with Success()";
  if (wanted->kind == TYPE_RESULT && found->kind != TYPE_RESULT &&
      infer_unify(&checker->infer, wanted->result.value, found))
    return found->kind == TYPE_UNIT ? "write Success() for a success without a value" : "wrap it: Success(…)";
  if (wanted->kind == TYPE_RESULT && infer_resolve(wanted->result.value)->kind == TYPE_UNIT &&
      found->kind != TYPE_RESULT && found->kind != TYPE_FUNCTION)
    return "end with a call that gives such a Result, or with Success()";
  if (wanted->kind == TYPE_RESULT && found->kind == TYPE_STRING)
    return "wrap it: an error is Err(…)";
  if (wanted->kind == TYPE_STRING && found->kind == TYPE_INT && strcmp(what, CHECK_EXPR_FALLBACK) == 0)
    return "the value is a String: as a number it is parseInt(… ?: \"\") ?: 0";
  if (wanted->kind == TYPE_STRING && (found->kind == TYPE_INT || found->kind == TYPE_FLOAT || found->kind == TYPE_BOOL))
    return "convert it with toString(…) or \"${…}\"";
  if (wanted->kind == TYPE_INT && found->kind == TYPE_STRING && strstr(what, "'document' of"))
    return foreign_name("JSON");
  if (wanted->kind == TYPE_INT && found->kind == TYPE_STRING && strstr(what, "ID' of"))
    return "an ID is an Int: a handler has from.id, and websocketConnect gives one";
  if (wanted->kind == TYPE_INT && found->kind == TYPE_STRING)
    return expr->kind == AST_STRING ? "write a number without quotes" : check_expr_parse_hint(wanted, found);
  if (wanted->kind == TYPE_FLOAT && found->kind == TYPE_STRING)
    return check_expr_parse_hint(wanted, found);
  if (wanted->kind == TYPE_FLOAT && found->kind == TYPE_INT)
    return expr->kind == AST_INT ? "write it with a point, as in 1.0" : "convert it with toFloat(…)";
  if (wanted->kind == TYPE_INT && found->kind == TYPE_FLOAT)
    return "an Int has no fraction: write a whole number, or divide with intDiv(a, b)";
  if (wanted->kind == TYPE_BOOL && (found->kind == TYPE_INT || found->kind == TYPE_STRING))
    return found->kind == TYPE_INT ? "compare it, as in n != 0" : "compare it, as in s != \"\"";
  if (found->kind == TYPE_UNIT && expr->kind == AST_BLOCK)
    return "the value of a block is its last expression: write one before this '}'";
  if (found->kind == TYPE_FUNCTION && wanted->kind != TYPE_FUNCTION)
    return "a function is called with '(…)'";
  return NULL;
}

struct ast_expr *check_expr_meet(struct checker *checker, struct ast_expr *expr, const struct want *want) {
  if (!want)
    return expr;
  struct type *found = infer_resolve(expr->type);
  if (infer_unify(&checker->infer, want->type, found))
    return expr;
  if (expr->kind == AST_VARIABLE && found->kind == TYPE_RESULT) {
    bool is_reported = expr->variable->is_reported;
    expr->variable->is_reported = true;
    if (is_reported)
      return expr;
  }
  const char **hint = diag_error(checker->diag, expr->place, "%s: expected %s, found %s", want->what,
                                 type_name(checker->arena, want->type), type_name(checker->arena, found));
  bool is_int = infer_resolve(want->type)->kind == TYPE_INT;
  *hint = want->hint && is_int ? want->hint : check_expr_mismatch_hint(checker, expr, want->what, want->type, found);
  return expr;
}

void check_expr_function(struct checker *checker, struct ast_function *function, const struct syntax_function *syntax,
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
    check_scope_enter(checker, &self);
  function->parameter_count = syntax->count;
  function->parameters = arena_array(checker->arena, syntax->count, sizeof(struct ast_variable *));
  for (size_t i = 0; i < syntax->count; i++) {
    struct syntax_name name = syntax->parameters[i].name;
    function->parameters[i] =
        check_scope_variable(checker, AST_PARAMETER, name.text, type->function.parameters[i], name.place);
    function->parameters[i]->index = (unsigned)i;
    check_scope_bind(checker, function->parameters[i]);
    for (size_t j = 0; j < i; j++)
      if (strcmp(name.text, "_") != 0 && strcmp(name.text, syntax->parameters[j].name.text) == 0)
        diag_error(checker->diag, name.place, "the parameter '%s' is already declared", name.text);
  }
  const char *what = syntax->name.text ? arena_printf(checker->arena, "the result of '%s'", syntax->name.text)
                                       : "the result of the lambda";
  struct want want = {type->function.result, what, NULL};
  function->body = check_expr(checker, syntax->body, &want);
  check_scope_unbind(checker, NULL);
  checker->frame = outer;
}

static const char *check_expr_nested_symbol(struct checker *checker, const char *name) {
  const char *parent = checker->frame->function->symbol;
  return check_scope_unique(checker, arena_printf(checker->arena, "%s.%s", parent, name));
}

/* A lambda takes the types of its parameters from the expected type before its body is checked. */
static struct ast_expr *check_expr_lambda(struct checker *checker, const struct syntax_expr *syntax,
                                          const struct want *want) {
  struct type *type = check_declare_signature(checker, syntax->function);
  struct type *wanted = want ? infer_resolve(want->type) : NULL;
  bool fits = wanted && wanted->kind == TYPE_FUNCTION && wanted->function.parameter_count == syntax->function->count;
  for (size_t i = 0; fits && i < syntax->function->count; i++)
    infer_unify(&checker->infer, type->function.parameters[i], wanted->function.parameters[i]);
  if (fits && infer_resolve(type->function.result)->kind == TYPE_VARIABLE)
    infer_unify(&checker->infer, type->function.result, wanted->function.result);
  struct ast_expr *expr = ast_expr_new(checker->arena, AST_CLOSURE, type, syntax->place);
  expr->function = arena_alloc(checker->arena, sizeof *expr->function);
  const char *symbol = check_expr_nested_symbol(checker, "lambda");
  check_expr_function(checker, expr->function, syntax->function, type, symbol, true, NULL);
  return check_expr_meet(checker, expr, want);
}

static struct type *check_expr_use_function(struct checker *checker, struct symbol *symbol) {
  struct check_function *function = symbol->function;
  if (checker->instance && function == checker->instance->function)
    return (struct type *)checker->instance->type;
  return function->generic ? infer_instantiate(&checker->infer, function->type) : function->type;
}

/* A callable that is not a function becomes a value by eta-expansion: `print` is |value| => print(value). */
static struct ast_expr *check_expr_expand(struct checker *checker, const struct symbol *symbol, struct place place,
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
  return symbol->type ? check_expr_meet(checker, check_expr_lambda(checker, lambda, &own), want)
                      : check_expr_lambda(checker, lambda, want);
}

/* The parameters of a callee, or the fields of a constructor. */
struct formals {
  const char *owner; /* "'websocketSend'" */
  const char *noun;  /* "argument" or "field" */
  size_t count;
  const char **names;  /* NULL if they are unknown */
  const char *advice;  /* a hint for a wrong number of them, or NULL */
  struct type **types; /* NULL if they are unknown */
};

static const char *check_expr_quote(struct checker *checker, const char *name) {
  return arena_printf(checker->arena, "'%s'", name);
}

static struct formals check_expr_field_formals(struct checker *checker, const struct type_constructor *constructor) {
  struct formals formals = {
      check_expr_quote(checker, constructor->name), "field", constructor->field_count, NULL, NULL, NULL};
  formals.names = arena_array(checker->arena, formals.count, sizeof *formals.names);
  formals.types = arena_array(checker->arena, formals.count, sizeof *formals.types);
  for (size_t i = 0; i < formals.count; i++) {
    formals.names[i] = constructor->fields[i].name;
    formals.types[i] = constructor->fields[i].type;
  }
  return formals;
}

/* The formals that are not given, with their types, as a hint; the options of a connection with the values that change
 * nothing. */
static const char *check_expr_missing_hint(struct checker *checker, const struct formals *formals,
                                           const struct syntax_expr **given) {
  bool neutral = strcmp(formals->owner, "'WebSocketOptions'") == 0;
  const char *list = NULL;
  for (size_t i = 0; formals->types && i < formals->count; i++) {
    const struct type *type = infer_resolve(formals->types[i]);
    if ((given && given[i]) || !formals->names[i])
      continue;
    const char *value = !neutral                    ? type_name(checker->arena, type)
                        : type->kind == TYPE_STRING ? "\"\""
                        : type->kind == TYPE_BOOL   ? "false"
                                                    : "0";
    list = arena_printf(checker->arena, "%s%s%s: %s", list ? list : "", list ? ", " : "", formals->names[i], value);
  }
  return list ? arena_printf(checker->arena, "%s: %s", neutral ? "leave as they are" : "add", list) : NULL;
}

/* A name at file scope as a value. */
static struct ast_expr *check_expr_symbol(struct checker *checker, struct symbol *symbol, struct place place,
                                          const struct want *want) {
  const struct type_constructor *constructor = symbol->constructor;
  struct ast_expr *expr;
  switch (symbol->kind) {
  case SYMBOL_FUNCTION:
    expr = ast_expr_new(checker->arena, AST_CLOSURE, check_expr_use_function(checker, symbol), place);
    expr->function = &symbol->function->placeholder;
    return check_expr_meet(checker, expr, want);
  case SYMBOL_EXTERN:
  case SYMBOL_BUILTIN:
  case SYMBOL_LIBRARY:
    return check_expr_expand(checker, symbol, place, want);
  case SYMBOL_INTRINSIC:
    if (symbol->intrinsic < INTRINSIC_RANGE)
      return check_expr_expand(checker, symbol, place, want);
    diag_error(checker->diag, place, "'%s' can only be called", symbol->name);
    return check_expr_error(checker, place);
  case SYMBOL_CONSTRUCTOR:
    if (constructor->field_count && constructor->type->kind == TYPE_UNION)
      return check_expr_expand(checker, symbol, place, want);
    if (constructor->field_count) {
      struct formals formals = check_expr_field_formals(checker, constructor);
      *diag_error(checker->diag, place, "'%s' is a record: write %s { … }", symbol->name, symbol->name) =
          check_expr_missing_hint(checker, &formals, NULL);
      return check_expr_error(checker, place);
    }
    expr = ast_expr_new(checker->arena, AST_CONSTRUCT, constructor->type, place);
    expr->construct.constructor = constructor;
    return check_expr_meet(checker, expr, want);
  case SYMBOL_GLOBAL:
    break;
  case SYMBOL_SUCCESS:
  case SYMBOL_ERROR:
    *diag_error(checker->diag, place, "'%s' needs an argument", symbol->name) =
        symbol->kind == SYMBOL_SUCCESS ? "write Success(value), or Success() for Unit" : "write Err(message)";
    return check_expr_error(checker, place);
  }
  expr = ast_expr_new(checker->arena, AST_VARIABLE, symbol->type, place);
  expr->variable = symbol->variable;
  return check_expr_meet(checker, expr, want);
}

static struct ast_expr *check_expr_name(struct checker *checker, const char *name, struct place place,
                                        const struct want *want) {
  const struct local *local = map_get(&checker->locals, name);
  if (local)
    return check_expr_meet(checker, check_scope_local(checker, local, place), want);
  struct symbol *symbol = check_scope_find(checker, name);
  if (symbol)
    return check_expr_symbol(checker, symbol, place, want);
  check_scope_unknown(checker, name, place);
  return check_expr_error(checker, place);
}

/* The names of all formals, comma-separated; NULL if they have none. */
static const char *check_expr_list_formals(struct checker *checker, const struct formals *formals) {
  const char *list = NULL;
  for (size_t i = 0; formals->names && i < formals->count; i++)
    if (formals->names[i])
      list = list ? arena_printf(checker->arena, "%s, %s", list, formals->names[i]) : formals->names[i];
  return list;
}

static void check_expr_unknown_formal(struct checker *checker, const struct formals *formals, struct syntax_name name) {
  struct diag_guess guess = {0};
  for (size_t i = 0; i < formals->count; i++)
    if (formals->names[i])
      diag_guess_consider(&guess, name.text, formals->names[i]);
  const char **hint =
      diag_error(checker->diag, name.place, "%s has no %s '%s'", formals->owner, formals->noun, name.text);
  if (guess.name)
    *hint = arena_printf(checker->arena, "did you mean '%s'?", guess.name);
  else if (check_expr_list_formals(checker, formals))
    *hint = arena_printf(checker->arena, "it has: %s", check_expr_list_formals(checker, formals));
}

/* The index of a name among the formals, or their count. */
static size_t check_expr_find_formal(const struct formals *formals, const char *name) {
  size_t i = 0;
  while (i < formals->count && !(formals->names[i] && strcmp(formals->names[i], name) == 0))
    i++;
  return i;
}

/* Puts named arguments in the order of the formals. An omitted one stays NULL. Reports errors. */
static void check_expr_order_named(struct checker *checker, const struct formals *formals,
                                   const struct syntax_argument *arguments, size_t count,
                                   const struct syntax_expr **ordered) {
  for (size_t i = 0; i < count; i++) {
    struct syntax_name name = arguments[i].name;
    if (!name.text) {
      *diag_error(checker->diag, arguments[i].value->place, "positional %s among named ones", formals->noun) =
          "name all or none";
      continue;
    }
    size_t at = check_expr_find_formal(formals, name.text);
    if (at == formals->count)
      check_expr_unknown_formal(checker, formals, name);
    else if (ordered[at])
      diag_error(checker->diag, name.place, "the %s '%s' is given twice", formals->noun, name.text);
    else
      ordered[at] = arguments[i].value;
  }
}

/* Puts arguments in the order of the formals. Reports errors and returns NULL. */
static const struct syntax_expr **check_expr_order(struct checker *checker, const struct formals *formals,
                                                   const struct syntax_argument *arguments, size_t count,
                                                   struct place place) {
  const struct syntax_expr **ordered = arena_array(checker->arena, formals->count, sizeof *ordered);
  bool is_record = formals->types && strcmp(formals->noun, "field") == 0;
  bool named = is_record && !count && formals->names;
  for (size_t i = 0; i < count; i++)
    named |= arguments[i].name.text != NULL;
  if (named) {
    if (!formals->names) {
      *diag_error(checker->diag, place, "the arguments of a function value have no names") = "pass them by position";
      return NULL;
    }
    size_t errors = checker->diag->errors;
    check_expr_order_named(checker, formals, arguments, count, ordered);
    const char *missing = NULL;
    for (size_t i = 0; i < formals->count; i++)
      if (!ordered[i])
        missing = arena_printf(checker->arena, "%s%s'%s'", missing ? missing : "", missing ? ", " : "",
                               formals->names[i] ? formals->names[i] : "without a name");
    if (missing && errors == checker->diag->errors)
      *diag_error(checker->diag, place, "missing %s%s %s of %s", formals->noun, strchr(missing, ',') ? "s" : "",
                  missing, formals->owner) = check_expr_missing_hint(checker, formals, ordered);
    return errors == checker->diag->errors ? ordered : NULL;
  }
  if (count != formals->count) {
    const char *takes = formals->count ? arena_printf(checker->arena, "%zu", formals->count) : "no";
    const char **hint = diag_error(checker->diag, place, "%s takes %s %s%s, not %zu", formals->owner, takes,
                                   formals->noun, formals->count == 1 ? "" : "s", count);
    *hint = formals->advice;
    if (!*hint && check_expr_list_formals(checker, formals))
      *hint = arena_printf(checker->arena, "it takes: %s", check_expr_list_formals(checker, formals));
    return NULL;
  }
  for (size_t i = 0; i < count; i++)
    ordered[i] = arguments[i].value;
  return ordered;
}

/* Checks the arguments after an error in the call, to report the errors in them. */
static struct ast_expr *check_expr_recover(struct checker *checker, const struct syntax_argument *arguments,
                                           size_t count, struct place place) {
  for (size_t i = 0; i < count; i++)
    check_expr(checker, arguments[i].value, NULL);
  return check_expr_error(checker, place);
}

static const char *check_expr_formal_name(struct checker *checker, const struct formals *formals, size_t i) {
  if (formals->names && formals->names[i])
    return arena_printf(checker->arena, "%s '%s' of %s", formals->noun, formals->names[i], formals->owner);
  return arena_printf(checker->arena, "%s %zu of %s", formals->noun, i + 1, formals->owner);
}

/* The kind of an expression's type as far as its form tells, or TYPE_VARIABLE. */
static enum type_kind check_expr_apparent(const struct checker *checker, const struct syntax_expr *syntax) {
  const struct local *local = syntax->kind == SYNTAX_NAME ? map_get(&checker->locals, syntax->name) : NULL;
  const struct syntax_expr *record = syntax->kind == SYNTAX_FIELD ? syntax->field.record : NULL;
  switch (syntax->kind) {
  case SYNTAX_INT:
    return TYPE_INT;
  case SYNTAX_STRING:
  case SYNTAX_INTERPOLATE:
    return TYPE_STRING;
  case SYNTAX_LAMBDA:
    return TYPE_FUNCTION;
  case SYNTAX_NAME:
    return local && local->variable ? infer_resolve(local->variable->type)->kind : TYPE_VARIABLE;
  case SYNTAX_FIELD:
    local = record->kind == SYNTAX_NAME ? map_get(&checker->locals, record->name) : NULL;
    if (local && local->variable && infer_resolve(local->variable->type)->kind == TYPE_RECORD) {
      const struct type_constructor *fields = infer_resolve(local->variable->type)->named.constructors;
      for (size_t i = 0; i < fields->field_count; i++)
        if (fields->fields[i].name && strcmp(fields->fields[i].name, syntax->field.name.text) == 0)
          return infer_resolve(fields->fields[i].type)->kind;
    }
    return TYPE_VARIABLE;
  default:
    return TYPE_VARIABLE;
  }
}

static bool check_expr_may_be(enum type_kind apparent, const struct type *wanted) {
  enum type_kind kind = infer_resolve(wanted)->kind;
  return apparent == TYPE_VARIABLE || apparent == TYPE_ERROR || kind == TYPE_VARIABLE || kind == TYPE_ERROR ||
         apparent == kind;
}

/* Whether two arguments, exchanged, have the types wanted, and as they are both have not. */
static bool check_expr_is_reordered(const struct checker *checker, const struct formals *formals,
                                    const struct syntax_expr **ordered) {
  for (size_t i = 0; i < formals->count; i++) {
    enum type_kind kind = check_expr_apparent(checker, ordered[i]);
    for (size_t j = i + 1; j < formals->count && !check_expr_may_be(kind, formals->types[i]); j++) {
      enum type_kind other = check_expr_apparent(checker, ordered[j]);
      if (!check_expr_may_be(other, formals->types[j]) && check_expr_may_be(other, formals->types[i]) &&
          check_expr_may_be(kind, formals->types[j]))
        return true;
    }
  }
  return false;
}

/* Checks the arguments of a call of a known function type. */
static struct ast_expr *check_expr_arguments(struct checker *checker, const struct syntax_expr *syntax,
                                             struct ast_expr *expr, struct formals *formals, struct type *type) {
  const struct syntax_call *call = &syntax->call;
  formals->types = type->function.parameters;
  const struct syntax_expr **ordered = check_expr_order(checker, formals, call->arguments, call->count, syntax->place);
  if (!ordered) {
    check_expr_recover(checker, call->arguments, call->count, syntax->place);
    expr->type = call->count ? type->function.result : checker->infer.error; /* it may be meant to be the function */
    return expr;
  }
  if (check_expr_is_reordered(checker, formals, ordered) && !call->arguments[0].name.text) {
    *diag_error(checker->diag, syntax->place, "the arguments of %s are in another order", formals->owner) =
        check_expr_list_formals(checker, formals)
            ? arena_printf(checker->arena, "it takes: %s", check_expr_list_formals(checker, formals))
            : NULL;
    return check_expr_error(checker, syntax->place);
  }
  const char *hint = NULL;
  if (expr->call.callee == AST_CALL_FUNCTION && ((struct check_function *)expr->call.function)->defaulted)
    hint = arena_printf(checker->arena,
                        "an operator in %s defaulted to Int: no operand fixed the type; annotate its parameters",
                        formals->owner);
  expr->type = type->function.result;
  expr->call.arguments.count = formals->count;
  expr->call.arguments.items = arena_array(checker->arena, formals->count, sizeof(struct ast_expr *));
  for (size_t i = 0; i < formals->count; i++) {
    struct want want = {type->function.parameters[i], check_expr_formal_name(checker, formals, i), hint};
    expr->call.arguments.items[i] = check_expr(checker, ordered[i], &want);
  }
  return expr;
}

static struct ast_expr *check_expr_call_symbol(struct checker *checker, const struct syntax_expr *syntax,
                                               struct symbol *symbol) {
  struct ast_expr *expr = ast_expr_new(checker->arena, AST_CALL, NULL, syntax->place);
  struct formals formals = {
      check_expr_quote(checker, symbol->name), "argument", symbol->parameter_count, symbol->parameters, NULL, NULL};
  struct type *type = symbol->type;
  if (symbol->kind == SYMBOL_FUNCTION) {
    expr->call.callee = AST_CALL_FUNCTION;
    expr->call.function = &symbol->function->placeholder;
    type = check_expr_use_function(checker, symbol);
    if (!syntax->call.count && check_expr_list_formals(checker, &formals))
      formals.advice = arena_printf(checker->arena, "it takes: %s; the name without brackets is the function itself",
                                    check_expr_list_formals(checker, &formals));
    expr->call.value = ast_expr_new(checker->arena, AST_CLOSURE, type, syntax->place);
  } else if (symbol->kind == SYMBOL_EXTERN) {
    expr->call.callee = AST_CALL_EXTERN;
    expr->call.external = symbol->external;
    symbol->external_used = true;
  } else if (symbol->kind == SYMBOL_LIBRARY) {
    expr->call.callee = AST_CALL_LIBRARY;
    expr->call.library = symbol->library;
    checker->program->uses_json |= symbol->library->group == LIBRARY_JSON;
    if (symbol->library->group == LIBRARY_FILE && checker->options->sandbox)
      diag_error(checker->diag, syntax->place, "'%s' is not allowed with --sandbox", symbol->name);
  } else {
    expr->call.callee = AST_CALL_BUILTIN;
    expr->call.name = symbol->name;
  }
  if (symbol->kind == SYMBOL_BUILTIN && checker->options->forbidden_by)
    diag_error(checker->diag, syntax->place, "'%s' is not allowed with %s", symbol->name,
               checker->options->forbidden_by);
  return check_expr_arguments(checker, syntax, expr, &formals, infer_resolve(type));
}

/* Reports the call of a name whose `let` hides a function, and returns true. */
static bool check_expr_is_hidden(struct checker *checker, const struct syntax_expr *callee,
                                 const struct ast_variable *variable, const struct type *type) {
  if (!variable || callee->kind != SYNTAX_NAME)
    return false;
  const struct symbol *behind =
      variable->kind == AST_GLOBAL ? map_get(&checker->library, callee->name) : check_scope_find(checker, callee->name);
  if (!behind || behind->kind > SYMBOL_INTRINSIC)
    return false;
  unsigned line, column;
  source_position(checker->diag->source, variable->place, &line, &column);
  *diag_error(checker->diag, callee->place, "'%s' is %s here: the name of line %u hides the function", callee->name,
              type_name(checker->arena, type), line) = "give one of them another name";
  return true;
}

/* A call of a value: a local, a global or, if both are NULL, an expression. */
static struct ast_expr *check_expr_call_value(struct checker *checker, const struct syntax_expr *syntax,
                                              const struct local *local, const struct symbol *global) {
  const struct syntax_expr *callee = syntax->call.callee;
  struct ast_expr *expr = ast_expr_new(checker->arena, AST_CALL, NULL, syntax->place);
  struct ast_expr *value = local ? check_scope_local(checker, local, callee->place) : check_expr(checker, callee, NULL);
  size_t count = syntax->call.count;
  struct type *type = check_operator_force(checker, infer_resolve(value->type));
  if (type->kind == TYPE_VARIABLE) { /* becomes a function type with as many parameters as there are arguments */
    struct type **parameters = arena_array(checker->arena, count, sizeof(struct type *));
    for (size_t i = 0; i < count; i++)
      parameters[i] = infer_variable(&checker->infer);
    struct type *function = infer_function(&checker->infer, parameters, count, infer_variable(&checker->infer));
    type = infer_unify(&checker->infer, type, function) ? function : type;
  }
  const struct ast_variable *named = local ? local->variable : global ? global->variable : NULL;
  if (type->kind != TYPE_FUNCTION && type->kind != TYPE_ERROR && check_expr_is_hidden(checker, callee, named, type))
    return check_expr_recover(checker, syntax->call.arguments, count, syntax->place);
  if (type->kind != TYPE_FUNCTION) {
    if (type->kind != TYPE_ERROR)
      *diag_error(checker->diag, callee->place, "this is not a function, but %s", type_name(checker->arena, type)) =
          "a '(' on the same line is a call: remove it, or begin an expression on a new line";
    return check_expr_recover(checker, syntax->call.arguments, count, syntax->place);
  }
  struct formals formals = {"the function", "argument", type->function.parameter_count, NULL, NULL, NULL};
  if (callee->kind == SYNTAX_NAME)
    formals.owner = check_expr_quote(checker, callee->name);
  if (local && local->known)
    formals.names = check_declare_parameter_names(checker, local->known);
  if (global)
    formals.names = global->parameters;
  expr->call.callee = value->kind == AST_SELF ? AST_CALL_SELF : AST_CALL_VALUE;
  expr->call.function = local ? local->code : value->kind == AST_CLOSURE ? value->function : NULL;
  expr->call.value = value;
  return check_expr_arguments(checker, syntax, expr, &formals, type);
}

static struct ast_expr *check_expr_intrinsic_operand(struct checker *checker, enum ast_kind kind, struct type *type,
                                                     const struct syntax_expr *operand, const struct want *want,
                                                     struct place place) {
  struct ast_expr *expr = ast_expr_new(checker->arena, kind, type, place);
  if (operand)
    expr->operand = check_expr(checker, operand, want);
  return expr;
}

/* Wants a function with one or two parameters. */
static struct want check_expr_intrinsic_function(struct checker *checker, const char *what, struct type *first,
                                                 struct type *second, struct type *result) {
  struct type **parameters = arena_array(checker->arena, 2, sizeof(struct type *));
  parameters[0] = first;
  parameters[1] = second;
  return (struct want){infer_function(&checker->infer, parameters, second ? 2 : 1, result), what, NULL};
}

static void check_expr_intrinsic_stage(struct checker *checker, struct ast_expr *loop, enum ast_stage_kind kind,
                                       const struct syntax_expr *argument) {
  struct type *element = infer_resolve(loop->type)->iterator.element;
  bool is_map = kind == AST_STAGE_MAP;
  struct type *result = is_map ? infer_variable(&checker->infer) : checker->infer.boolean;
  struct want want = check_expr_intrinsic_function(checker, is_map ? "the function of map" : "the predicate of filter",
                                                   element, NULL, result);
  size_t count = loop->loop.stage_count;
  struct ast_stage *stages = arena_array(checker->arena, count + 1, sizeof *stages);
  if (count)
    memcpy(stages, loop->loop.stages, count * sizeof *stages);
  stages[count] = (struct ast_stage){kind, check_expr(checker, argument, &want)};
  loop->loop.stages = stages;
  loop->loop.stage_count = count + 1;
  if (is_map)
    loop->type = infer_iterator(&checker->infer, result);
}

/* map, filter, forEach and fold add a stage or the end to the loop that is their first argument. */
static struct ast_expr *check_expr_intrinsic_loop(struct checker *checker, const struct symbol *symbol,
                                                  const struct syntax_expr **arguments, struct place place) {
  struct ast_expr *loop = check_expr(checker, arguments[0], NULL);
  struct type *type = infer_resolve(loop->type);
  if (loop->kind != AST_LOOP || type->kind != TYPE_ITERATOR) {
    if (type->kind != TYPE_ERROR)
      *diag_error(checker->diag, loop->place, "'%s' expects a range as its first argument, found %s", symbol->name,
                  type_name(checker->arena, type)) =
          type->kind == TYPE_RESULT ? foreign_name("andThen") : "write range(start, end) |> …";
    for (size_t i = 1; i < symbol->parameter_count; i++)
      check_expr(checker, arguments[i], NULL);
    return check_expr_error(checker, place);
  }
  struct type *element = type->iterator.element;
  struct want want;
  switch (symbol->intrinsic) {
  case INTRINSIC_MAP:
    check_expr_intrinsic_stage(checker, loop, AST_STAGE_MAP, arguments[1]);
    break;
  case INTRINSIC_FILTER:
    check_expr_intrinsic_stage(checker, loop, AST_STAGE_FILTER, arguments[1]);
    break;
  case INTRINSIC_FOR_EACH:
    want = check_expr_intrinsic_function(checker, "the function of forEach", element, NULL,
                                         infer_variable(&checker->infer));
    loop->loop.function = check_expr(checker, arguments[1], &want);
    if (infer_resolve(infer_resolve(want.type)->function.result)->kind == TYPE_RESULT)
      *diag_error(checker->diag, arguments[1]->place, "unused Result: forEach drops what its function returns") =
          "match it in the function, or ignore it there: fn(n) => { let _ = … }";
    loop->type = checker->infer.unit;
    break;
  default: /* INTRINSIC_FOLD */
    loop->loop.initial = check_expr(checker, arguments[1], NULL);
    loop->type = infer_resolve(loop->loop.initial->type);
    want = check_expr_intrinsic_function(checker, "the function of fold", infer_resolve(loop->type), element,
                                         infer_resolve(loop->type));
    loop->loop.function = check_expr(checker, arguments[2], &want);
    break;
  }
  return loop;
}

static struct ast_expr *check_expr_intrinsic(struct checker *checker, const struct syntax_expr *syntax,
                                             const struct symbol *symbol) {
  const struct syntax_call *call = &syntax->call;
  struct formals formals = {
      check_expr_quote(checker, symbol->name), "argument", symbol->parameter_count, symbol->parameters, NULL, NULL};
  if (symbol->intrinsic == INTRINSIC_PRINT && call->count)
    formals.advice = "put them in one string: \"${a} ${b}\"";
  const struct syntax_expr **arguments =
      check_expr_order(checker, &formals, call->arguments, call->count, syntax->place);
  if (!arguments)
    return check_expr_recover(checker, call->arguments, call->count, syntax->place);
  struct infer *infer = &checker->infer;
  struct want start = {infer->integer, "the start of the range", NULL};
  struct want end = {infer->integer, "the end of the range", NULL};
  struct ast_expr *expr;
  struct want milliseconds = {infer->integer, "argument 'milliseconds' of 'sleep'", NULL};
  switch (symbol->intrinsic) {
  case INTRINSIC_PRINT:
    return check_expr_intrinsic_operand(checker, AST_PRINT, infer->unit, arguments[0], NULL, syntax->place);
  case INTRINSIC_TO_STRING:
    return check_expr_intrinsic_operand(checker, AST_TO_STRING, infer->string, arguments[0], NULL, syntax->place);
  case INTRINSIC_INPUT:
    return check_expr_intrinsic_operand(checker, AST_INPUT, infer->string, NULL, NULL, syntax->place);
  case INTRINSIC_SLEEP:
    return check_expr_intrinsic_operand(checker, AST_SLEEP, infer->unit, arguments[0], &milliseconds, syntax->place);
  case INTRINSIC_RANGE:
    expr = ast_expr_new(checker->arena, AST_LOOP, infer_iterator(infer, infer->integer), syntax->place);
    expr->loop.start = check_expr(checker, arguments[0], &start);
    expr->loop.end = check_expr(checker, arguments[1], &end);
    return expr;
  default:
    return check_expr_intrinsic_loop(checker, symbol, arguments, syntax->place);
  }
}

static struct ast_expr *check_expr_constructor(struct checker *checker, const struct syntax_expr *syntax,
                                               const struct symbol *symbol) {
  const struct type_constructor *constructor = symbol->constructor;
  struct formals formals = check_expr_field_formals(checker, constructor);
  const struct syntax_call *call = &syntax->call;
  const struct syntax_expr **ordered = check_expr_order(checker, &formals, call->arguments, call->count, syntax->place);
  struct ast_expr *expr = ast_expr_new(checker->arena, AST_CONSTRUCT, constructor->type, syntax->place);
  if (!ordered) {
    check_expr_recover(checker, call->arguments, call->count, syntax->place);
    return expr;
  }
  expr->construct.constructor = constructor;
  expr->construct.values = arena_array(checker->arena, formals.count, sizeof(struct ast_expr *));
  for (size_t i = 0; i < formals.count; i++) {
    struct want want = {constructor->fields[i].type, check_expr_formal_name(checker, &formals, i), NULL};
    expr->construct.values[i] = check_expr(checker, ordered[i], &want);
  }
  return expr;
}

/* A Result with a payload, or a success of Unit if `payload` is NULL. The expected Result determines the payload's
 * expected type. */
static struct ast_expr *check_expr_result(struct checker *checker, bool success, const struct syntax_expr *payload,
                                          struct place place, const struct want *want) {
  struct ast_expr *expr = ast_expr_new(checker->arena, success ? AST_SUCCESS : AST_ERROR, NULL, place);
  struct type *wanted = want ? infer_resolve(want->type) : NULL;
  struct type *value = wanted && wanted->kind == TYPE_RESULT ? wanted->result.value : infer_variable(&checker->infer);
  struct want inside = {success ? value : checker->infer.string,
                        success ? "the value of Success" : "the message of Error", NULL};
  expr->type = infer_result(&checker->infer, value, false);
  if (payload)
    expr->operand = check_expr(checker, payload, &inside);
  else
    expr->operand =
        check_expr_meet(checker, ast_expr_new(checker->arena, AST_UNIT, checker->infer.unit, place), &inside);
  return check_expr_meet(checker, expr, want);
}

static struct ast_expr *check_expr_result_constructor(struct checker *checker, const struct syntax_expr *syntax,
                                                      const struct symbol *symbol, const struct want *want) {
  bool success = symbol->kind == SYMBOL_SUCCESS;
  const struct syntax_call *call = &syntax->call;
  static const char *success_names[] = {"value"}, *error_names[] = {"message"};
  struct formals formals = {check_expr_quote(checker, symbol->name), "field", 1,
                            success ? success_names : error_names,   NULL,    NULL};
  if (success && call->count == 0)
    return check_expr_result(checker, true, NULL, syntax->place, want);
  const struct syntax_expr **ordered = check_expr_order(checker, &formals, call->arguments, call->count, syntax->place);
  if (!ordered)
    return check_expr_recover(checker, call->arguments, call->count, syntax->place);
  return check_expr_result(checker, success, ordered[0], syntax->place, want);
}

static struct ast_expr *check_expr_call(struct checker *checker, const struct syntax_expr *syntax,
                                        const struct want *want) {
  const struct syntax_expr *callee = syntax->call.callee;
  bool named = callee->kind == SYNTAX_NAME;
  if (callee->kind == SYNTAX_FIELD && callee->field.record->kind != SYNTAX_CHECKED)
    return check_expr_method(checker, syntax, want);
  const struct local *local = named ? map_get(&checker->locals, callee->name) : NULL;
  struct symbol *symbol = named && !local ? check_scope_find(checker, callee->name) : NULL;
  if (!symbol)
    return check_expr_meet(checker, check_expr_call_value(checker, syntax, local, NULL), want);
  switch (symbol->kind) {
  case SYMBOL_FUNCTION:
  case SYMBOL_EXTERN:
  case SYMBOL_BUILTIN:
  case SYMBOL_LIBRARY:
    return check_expr_meet(checker, check_expr_call_symbol(checker, syntax, symbol), want);
  case SYMBOL_INTRINSIC:
    return check_expr_meet(checker, check_expr_intrinsic(checker, syntax, symbol), want);
  case SYMBOL_CONSTRUCTOR:
    return check_expr_meet(checker, check_expr_constructor(checker, syntax, symbol), want);
  case SYMBOL_SUCCESS:
  case SYMBOL_ERROR:
    return check_expr_result_constructor(checker, syntax, symbol, want);
  default:
    return check_expr_meet(checker, check_expr_call_value(checker, syntax, NULL, symbol), want);
  }
}

static struct ast_expr *check_expr_update(struct checker *checker, const struct syntax_expr *syntax) {
  const struct syntax_record *record = &syntax->record;
  struct ast_expr *expr = ast_expr_new(checker->arena, AST_UPDATE, NULL, syntax->place);
  expr->update.record = check_expr(checker, record->base, NULL);
  struct type *type = check_operator_force(checker, infer_resolve(expr->update.record->type));
  if (type->kind != TYPE_RECORD) {
    if (type->kind == TYPE_VARIABLE)
      diag_error(checker->diag, syntax->place, "the type of the record updated here is unknown: annotate it");
    else if (type->kind != TYPE_ERROR)
      diag_error(checker->diag, syntax->place, "%s has no fields to update", type_name(checker->arena, type));
    return check_expr_recover(checker, record->fields, record->count, syntax->place);
  }
  const struct type_constructor *constructor = &type->named.constructors[0];
  struct formals formals = check_expr_field_formals(checker, constructor);
  const struct syntax_expr **ordered = arena_array(checker->arena, formals.count, sizeof *ordered);
  check_expr_order_named(checker, &formals, record->fields, record->count, ordered);
  expr->type = type;
  expr->update.values = arena_array(checker->arena, formals.count, sizeof(struct ast_expr *));
  for (size_t i = 0; i < formals.count; i++) {
    struct want want = {constructor->fields[i].type, check_expr_formal_name(checker, &formals, i), NULL};
    if (ordered[i])
      expr->update.values[i] = check_expr(checker, ordered[i], &want);
  }
  return expr;
}

/* `Name { field: value }` is the call Name(field: value). */
static struct ast_expr *check_expr_record(struct checker *checker, const struct syntax_expr *syntax,
                                          const struct want *want) {
  const struct syntax_record *record = &syntax->record;
  if (record->base)
    return check_expr_meet(checker, check_expr_update(checker, syntax), want);
  const struct symbol *symbol = check_scope_find(checker, record->name.text);
  if (!symbol || symbol->kind < SYMBOL_CONSTRUCTOR) {
    if (symbol)
      diag_error(checker->diag, record->name.place, "'%s' has no fields", record->name.text);
    else
      check_scope_unknown(checker, record->name.text, record->name.place);
    return check_expr_recover(checker, record->fields, record->count, syntax->place);
  }
  if (!record->count && (symbol->kind != SYMBOL_CONSTRUCTOR || !symbol->constructor->field_count)) {
    *diag_error(checker->diag, record->name.place, "'%s' has no fields", record->name.text) = "leave out the braces";
    return check_expr_error(checker, syntax->place);
  }
  struct syntax_expr call = {
      .kind = SYNTAX_CALL, .place = syntax->place, .call = {.count = record->count, .arguments = record->fields}};
  if (symbol->kind != SYMBOL_CONSTRUCTOR)
    return check_expr_result_constructor(checker, &call, symbol, want);
  return check_expr_meet(checker, check_expr_constructor(checker, &call, symbol), want);
}

/* The only record type that has a field of that name, or NULL. Counts those that have one. */
static struct type *check_expr_field_owner(struct checker *checker, const char *name, size_t *count) {
  struct type *owner = NULL;
  *count = 0;
  for (size_t i = 0; i < checker->values.capacity; i++) {
    const struct symbol *symbol = checker->values.entries[i].value;
    if (!symbol || symbol->kind != SYMBOL_CONSTRUCTOR || symbol->constructor->type->kind != TYPE_RECORD)
      continue;
    for (size_t j = 0; j < symbol->constructor->field_count; j++) {
      if (strcmp(symbol->constructor->fields[j].name, name) != 0)
        continue;
      owner = symbol->constructor->type;
      ++*count;
    }
  }
  return *count == 1 ? owner : NULL;
}

static struct ast_expr *check_expr_field(struct checker *checker, const struct syntax_expr *syntax,
                                         const struct want *want) {
  struct syntax_name name = syntax->field.name;
  struct ast_expr *expr = ast_expr_new(checker->arena, AST_FIELD, NULL, syntax->place);
  const struct ast_expr *record = expr->field.record = check_expr(checker, syntax->field.record, NULL);
  struct type *type = check_operator_force(checker, infer_resolve(record->type));
  size_t owners;
  struct type *owner = type->kind == TYPE_VARIABLE ? check_expr_field_owner(checker, name.text, &owners) : NULL;
  if (owner)
    infer_unify(&checker->infer, type, owner);
  type = infer_resolve(type);
  if (type->kind == TYPE_VARIABLE)
    *diag_error(checker->diag, record->place, "cannot look up field '%s': the type of this expression is unknown",
                name.text) = "annotate the parameter: name: Type";
  if (type->kind == TYPE_VARIABLE || type->kind == TYPE_ERROR)
    return check_expr_error(checker, syntax->place);
  if (type->kind != TYPE_RECORD) {
    const char **hint =
        diag_error(checker->diag, name.place, "%s has no field '%s'", type_name(checker->arena, type), name.text);
    if (check_scope_find(checker, name.text))
      *hint = arena_printf(checker->arena,
                           type->kind != TYPE_STRING && strcmp(name.text, "length") == 0
                               ? "only a string has a length: toString(…).%s()"
                               : "a function is called with brackets: .%s(…)",
                           name.text);
    if (type->kind == TYPE_RESULT && foreign_name(name.text))
      *hint = foreign_name(name.text);
    else if (type->kind == TYPE_RESULT)
      *hint = "a Result is never unwrapped silently: match it, or give a fallback with '?:'";
    if (type->kind == TYPE_UNION)
      *hint = "match it first: only a variant has fields";
    if (type->kind == TYPE_STRING && checker->diag->source->text[name.place.offset - 1] == ' ')
      *hint = "join strings with '+', or write \"${a}${b}\"";
    return check_expr_error(checker, syntax->place);
  }
  const struct type_constructor *constructor = &type->named.constructors[0];
  struct formals formals = check_expr_field_formals(checker, constructor);
  size_t index = check_expr_find_formal(&formals, name.text);
  if (index == formals.count) {
    check_expr_unknown_formal(checker, &formals, name);
    const char *builtin =
        check_scope_kin(&checker->values, arena_printf(checker->arena, "ws%c%s", *name.text & ~0x20, name.text + 1));
    if (builtin)
      *diag_error(checker->diag, name.place, "%s has no field '%s'", formals.owner, name.text) =
          arena_printf(checker->arena, "write %s(…), with the id as its first argument", builtin);
    return check_expr_error(checker, syntax->place);
  }
  expr->field.index = (unsigned)index;
  expr->type = constructor->fields[index].type;
  return check_expr_meet(checker, expr, want);
}

/* Whether a name can be called here. */
static bool check_expr_is_callable(struct checker *checker, const char *name) {
  return map_get(&checker->locals, name) || check_scope_find(checker, name);
}

static bool check_expr_has_field(const struct type *type, const char *name) {
  const struct type_constructor *constructor = type->kind == TYPE_RECORD ? type->named.constructors : NULL;
  for (size_t i = 0; constructor && i < constructor->field_count; i++)
    if (strcmp(constructor->fields[i].name, name) == 0)
      return true;
  return false;
}

/* Whether a value of the type, which may still be unknown, can have the field. */
static bool check_expr_may_have_field(struct checker *checker, const struct type *type, const char *name) {
  size_t owners = 0;
  if (type->kind == TYPE_VARIABLE)
    check_expr_field_owner(checker, name, &owners);
  return owners > 0 || check_expr_has_field(type, name);
}

/* `x.f(arguments)` calls the field `f` of a record, or else is f(x, arguments). */
static struct ast_expr *check_expr_method(struct checker *checker, const struct syntax_expr *syntax,
                                          const struct want *want) {
  const struct syntax_call *call = &syntax->call;
  const struct syntax_access *access = &call->callee->field;
  const char *name = access->name.text;
  struct syntax_expr subject = {.kind = SYNTAX_CHECKED, .place = access->record->place};
  subject.checked = check_expr(checker, access->record, NULL);
  const struct type *type = check_operator_force(checker, infer_resolve(subject.checked->type));
  bool is_field = check_expr_may_have_field(checker, type, name);
  bool has_fields = type->kind == TYPE_RECORD || type->kind == TYPE_UNION || type->kind == TYPE_RESULT;
  if (type->kind == TYPE_ERROR || (!is_field && !has_fields && !check_expr_is_callable(checker, name))) {
    if (type->kind != TYPE_ERROR)
      check_scope_unknown(checker, name, access->name.place);
    return check_expr_recover(checker, call->arguments, call->count, syntax->place);
  }
  is_field |= !check_expr_is_callable(checker, name);
  struct syntax_expr callee = *call->callee, method = *syntax;
  method.call.callee = &callee;
  if (is_field) {
    callee.field.record = &subject;
    return check_expr_call(checker, &method, want);
  }
  callee = (struct syntax_expr){.kind = SYNTAX_NAME, .place = access->name.place, .name = name};
  method.place = access->name.place;
  method.call.count = call->count + 1;
  method.call.arguments = arena_array(checker->arena, method.call.count, sizeof *method.call.arguments);
  method.call.arguments[0].value = &subject;
  if (call->count)
    memcpy(&method.call.arguments[1], call->arguments, call->count * sizeof *call->arguments);
  return check_expr_call(checker, &method, want);
}

static struct ast_expr *check_expr_elvis(struct checker *checker, const struct syntax_expr *syntax) {
  struct type *value = infer_variable(&checker->infer);
  struct want result = {infer_result(&checker->infer, value, false), "the left operand of '?:'", NULL};
  struct want fallback = {value, CHECK_EXPR_FALLBACK, NULL};
  struct ast_expr *expr = ast_expr_new(checker->arena, AST_ELVIS, value, syntax->place);
  struct ast_expr *left = check_expr(checker, syntax->binary.left, NULL);
  struct type *type = check_operator_force(checker, infer_resolve(left->type));
  if (type->kind != TYPE_RESULT && type->kind != TYPE_VARIABLE && type->kind != TYPE_ERROR) {
    *diag_error(checker->diag, left->place, "the left operand of '?:': expected a Result, found %s",
                type_name(checker->arena, type)) = "this cannot fail: remove '?:' and the fallback";
    return check_expr_error(checker, syntax->place);
  }
  expr->binary.left = check_expr_meet(checker, left, &result);
  const struct syntax_expr *right = syntax->binary.right;
  bool compares = right->kind == SYNTAX_BINARY && right->binary.op >= SYNTAX_EQUAL &&
                  right->binary.op <= SYNTAX_GREATER_EQUAL && infer_resolve(value)->kind != TYPE_BOOL &&
                  infer_resolve(value)->kind != TYPE_VARIABLE;
  if (compares) {
    *diag_error(checker->diag, syntax->binary.place, "'?:' binds looser than '%s'",
                check_operator_name(right->binary.op)) =
        arena_printf(checker->arena, "write (%s) %s …", check_operator_with_fallback(checker, left),
                     check_operator_name(right->binary.op));
    return check_expr_error(checker, syntax->place);
  }
  expr->binary.right = check_expr(checker, right, &fallback);
  return expr;
}

/* Whether an expression is the null of another language. */
static bool check_expr_is_null(const struct checker *checker, const struct syntax_expr *syntax) {
  static const char *const names[] = {"null", "nil", "None", "undefined"};
  for (size_t i = 0; syntax->kind == SYNTAX_NAME && i < sizeof names / sizeof *names; i++)
    if (strcmp(syntax->name, names[i]) == 0)
      return !map_get(&checker->locals, names[i]) && !map_get(&checker->values, names[i]);
  return false;
}

static struct ast_expr *check_expr_binary(struct checker *checker, const struct syntax_expr *syntax,
                                          const struct want *want) {
  const struct syntax_binary *binary = &syntax->binary;
  if (binary->op == SYNTAX_ELVIS)
    return check_expr_meet(checker, check_expr_elvis(checker, syntax), want);
  bool arithmetic = binary->op <= SYNTAX_REMAINDER, is_and = binary->op == SYNTAX_AND;
  bool logical = is_and || binary->op == SYNTAX_OR;
  enum ast_kind kind = arithmetic ? AST_ARITHMETIC : is_and ? AST_AND : logical ? AST_OR : AST_COMPARE;
  struct type *type = arithmetic ? infer_variable(&checker->infer) : checker->infer.boolean;
  struct want truth = {checker->infer.boolean, is_and ? "an operand of '&&'" : "an operand of '||'", NULL};
  struct ast_expr *expr = ast_expr_new(checker->arena, kind, type, syntax->place);
  if (!logical)
    expr->binary.op = (enum ast_operator)binary->op;
  expr->binary.left = check_expr(checker, binary->left, logical ? &truth : NULL);
  if (!arithmetic && !logical && check_expr_is_null(checker, binary->right) &&
      infer_resolve(expr->binary.left->type)->kind == TYPE_RESULT) {
    *diag_error(checker->diag, binary->right->place, "there is no '%s'", binary->right->name) =
        arena_printf(checker->arena, "match the Result: Success value => … Err _ => …; or compare its value: (%s) == …",
                     check_operator_with_fallback(checker, expr->binary.left));
    return check_expr_error(checker, syntax->place);
  }
  bool is_fallback = binary->op == SYNTAX_OR && infer_resolve(expr->binary.left->type)->kind == TYPE_RESULT;
  expr->binary.right = check_expr(checker, binary->right, logical && !is_fallback ? &truth : NULL);
  if (arithmetic)
    check_operator_arithmetic(checker, expr, binary->op, binary->place);
  else if (!logical)
    check_operator_compare(checker, expr, binary->place);
  return check_expr_meet(checker, expr, want);
}

static struct ast_expr *check_expr_unary(struct checker *checker, const struct syntax_expr *syntax,
                                         const struct want *want) {
  struct place place = syntax->binary.place;
  struct want truth = {checker->infer.boolean, "the operand of '!'", NULL};
  struct ast_expr *expr;
  if (syntax->binary.op == SYNTAX_NOT) {
    expr = ast_expr_new(checker->arena, AST_NOT, checker->infer.boolean, syntax->place);
    expr->operand = check_expr(checker, syntax->binary.left, &truth);
  } else if (syntax->binary.op == SYNTAX_NEGATE) {
    expr = ast_expr_new(checker->arena, AST_NEGATE, infer_variable(&checker->infer), syntax->place);
    expr->operand = check_expr(checker, syntax->binary.left, NULL);
    check_operator_arithmetic(checker, expr, SYNTAX_SUBTRACT, place);
  } else { /* unary plus is its operand */
    expr = check_expr(checker, syntax->binary.left, NULL);
    struct type *type = check_operator_force(checker, infer_resolve(expr->type));
    if (!check_operator_is_numeric(type))
      *diag_error(checker->diag, place, "'+' cannot be applied to %s", type_name(checker->arena, type)) =
          type->kind == TYPE_STRING ? "strings are joined with one '+'" : NULL;
  }
  return check_expr_meet(checker, expr, want);
}

void check_expr_unused(struct checker *checker, const struct ast_expr *value) {
  if (infer_resolve(value->type)->kind != TYPE_RESULT)
    return;
  if (value->kind == AST_SUCCESS)
    *diag_error(checker->diag, value->place, "unused Success: nothing looks at it") =
        "write {} for an arm or a branch that does nothing";
  else
    *diag_error(checker->diag, value->place, "unused Result: its error would be lost") =
        "match it, give a fallback with '?:', or ignore it: let _ = …";
}

/* Reports a loop without an end (forEach or fold), which cannot be stored. */
static void check_expr_kept(struct checker *checker, const struct ast_expr *expr) {
  if (infer_resolve(expr->type)->kind == TYPE_ITERATOR)
    *diag_error(checker->diag, expr->place, "an iterator cannot be stored, passed or returned") =
        "end the chain with forEach or fold";
}

/* Declares the variable of a `let` or a nested function. `known` is its function if it is a lambda or nested function,
 * or NULL. */
static void check_expr_bind(struct checker *checker, struct ast_statement *statement, struct syntax_name name,
                            struct type *type, const struct syntax_function *known) {
  statement->variable = check_scope_variable(checker, AST_LOCAL, name.text, type, name.place);
  struct local *local = check_scope_bind(checker, statement->variable);
  local->known = known;
  local->code = known ? statement->value->function : NULL;
}

/* Warns of a statement that computes a value and does nothing. */
static void check_expr_warn_idle(struct checker *checker, const struct syntax_expr *syntax) {
  bool is_idle = syntax->kind <= SYNTAX_INTERPOLATE || syntax->kind == SYNTAX_FIELD ||
                 (syntax->kind == SYNTAX_BINARY && syntax->binary.op != SYNTAX_ELVIS);
  const char *text = checker->diag->source->text;
  size_t at = syntax->place.offset;
  while (at > 0 && text[at - 1] == ' ')
    at--;
  /* Behind another expression it is part of a mistake there. */
  if (is_idle && (at == 0 || text[at - 1] == '\n') && !checker->diag->errors)
    *diag_warning(checker->diag, syntax->place, "this value is not used") = "bind it with 'let', or remove it";
}

/* Warns of `let count = count + 1` where `count` is a name outside the function: it hides that one, which nothing
 * changes. */
static void check_expr_warn_counted(struct checker *checker, const struct syntax_item *item) {
  const struct syntax_expr *value = item->value;
  const struct local *local = map_get(&checker->locals, item->name.text);
  const struct symbol *symbol = local ? NULL : map_get(&checker->values, item->name.text);
  if (value->kind == SYNTAX_BINARY && value->binary.op == SYNTAX_ELVIS)
    value = value->binary.left;
  bool counts = value->kind == SYNTAX_BINARY && value->binary.op <= SYNTAX_REMAINDER &&
                value->binary.left->kind == SYNTAX_NAME && strcmp(value->binary.left->name, item->name.text) == 0;
  bool is_outside = local ? local->frame != checker->frame && local->variable : symbol && symbol->kind == SYMBOL_GLOBAL;
  if (!counts || !is_outside)
    return;
  unsigned line, column;
  source_position(checker->diag->source, local ? local->variable->place : symbol->place, &line, &column);
  *diag_warning(checker->diag, item->name.place, "this is a new '%s': that of line %u stays as it is", item->name.text,
                line) = "a value that changes is kept with websocketSetValue";
}

/* A nested function is a `let` of a closure whose name is known in its own body. */
void check_expr_statement(struct checker *checker, const struct syntax_item *item, struct ast_statement *statement) {
  struct want want = {0};
  struct ast_expr *expr;
  statement->place = item->place;
  switch (item->kind) {
  case SYNTAX_ITEM_LET:
    want.what = arena_printf(checker->arena, "the value of '%s'", item->name.text);
    if (item->type)
      want.type = check_declare_type(checker, item->type);
    statement->value = check_expr(checker, item->value, item->type ? &want : NULL);
    check_expr_kept(checker, statement->value);
    check_expr_warn_counted(checker, item);
    check_expr_bind(checker, statement, item->name, item->type ? want.type : infer_resolve(statement->value->type),
                    item->value->kind == SYNTAX_LAMBDA ? item->value->function : NULL);
    break;
  case SYNTAX_ITEM_FUNCTION:
    want.type = check_declare_signature(checker, item->function);
    statement->value = expr = ast_expr_new(checker->arena, AST_CLOSURE, want.type, item->name.place);
    expr->function = arena_alloc(checker->arena, sizeof *expr->function);
    check_expr_function(checker, expr->function, item->function, want.type,
                        check_expr_nested_symbol(checker, item->name.text), true, item->name.text);
    check_expr_bind(checker, statement, item->name, want.type, item->function);
    break;
  default:
    statement->value = check_expr_dropped(checker, item->value);
    check_expr_warn_idle(checker, item->value);
    break;
  }
}

/* The value of a block is its last expression. Its bindings go out of scope at its end. */
static struct ast_expr *check_expr_block(struct checker *checker, const struct syntax_expr *syntax,
                                         const struct want *want, bool dropped) {
  const struct syntax_block *block = &syntax->block;
  struct ast_expr *expr = ast_expr_new(checker->arena, AST_BLOCK, checker->infer.unit, syntax->place);
  struct local *locals = checker->frame->locals;
  bool has_value = !dropped && block->count && block->items[block->count - 1].kind == SYNTAX_ITEM_EXPR;
  size_t count = block->count - has_value;
  expr->block.statements = arena_array(checker->arena, count, sizeof *expr->block.statements);
  expr->block.count = count;
  struct check_block here = {block, 0, checker->block};
  checker->block = &here;
  for (; here.at < count; here.at++)
    check_expr_statement(checker, &block->items[here.at], &expr->block.statements[here.at]);
  checker->block = here.outer;
  if (has_value) {
    expr->block.value = check_expr(checker, block->items[count].value, want);
    expr->type = expr->block.value->type;
  } else if (want) {
    struct place place = expr->place;
    if (place.length)
      expr->place = (struct place){place.offset + place.length - 1, 1};
    check_expr_meet(checker, expr, want);
    expr->place = place;
  }
  check_scope_unbind(checker, locals);
  return expr;
}

/* An arm of a dropped match or `if`, as an expression of type Unit: its value is dropped in a statement. */
static struct ast_expr *check_expr_dropped_arm(struct checker *checker, const struct syntax_expr *syntax) {
  struct ast_expr *value = check_expr_dropped(checker, syntax);
  bool is_unit = value->type == checker->infer.unit;
  if (is_unit)
    return value;
  struct ast_expr *expr = ast_expr_new(checker->arena, AST_BLOCK, checker->infer.unit, syntax->place);
  expr->block.statements = arena_array(checker->arena, 1, sizeof *expr->block.statements);
  expr->block.count = 1;
  expr->block.statements[0] = (struct ast_statement){.value = value, .place = syntax->place};
  return expr;
}

static struct ast_expr *check_expr_if(struct checker *checker, const struct syntax_expr *syntax,
                                      const struct want *want, bool dropped) {
  struct want condition = {checker->infer.boolean, "the condition", NULL};
  struct ast_expr *expr = ast_expr_new(checker->arena, AST_IF, checker->infer.unit, syntax->place);
  expr->branch.condition = check_expr(checker, syntax->branch.condition, &condition);
  if (dropped) {
    expr->branch.then = check_expr_dropped_arm(checker, syntax->branch.then);
    expr->branch.otherwise = check_expr_dropped_arm(checker, syntax->branch.otherwise);
    return expr;
  }
  expr->branch.then = check_expr(checker, syntax->branch.then, want);
  struct want same = {infer_resolve(expr->branch.then->type), "the other branch of the condition", NULL};
  expr->branch.otherwise = check_expr(checker, syntax->branch.otherwise, want ? want : &same);
  expr->type = expr->branch.then->type;
  return expr;
}

static struct ast_expr *check_expr_match(struct checker *checker, const struct syntax_expr *syntax,
                                         const struct want *want, bool dropped) {
  const struct syntax_match *match = &syntax->match;
  struct ast_expr *expr = ast_expr_new(checker->arena, AST_MATCH, checker->infer.unit, syntax->place);
  expr->match.subject = check_expr(checker, match->subject, NULL);
  struct type *subject = infer_resolve(expr->match.subject->type);
  expr->match.count = match->count;
  expr->match.arms = arena_array(checker->arena, match->count, sizeof *expr->match.arms);
  struct want same = {infer_variable(&checker->infer), "the arms of the match", NULL};
  bool is_open = want && infer_resolve(want->type)->kind == TYPE_VARIABLE;
  if (is_open)
    same.type = want->type;
  const struct want *wanted = want && !is_open ? want : &same;
  bool patterns_are_right = true;
  for (size_t i = 0; i < match->count; i++) {
    struct ast_arm *arm = &expr->match.arms[i];
    struct local *locals = checker->frame->locals;
    size_t errors = checker->diag->errors;
    arm->place = match->arms[i].pattern.place;
    check_pattern(checker, subject, &match->arms[i].pattern, arm);
    patterns_are_right &= errors == checker->diag->errors;
    const struct syntax_expr *body = match->arms[i].body;
    arm->body = dropped ? check_expr_dropped_arm(checker, body) : check_expr(checker, body, wanted);
    check_scope_unbind(checker, locals);
  }
  if (!dropped)
    expr->type = wanted->type;
  if (patterns_are_right)
    check_pattern_coverage(checker, &expr->match, subject, syntax->place);
  return expr;
}

static struct ast_expr *check_expr_dropped(struct checker *checker, const struct syntax_expr *syntax) {
  if (syntax->kind == SYNTAX_IF)
    return check_expr_if(checker, syntax, NULL, true);
  if (syntax->kind == SYNTAX_MATCH)
    return check_expr_match(checker, syntax, NULL, true);
  if (syntax->kind == SYNTAX_BLOCK)
    return check_expr_block(checker, syntax, NULL, true);
  struct ast_expr *value = check_expr(checker, syntax, NULL);
  check_expr_kept(checker, value);
  check_expr_unused(checker, value);
  return value;
}

/* Warns of `$name`, `{name}`, `{name.field}` and `\(name)` in a string, if the name is the program's: it is not
 * replaced. The braces of `\${name}` and of JSON are meant. */
static void check_expr_warn_unreplaced(struct checker *checker, const struct syntax_expr *syntax) {
  static const char letters[] = "._0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  const char *text = syntax->text.bytes, *end = text + syntax->text.length;
  for (const char *at = text; at < end; at++) {
    bool brace = *at == '{' && (at == text || at[-1] != '$'), paren = *at == '\\' && at[1] == '(';
    const char *from = at + 1 + paren;
    size_t length = strspn(from, letters + 1), all = brace || paren ? strspn(from, letters) : length;
    if ((*at != '$' && !brace && !paren) || (brace && from[all] != '}') || (paren && from[all] != ')'))
      continue;
    const char *name = arena_copy(checker->arena, from, length);
    const struct symbol *symbol = map_get(&checker->values, name);
    if (!map_get(&checker->locals, name) && (!symbol || symbol->kind != SYMBOL_GLOBAL))
      continue;
    *diag_warning(checker->diag, syntax->place, "'%s' is not replaced in a string",
                  arena_copy(checker->arena, at, (size_t)(from - at) + all + (brace || paren))) =
        arena_printf(checker->arena, "write ${%.*s}", (int)all, from);
    return;
  }
}

struct ast_expr *check_expr(struct checker *checker, const struct syntax_expr *syntax, const struct want *want) {
  struct arena *arena = checker->arena;
  struct infer *infer = &checker->infer;
  struct ast_expr *expr;
  switch (syntax->kind) {
  case SYNTAX_INT:
    expr = ast_expr_new(arena, AST_INT, infer->integer, syntax->place);
    expr->integer = (int64_t)syntax->integer;
    return check_expr_meet(checker, expr, want);
  case SYNTAX_FLOAT:
    expr = ast_expr_new(arena, AST_FLOAT, infer->real, syntax->place);
    expr->real = syntax->real;
    return check_expr_meet(checker, expr, want);
  case SYNTAX_BOOL:
    expr = ast_expr_new(arena, AST_BOOL, infer->boolean, syntax->place);
    expr->truth = syntax->truth;
    return check_expr_meet(checker, expr, want);
  case SYNTAX_STRING:
    expr = ast_expr_new(arena, AST_STRING, infer->string, syntax->place);
    expr->text = syntax->text;
    check_expr_warn_unreplaced(checker, syntax);
    return check_expr_meet(checker, expr, want);
  case SYNTAX_INTERPOLATE:
    expr = ast_expr_new(arena, AST_INTERPOLATE, infer->string, syntax->place);
    expr->list.count = syntax->list.count;
    expr->list.items = arena_array(arena, syntax->list.count, sizeof(struct ast_expr *));
    for (size_t i = 0; i < syntax->list.count; i++)
      expr->list.items[i] = check_expr(checker, syntax->list.items[i], NULL);
    return check_expr_meet(checker, expr, want);
  case SYNTAX_NAME:
    return check_expr_name(checker, syntax->name, syntax->place, want);
  case SYNTAX_CALL:
    return check_expr_call(checker, syntax, want);
  case SYNTAX_FIELD:
    return check_expr_field(checker, syntax, want);
  case SYNTAX_RECORD:
    return check_expr_record(checker, syntax, want);
  case SYNTAX_UNARY:
    return check_expr_unary(checker, syntax, want);
  case SYNTAX_BINARY:
    return check_expr_binary(checker, syntax, want);
  case SYNTAX_IF:
    return check_expr_if(checker, syntax, want, false);
  case SYNTAX_BLOCK:
    return check_expr_block(checker, syntax, want, false);
  case SYNTAX_MATCH:
    return check_expr_match(checker, syntax, want, false);
  case SYNTAX_LAMBDA:
    return check_expr_lambda(checker, syntax, want);
  case SYNTAX_CHECKED:
    return check_expr_meet(checker, syntax->checked, want);
  }
  return NULL;
}
