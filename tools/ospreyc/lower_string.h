#pragma once
/* Strings: literals, rendering, comparison.
 *
 * A string that is joined or printed is passed to libosprey_rt as parts; the library computes its size once:
 *
 *     %parts = alloca { i64, i64 }, i64 MAX              in the entry block, for all strings of the function
 *     store …                                            kind and value of each
 *     %text = call ptr @osp_rt_format(ptr %parts, i64 N)
 */
#include "lower.h"

LLVMValueRef lower_string_literal(struct lower *lower, const char *bytes, size_t length);

/* An interpolation, a concatenation or toString, as a string. */
struct lower_value lower_string_format(struct lower_function *fn, const struct ast_expr *expr);
struct lower_value lower_string_print(struct lower_function *fn, const struct ast_expr *expr);

/* Returns an i64 that is negative, 0 or positive. */
LLVMValueRef lower_string_compare(struct lower *lower, LLVMValueRef left, LLVMValueRef right);
