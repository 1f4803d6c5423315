/* Records, variants and Results: how they are built, updated and read. */
#include "checker.h"

#include <string.h>

/* ---- Constructors ------------------------------------------------------------------------------------------------ */

struct ast_expr *check_constructor(struct checker *checker, const struct syntax_expr *syntax,
                                   const struct symbol *symbol) {
  const struct type_constructor *constructor = symbol->constructor;
  struct parts parts = {call_quote(checker, symbol->name), "field", constructor->field_count, NULL};
  parts.names = arena_array(checker->arena, parts.count, sizeof *parts.names);
  for (size_t i = 0; i < parts.count; i++)
    parts.names[i] = constructor->fields[i].name;
  const struct syntax_call *call = &syntax->call;
  const struct syntax_expr **ordered = parts_order(checker, &parts, call->arguments, call->count, syntax->place);
  struct ast_expr *expr = check_new(checker, AST_CONSTRUCT, constructor->type, syntax->place);
  if (!ordered) {
    parts_check_anyway(checker, call->arguments, call->count, syntax->place);
    return expr;
  }
  expr->construct.constructor = constructor;
  expr->construct.values = arena_array(checker->arena, parts.count, sizeof(struct ast_expr *));
  for (size_t i = 0; i < parts.count; i++) {
    struct want want = {constructor->fields[i].type, part_name(checker, &parts, i), NULL};
    expr->construct.values[i] = check_expr(checker, ordered[i], &want);
  }
  return expr;
}

/* A Result from its payload; without one (NULL) a success of Unit. What is wanted of it tells what its payload has to be. */
static struct ast_expr *call_result(struct checker *checker, bool success, const struct syntax_expr *payload,
                                    struct place place, const struct want *want) {
  struct ast_expr *expr = check_new(checker, success ? AST_SUCCESS : AST_ERROR, NULL, place);
  struct type *wanted = want ? infer_resolve(want->type) : NULL;
  struct type *value = wanted && wanted->kind == TYPE_RESULT ? wanted->result.value : infer_variable(&checker->infer);
  struct want inside = {success ? value : checker->infer.string,
                        success ? "the value of Success" : "the message of Error", NULL};
  expr->type = infer_result(&checker->infer, value, false);
  if (payload)
    expr->operand = check_expr(checker, payload, &inside);
  else
    expr->operand = check_meet(checker, check_new(checker, AST_UNIT, checker->infer.unit, place), &inside);
  return check_meet(checker, expr, want);
}

struct ast_expr *check_result_constructor(struct checker *checker, const struct syntax_expr *syntax,
                                          const struct symbol *symbol, const struct want *want) {
  bool success = symbol->kind == SYMBOL_SUCCESS;
  const struct syntax_call *call = &syntax->call;
  static const char *success_names[] = {"value"}, *error_names[] = {"message"};
  struct parts parts = {call_quote(checker, symbol->name), "field", 1, success ? success_names : error_names};
  if (success && call->count == 0)
    return call_result(checker, true, NULL, syntax->place, want);
  const struct syntax_expr **ordered = parts_order(checker, &parts, call->arguments, call->count, syntax->place);
  if (!ordered)
    return parts_check_anyway(checker, call->arguments, call->count, syntax->place);
  return call_result(checker, success, ordered[0], syntax->place, want);
}

/* ---- Records ----------------------------------------------------------------------------------------------------- */

static struct parts record_parts(struct checker *checker, const struct type_constructor *constructor) {
  struct parts parts = {call_quote(checker, constructor->name), "field", constructor->field_count, NULL};
  parts.names = arena_array(checker->arena, parts.count, sizeof *parts.names);
  for (size_t i = 0; i < parts.count; i++)
    parts.names[i] = constructor->fields[i].name;
  return parts;
}

static struct ast_expr *record_update(struct checker *checker, const struct syntax_expr *syntax) {
  const struct syntax_record *record = &syntax->record;
  struct ast_expr *expr = check_new(checker, AST_UPDATE, NULL, syntax->place);
  expr->update.record = check_expr(checker, record->base, NULL);
  struct type *type = check_force(checker, check_type_of(expr->update.record));
  if (type->kind != TYPE_RECORD) {
    if (type->kind == TYPE_VARIABLE)
      diag_error(checker->diag, syntax->place, "what is updated here has no known type: annotate it");
    else if (type->kind != TYPE_ERROR)
      diag_error(checker->diag, syntax->place, "%s has no fields to update", check_show(checker, type));
    return parts_check_anyway(checker, record->fields, record->count, syntax->place);
  }
  const struct type_constructor *constructor = &type->named.constructors[0];
  struct parts parts = record_parts(checker, constructor);
  const struct syntax_expr **ordered = arena_array(checker->arena, parts.count, sizeof *ordered);
  parts_order_named(checker, &parts, record->fields, record->count, ordered);
  expr->type = type;
  expr->update.values = arena_array(checker->arena, parts.count, sizeof(struct ast_expr *));
  for (size_t i = 0; i < parts.count; i++) {
    struct want want = {constructor->fields[i].type, part_name(checker, &parts, i), NULL};
    if (ordered[i])
      expr->update.values[i] = check_expr(checker, ordered[i], &want);
  }
  return expr;
}

