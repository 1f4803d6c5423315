#pragma once
/* The compiler's back half, as the driver calls it: a checked tree becomes IR, an object, a program.
 *
 * Each function lowers the tree anew, so it is called once for a program. Problems (a failing linker, a tree that needs more
 * than the back half can do) are printed to `err`; the return value is then -1. A module that LLVM's verifier refuses is never
 * used: it is such a problem too.
 */
#include "ast.h"

#include <stdbool.h>
#include <stdio.h>

struct back_options {
  int optimise;       /* 0 to 3; -1 where the command line says nothing: 2 for a program, none for printed IR */
  bool keep_builtins; /* --no-lower: leave the WebSocket builtins declared, without bodies */
};

/* Prints the program's IR. Returns 0. */
int back_print(const struct ast_program *program, const struct back_options *options, FILE *out, FILE *err);

/* Compiles and links the program to the file `output`. Returns 0. */
int back_compile(const struct ast_program *program, const struct back_options *options, const char *output, FILE *err);

/* Compiles and links the program, and becomes it: on success there is no return, so its exit status, and the signals it is sent
 * or dies of, are this process's own. `arguments` are the program's, ended by NULL, without a name in front. With an `output`
 * the program stays there, otherwise (NULL) it leaves no file behind. Returns -1. */
int back_run(const struct ast_program *program, const struct back_options *options, const char *output,
             char *const *arguments, FILE *err);
