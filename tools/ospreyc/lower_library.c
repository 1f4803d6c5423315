#include "lower_library.h"

#include "lower_debug.h"
#include "lower_expr.h"
#include "lower_type.h"

#include "library.h"

enum { LIBRARY_ARGUMENTS_MAX = 4 }; /* with that for the error */

bool lower_library_is(const struct ast_expr *expr) {
  return expr->kind == AST_CALL && expr->call.callee == AST_CALL_LIBRARY;
}

/* The C function borrows its arguments. */
static LLVMValueRef library_call(struct lower_function *fn, const struct ast_expr *expr, LLVMTypeRef result,
                                 LLVMValueRef error) {
  const struct ast_list *list = &expr->call.arguments;
  LLVMValueRef arguments[LIBRARY_ARGUMENTS_MAX];
  struct lower_value values[LIBRARY_ARGUMENTS_MAX];
  unsigned count = 0;
  for (; count < list->count; count++) {
    values[count] = lower_expr(fn, list->items[count]);
    arguments[count] = values[count].ir;
  }
  if (error)
    arguments[count++] = error;
  lower_debug_place(fn, expr->place);
  LLVMValueRef value = lower_call_hook(fn->lower, expr->call.library->symbol, result, arguments, count);
  for (unsigned i = 0; i < list->count; i++)
    lower_drop(fn, values[i]);
  return value;
}

struct lower_value lower_library(struct lower_function *fn, const struct ast_expr *expr) {
  return lower_fresh(expr->type, library_call(fn, expr, lower_type(fn->lower, expr->type), NULL));
}

/*     %value = call T @osp_rt_NAME(arguments…, ptr %error)
 *     %message = load ptr, ptr %error
 * All calls of a function of the program share the slot, because each reads it at once.
 */
void lower_library_open(struct lower_function *fn, const struct ast_expr *expr, struct lower_open *open) {
  struct lower *lower = fn->lower;
  if (!fn->error)
    fn->error = lower_alloca(fn, lower->pointer, lower_word(lower, 1), "error");
  LLVMValueRef value = library_call(fn, expr, lower_type(lower, expr->type->result.value), fn->error);
  LLVMValueRef message = LLVMBuildLoad2(lower->builder, lower->pointer, fn->error, "message");
  lower_result_open_owned(fn, expr->type, value, message, open);
}
