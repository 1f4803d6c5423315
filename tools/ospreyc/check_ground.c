#include "check_ground.h"

#include "check_expr.h"
#include "check_operator.h"

#include "layout.h"

#include <string.h>

enum { CHECK_GROUND_INSTANCES_MAX = 10000 };

struct ast_function *check_ground_instantiate(struct checker *checker, struct check_function *function,
                                              const struct type *type, struct place place) {
  if (function->failed || checker->queue_count > CHECK_GROUND_INSTANCES_MAX)
    return &function->placeholder;
  if (!function->generic)
    return function->code;
  for (struct check_instance *instance = function->instances; instance; instance = instance->next)
    if (instance->type == type)
      return instance->code;
  if (checker->queue_count == CHECK_GROUND_INSTANCES_MAX)
    diag_error(checker->diag, place, "the generic functions have more than %d instances", CHECK_GROUND_INSTANCES_MAX);
  struct check_instance *instance = arena_alloc(checker->arena, sizeof *instance);
  struct ast_function *code = arena_alloc(checker->arena, sizeof *code);
  *instance = (struct check_instance){
      .type = type, .function = function, .code = code, .place = place, .next = function->instances};
  ARENA_PUSH(checker->arena, checker->queue, checker->queue_count, checker->queue_capacity, instance);
  function->instances = instance;
  return code;
}

static struct ast_expr *check_ground_expr(struct checker *checker, struct ast_expr *expr, bool tail);
static void check_ground_values(struct checker *checker, struct ast_expr **values, size_t count);

static bool check_ground_is_printable(const struct type *type) {
  switch (type->kind) {
  case TYPE_UNIT:
  case TYPE_INT:
  case TYPE_FLOAT:
  case TYPE_BOOL:
  case TYPE_STRING:
  case TYPE_ERROR:
    return true;
  case TYPE_RESULT:
    return check_ground_is_printable(type->result.value);
  default:
    return false;
  }
}

static void check_ground_printable(struct checker *checker, const struct ast_expr *expr, const char *what) {
  if (check_ground_is_printable(expr->type))
    return;
  const char **hint =
      diag_error(checker->diag, expr->place, "%s cannot show %s", what, type_name(checker->arena, expr->type));
  if (expr->type->kind == TYPE_RECORD)
    *hint = "show its fields";
  if (expr->type->kind == TYPE_UNION)
    *hint = "match it, and show the fields of each variant";
  if (expr->type->kind == TYPE_FUNCTION)
    *hint = "a function is called with '(…)'";
}

/* Whether a variable is, or captures, a parameter: the function shows whatever it gets. */
static bool check_ground_is_parameter(const struct ast_variable *variable) {
  while (variable->kind == AST_CAPTURED)
    variable = variable->owner->captures[variable->index].value->variable;
  return variable->kind == AST_PARAMETER;
}

/* Whether an expression that is not grounded yet is a Result of arithmetic, other than from a call. */
static bool check_ground_is_math(const struct ast_expr *expr) {
  const struct type *type = infer_resolve(expr->type);
  return type->kind == TYPE_RESULT && type->result.math && expr->kind != AST_CALL;
}

/* What becomes part of a string, other than a call's Result that print shows. */
static void check_ground_shown(struct checker *checker, const struct ast_expr *expr) {
  if (expr->type->kind != TYPE_RESULT || !check_ground_is_printable(expr->type))
    return;
  if (expr->kind != AST_VARIABLE || !check_ground_is_parameter(expr->variable))
    *diag_warning(checker->diag, expr->place, "this Result is shown as 'Success(…)' or 'Error(…)'") =
        check_operator_fallback(checker, expr, CHECK_ALONE);
}

static bool check_ground_is_real(const struct type *type) {
  return type->kind == TYPE_FLOAT || (type->kind == TYPE_RESULT && type->result.value->kind == TYPE_FLOAT);
}

static struct ast_expr *check_ground_to_float(struct checker *checker, struct ast_expr *operand) {
  if (check_ground_is_real(operand->type))
    return operand;
  bool is_result = operand->type->kind == TYPE_RESULT;
  struct infer *infer = &checker->infer;
  struct type *type = is_result ? infer_result(infer, infer->real, true) : infer->real;
  struct ast_expr *expr = ast_expr_new(checker->arena, AST_TO_FLOAT, infer_ground(infer, type), operand->place);
  expr->operand = operand;
  return expr;
}

