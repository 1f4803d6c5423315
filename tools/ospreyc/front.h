#pragma once
/* The front end: from a file to a checked tree, or diagnostics. */
#include "arena.h"
#include "ast.h"
#include "check.h"

#include <stdio.h>

/* Reads and checks the file. Returns the program, or NULL after its errors were printed to `err`. */
struct ast_program *front_file(const char *path, const struct check_options *options, struct arena *arena, FILE *err);

/* The same for text in memory. `path` is for messages. */
struct ast_program *front_text(const char *path, const char *text, size_t length, const struct check_options *options,
                               struct arena *arena, FILE *err);
