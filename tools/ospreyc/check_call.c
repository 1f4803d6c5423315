/* Calls, records and their fields: what has named parts. */
#include "checker.h"

#include <string.h>

/* ---- Arguments in order ------------------------------------------------------------------------------------------ */

/* What is called or built: how it is named in messages, and the names of its parts. */
struct parts {
  const char *owner; /* "'websocketSend'" */
  const char *part;  /* "argument" or "field" */
  size_t count;
  const char **names; /* NULL where they are not known */
};

static bool parts_are_named(const struct syntax_argument *arguments, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (arguments[i].name.text)
      return true;
  return false;
}

static const char *parts_list(struct checker *checker, const struct parts *parts) {
  const char *list = "";
  for (size_t i = 0; i < parts->count; i++)
    if (parts->names[i])
      list = arena_printf(checker->arena, "%s%s%s", list, i ? ", " : "", parts->names[i]);
  return list;
}

static void parts_unknown(struct checker *checker, const struct parts *parts, struct syntax_name name) {
  struct diag_guess guess = {0};
  for (size_t i = 0; i < parts->count; i++)
    if (parts->names[i])
      diag_guess_consider(&guess, name.text, parts->names[i]);
  const char **hint = diag_error(checker->diag, name.place, "%s has no %s '%s'", parts->owner, parts->part, name.text);
  if (guess.name)
    *hint = arena_printf(checker->arena, "did you mean '%s'?", guess.name);
  else if (parts->count)
    *hint = arena_printf(checker->arena, "it has: %s", parts_list(checker, parts));
}

/* The position of a name among the parts; their count if it is none. */
static size_t parts_find(const struct parts *parts, const char *name) {
  size_t i = 0;
  while (i < parts->count && !(parts->names[i] && strcmp(parts->names[i], name) == 0))
    i++;
  return i;
}

/* Puts named arguments in the order of the declaration. Returns whether each part may be checked (it may still be NULL). */
static void parts_order_named(struct checker *checker, const struct parts *parts,
                              const struct syntax_argument *arguments, size_t count,
                              const struct syntax_expr **ordered) {
  for (size_t i = 0; i < count; i++) {
    struct syntax_name name = arguments[i].name;
    if (!name.text) {
      *diag_error(checker->diag, arguments[i].value->place, "an %s without a name among named ones", parts->part) =
          "name all of them, or none";
      continue;
    }
    size_t at = parts_find(parts, name.text);
    if (at == parts->count)
      parts_unknown(checker, parts, name);
    else if (ordered[at])
      diag_error(checker->diag, name.place, "the %s '%s' is given twice", parts->part, name.text);
    else
      ordered[at] = arguments[i].value;
  }
}

static const char *parts_missing(struct checker *checker, const struct parts *parts,
                                 const struct syntax_expr *const *ordered) {
  const char *list = NULL;
  for (size_t i = 0; i < parts->count; i++) {
    if (ordered[i])
      continue;
    const char *name = parts->names[i] ? parts->names[i] : "without a name";
    list = list ? arena_printf(checker->arena, "%s, '%s'", list, name) : arena_printf(checker->arena, "'%s'", name);
  }
  return list;
}

/* The arguments in the order of the declaration. What is missing is NULL; anything wrong is reported. */
static const struct syntax_expr **parts_order(struct checker *checker, const struct parts *parts,
                                              const struct syntax_argument *arguments, size_t count,
                                              struct place place) {
  const struct syntax_expr **ordered = arena_array(checker->arena, parts->count, sizeof *ordered);
  if (parts_are_named(arguments, count)) {
    if (!parts->names) {
      *diag_error(checker->diag, place, "the arguments of a function value have no names") = "give them in order";
      return NULL;
    }
    size_t errors = checker->diag->errors;
    parts_order_named(checker, parts, arguments, count, ordered);
    const char *missing = parts_missing(checker, parts, ordered);
    if (missing && errors == checker->diag->errors)
      diag_error(checker->diag, place, "%s lacks the %s%s %s", parts->owner, parts->part,
                 strchr(missing, ',') ? "s" : "", missing);
    return errors == checker->diag->errors ? ordered : NULL;
  }
  if (count != parts->count) {
    const char *takes = parts->count ? arena_printf(checker->arena, "%zu", parts->count) : "no";
    const char **hint = diag_error(checker->diag, place, "%s takes %s %s%s, not %zu", parts->owner, takes, parts->part,
                                   parts->count == 1 ? "" : "s", count);
    if (parts->names && parts->count)
      *hint = arena_printf(checker->arena, "it takes: %s", parts_list(checker, parts));
    return NULL;
  }
  for (size_t i = 0; i < count; i++)
    ordered[i] = arguments[i].value;
  return ordered;
}