static void check_ground_promote(struct checker *checker, struct ast_binary *binary, bool always) {
  if (!always && !check_ground_is_real(binary->left->type) && !check_ground_is_real(binary->right->type))
    return;
  binary->left = check_ground_to_float(checker, binary->left);
  binary->right = check_ground_to_float(checker, binary->right);
}

static void check_ground_variable(struct checker *checker, struct ast_variable *variable) {
  if (variable)
    variable->type = infer_ground(&checker->infer, variable->type);
}

static void check_ground_closure(struct checker *checker, struct ast_expr *expr) {
  if (!expr->function->has_environment) {
    expr->function =
        check_ground_instantiate(checker, (struct check_function *)expr->function, expr->type, expr->place);
    return;
  }
  for (size_t i = 0; i < expr->function->capture_count; i++)
    check_ground_expr(checker, expr->function->captures[i].value, false);
  check_ground_function(checker, expr->function);
  size_t size = LAYOUT_CODE_BYTES;
  for (size_t i = 0; i < expr->function->capture_count; i++) {
    const struct ast_variable *variable = expr->function->captures[i].variable;
    if (!type_append(variable->type, &size)) {
      *diag_error(checker->diag, expr->place,
                  "this function captures too much: '%s' is a reference beyond the %dth word", variable->name,
                  LAYOUT_META_mask_words) = "move some of the values to a record";
      return;
    }
  }
}

static void check_ground_call(struct checker *checker, struct ast_expr *expr, bool tail) {
  struct ast_call *call = &expr->call;
  call->tail = tail;
  check_ground_values(checker, call->arguments.items, call->arguments.count);
  for (size_t i = 0; call->callee == AST_CALL_EXTERN && call->external->frees && i < call->arguments.count; i++)
    if (call->arguments.items[i]->kind == AST_VARIABLE)
      call->arguments.items[i]->variable->is_freed = true;
  if (call->callee == AST_CALL_FUNCTION) {
    const struct type *type = infer_ground(&checker->infer, call->value->type);
    call->function = check_ground_instantiate(checker, (struct check_function *)call->function, type, expr->place);
    call->value = NULL;
    return;
  }
  if (call->callee == AST_CALL_EXTERN || call->callee == AST_CALL_BUILTIN || call->callee == AST_CALL_LIBRARY)
    return;
  call->value = check_ground_expr(checker, call->value, false);
  if (call->value->kind == AST_CLOSURE)
    call->function = call->value->function;
}

void check_ground_function(struct checker *checker, struct ast_function *function) {
  function->type = infer_ground(&checker->infer, function->type);
  for (size_t i = 0; i < function->parameter_count; i++)
    check_ground_variable(checker, function->parameters[i]);
  for (size_t i = 0; i < function->variable_count; i++)
    check_ground_variable(checker, function->variables[i]);
  for (size_t i = 0; i < function->capture_count; i++)
    check_ground_variable(checker, function->captures[i].variable);
  function->body = check_ground_expr(checker, function->body, true);
  ARENA_PUSH(checker->arena, checker->program->functions, checker->program->function_count, checker->function_capacity,
             function);
}

/* Whether an expression is a call, or has a branch that is one. */
static bool check_ground_calls(const struct ast_expr *expr) {
  bool calls = expr->kind == AST_CALL;
  if (expr->kind == AST_IF)
    calls = check_ground_calls(expr->branch.then) || check_ground_calls(expr->branch.otherwise);
  if (expr->kind == AST_BLOCK && expr->block.value)
    calls = check_ground_calls(expr->block.value);
  for (size_t i = 0; expr->kind == AST_MATCH && i < expr->match.count; i++)
    calls |= check_ground_calls(expr->match.arms[i].body);
  return calls;
}

/* Whether the Result of a call is bound to a name that is never used, other than `_`. */
static bool check_ground_hides_error(const struct ast_statement *statement) {
  const struct ast_variable *variable = statement->variable;
  return variable && variable->kind == AST_LOCAL && !variable->is_read && variable->name[0] != '_' &&
         statement->value->type->kind == TYPE_RESULT && check_ground_calls(statement->value);
}

