#pragma once
/* Which parameters a function owns, and which it borrows from its callers. */
#include "ast.h"

/* Sets `borrowed` of every parameter and cell. A parameter is owned only where that saves work, or where a tail call
 * demands it: its reference is returned or handed on, or a caller that is gone by then hands it over. */
void lower_borrow(const struct ast_program *program);
