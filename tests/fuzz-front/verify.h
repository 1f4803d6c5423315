#pragma once
/* Whether a checked program is what ast.h promises. Aborts with a message where it is not. */
#include "ast.h"

void verify_program(const struct ast_program *program);
