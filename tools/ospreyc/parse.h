#pragma once
/* The parser: from tokens (lex.h) to the parsed tree (syntax.h).
 *
 * After an error it resumes at the next declaration, so the returned program may lack some items.
 */
#include "diag.h"
#include "lex.h"
#include "syntax.h"

struct syntax_program parse(struct token_list tokens, struct arena *arena, struct diag *diag);
