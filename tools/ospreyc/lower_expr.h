#pragma once
/* Expressions. */
#include "lower.h"

struct lower_value lower_expr(struct lower_function *fn, const struct ast_expr *expr);

/* Lowers an expression whose value goes to the target, and ends the block. */
void lower_expr_to(struct lower_function *fn, const struct ast_expr *expr, const struct lower_target *target);