/* `Name { field: value }` is the call Name(field: value). */
struct ast_expr *check_record(struct checker *checker, const struct syntax_expr *syntax, const struct want *want) {
  const struct syntax_record *record = &syntax->record;
  if (record->base)
    return check_meet(checker, record_update(checker, syntax), want);
  const struct symbol *symbol = check_find(checker, record->name.text);
  if (!symbol || symbol->kind < SYMBOL_CONSTRUCTOR) {
    if (symbol)
      diag_error(checker->diag, record->name.place, "'%s' has no fields", record->name.text);
    else
      check_unknown_name(checker, record->name.text, record->name.place);
    return parts_check_anyway(checker, record->fields, record->count, syntax->place);
  }
  struct syntax_expr call = {
      .kind = SYNTAX_CALL, .place = syntax->place, .call = {.count = record->count, .arguments = record->fields}};
  if (symbol->kind != SYMBOL_CONSTRUCTOR)
    return check_result_constructor(checker, &call, symbol, want);
  return check_meet(checker, check_constructor(checker, &call, symbol), want);
}

/* The only record type that has a field of that name, or NULL. */
static struct type *field_owner(struct checker *checker, const char *name) {
  struct type *owner = NULL;
  for (size_t i = 0; i < checker->values.capacity; i++) {
    const struct symbol *symbol = checker->values.entries[i].value;
    if (!symbol || symbol->kind != SYMBOL_CONSTRUCTOR || symbol->constructor->type->kind != TYPE_RECORD)
      continue;
    for (size_t j = 0; j < symbol->constructor->field_count; j++) {
      if (strcmp(symbol->constructor->fields[j].name, name) != 0)
        continue;
      if (owner)
        return NULL;
      owner = symbol->constructor->type;
    }
  }
  return owner;
}

static struct type *field_record_type(struct checker *checker, const struct ast_expr *record, struct syntax_name name) {
  struct type *type = check_force(checker, check_type_of(record));
  struct type *owner = type->kind == TYPE_VARIABLE ? field_owner(checker, name.text) : NULL;
  if (owner)
    infer_unify(&checker->infer, type, owner);
  type = infer_resolve(type);
  if (type->kind == TYPE_RECORD)
    return type;
  if (type->kind == TYPE_ERROR)
    return NULL;
  if (type->kind == TYPE_VARIABLE) {
    *diag_error(checker->diag, record->place, "the type of this is not known, so its field '%s' is not either",
                name.text) = "annotate the parameter: name: Type";
    return NULL;
  }
  const char **hint =
      diag_error(checker->diag, name.place, "%s has no field '%s'", check_show(checker, type), name.text);
  if (check_find(checker, name.text))
    *hint =
        arena_printf(checker->arena, "call functions with what they are on as first argument: … |> %s(…)", name.text);
  if (type->kind == TYPE_RESULT)
    *hint = "a Result is never unwrapped silently: match it first";
  if (type->kind == TYPE_UNION)
    *hint = "match it first: only a variant has fields";
  return NULL;
}

struct ast_expr *check_field(struct checker *checker, const struct syntax_expr *syntax, const struct want *want) {
  struct syntax_name name = syntax->field.name;
  struct ast_expr *expr = check_new(checker, AST_FIELD, NULL, syntax->place);
  expr->field.record = check_expr(checker, syntax->field.record, NULL);
  struct type *type = field_record_type(checker, expr->field.record, name);
  if (!type)
    return check_wrong(checker, syntax->place);
  const struct type_constructor *constructor = &type->named.constructors[0];
  struct parts parts = record_parts(checker, constructor);
  size_t index = parts_find(&parts, name.text);
  if (index == parts.count) {
    parts_unknown(checker, &parts, name);
    return check_wrong(checker, syntax->place);
  }
  expr->field.index = (unsigned)index;
  expr->type = constructor->fields[index].type;
  return check_meet(checker, expr, want);
}
