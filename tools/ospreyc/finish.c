/* The last pass over a body. All types are decided now: each node gets its ground one, operators become plain, calls of
 * generic functions become calls of an instance, and the calls in tail position are marked.
 *
 * What can only be judged by a ground type is judged here: what print can show, what can be compared, dropped Results. */
#include "checker.h"

#include <string.h>

static struct ast_expr *finish_expr(struct checker *checker, struct ast_expr *expr, bool tail);

static const struct type *finish_type(struct checker *checker, const struct type *type) {
  return infer_ground(&checker->infer, type);
}

static void finish_variable(struct checker *checker, struct ast_variable *variable) {
  if (variable)
    variable->type = finish_type(checker, variable->type);
}

/* ---- Judgements -------------------------------------------------------------------------------------------------- */

static bool finish_is_printable(const struct type *type) {
  switch (type->kind) {
  case TYPE_UNIT:
  case TYPE_INT:
  case TYPE_FLOAT:
  case TYPE_BOOL:
  case TYPE_STRING:
  case TYPE_ERROR:
    return true;
  case TYPE_RESULT:
    return finish_is_printable(type->result.value);
  default:
    return false;
  }
}

static void finish_printable(struct checker *checker, const struct ast_expr *expr, const char *what) {
  if (finish_is_printable(expr->type))
    return;
  const char **hint =
      diag_error(checker->diag, expr->place, "%s cannot show %s", what, check_show(checker, expr->type));
  if (expr->type->kind == TYPE_RECORD)
    *hint = "show its fields";
  if (expr->type->kind == TYPE_UNION)
    *hint = "match it, and show what each variant holds";
  if (expr->type->kind == TYPE_FUNCTION)
    *hint = "a function is called with '(…)'";
}

static void finish_comparable(struct checker *checker, const struct ast_expr *expr) {
  const struct type *type = expr->binary.left->type;
  bool equality = expr->binary.op == AST_EQUAL || expr->binary.op == AST_NOT_EQUAL;
  if (type->kind == TYPE_INT || type->kind == TYPE_FLOAT || type->kind == TYPE_STRING || type->kind == TYPE_ERROR)
    return;
  if (type->kind == TYPE_BOOL && equality)
    return;
  const char **hint = diag_error(checker->diag, expr->place, "values of type %s cannot be compared%s",
                                 check_show(checker, type), type->kind == TYPE_BOOL ? " by size" : "");
  if (type->kind == TYPE_RESULT)
    *hint = "match it, or give a fallback with '?:'";
  if (type->kind == TYPE_RECORD)
    *hint = "compare its fields";
  if (type->kind == TYPE_UNION)
    *hint = "match it";
}

static void finish_dropped(struct checker *checker, const struct ast_expr *value) {
  if (value->type->kind == TYPE_FUNCTION)
    *diag_error(checker->diag, value->place, "a function is named here, but not called") = "call it: name(…)";
  if (value->type->kind == TYPE_RESULT)
    *diag_error(checker->diag, value->place, "this Result is dropped, and with it the error it may hold") =
        "match it, bind it with 'let', or give a fallback with '?:'";
}

/* ---- Operators --------------------------------------------------------------------------------------------------- */

static bool finish_is_real(const struct type *type) {
  return type->kind == TYPE_FLOAT || (type->kind == TYPE_RESULT && type->result.value->kind == TYPE_FLOAT);
}

static struct ast_expr *finish_to_float(struct checker *checker, struct ast_expr *operand) {
  if (finish_is_real(operand->type))
    return operand;
  bool is_result = operand->type->kind == TYPE_RESULT;
  struct infer *infer = &checker->infer;
  struct type *type = is_result ? infer_result(infer, infer->real, true) : infer->real;
  struct ast_expr *expr = check_new(checker, AST_TO_FLOAT, infer_ground(infer, type), operand->place);
  expr->operand = operand;
  return expr;
}

