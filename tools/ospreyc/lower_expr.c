/* Expressions, and those that choose between others. */
#include "lower.h"

#include <assert.h>

static LLVMValueRef global_get(struct lower *lower, const struct ast_variable *variable) {
  char name[64];
  snprintf(name, sizeof name, "global.%u", variable->index);
  LLVMValueRef global = LLVMGetNamedGlobal(lower->module, name);
  if (global)
    return global;
  LLVMTypeRef type = lower_type(lower, variable->type);
  global = LLVMAddGlobal(lower->module, type, name);
  LLVMSetInitializer(global, LLVMConstNull(type));
  LLVMSetLinkage(global, LLVMInternalLinkage);
  return global;
}

/* A variable's value: borrowed, for it lives as long as the scope that binds it, the cell or the program. */
static struct lower_value expr_variable(struct lower_function *fn, const struct ast_variable *variable) {
  struct lower *lower = fn->lower;
  if (variable->kind != AST_GLOBAL)
    return lower_borrowed(lower_binding(lower, variable));
  LLVMTypeRef type = lower_type(lower, variable->type);
  return lower_borrowed(LLVMBuildLoad2(lower->builder, type, global_get(lower, variable), variable->name));
}

/* `let` binds a borrowed value without retaining it: whoever lent it outlives the binding. A global outlives everything. */
static void expr_statement(struct lower_function *fn, const struct ast_statement *statement) {
  lower_debug_place(fn, statement->place);
  struct lower_value value = lower_expr(fn, statement->value);
  if (!statement->variable)
    lower_drop(fn, value);
  else if (statement->variable->kind == AST_GLOBAL)
    LLVMBuildStore(fn->lower->builder, lower_own(fn, statement->value->type, value),
                   global_get(fn->lower, statement->variable));
  else
    lower_bind(fn->lower, statement->variable, lower_keep(fn, value));
}

static void expr_statements(struct lower_function *fn, const struct ast_block *block) {
  for (size_t i = 0; i < block->count; i++)
    expr_statement(fn, &block->statements[i]);
}

/* In a value's place, a block needs no branch. */
static struct lower_value expr_block(struct lower_function *fn, const struct ast_expr *expr) {
  size_t depth = fn->cleanup_count;
  expr_statements(fn, &expr->block);
  struct lower_value value = lower_unit(fn->lower);
  if (expr->block.value) {
    value = lower_expr(fn, expr->block.value);
    value = lower_fresh(expr->type, lower_own_moving(fn, expr->type, value, depth));
  }
  lower_release_to(fn, depth);
  lower_pop_to(fn, depth);
  return value;
}

static LLVMIntPredicate int_predicate(enum ast_operator op) {
  static const LLVMIntPredicate predicates[] = {
      [AST_EQUAL] = LLVMIntEQ,    [AST_NOT_EQUAL] = LLVMIntNE,   [AST_LESS] = LLVMIntSLT,
      [AST_GREATER] = LLVMIntSGT, [AST_LESS_EQUAL] = LLVMIntSLE, [AST_GREATER_EQUAL] = LLVMIntSGE,
  };
  return predicates[op];
}

/* NaN is unequal to everything, itself included. */
static LLVMRealPredicate float_predicate(enum ast_operator op) {
  static const LLVMRealPredicate predicates[] = {
      [AST_EQUAL] = LLVMRealOEQ,   [AST_NOT_EQUAL] = LLVMRealUNE,  [AST_LESS] = LLVMRealOLT,
      [AST_GREATER] = LLVMRealOGT, [AST_LESS_EQUAL] = LLVMRealOLE, [AST_GREATER_EQUAL] = LLVMRealOGE,
  };
  return predicates[op];
}

static struct lower_value expr_compare(struct lower_function *fn, const struct ast_expr *expr) {
  struct lower *lower = fn->lower;
  struct lower_value left = lower_expr(fn, expr->binary.left);
  struct lower_value right = lower_expr(fn, expr->binary.right);
  enum ast_operator op = expr->binary.op;
  lower_debug_place(fn, expr->place);
  if (expr->binary.left->type->kind == TYPE_FLOAT)
    return lower_borrowed(LLVMBuildFCmp(lower->builder, float_predicate(op), left.ir, right.ir, ""));
  LLVMValueRef a = left.ir, b = right.ir;
  if (expr->binary.left->type->kind == TYPE_STRING) {
    a = lower_string_compare(lower, left.ir, right.ir);
    b = lower_word(lower, 0);
    lower_drop(fn, left);
    lower_drop(fn, right);
  }
  return lower_borrowed(LLVMBuildICmp(lower->builder, int_predicate(op), a, b, ""));
}

static struct lower_value expr_sleep(struct lower_function *fn, const struct ast_expr *expr) {
  LLVMValueRef milliseconds = lower_expr(fn, expr->operand).ir;
  lower_call_hook(fn->lower, "osp_rt_sleep", NULL, &milliseconds, 1);
  return lower_unit(fn->lower);
}

/* An expression that chooses between others, as a value: the ways meet in a block. */
static struct lower_value expr_choice(struct lower_function *fn, const struct ast_expr *expr) {
  struct lower_target target;
  lower_target_begin(fn, &target, expr->type);
  lower_expr_to(fn, expr, &target);
  return lower_target_end(fn, &target, expr->type);
}

