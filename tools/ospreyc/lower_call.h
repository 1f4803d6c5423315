#pragma once
/* Calls of functions of the program, of cells, of builtins and of C functions. */
#include "lower.h"

/* A known function, a cell, or both. The cell is borrowed. */
struct lower_callee {
  const struct ast_function *function;
  LLVMValueRef cell;
  const struct type *type;
};

struct lower_value lower_call(struct lower_function *fn, const struct ast_expr *expr);

/* A call of a builtin whose Result needs no block: returns { T value, ptr message }. */
bool lower_call_is_builtin(const struct ast_expr *expr);
LLVMValueRef lower_call_unboxed(struct lower_function *fn, const struct ast_expr *expr);

/* Returns true if the call can replace its caller on the stack. A call that borrows its arguments cannot, because the
 * caller must release them afterwards. */
bool lower_call_is_tail(const struct ast_expr *expr);

/*     …                                              all live references are released or handed over
 *     %value = musttail call tailcc T @osprey.NAME(…)
 *     ret T %value
 */
void lower_call_tail(struct lower_function *fn, const struct ast_expr *expr);

/* Evaluates a function value that is to be called, and keeps its cell for the current scope. */
struct lower_callee lower_call_open(struct lower_function *fn, const struct ast_expr *expr);

/* Calls it, and consumes the owned arguments. */
struct lower_value lower_call_callee(struct lower_function *fn, const struct lower_callee *callee,
                                     const struct lower_value *arguments);
