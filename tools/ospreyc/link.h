#pragma once
/* From an object file to a running program.
 *
 * Links with the C compiler driver that OSPREYC_CC names, by default the one that built ospreyc. Appends
 * OSPREYC_LDFLAGS, split at spaces, to its command line. Finds the runtime's archives relative to its own executable,
 * in the build tree and after `meson install`.
 */
#include "ast.h"

#include <stdio.h>

/* Links a program's object to an executable. Returns 0, or -1 after a message, which for an extern function that
 * nothing defines is a diagnostic at its declaration. */
int link_program(const struct ast_program *program, const char *object, const char *output, FILE *err);

/* Makes a temporary directory, for program.o and program. Returns its path, which the caller frees, or NULL after a
 * message. SIGINT, SIGTERM, SIGHUP and SIGPIPE remove it before they end the process. Once per process. */
char *link_scratch(FILE *err);

/* Replaces this process by the program. If `scratch` is not NULL, it is the program's directory; both are removed
 * first, and the program runs from its open file. Returns -1 after a message. */
int link_run(const char *program, const char *scratch, char *const *arguments, FILE *err);