/* How to call a function that a statement only names; what follows it on its line is probably its argument. */
static const char *check_ground_call_hint(struct checker *checker, const struct ast_expr *value,
                                          const struct ast_expr *next) {
  enum { LONG = 60 };
  const char *text = checker->diag->source->text, *name = text + value->place.offset;
  size_t end = value->place.offset + value->place.length;
  bool follows = next && next->place.offset > end && !memchr(text + end, '\n', next->place.offset - end);
  bool is_whole = follows && next->place.length <= LONG && next->kind <= AST_VARIABLE;
  int length = value->place.length > LONG ? 0 : (int)value->place.length;
  if (!length || *name == '|' || strncmp(name, "fn", strlen("fn")) == 0)
    return "bind it with 'let', or call it";
  if (is_whole)
    return arena_printf(checker->arena, "write %.*s(%.*s)", length, name, (int)next->place.length,
                        text + next->place.offset);
  return arena_printf(checker->arena, "write %.*s(%s)", length, name,
                      follows || infer_resolve(value->type)->function.parameter_count ? "…" : "");
}

static void check_ground_block(struct checker *checker, struct ast_block *block, bool tail) {
  for (size_t i = 0; i < block->count; i++) {
    struct ast_statement *statement = &block->statements[i];
    statement->value = check_ground_expr(checker, statement->value, false);
    const struct ast_expr *value = statement->value;
    if (statement->variable && statement->variable->kind == AST_GLOBAL)
      check_ground_variable(checker, statement->variable);
    else if (check_ground_hides_error(statement))
      *diag_warning(checker->diag, statement->variable->place, "nothing looks at '%s': an Err would be lost",
                    statement->variable->name) = "match it, or ignore it: let _ = …";
    else if (!statement->variable && value->type->kind == TYPE_FUNCTION)
      *diag_error(checker->diag, value->place, "this function is not called") =
          check_ground_call_hint(checker, value, i + 1 < block->count ? block->statements[i + 1].value : block->value);
    else if (!statement->variable)
      check_expr_unused(checker, value);
  }
  if (block->value)
    block->value = check_ground_expr(checker, block->value, tail);
}

static void check_ground_values(struct checker *checker, struct ast_expr **values, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (values[i])
      values[i] = check_ground_expr(checker, values[i], false);
}

static void check_ground_loop(struct checker *checker, struct ast_expr *expr) {
  struct ast_loop *loop = &expr->loop;
  loop->start = check_ground_expr(checker, loop->start, false);
  loop->end = check_ground_expr(checker, loop->end, false);
  for (size_t i = 0; i < loop->stage_count; i++)
    loop->stages[i].function = check_ground_expr(checker, loop->stages[i].function, false);
  if (loop->initial)
    loop->initial = check_ground_expr(checker, loop->initial, false);
  if (loop->function)
    loop->function = check_ground_expr(checker, loop->function, false);
  else
    *diag_error(checker->diag, expr->place, "an iterator cannot be stored, passed or returned") =
        "end the chain with forEach or fold";
}

/* The right operand of && || and ?: is in tail position if the expression is. */
static void check_ground_binary(struct checker *checker, struct ast_expr *expr, bool tail) {
  struct ast_binary *binary = &expr->binary;
  tail = tail && (expr->kind == AST_AND || expr->kind == AST_OR || expr->kind == AST_ELVIS);
  binary->left = check_ground_expr(checker, binary->left, false);
  binary->right = check_ground_expr(checker, binary->right, tail);
  if (expr->kind == AST_ARITHMETIC && expr->type->kind == TYPE_STRING)
    expr->kind = AST_CONCAT;
  else if (expr->kind == AST_ARITHMETIC)
    check_ground_promote(checker, binary, binary->op == AST_DIVIDE);
  if (expr->kind != AST_COMPARE)
    return;
  if (binary->left->type != binary->right->type)
    check_ground_promote(checker, binary, false);
  const struct type *type = binary->left->type;
  enum type_kind kind = type->kind;
  bool equality = binary->op == AST_EQUAL || binary->op == AST_NOT_EQUAL;
  if (kind == TYPE_INT || kind == TYPE_FLOAT || kind == TYPE_STRING || kind == TYPE_ERROR ||
      (kind == TYPE_BOOL && equality))
    return;
  const char **hint =
      diag_error(checker->diag, expr->place, "values of type %s cannot be compared%s", type_name(checker->arena, type),
                 kind == TYPE_BOOL ? " with '<', '>', '<=' or '>='" : "");
  if (kind == TYPE_RESULT)
    *hint = "match it, or give a fallback with '?:'";
  if (kind == TYPE_RECORD)
    *hint = "compare its fields";
  if (kind == TYPE_UNION)
    *hint = "match it";
}

