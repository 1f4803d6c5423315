#pragma once
/* Diagnostics: what is wrong, where, and how it may be mended.
 *
 * A diagnostic is printed as
 *
 *     chat.osp:3:9: error: unknown name 'websocketSnd'
 *       let r = websocketSnd(wsID: 1, message: "x")
 *               ^~~~~~~~~~~~
 *       hint: did you mean 'websocketSend'?
 *
 * They are collected while the program is read and checked, and printed in the order of the source, so that one run shows
 * them all. Lines and columns count from 1; a column counts characters (a tab is one, and so is a character of several
 * bytes), and the caret stands under its character whatever the width of a tab.
 *
 * Invariants: a place lies inside its source's text (`offset <= length`); no two diagnostics have the same place and text.
 */
#include "source.h"

#include <stdio.h>

struct diag_message;

struct diag {
  struct arena *arena;
  const struct source *source;
  struct diag_message *messages;
  size_t count;
  size_t capacity;
  size_t errors;
};

void diag_init(struct diag *diag, struct arena *arena, const struct source *source);
void diag_deinit(struct diag *diag);

/* Records an error. Returns where a hint to it may be set, never NULL. */
const char **diag_error(struct diag *diag, struct place place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Prints what was recorded, in the order of the source. */
void diag_print(struct diag *diag, FILE *out);

/* Of all names considered the one most like another, if it is like enough to be a slip of the fingers; else NULL. */
struct diag_guess {
  const char *name;
  size_t distance;
};

/* Considers a candidate for what `name` was meant to be. */
void diag_guess_consider(struct diag_guess *guess, const char *name, const char *candidate);