/* After an error in the arguments their own errors are still of interest. */
static struct ast_expr *parts_check_anyway(struct checker *checker, const struct syntax_argument *arguments,
                                           size_t count, struct place place) {
  for (size_t i = 0; i < count; i++)
    check_expr(checker, arguments[i].value, NULL);
  return check_wrong(checker, place);
}

static const char *part_name(struct checker *checker, const struct parts *parts, size_t i) {
  if (parts->names && parts->names[i])
    return arena_printf(checker->arena, "%s '%s' of %s", parts->part, parts->names[i], parts->owner);
  return arena_printf(checker->arena, "%s %zu of %s", parts->part, i + 1, parts->owner);
}

/* ---- Calls ------------------------------------------------------------------------------------------------------- */

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
  expr->type = type->function.result;
  expr->call.arguments.count = parts->count;
  expr->call.arguments.items = arena_array(checker->arena, parts->count, sizeof(struct ast_expr *));
  for (size_t i = 0; i < parts->count; i++) {
    struct want want = {type->function.parameters[i], part_name(checker, parts, i)};
    expr->call.arguments.items[i] = check_expr(checker, ordered[i], &want);
  }
  return expr;
}

static const char *call_quote(struct checker *checker, const char *name) {
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
  return call_finish(checker, syntax, expr, &parts, type_resolve(type));
}

/* A value that is called has to be a function of as many parameters as there are arguments. */
static struct type *call_value_type(struct checker *checker, const struct ast_expr *value, size_t count) {
  struct type *type = check_force(checker, check_type_of(value));
  if (type->kind != TYPE_VARIABLE)
    return type;
  struct type **parameters = arena_array(checker->arena, count, sizeof(struct type *));
  for (size_t i = 0; i < count; i++)
    parameters[i] = type_variable(&checker->types);
  struct type *function = type_function(&checker->types, parameters, count, type_variable(&checker->types));
  return type_unify(&checker->types, type, function) ? function : type;
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
    if (type->kind != TYPE_WRONG)
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

/* ---- Constructors called like functions -------------------------------------------------------------------------- */

static struct ast_expr *call_constructor(struct checker *checker, const struct syntax_expr *syntax,
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
    struct want want = {constructor->fields[i].type, part_name(checker, &parts, i)};
    expr->construct.values[i] = check_expr(checker, ordered[i], &want);
  }
  return expr;
}

/* A Result from its payload; without one (NULL) a success of Unit. What is wanted of it tells what its payload has to be. */
static struct ast_expr *call_result(struct checker *checker, bool success, const struct syntax_expr *payload,
                                    struct place place, const struct want *want) {
  struct ast_expr *expr = check_new(checker, success ? AST_SUCCESS : AST_ERROR, NULL, place);
  struct type *wanted = want ? type_resolve(want->type) : NULL;
  struct type *value = wanted && wanted->kind == TYPE_RESULT ? wanted->result.value : type_variable(&checker->types);
  struct want inside = {success ? value : checker->types.string,
                        success ? "the value of Success" : "the message of Error"};
  expr->type = type_result(&checker->types, value, false);
  if (payload)
    expr->operand = check_expr(checker, payload, &inside);
  else
    expr->operand = check_meet(checker, check_new(checker, AST_UNIT, checker->types.unit, place), &inside);
  return check_meet(checker, expr, want);
}

