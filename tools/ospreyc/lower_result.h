#pragma once
/* Results: as a block if something may keep it, and taken apart if the next operation looks inside.
 *
 *     %block = call ptr @osp_alloc_tagged(i64 SIZE, i64 META)
 *     { T value, i8 discriminant, ptr message }
 */
#include "lower.h"

/* A Result taken apart; it need not have a block. The value is valid if `failed` is false, the message if it is true.
 * Both are borrowed from blocks on the cleanup stack. */
struct lower_open {
  LLVMValueRef value;
  LLVMValueRef failed; /* i1 */
  LLVMValueRef message;
  bool counted; /* the message may be a counted block; otherwise it is a constant */
  /* The Result of a builtin or library function, without a block: value and message are owned, and one is null. */
  bool unboxed;
  size_t value_at, message_at; /* their entries of the cleanup stack; the value has none if it is not counted */
};

/* A Result that the expression makes itself, as a block. */
struct lower_value lower_result(struct lower_function *fn, const struct ast_expr *expr);

/* Evaluates an expression that is a Result. Makes no block for a Result that the expression makes itself, nor for that
 * of a builtin or a library function. */
void lower_result_open(struct lower_function *fn, const struct ast_expr *expr, struct lower_open *open);

/* Whether the Result failed is known (`known`) on the path that is built next, or no longer. */
void lower_result_assume(struct lower_function *fn, const struct lower_open *open, bool known, bool failed);

/* Opens a Result that is a value and a message, both owned, one of them null. */
void lower_result_open_owned(struct lower_function *fn, const struct type *type, LLVMValueRef value,
                             LLVMValueRef message, struct lower_open *open);

/* Takes a block apart, and keeps it for the current scope. Loads both value and message: the invalid one can be loaded
 * too, but has no meaning. */
void lower_result_open_block(struct lower_function *fn, const struct type *type, struct lower_value block,
                             struct lower_open *open);