static void finish_promote(struct checker *checker, struct ast_binary *binary, bool always) {
  if (!always && !finish_is_real(binary->left->type) && !finish_is_real(binary->right->type))
    return;
  binary->left = finish_to_float(checker, binary->left);
  binary->right = finish_to_float(checker, binary->right);
}

static void finish_arithmetic(struct checker *checker, struct ast_expr *expr) {
  if (expr->type->kind == TYPE_STRING)
    expr->kind = AST_CONCAT;
  else
    finish_promote(checker, &expr->binary, expr->binary.op == AST_DIVIDE);
}

static void finish_compare(struct checker *checker, struct ast_expr *expr) {
  if (expr->binary.left->type != expr->binary.right->type)
    finish_promote(checker, &expr->binary, false);
  finish_comparable(checker, expr);
}

/* ---- Functions --------------------------------------------------------------------------------------------------- */

/* The instance that a mention of a function at file scope means. */
static struct ast_function *finish_instance(struct checker *checker, struct ast_function *shell,
                                            const struct type *type, struct place place) {
  return check_instantiate(checker, (struct check_function *)shell, type, place);
}

static void finish_closure(struct checker *checker, struct ast_expr *expr) {
  if (!expr->function->has_environment) {
    expr->function = finish_instance(checker, expr->function, expr->type, expr->place);
    return;
  }
  for (size_t i = 0; i < expr->function->capture_count; i++)
    finish_expr(checker, expr->function->captures[i].value, false);
  finish_function(checker, expr->function);
}

static void finish_list(struct checker *checker, struct ast_list *list) {
  for (size_t i = 0; i < list->count; i++)
    list->items[i] = finish_expr(checker, list->items[i], false);
}

static void finish_call(struct checker *checker, struct ast_expr *expr, bool tail) {
  struct ast_call *call = &expr->call;
  call->tail = tail;
  finish_list(checker, &call->arguments);
  if (call->callee == AST_CALL_FUNCTION) {
    const struct type *type = finish_type(checker, call->value->type);
    call->function = finish_instance(checker, call->function, type, expr->place);
    call->value = NULL;
    return;
  }
  if (call->callee == AST_CALL_EXTERN || call->callee == AST_CALL_BUILTIN)
    return;
  call->value = finish_expr(checker, call->value, false);
  if (call->value->kind == AST_CLOSURE)
    call->function = call->value->function;
}

void finish_function(struct checker *checker, struct ast_function *function) {
  function->type = finish_type(checker, function->type);
  for (size_t i = 0; i < function->parameter_count; i++)
    finish_variable(checker, function->parameters[i]);
  for (size_t i = 0; i < function->variable_count; i++)
    finish_variable(checker, function->variables[i]);
  for (size_t i = 0; i < function->capture_count; i++)
    finish_variable(checker, function->captures[i].variable);
  function->body = finish_expr(checker, function->body, true);
  ARENA_PUSH(checker->arena, checker->program->functions, checker->program->function_count, checker->function_capacity,
             function);
}

/* ---- The other nodes --------------------------------------------------------------------------------------------- */

static void finish_block(struct checker *checker, struct ast_block *block, bool tail) {
  for (size_t i = 0; i < block->count; i++) {
    struct ast_statement *statement = &block->statements[i];
    statement->value = finish_expr(checker, statement->value, false);
    if (!statement->variable)
      finish_dropped(checker, statement->value);
    else if (statement->variable->kind == AST_GLOBAL)
      finish_variable(checker, statement->variable);
  }
  if (block->value)
    block->value = finish_expr(checker, block->value, tail);
}

static void finish_match(struct checker *checker, struct ast_match *match, bool tail) {
  match->subject = finish_expr(checker, match->subject, false);
  for (size_t i = 0; i < match->count; i++)
    match->arms[i].body = finish_expr(checker, match->arms[i].body, tail);
}

static void finish_values(struct checker *checker, struct ast_expr **values, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (values[i])
      values[i] = finish_expr(checker, values[i], false);
}

