/* Calls of functions, builtins, externs and values. */
#include "checker.h"

/* Why a parameter may be an int although nobody wrote so. */
static const char *call_assumed(struct checker *checker, const struct ast_expr *expr, const struct parts *parts) {
  if (expr->call.callee != AST_CALL_FUNCTION || !((struct check_function *)expr->call.function)->assumed)
    return NULL;
  return arena_printf(checker->arena, "an operator in %s was taken to be on ints: annotate its parameters",
                      parts->owner);
}

/* Checks a call of something whose type is known to be a function's. */
static struct ast_expr *call_finish(struct checker *checker, const struct syntax_expr *syntax, struct ast_expr *expr,
                                    const struct parts *parts, struct type *type) {
  const struct syntax_call *call = &syntax->call;
  const struct syntax_expr **ordered = parts_order(checker, parts, call->arguments, call->count, syntax->place);
  if (!ordered) {
    parts_check_anyway(checker, call->arguments, call->count, syntax->place);
    expr->type = type->function.result;
    return expr;
  }
  const char *hint = call_assumed(checker, expr, parts);
  expr->type = type->function.result;
  expr->call.arguments.count = parts->count;
  expr->call.arguments.items = arena_array(checker->arena, parts->count, sizeof(struct ast_expr *));
  for (size_t i = 0; i < parts->count; i++) {
    struct want want = {type->function.parameters[i], part_name(checker, parts, i), hint};
    expr->call.arguments.items[i] = check_expr(checker, ordered[i], &want);
  }
  return expr;
}

const char *call_quote(struct checker *checker, const char *name) {
  return arena_printf(checker->arena, "'%s'", name);
}

static struct ast_expr *call_symbol(struct checker *checker, const struct syntax_expr *syntax, struct symbol *symbol) {
  struct ast_expr *expr = check_new(checker, AST_CALL, NULL, syntax->place);
  struct parts parts = {call_quote(checker, symbol->name), "argument", symbol->parameter_count, symbol->parameters};
  struct type *type = symbol->type;
  if (symbol->kind == SYMBOL_FUNCTION) {
    expr->call.callee = AST_CALL_FUNCTION;
    expr->call.function = &symbol->function->shell;
    type = check_use_function(checker, symbol);
    expr->call.value = check_new(checker, AST_CLOSURE, type, syntax->place);
  } else if (symbol->kind == SYMBOL_EXTERN) {
    expr->call.callee = AST_CALL_EXTERN;
    expr->call.external = symbol->external;
    symbol->external_used = true;
  } else {
    expr->call.callee = AST_CALL_BUILTIN;
    expr->call.name = symbol->name;
  }
  if (symbol->kind == SYMBOL_BUILTIN && checker->options->forbidden_by) {
    diag_error(checker->diag, syntax->place, "'%s' is not allowed with %s", symbol->name,
               checker->options->forbidden_by);
  }
  return call_finish(checker, syntax, expr, &parts, infer_resolve(type));
}

/* A value that is called has to be a function of as many parameters as there are arguments. */
static struct type *call_value_type(struct checker *checker, const struct ast_expr *value, size_t count) {
  struct type *type = check_force(checker, check_type_of(value));
  if (type->kind != TYPE_VARIABLE)
    return type;
  struct type **parameters = arena_array(checker->arena, count, sizeof(struct type *));
  for (size_t i = 0; i < count; i++)
    parameters[i] = infer_variable(&checker->infer);
  struct type *function = infer_function(&checker->infer, parameters, count, infer_variable(&checker->infer));
  return infer_unify(&checker->infer, type, function) ? function : type;
}

static const char **call_parameter_names(struct checker *checker, const struct syntax_function *known) {
  const char **names = arena_array(checker->arena, known->count, sizeof *names);
  for (size_t i = 0; i < known->count; i++)
    names[i] = known->parameters[i].name.text;
  return names;
}

/* A call of a value: of a local name, of a global one, or (both NULL) of what an expression gives. */
static struct ast_expr *call_value(struct checker *checker, const struct syntax_expr *syntax, const struct local *local,
                                   const struct symbol *global) {
  const struct syntax_expr *callee = syntax->call.callee;
  struct ast_expr *expr = check_new(checker, AST_CALL, NULL, syntax->place);
  struct ast_expr *value = local ? check_local(checker, local, callee->place) : check_expr(checker, callee, NULL);
  struct type *type = call_value_type(checker, value, syntax->call.count);
  if (type->kind != TYPE_FUNCTION) {
    if (type->kind != TYPE_ERROR)
      *diag_error(checker->diag, callee->place, "%s cannot be called", check_show(checker, type)) =
          "a '(' on the same line makes a call: where it begins an expression, begin a line with it";
    return parts_check_anyway(checker, syntax->call.arguments, syntax->call.count, syntax->place);
  }
  struct parts parts = {"the function", "argument", type->function.parameter_count, NULL};
  if (callee->kind == SYNTAX_NAME)
    parts.owner = call_quote(checker, callee->name);
  if (local && local->known)
    parts.names = call_parameter_names(checker, local->known);
  if (global)
    parts.names = global->parameters;
  expr->call.callee = value->kind == AST_SELF ? AST_CALL_SELF : AST_CALL_VALUE;
  expr->call.function = local ? local->code : value->kind == AST_CLOSURE ? value->function : NULL;
  expr->call.value = value;
  return call_finish(checker, syntax, expr, &parts, type);
}

struct ast_expr *check_call(struct checker *checker, const struct syntax_expr *syntax, const struct want *want) {
  const struct syntax_expr *callee = syntax->call.callee;
  bool named = callee->kind == SYNTAX_NAME;
  const struct local *local = named ? check_find_local(checker, callee->name) : NULL;
  struct symbol *symbol = named && !local ? check_find(checker, callee->name) : NULL;
  if (!symbol)
    return check_meet(checker, call_value(checker, syntax, local, NULL), want);
  switch (symbol->kind) {
  case SYMBOL_FUNCTION:
  case SYMBOL_EXTERN:
  case SYMBOL_BUILTIN:
    return check_meet(checker, call_symbol(checker, syntax, symbol), want);
  case SYMBOL_INTRINSIC:
    return check_meet(checker, check_intrinsic(checker, syntax, symbol), want);
  case SYMBOL_CONSTRUCTOR:
    return check_meet(checker, check_constructor(checker, syntax, symbol), want);
  case SYMBOL_SUCCESS:
  case SYMBOL_ERROR:
    return check_result_constructor(checker, syntax, symbol, want);
  default:
    return check_meet(checker, call_value(checker, syntax, NULL, symbol), want);
  }
}