struct lower_value lower_expr(struct lower_function *fn, const struct ast_expr *expr) {
  struct lower *lower = fn->lower;
  lower_debug_place(fn, expr->place);
  switch (expr->kind) {
  case AST_UNIT:
    return lower_unit(lower);
  case AST_INT:
    return lower_borrowed(lower_word(lower, expr->integer));
  case AST_FLOAT:
    return lower_borrowed(LLVMConstReal(lower->real, expr->real));
  case AST_BOOL:
    return lower_borrowed(LLVMConstInt(lower->bit, expr->truth, false));
  case AST_STRING:
    return lower_borrowed(lower_string_literal(lower, expr->text.bytes, expr->text.length));
  case AST_VARIABLE:
    return expr_variable(fn, expr->variable);
  case AST_CLOSURE:
    return lower_closure(fn, expr->function);
  case AST_SELF:
    return lower_closure_self(fn);
  case AST_CALL:
    return lower_call(fn, expr);
  case AST_PRINT:
    return lower_string_print(fn, expr);
  case AST_INTERPOLATE:
  case AST_CONCAT:
  case AST_TO_STRING:
    return lower_string_format(fn, expr);
  case AST_INPUT:
    return lower_fresh(expr->type, lower_call_hook(lower, "osp_rt_input", lower->pointer, NULL, 0));
  case AST_SLEEP:
    return expr_sleep(fn, expr);
  case AST_NOT:
    return lower_borrowed(LLVMBuildNot(lower->builder, lower_expr(fn, expr->operand).ir, ""));
  case AST_TO_FLOAT:
  case AST_NEGATE:
  case AST_ARITHMETIC:
    return lower_arithmetic(fn, expr);
  case AST_COMPARE:
    return expr_compare(fn, expr);
  case AST_BLOCK:
    return expr_block(fn, expr);
  case AST_CONSTRUCT:
    return lower_record_construct(fn, expr);
  case AST_UPDATE:
    return lower_record_update(fn, expr);
  case AST_FIELD:
    return lower_record_field(fn, expr);
  case AST_SUCCESS:
  case AST_ERROR:
    return lower_result(fn, expr);
  case AST_LOOP:
    return lower_loop(fn, expr);
  case AST_AND:
  case AST_OR:
  case AST_IF:
  case AST_ELVIS:
  case AST_MATCH:
    return expr_choice(fn, expr);
  }
  assert(false && "every kind of expression is lowered");
  return lower_unit(lower);
}

static void to_block(struct lower_function *fn, const struct ast_expr *expr, const struct lower_target *target) {
  size_t depth = fn->cleanup_count;
  expr_statements(fn, &expr->block);
  if (expr->block.value)
    lower_expr_to(fn, expr->block.value, target);
  else
    lower_deliver(fn, expr->type, lower_unit(fn->lower), target);
  lower_pop_to(fn, depth);
}

static void to_if(struct lower_function *fn, const struct ast_expr *expr, const struct lower_target *target) {
  LLVMValueRef condition = lower_expr(fn, expr->branch.condition).ir;
  LLVMBasicBlockRef then = lower_block_new(fn, "then"), otherwise = lower_block_new(fn, "else");
  LLVMBuildCondBr(fn->lower->builder, condition, then, otherwise);
  lower_block_enter(fn, then);
  lower_expr_to(fn, expr->branch.then, target);
  lower_block_enter(fn, otherwise);
  lower_expr_to(fn, expr->branch.otherwise, target);
}

/* `left && right`: the right operand is evaluated only where the left one does not decide, so it is in tail position. */
static void to_logic(struct lower_function *fn, const struct ast_expr *expr, const struct lower_target *target) {
  LLVMValueRef left = lower_expr(fn, expr->binary.left).ir;
  LLVMBasicBlockRef right = lower_block_new(fn, "right"), decided = lower_block_new(fn, "decided");
  bool and = expr->kind == AST_AND;
  LLVMBuildCondBr(fn->lower->builder, left, and? right : decided, and? decided : right);
  lower_block_enter(fn, decided);
  lower_deliver(fn, expr->type, lower_borrowed(LLVMConstInt(fn->lower->bit, !and, false)), target);
  lower_block_enter(fn, right);
  lower_expr_to(fn, expr->binary.right, target);
}

/* `result ?: fallback`: the Result is gone before the fallback is evaluated, so that one is in tail position. */
static void to_elvis(struct lower_function *fn, const struct ast_expr *expr, const struct lower_target *target) {
  size_t depth = fn->cleanup_count;
  struct lower_open open;
  lower_result_open(fn, expr->binary.left, &open);
  LLVMBasicBlockRef fallback = lower_block_new(fn, "fallback"), success = lower_block_new(fn, "success");
  LLVMBuildCondBr(fn->lower->builder, open.failed, fallback, success);
  lower_block_enter(fn, success);
  lower_deliver(fn, expr->type, lower_borrowed(open.value), target);
  lower_block_enter(fn, fallback);
  lower_release_to(fn, depth);
  lower_pop_to(fn, depth);
  lower_expr_to(fn, expr->binary.right, target);
}

/* Lowers an expression whose value goes to the target. The block is ended. */
void lower_expr_to(struct lower_function *fn, const struct ast_expr *expr, const struct lower_target *target) {
  lower_debug_place(fn, expr->place);
  if (expr->kind == AST_BLOCK)
    to_block(fn, expr, target);
  else if (expr->kind == AST_IF)
    to_if(fn, expr, target);
  else if (expr->kind == AST_AND || expr->kind == AST_OR)
    to_logic(fn, expr, target);
  else if (expr->kind == AST_ELVIS)
    to_elvis(fn, expr, target);
  else if (expr->kind == AST_MATCH)
    lower_match(fn, expr, target);
  else if (target->returns && lower_call_is_tail(expr))
    lower_call_tail(fn, expr);
  else
    lower_deliver(fn, expr->type, lower_expr(fn, expr), target);
}
