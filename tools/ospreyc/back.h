#pragma once
/* The compiler's back half: from a checked tree to IR, an object, a program.
 *
 * Call exactly one of these functions, once per program: each consumes the tree. It prints problems to `err` (a
 * failing linker, a program that the binary interface cannot express, a module that LLVM's verifier rejects) and then
 * returns -1.
 */
#include "ast.h"

#include <stdbool.h>
#include <stdio.h>

struct back_options {
  int optimise;       /* 0 to 3; -1 for the default: no optimisation for printed IR, and otherwise 2, or 0 for -g */
  bool debug;         /* -g: a debugger shows all values */
  bool keep_builtins; /* --no-lower: leave the WebSocket builtins declared, without bodies */
};

/* Prints the program's IR. Returns 0. */
int back_print(const struct ast_program *program, const struct back_options *options, FILE *out, FILE *err);

/* Compiles and links the program to the file `output`. Returns 0. */
int back_compile(const struct ast_program *program, const struct back_options *options, const char *output, FILE *err);

/* Compiles and links the program to `output`, and replaces this process by it, so exit status and signals are the
 * program's own. If `output` is NULL, no file remains. `arguments` are the program's, without its name, ended by NULL.
 * Returns only on failure. */
int back_run(const struct ast_program *program, const struct back_options *options, const char *output,
             char *const *arguments, FILE *err);
