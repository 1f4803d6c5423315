#pragma once
/* The checker: from the parsed tree (syntax.h) to the checked one (ast.h).
 *
 * Type inference is Hindley-Milner. Functions at file scope are checked in the order of their dependencies, mutually
 * dependent ones together, and are generic in the types that nothing determines. A generic function is compiled once
 * for each set of types it is used with. Lambdas and nested functions are not generalised: each has one type for all
 * its uses. Operands of arithmetic that nothing determines default to int.
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
