#pragma once
/* From an object file to a program that runs.
 *
 * The C compiler driver links: the one named by OSPREYC_CC, else the one the build was made with. OSPREYC_LDFLAGS, split at spaces, is
 * added to its command line. The runtime's archives are found from the place of the compiler's own executable, in the build tree and
 * where `meson install` puts them.
 */
#include <stdio.h>

/* Links an object to an executable. Returns 0, or -1 after a message. */
int link_program(const char *object, const char *output, FILE *err);

/* A fresh directory for files that do not stay. Returns its path, to be freed, or NULL after a message. */
char *link_scratch(FILE *err);

/* Replaces this process by the program. With `scratch`, a file in it, the program's file and its directory are removed first; the
 * program runs on without. Returns -1 after a message. */
int link_run(const char *program, const char *scratch, char *const *arguments, FILE *err);
