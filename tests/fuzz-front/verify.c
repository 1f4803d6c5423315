#include "verify.h"

#include <stdio.h>
#include <stdlib.h>

struct verify {
  const struct ast_program *program;
  const struct ast_function *function;
};

static void verify_expr(const struct verify *verify, const struct ast_expr *expr, bool tail);

static void verify_that(bool condition, const char *what) {
  if (condition)
    return;
  fprintf(stderr, "the checked tree is wrong: %s\n", what);
  abort();
}

static void verify_type(const struct type *type) {
  verify_that(type && type->ground == type, "a type is not interned");
  verify_that(type->kind <= TYPE_UNION, "a type is the checker's own");
  if (type->kind == TYPE_RESULT)
    verify_type(type->result.value);
  if (type->kind != TYPE_FUNCTION)
    return;
  verify_type(type->function.result);
  for (size_t i = 0; i < type->function.parameter_count; i++)
    verify_type(type->function.parameters[i]);
}

static const struct type *verify_number(const struct type *type) {
  return type->kind == TYPE_RESULT ? type->result.value : type;
}

static bool verify_is_listed(const struct verify *verify, const struct ast_function *function) {
  for (size_t i = 0; i < verify->program->function_count; i++)
    if (verify->program->functions[i] == function)
      return true;
  return false;
}

static void verify_variable(const struct verify *verify, const struct ast_expr *expr) {
  const struct ast_variable *variable = expr->variable;
  verify_that(variable->type == expr->type, "a variable has another type than its use");
  verify_that(variable->kind == AST_GLOBAL || variable->owner == verify->function, "a variable is not captured");
}

static void verify_closure(const struct verify *verify, const struct ast_expr *expr) {
  const struct ast_function *function = expr->function;
  verify_that(verify_is_listed(verify, function), "a function is not listed");
  verify_that(function->type == expr->type, "a closure has another type than its function");
  for (size_t i = 0; i < function->capture_count; i++) {
    const struct ast_capture *capture = &function->captures[i];
    verify_that(capture->value->kind == AST_VARIABLE || capture->value->kind == AST_SELF, "a capture is no name");
    verify_that(capture->variable->type == capture->value->type && capture->variable->index == i, "a capture's slot");
    verify_expr(verify, capture->value, false);
  }
}

static void verify_call(const struct verify *verify, const struct ast_expr *expr, bool tail) {
  const struct ast_call *call = &expr->call;
  const struct type *type = NULL;
  verify_that(call->tail == tail, "the mark of a tail call");
  if (call->callee == AST_CALL_FUNCTION || call->callee == AST_CALL_SELF)
    type = call->function->type;
  if (call->callee == AST_CALL_VALUE)
    type = call->value->type;
  if (call->callee == AST_CALL_EXTERN)
    type = call->external->type;
  if (call->callee == AST_CALL_VALUE)
    verify_expr(verify, call->value, false);
  if (call->function)
    verify_that(verify_is_listed(verify, call->function), "a callee is not listed");
  for (size_t i = 0; i < call->arguments.count; i++) {
    verify_expr(verify, call->arguments.items[i], false);
    verify_that(!type || call->arguments.items[i]->type == type->function.parameters[i], "an argument's type");
  }
  if (!type)
    return;
  verify_that(type->function.parameter_count == call->arguments.count, "the number of arguments");
  verify_that(type->function.result == expr->type, "a call's type");
}

static void verify_block(const struct verify *verify, const struct ast_expr *expr, bool tail) {
  for (size_t i = 0; i < expr->block.count; i++) {
    const struct ast_statement *statement = &expr->block.statements[i];
    verify_expr(verify, statement->value, false);
    verify_that(statement->variable || statement->value->type->kind != TYPE_RESULT, "a Result is dropped");
    verify_that(!statement->variable || statement->variable->type == statement->value->type, "the type of a binding");
  }
  if (expr->block.value)
    verify_expr(verify, expr->block.value, tail);
  verify_that(expr->type->kind == TYPE_UNIT || expr->block.value, "a block without a value is Unit");
  verify_that(!expr->block.value || expr->block.value->type == expr->type, "a block's type");
}

