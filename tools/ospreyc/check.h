#pragma once
/* The checker: from the parsed tree (syntax.h) to the checked one (ast.h).
 *
 * It infers types in the manner of Hindley and Milner. Functions at file scope are checked in the order of their
 * dependencies, those that depend on each other together, and are generic in what they leave open; a function that is
 * generic is compiled once for each set of types it is used with. Lambdas and nested functions are not generalised: each
 * has the one type that its uses agree on. What integer arithmetic is done on is int where nothing else says otherwise.
 */
#include "ast.h"
#include "diag.h"
#include "syntax.h"

#include <stdbool.h>

struct check_options {
  const char *forbidden_by; /* "--sandbox" or "--no-websocket": WebSocket builtins are errors that name it; or NULL */
  bool sandbox;             /* every extern function is an error too */
};

/* Checks a program. Returns it, or NULL after at least one error. */
struct ast_program *check(const struct syntax_program *syntax, const struct source *source,
                          const struct check_options *options, struct arena *arena, struct diag *diag);
