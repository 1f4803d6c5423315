#include "lower_arithmetic.h"

#include "lower_debug.h"
#include "lower_expr.h"
#include "lower_string.h"

#include <string.h>

bool lower_arithmetic_is(const struct ast_expr *expr) {
  return expr->kind == AST_ARITHMETIC || expr->kind == AST_NEGATE || expr->kind == AST_TO_FLOAT;
}

static void open_number(struct lower_function *fn, const struct ast_expr *expr, struct lower_open *open) {
  if (expr->type->kind == TYPE_RESULT) {
    lower_result_open(fn, expr, open);
    return;
  }
  *open = (struct lower_open){
      .value = lower_expr(fn, expr).ir,
      .failed = LLVMConstInt(fn->lower->bit, 0, false),
      .message = LLVMConstNull(fn->lower->pointer),
  };
}

/* Adds a condition under which the step itself fails. */
static void open_fail(struct lower_function *fn, struct lower_open *open, LLVMValueRef failed, const char *text) {
  LLVMValueRef message = lower_string_literal(fn->lower, text, strlen(text));
  open->message = lower_select(fn->lower, open->failed, open->message, message);
  open->failed = lower_or(fn->lower, open->failed, failed);
}

/*     %pair = call { i64, i1 } @llvm.NAME.with.overflow.i64(i64 %left, i64 %right) */
static void int_overflowing(struct lower_function *fn, const char *name, LLVMValueRef left, LLVMValueRef right,
                            struct lower_open *open) {
  struct lower *lower = fn->lower;
  unsigned id = LLVMLookupIntrinsicID(name, strlen(name));
  LLVMValueRef function = LLVMGetIntrinsicDeclaration(lower->module, id, &lower->word, 1);
  LLVMValueRef arguments[] = {left, right};
  LLVMValueRef pair = LLVMBuildCall2(lower->builder, LLVMGlobalGetValueType(function), function, arguments, 2, "");
  open->value = LLVMBuildExtractValue(lower->builder, pair, 0, "");
  open_fail(fn, open, LLVMBuildExtractValue(lower->builder, pair, 1, ""), "integer overflow");
  /* LLVM's scheduler at -O0 takes cubic time for a block with many flags. */
  if (lower->splits_blocks) {
    LLVMBasicBlockRef next = lower_block_new(fn, "next");
    LLVMBuildBr(lower->builder, next);
    lower_block_enter(fn, next);
  }
}

static LLVMValueRef float_plain(struct lower_function *fn, enum ast_operator op, LLVMValueRef left,
                                LLVMValueRef right) {
  LLVMBuilderRef builder = fn->lower->builder;
  switch (op) {
  case AST_ADD:
    return LLVMBuildFAdd(builder, left, right, "");
  case AST_SUBTRACT:
    return LLVMBuildFSub(builder, left, right, "");
  case AST_MULTIPLY:
    return LLVMBuildFMul(builder, left, right, "");
  case AST_DIVIDE:
    return LLVMBuildFDiv(builder, left, right, "");
  default:
    return LLVMBuildFRem(builder, left, right, "");
  }
}

static void open_binary(struct lower_function *fn, const struct ast_expr *expr, struct lower_open *open) {
  struct lower *lower = fn->lower;
  LLVMBuilderRef builder = lower->builder;
  enum ast_operator op = expr->binary.op;
  struct lower_open left, right;
  open_number(fn, expr->binary.left, &left);
  open_number(fn, expr->binary.right, &right);
  lower_debug_place(fn, expr->place);
  /* The failure of an operand comes first, the left one's before the right one's. */
  open->failed = lower_or(lower, left.failed, right.failed);
  open->message = lower_select(lower, left.failed, left.message, right.message);
  open->counted = left.counted || right.counted;
  const struct type *number = expr->binary.left->type;
  if (number->kind == TYPE_RESULT)
    number = number->result.value;
  if (number->kind != TYPE_INT) {
    open->value = float_plain(fn, op, left.value, right.value);
    if (op == AST_DIVIDE || op == AST_REMAINDER)
      open_fail(fn, open, LLVMBuildFCmp(builder, LLVMRealOEQ, right.value, LLVMConstNull(lower->real), ""),
                "division by zero");
  } else if (op == AST_ADD) {
    int_overflowing(fn, "llvm.sadd.with.overflow", left.value, right.value, open);
  } else if (op == AST_SUBTRACT) {
    int_overflowing(fn, "llvm.ssub.with.overflow", left.value, right.value, open);
  } else if (op == AST_MULTIPLY) {
    int_overflowing(fn, "llvm.smul.with.overflow", left.value, right.value, open);
  } else {
    /* `srem` traps on a divisor of 0, and on INT64_MIN % -1. Both divisors are replaced by 1: the remainder by -1 is
     * 0 too. */
    LLVMValueRef zero = LLVMBuildICmp(builder, LLVMIntEQ, right.value, lower_word(lower, 0), "");
    LLVMValueRef minus_one = LLVMBuildICmp(builder, LLVMIntEQ, right.value, lower_word(lower, -1), "");
    LLVMValueRef traps = LLVMBuildOr(builder, zero, minus_one, "");
    LLVMValueRef divisor = LLVMBuildSelect(builder, traps, lower_word(lower, 1), right.value, "");
    open->value = LLVMBuildSRem(builder, left.value, divisor, "");
    open_fail(fn, open, zero, "division by zero");
  }
}

void lower_arithmetic_open(struct lower_function *fn, const struct ast_expr *expr, struct lower_open *open) {
  LLVMBuilderRef builder = fn->lower->builder;
  if (expr->kind == AST_ARITHMETIC) {
    open_binary(fn, expr, open);
    return;
  }
  open_number(fn, expr->operand, open);
  if (expr->kind == AST_TO_FLOAT)
    open->value = LLVMBuildSIToFP(builder, open->value, fn->lower->real, "");
  else if (expr->type->result.value->kind == TYPE_FLOAT)
    open->value = LLVMBuildFNeg(builder, open->value, "");
  else
    int_overflowing(fn, "llvm.ssub.with.overflow", lower_word(fn->lower, 0), open->value, open);
}

struct lower_value lower_arithmetic(struct lower_function *fn, const struct ast_expr *expr) {
  LLVMBuilderRef builder = fn->lower->builder;
  if (expr->type->kind == TYPE_RESULT)
    return lower_result(fn, expr);
  if (expr->kind == AST_NEGATE)
    return lower_borrowed(LLVMBuildFNeg(builder, lower_expr(fn, expr->operand).ir, ""));
  if (expr->kind == AST_TO_FLOAT)
    return lower_borrowed(LLVMBuildSIToFP(builder, lower_expr(fn, expr->operand).ir, fn->lower->real, ""));
  LLVMValueRef left = lower_expr(fn, expr->binary.left).ir;
  LLVMValueRef right = lower_expr(fn, expr->binary.right).ir;
  return lower_borrowed(float_plain(fn, expr->binary.op, left, right));
}
