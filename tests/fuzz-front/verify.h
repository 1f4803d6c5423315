#pragma once
/* Verifies that a checked program satisfies ast.h. Aborts with a message if it does not. */
#include "ast.h"

void verify_program(const struct ast_program *program);
