#include "lower_result.h"

#include "lower_arithmetic.h"
#include "lower_call.h"
#include "lower_expr.h"
#include "lower_library.h"
#include "layout.h"
#include "lower_type.h"

static const struct type result_message = {.kind = TYPE_STRING};

/* The message is always counted, the value if its type is. */
static int64_t result_meta(struct lower *lower, const struct type *value) {
  const struct type *members[] = {[LAYOUT_RESULT_value] = value, [LAYOUT_RESULT_message] = &result_message};
  return lower_type_meta(lower, lower_type_result(lower, value), members, sizeof members / sizeof *members);
}

static void result_store(struct lower_function *fn, LLVMTypeRef block, LLVMValueRef at, unsigned index,
                         LLVMValueRef value) {
  LLVMBuilderRef builder = fn->lower->builder;
  LLVMBuildStore(builder, value, LLVMBuildStructGEP2(builder, block, at, index, ""));
}

/* Success(constant) and Error(constant) are constant blocks, which counting ignores. */
static LLVMValueRef result_constant(struct lower *lower, LLVMValueRef *members) {
  LLVMValueRef content = LLVMConstStructInContext(lower->llvm, members, LAYOUT_RESULT_message + 1, false);
  return lower_constant(lower, content, ".result");
}

/* A block of a Result with these borrowed contents. Moves those that the cleanup stack holds above `moving`, which the
 * caller releases next. */
static LLVMValueRef result_block(struct lower_function *fn, const struct type *type, const struct lower_open *open,
                                 size_t moving) {
  struct lower *lower = fn->lower;
  LLVMBuilderRef builder = lower->builder;
  const struct type *value = type->result.value;
  LLVMTypeRef block = lower_type_result(lower, value);
  LLVMValueRef null = LLVMConstNull(lower->pointer);
  LLVMValueRef nothing = LLVMConstNull(lower_type(lower, value));
  LLVMValueRef kept = lower_select(lower, open->failed, nothing, open->value);
  LLVMValueRef discriminant = LLVMBuildZExt(builder, open->failed, lower->byte, "");
  LLVMValueRef message = lower_select(lower, open->failed, open->message, null);
  LLVMValueRef members[] = {
      [LAYOUT_RESULT_value] = kept,
      [LAYOUT_RESULT_discriminant] = discriminant,
      [LAYOUT_RESULT_message] = message,
  };
  if (LLVMIsConstant(kept) && LLVMIsConstant(discriminant) && LLVMIsConstant(message))
    return result_constant(lower, members);
  lower_own_moving(fn, value, lower_borrowed(kept), moving);
  if (open->counted)
    lower_own_moving(fn, &result_message, lower_borrowed(message), moving);
  LLVMValueRef at = lower_alloc(lower, block, result_meta(lower, value));
  for (unsigned i = 0; i < sizeof members / sizeof *members; i++)
    result_store(fn, block, at, i, members[i]);
  return at;
}

struct lower_value lower_result(struct lower_function *fn, const struct ast_expr *expr) {
  size_t depth = fn->cleanup_count;
  struct lower_open open;
  lower_result_open(fn, expr, &open);
  LLVMValueRef block = result_block(fn, expr->type, &open, depth);
  lower_leave(fn, depth);
  return lower_fresh(expr->type, block);
}

void lower_result_open_block(struct lower_function *fn, const struct type *type, struct lower_value block,
                             struct lower_open *open) {
  struct lower *lower = fn->lower;
  LLVMBuilderRef builder = lower->builder;
  LLVMValueRef at = lower_keep(fn, block);
  LLVMTypeRef layout = lower_type_result(lower, type->result.value);
  LLVMValueRef loaded[LAYOUT_RESULT_message + 1];
  for (unsigned i = 0; i < sizeof loaded / sizeof *loaded; i++)
    loaded[i] = LLVMBuildLoad2(builder, LLVMStructGetTypeAtIndex(layout, i),
                               LLVMBuildStructGEP2(builder, layout, at, i, ""), "");
  open->value = loaded[LAYOUT_RESULT_value];
  open->failed =
      LLVMBuildICmp(builder, LLVMIntNE, loaded[LAYOUT_RESULT_discriminant], LLVMConstNull(lower->byte), "failed");
  open->message = loaded[LAYOUT_RESULT_message];
  open->counted = true;
}

/*     %failed = icmp ne ptr %message, null */
void lower_result_open_owned(struct lower_function *fn, const struct type *type, LLVMValueRef value,
                             LLVMValueRef message, struct lower_open *open) {
  *open = (struct lower_open){.value = value, .message = message, .counted = true, .unboxed = true};
  open->failed = LLVMBuildIsNotNull(fn->lower->builder, message, "failed");
  open->value_at = fn->cleanup_count;
  lower_keep(fn, lower_fresh(type->result.value, value));
  open->message_at = fn->cleanup_count;
  lower_push(fn, message);
}

/*     %pair = call { T, ptr } @websocketX.unboxed(arguments…)
 *     %value = extractvalue { T, ptr } %pair, 0
 *     %message = extractvalue { T, ptr } %pair, 1 */
static void result_open_builtin(struct lower_function *fn, const struct ast_expr *expr, struct lower_open *open) {
  LLVMBuilderRef builder = fn->lower->builder;
  LLVMValueRef pair = lower_call_unboxed(fn, expr);
  LLVMValueRef value = LLVMBuildExtractValue(builder, pair, 0, "");
  lower_result_open_owned(fn, expr->type, value, LLVMBuildExtractValue(builder, pair, 1, ""), open);
}

void lower_result_assume(struct lower_function *fn, const struct lower_open *open, bool known, bool failed) {
  if (!open->unboxed)
    return;
  if (open->value_at < open->message_at)
    fn->cleanups[open->value_at].absent = known && failed;
  fn->cleanups[open->message_at].absent = known && !failed;
}

void lower_result_open(struct lower_function *fn, const struct ast_expr *expr, struct lower_open *open) {
  struct lower *lower = fn->lower;
  bool failed = expr->kind == AST_ERROR;
  *open = (struct lower_open){.value = NULL};
  if (lower_arithmetic_is(expr)) {
    lower_arithmetic_open(fn, expr, open);
  } else if (lower_library_is(expr)) {
    lower_library_open(fn, expr, open);
  } else if (lower_call_is_builtin(expr)) {
    result_open_builtin(fn, expr, open);
  } else if (failed || expr->kind == AST_SUCCESS) {
    LLVMValueRef operand = lower_keep(fn, lower_expr(fn, expr->operand));
    open->value = failed ? LLVMConstNull(lower_type(lower, expr->type->result.value)) : operand;
    open->failed = LLVMConstInt(lower->bit, failed, false);
    open->message = failed ? operand : LLVMConstNull(lower->pointer);
    open->counted = failed;
  } else {
    lower_result_open_block(fn, expr->type, lower_expr(fn, expr), open);
  }
}
