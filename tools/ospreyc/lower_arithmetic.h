#pragma once
/* Checked arithmetic.
 *
 * A chain such as a * b + c is computed in registers. Each step carries its number, whether any step has failed, and
 * the message of the first failure. Steps do not branch: after a failure the numbers are computed but have no meaning.
 *
 *     %pair = call { i64, i1 } @llvm.sadd.with.overflow.i64(i64 %left, i64 %right)
 *     %message = select i1 %left.failed, ptr %left.message, …
 */
#include "lower_result.h"

/* Returns true if the expression is a step: as an operand, it needs no block of its own. */
bool lower_arithmetic_is(const struct ast_expr *expr);

/* A step as a value. */
struct lower_value lower_arithmetic(struct lower_function *fn, const struct ast_expr *expr);

/* A step that is a Result, taken apart. */
void lower_arithmetic_open(struct lower_function *fn, const struct ast_expr *expr, struct lower_open *open);