static void finish_update(struct checker *checker, struct ast_update *update) {
  update->record = finish_expr(checker, update->record, false);
  const struct type *type = update->record->type;
  if (type->kind == TYPE_RECORD)
    finish_values(checker, update->values, type->named.constructors[0].field_count);
}

static void finish_loop(struct checker *checker, struct ast_expr *expr) {
  struct ast_loop *loop = &expr->loop;
  loop->start = finish_expr(checker, loop->start, false);
  loop->end = finish_expr(checker, loop->end, false);
  for (size_t i = 0; i < loop->stage_count; i++)
    loop->stages[i].function = finish_expr(checker, loop->stages[i].function, false);
  if (loop->initial)
    loop->initial = finish_expr(checker, loop->initial, false);
  if (loop->function) {
    loop->function = finish_expr(checker, loop->function, false);
    return;
  }
  *diag_error(checker->diag, expr->place, "an iterator is not a value") =
      "end the chain with forEach or fold where it stands";
}

static void finish_interpolation(struct checker *checker, struct ast_list *list) {
  finish_list(checker, list);
  for (size_t i = 0; i < list->count; i++)
    finish_printable(checker, list->items[i], "\"${…}\"");
}

static void finish_binary(struct checker *checker, struct ast_expr *expr, bool tail) {
  bool right_is_last = expr->kind == AST_AND || expr->kind == AST_OR || expr->kind == AST_ELVIS;
  expr->binary.left = finish_expr(checker, expr->binary.left, false);
  expr->binary.right = finish_expr(checker, expr->binary.right, tail && right_is_last);
  if (expr->kind == AST_ARITHMETIC)
    finish_arithmetic(checker, expr);
  if (expr->kind == AST_COMPARE)
    finish_compare(checker, expr);
}

static void finish_operand(struct checker *checker, struct ast_expr *expr) {
  expr->operand = finish_expr(checker, expr->operand, false);
  if (expr->kind == AST_PRINT)
    finish_printable(checker, expr->operand, "print");
  if (expr->kind == AST_TO_STRING)
    finish_printable(checker, expr->operand, "toString");
}

static void finish_children(struct checker *checker, struct ast_expr *expr, bool tail) {
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
    finish_interpolation(checker, &expr->list);
    break;
  case AST_CLOSURE:
    finish_closure(checker, expr);
    break;
  case AST_CALL:
    finish_call(checker, expr, tail);
    break;
  case AST_PRINT:
  case AST_TO_STRING:
  case AST_SLEEP:
  case AST_NOT:
  case AST_TO_FLOAT:
  case AST_NEGATE:
  case AST_SUCCESS:
  case AST_ERROR:
    finish_operand(checker, expr);
    break;
  case AST_ARITHMETIC:
  case AST_CONCAT:
  case AST_COMPARE:
  case AST_AND:
  case AST_OR:
  case AST_ELVIS:
    finish_binary(checker, expr, tail);
    break;
  case AST_IF:
    expr->branch.condition = finish_expr(checker, expr->branch.condition, false);
    expr->branch.then = finish_expr(checker, expr->branch.then, tail);
    expr->branch.otherwise = finish_expr(checker, expr->branch.otherwise, tail);
    break;
  case AST_BLOCK:
    finish_block(checker, &expr->block, tail);
    break;
  case AST_MATCH:
    finish_match(checker, &expr->match, tail);
    break;
  case AST_CONSTRUCT:
    finish_values(checker, expr->construct.values, expr->construct.constructor->field_count);
    break;
  case AST_UPDATE:
    finish_update(checker, &expr->update);
    break;
  case AST_FIELD:
    expr->field.record = finish_expr(checker, expr->field.record, false);
    break;
  case AST_LOOP:
    finish_loop(checker, expr);
    break;
  }
}

static struct ast_expr *finish_expr(struct checker *checker, struct ast_expr *expr, bool tail) {
  expr->type = finish_type(checker, expr->type);
  finish_children(checker, expr, tail);
  return expr;
}