static struct ast_expr *call_result_constructor(struct checker *checker, const struct syntax_expr *syntax,
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

/* ---- What is built into the language ----------------------------------------------------------------------------- */

static struct ast_expr *intrinsic_operand(struct checker *checker, enum ast_kind kind, struct type *type,
                                          const struct syntax_expr *operand, const struct want *want,
                                          struct place place) {
  struct ast_expr *expr = check_new(checker, kind, type, place);
  if (operand)
    expr->operand = check_expr(checker, operand, want);
  return expr;
}

static struct ast_expr *intrinsic_range(struct checker *checker, const struct syntax_expr **arguments,
                                        struct place place) {
  struct want start = {checker->types.integer, "the start of the range"};
  struct want end = {checker->types.integer, "the end of the range"};
  struct ast_expr *expr = check_new(checker, AST_LOOP, type_iterator(&checker->types, checker->types.integer), place);
  expr->loop.start = check_expr(checker, arguments[0], &start);
  expr->loop.end = check_expr(checker, arguments[1], &end);
  return expr;
}

/* The first argument of map, filter, forEach and fold: a loop that lacks its end. NULL after an error. */
static struct ast_expr *intrinsic_iterator(struct checker *checker, const struct symbol *symbol,
                                           const struct syntax_expr *argument) {
  struct ast_expr *expr = check_expr(checker, argument, NULL);
  if (expr->kind == AST_LOOP && check_type_of(expr)->kind == TYPE_ITERATOR)
    return expr;
  if (check_type_of(expr)->kind != TYPE_WRONG)
    *diag_error(checker->diag, expr->place, "'%s' wants a range before it, not %s", symbol->name,
                check_show(checker, check_type_of(expr))) = "range(start, end) |> …";
  return NULL;
}

/* A function of the parameters that are given and a result. */
static struct want intrinsic_function(struct checker *checker, const char *what, struct type *first,
                                      struct type *second, struct type *result) {
  struct type **parameters = arena_array(checker->arena, 2, sizeof(struct type *));
  parameters[0] = first;
  parameters[1] = second;
  return (struct want){type_function(&checker->types, parameters, second ? 2 : 1, result), what};
}

static void intrinsic_stage(struct checker *checker, struct ast_expr *loop, enum ast_stage_kind kind,
                            const struct syntax_expr *argument) {
  struct type *element = check_type_of(loop)->iterator.element;
  bool is_map = kind == AST_STAGE_MAP;
  struct type *result = is_map ? type_variable(&checker->types) : checker->types.boolean;
  struct want want =
      intrinsic_function(checker, is_map ? "the function of map" : "the predicate of filter", element, NULL, result);
  size_t count = loop->loop.stage_count;
  struct ast_stage *stages = arena_array(checker->arena, count + 1, sizeof *stages);
  if (count)
    memcpy(stages, loop->loop.stages, count * sizeof *stages);
  stages[count] = (struct ast_stage){kind, check_expr(checker, argument, &want)};
  loop->loop.stages = stages;
  loop->loop.stage_count = count + 1;
  if (is_map)
    loop->type = type_iterator(&checker->types, result);
}

static void intrinsic_for_each(struct checker *checker, struct ast_expr *loop, const struct syntax_expr *argument) {
  struct type *element = check_type_of(loop)->iterator.element;
  struct want want =
      intrinsic_function(checker, "the function of forEach", element, NULL, type_variable(&checker->types));
  loop->loop.function = check_expr(checker, argument, &want);
  loop->type = checker->types.unit;
}

static void intrinsic_fold(struct checker *checker, struct ast_expr *loop, const struct syntax_expr **arguments) {
  struct type *element = check_type_of(loop)->iterator.element;
  loop->loop.initial = check_expr(checker, arguments[1], NULL);
  struct type *accumulator = check_type_of(loop->loop.initial);
  struct want want = intrinsic_function(checker, "the function of fold", accumulator, element, accumulator);
  loop->loop.function = check_expr(checker, arguments[2], &want);
  loop->type = accumulator;
}

static struct ast_expr *intrinsic_loop(struct checker *checker, const struct symbol *symbol,
                                       const struct syntax_expr **arguments, struct place place) {
  struct ast_expr *loop = intrinsic_iterator(checker, symbol, arguments[0]);
  if (!loop) {
    for (size_t i = 1; i < symbol->parameter_count; i++)
      check_expr(checker, arguments[i], NULL);
    return check_wrong(checker, place);
  }
  if (symbol->intrinsic == INTRINSIC_MAP)
    intrinsic_stage(checker, loop, AST_STAGE_MAP, arguments[1]);
  else if (symbol->intrinsic == INTRINSIC_FILTER)
    intrinsic_stage(checker, loop, AST_STAGE_FILTER, arguments[1]);
  else if (symbol->intrinsic == INTRINSIC_FOR_EACH)
    intrinsic_for_each(checker, loop, arguments[1]);
  else
    intrinsic_fold(checker, loop, arguments);
  return loop;
}

static struct ast_expr *call_intrinsic(struct checker *checker, const struct syntax_expr *syntax,
                                       const struct symbol *symbol) {
  const struct syntax_call *call = &syntax->call;
  struct parts parts = {call_quote(checker, symbol->name), "argument", symbol->parameter_count, symbol->parameters};
  const struct syntax_expr **arguments = parts_order(checker, &parts, call->arguments, call->count, syntax->place);
  if (!arguments)
    return parts_check_anyway(checker, call->arguments, call->count, syntax->place);
  struct types *types = &checker->types;
  struct want milliseconds = {types->integer, "argument 'milliseconds' of 'sleep'"};
  switch (symbol->intrinsic) {
  case INTRINSIC_PRINT:
    return intrinsic_operand(checker, AST_PRINT, types->unit, arguments[0], NULL, syntax->place);
  case INTRINSIC_TO_STRING:
    return intrinsic_operand(checker, AST_TO_STRING, types->string, arguments[0], NULL, syntax->place);
  case INTRINSIC_INPUT:
    return intrinsic_operand(checker, AST_INPUT, types->string, NULL, NULL, syntax->place);
  case INTRINSIC_SLEEP:
    return intrinsic_operand(checker, AST_SLEEP, types->unit, arguments[0], &milliseconds, syntax->place);
  case INTRINSIC_RANGE:
    return intrinsic_range(checker, arguments, syntax->place);
  default:
    return intrinsic_loop(checker, symbol, arguments, syntax->place);
  }
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
    return check_meet(checker, call_intrinsic(checker, syntax, symbol), want);
  case SYMBOL_CONSTRUCTOR:
    return check_meet(checker, call_constructor(checker, syntax, symbol), want);
  case SYMBOL_SUCCESS:
  case SYMBOL_ERROR:
    return call_result_constructor(checker, syntax, symbol, want);
  default:
    return check_meet(checker, call_value(checker, syntax, NULL, symbol), want);
  }
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
    else if (type->kind != TYPE_WRONG)
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
    struct want want = {constructor->fields[i].type, part_name(checker, &parts, i)};
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
    return call_result_constructor(checker, &call, symbol, want);
  return check_meet(checker, call_constructor(checker, &call, symbol), want);
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
    type_unify(&checker->types, type, owner);
  type = type_resolve(type);
  if (type->kind == TYPE_RECORD)
    return type;
  if (type->kind == TYPE_WRONG)
    return NULL;
  if (type->kind == TYPE_VARIABLE) {
    *diag_error(checker->diag, record->place, "the type of this is not known, so its field '%s' is not either",
                name.text) = "annotate the parameter: name: Type";
    return NULL;
  }
  const char **hint =
      diag_error(checker->diag, name.place, "%s has no field '%s'", check_show(checker, type), name.text);
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
