#pragma once
/* Calls of the language's own functions (spec/functions.def). */
#include "lower_result.h"

/* Whether the expression is such a call. */
bool lower_library_is(const struct ast_expr *expr);

/* A call of one that cannot fail. */
struct lower_value lower_library(struct lower_function *fn, const struct ast_expr *expr);

/* A call of one that can fail. Makes no Result block. */
void lower_library_open(struct lower_function *fn, const struct ast_expr *expr, struct lower_open *open);
