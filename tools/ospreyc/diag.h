#pragma once
/* Diagnostics: an error or a warning, its place, and a hint.
 *
 * A diagnostic is printed as
 *
 *     chat.osp:3:9: error: unknown name 'websocketSnd'
 *       let r = websocketSnd(wsID: 1, message: "x")
 *               ^~~~~~~~~~~~
 *       hint: did you mean 'websocketSend'?
 *
 * They are collected while the program is compiled and printed in source order, so one run reports them all. The caret
 * is under its character at any tab width.
 *
 * Invariants: a place lies inside its source's text (`offset <= length`); no two diagnostics have the same place and
 * text.
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

/* Records an error. Returns the location of its hint, never NULL. */
const char **diag_error(struct diag *diag, struct place place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Records a warning, which does not stop the compiler. */
const char **diag_warning(struct diag *diag, struct place place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Drops the errors recorded so far that lie behind `offset` on its line, because they follow from the next one. */
void diag_drop_line(struct diag *diag, size_t offset);

/* Drops those that lie anywhere behind it. */
void diag_drop_rest(struct diag *diag, size_t offset);

/* Drops what was recorded after the first `count` diagnostics. */
void diag_drop_since(struct diag *diag, size_t count);

/* Prints the recorded diagnostics in source order. */
void diag_print(struct diag *diag, FILE *out);

/* The length of a character at the start of a text that changes the direction in which a terminal shows the text after
 * it, with what is shown instead; 0 if there is none. */
enum { DIAG_BIDI_SIZE = 16 };
size_t diag_bidi(const char *text, size_t length, char *escape);

/* The most similar of the candidates considered so far, if it is close enough to be a typing error; otherwise NULL. */
struct diag_guess {
  const char *name;
  size_t distance;
};

/* Considers a candidate for a misspelt `name`. */
void diag_guess_consider(struct diag_guess *guess, const char *name, const char *candidate);