/* Whether print shows what the operands of an expression give. */
static bool check_ground_is_printed(const struct ast_expr *expr, bool printed) {
  return expr->kind == AST_PRINT ||
         (printed && (expr->kind == AST_INTERPOLATE || expr->kind == AST_ARITHMETIC || expr->kind == AST_TO_STRING ||
                      expr->kind == AST_IF || expr->kind == AST_MATCH || expr->kind == AST_BLOCK));
}

static struct ast_expr *check_ground_expr(struct checker *checker, struct ast_expr *expr, bool tail) {
  bool printed = checker->printed, shown = !printed;
  checker->printed = check_ground_is_printed(expr, printed);
  expr->type = infer_ground(&checker->infer, expr->type);
  switch (expr->kind) {
  case AST_UNIT:
  case AST_INT:
  case AST_FLOAT:
  case AST_BOOL:
  case AST_STRING:
  case AST_VARIABLE:
  case AST_SELF:
  case AST_INPUT:
    break;
  case AST_INTERPOLATE:
    for (size_t i = 0; i < expr->list.count; i++) {
      shown = !printed || check_ground_is_math(expr->list.items[i]);
      expr->list.items[i] = check_ground_expr(checker, expr->list.items[i], false);
      check_ground_printable(checker, expr->list.items[i], "\"${…}\"");
      if (shown)
        check_ground_shown(checker, expr->list.items[i]);
    }
    break;
  case AST_CLOSURE:
    check_ground_closure(checker, expr);
    break;
  case AST_CALL:
    check_ground_call(checker, expr, tail);
    break;
  case AST_PRINT:
  case AST_TO_STRING:
  case AST_SLEEP:
  case AST_NOT:
  case AST_TO_FLOAT:
  case AST_NEGATE:
  case AST_SUCCESS:
  case AST_ERROR:
    shown |= check_ground_is_math(expr->operand);
    expr->operand = check_ground_expr(checker, expr->operand, false);
    if (expr->kind == AST_PRINT || expr->kind == AST_TO_STRING)
      check_ground_printable(checker, expr->operand, expr->kind == AST_PRINT ? "print" : "toString");
    if (expr->kind == AST_TO_STRING && shown)
      check_ground_shown(checker, expr->operand);
    break;
  case AST_ARITHMETIC:
  case AST_CONCAT:
  case AST_COMPARE:
  case AST_AND:
  case AST_OR:
  case AST_ELVIS:
    check_ground_binary(checker, expr, tail);
    break;
  case AST_IF:
    expr->branch.condition = check_ground_expr(checker, expr->branch.condition, false);
    expr->branch.then = check_ground_expr(checker, expr->branch.then, tail);
    expr->branch.otherwise = check_ground_expr(checker, expr->branch.otherwise, tail);
    break;
  case AST_BLOCK:
    check_ground_block(checker, &expr->block, tail);
    break;
  case AST_MATCH:
    expr->match.subject = check_ground_expr(checker, expr->match.subject, false);
    for (size_t i = 0; i < expr->match.count; i++)
      expr->match.arms[i].body = check_ground_expr(checker, expr->match.arms[i].body, tail);
    break;
  case AST_CONSTRUCT:
    check_ground_values(checker, expr->construct.values, expr->construct.constructor->field_count);
    break;
  case AST_UPDATE:
    expr->update.record = check_ground_expr(checker, expr->update.record, false);
    if (expr->update.record->type->kind == TYPE_RECORD)
      check_ground_values(checker, expr->update.values, expr->update.record->type->named.constructors[0].field_count);
    break;
  case AST_FIELD:
    expr->field.record = check_ground_expr(checker, expr->field.record, false);
    break;
  case AST_LOOP:
    check_ground_loop(checker, expr);
    break;
  }
  checker->printed = printed;
  return expr;
}
