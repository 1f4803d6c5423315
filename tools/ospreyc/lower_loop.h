#pragma once
/* range(start, end) with its maps and filters, and the forEach or fold at the end.
 *
 *   head:   %i = phi … ; %accumulator = phi …          the accumulator is owned
 *           br i1 %more, label %body, label %done
 *   body:   …                                          the stages; a filter may branch to step
 *   step:   %accumulator.next = phi …
 *           br label %head
 *   done:
 */
#include "lower.h"

struct lower_value lower_loop(struct lower_function *fn, const struct ast_expr *expr);