static void verify_match(const struct verify *verify, const struct ast_expr *expr, bool tail) {
  const struct type *subject = expr->match.subject->type;
  verify_expr(verify, expr->match.subject, false);
  size_t any = 0;
  for (size_t i = 0; i < expr->match.count; i++) {
    const struct ast_arm *arm = &expr->match.arms[i];
    any += arm->kind == AST_PATTERN_ANY;
    verify_that(!any || i + 1 == expr->match.count, "an arm after a catch-all");
    verify_that(arm->kind != AST_PATTERN_CONSTRUCTOR || arm->constructor->type == subject, "a constructor's type");
    verify_that(arm->kind != AST_PATTERN_INT || subject->kind == TYPE_INT, "an int pattern");
    verify_that(arm->kind != AST_PATTERN_BOOL || subject->kind == TYPE_BOOL, "a bool pattern");
    verify_that(arm->kind != AST_PATTERN_STRING || subject->kind == TYPE_STRING, "a string pattern");
    verify_that(arm->kind < AST_PATTERN_SUCCESS || subject->kind == TYPE_RESULT, "a Result's pattern");
    verify_that(arm->body->type == expr->type, "an arm's type");
    verify_expr(verify, arm->body, tail);
  }
  size_t cases = subject->kind == TYPE_UNION || subject->kind == TYPE_RECORD  ? subject->named.constructor_count
                 : subject->kind == TYPE_BOOL || subject->kind == TYPE_RESULT ? 2
                                                                              : SIZE_MAX;
  verify_that(any || expr->match.count == cases, "a match covers every case");
}

static void verify_fields(const struct verify *verify, const struct type_constructor *constructor,
                          struct ast_expr *const *values, bool all) {
  for (size_t i = 0; i < constructor->field_count; i++) {
    verify_that(values[i] || !all, "a field has no value");
    if (!values[i])
      continue;
    verify_expr(verify, values[i], false);
    verify_that(values[i]->type == constructor->fields[i].type, "a field's type");
  }
}

static void verify_loop(const struct verify *verify, const struct ast_expr *expr) {
  const struct ast_loop *loop = &expr->loop;
  verify_expr(verify, loop->start, false);
  verify_expr(verify, loop->end, false);
  const struct type *element = loop->start->type;
  verify_that(element->kind == TYPE_INT && loop->end->type == element, "a range's ends");
  for (size_t i = 0; i < loop->stage_count; i++) {
    const struct type *type = loop->stages[i].function->type;
    verify_expr(verify, loop->stages[i].function, false);
    verify_that(type->function.parameters[0] == element, "a stage's element");
    if (loop->stages[i].kind == AST_STAGE_MAP)
      element = type->function.result;
  }
  if (loop->initial)
    verify_expr(verify, loop->initial, false);
  verify_that(loop->function != NULL, "a loop's end");
  verify_expr(verify, loop->function, false);
  verify_that(loop->function->type->function.parameters[loop->initial ? 1 : 0] == element, "a loop's element");
  verify_that(!loop->initial || loop->initial->type == expr->type, "a fold's type");
}

static void verify_binary(const struct verify *verify, const struct ast_expr *expr, bool tail) {
  const struct ast_expr *left = expr->binary.left, *right = expr->binary.right;
  bool last = expr->kind == AST_AND || expr->kind == AST_OR || expr->kind == AST_ELVIS;
  verify_expr(verify, left, false);
  verify_expr(verify, right, tail && last);
  switch (expr->kind) {
  case AST_ARITHMETIC:
    verify_that(verify_number(left->type) == verify_number(right->type), "operands are of one number type");
    verify_that(verify_number(expr->type) == verify_number(left->type), "arithmetic's type");
    break;
  case AST_CONCAT:
    verify_that(left->type->kind == TYPE_STRING && right->type->kind == TYPE_STRING, "strings are joined");
    break;
  case AST_ELVIS:
    verify_that(left->type->kind == TYPE_RESULT && left->type->result.value == right->type, "a fallback's type");
    break;
  default:
    verify_that(left->type == right->type, "operands are of one type");
    break;
  }
}

static void verify_children(const struct verify *verify, const struct ast_expr *expr, bool tail) {
  switch (expr->kind) {
  case AST_UNIT:
  case AST_INT:
  case AST_FLOAT:
  case AST_BOOL:
  case AST_STRING:
  case AST_INPUT:
    break;
  case AST_SELF:
    verify_that(verify->function->has_environment && verify->function->type == expr->type, "a function's own name");
    break;
  case AST_INTERPOLATE:
    for (size_t i = 0; i < expr->list.count; i++)
      verify_expr(verify, expr->list.items[i], false);
    break;
  case AST_VARIABLE:
    verify_variable(verify, expr);
    break;
  case AST_CLOSURE:
    verify_closure(verify, expr);
    break;
  case AST_CALL:
    verify_call(verify, expr, tail);
    break;
  case AST_PRINT:
  case AST_TO_STRING:
  case AST_SLEEP:
  case AST_NOT:
  case AST_TO_FLOAT:
  case AST_NEGATE:
  case AST_SUCCESS:
  case AST_ERROR:
    verify_expr(verify, expr->operand, false);
    break;
  case AST_ARITHMETIC:
  case AST_CONCAT:
  case AST_COMPARE:
  case AST_AND:
  case AST_OR:
  case AST_ELVIS:
    verify_binary(verify, expr, tail);
    break;
  case AST_IF:
    verify_expr(verify, expr->branch.condition, false);
    verify_expr(verify, expr->branch.then, tail);
    verify_expr(verify, expr->branch.otherwise, tail);
    verify_that(expr->branch.then->type == expr->type && expr->branch.otherwise->type == expr->type, "a side's type");
    break;
  case AST_BLOCK:
    verify_block(verify, expr, tail);
    break;
  case AST_MATCH:
    verify_match(verify, expr, tail);
    break;
  case AST_CONSTRUCT:
    verify_fields(verify, expr->construct.constructor, expr->construct.values, true);
    break;
  case AST_UPDATE:
    verify_expr(verify, expr->update.record, false);
    verify_fields(verify, &expr->type->named.constructors[0], expr->update.values, false);
    break;
  case AST_FIELD:
    verify_expr(verify, expr->field.record, false);
    verify_that(expr->field.record->type->named.constructors[0].fields[expr->field.index].type == expr->type,
                "a field");
    break;
  case AST_LOOP:
    verify_loop(verify, expr);
    break;
  }
}

static void verify_expr(const struct verify *verify, const struct ast_expr *expr, bool tail) {
  verify_type(expr->type);
  verify_children(verify, expr, tail);
}

static void verify_function(const struct ast_program *program, const struct ast_function *function) {
  struct verify verify = {program, function};
  verify_type(function->type);
  verify_that(function->symbol != NULL, "a function has a symbol");
  verify_that(function->type->function.parameter_count == function->parameter_count, "the number of parameters");
  for (size_t i = 0; i < function->parameter_count; i++)
    verify_that(function->parameters[i]->type == function->type->function.parameters[i], "a parameter's type");
  for (size_t i = 0; i < function->variable_count; i++)
    verify_type(function->variables[i]->type);
  verify_expr(&verify, function->body, true);
  verify_that(function->body->type == function->type->function.result, "a body's type");
}

void verify_program(const struct ast_program *program) {
  struct verify verify = {program, NULL};
  verify_that(verify_is_listed(&verify, program->init), "init is listed");
  verify_that(!program->main || verify_is_listed(&verify, program->main), "main is listed");
  for (size_t i = 0; i < program->function_count; i++)
    verify_function(program, program->functions[i]);
}
