#pragma once
/* Failures on their way to an Osprey program.
 *
 * A failure is a sentence, made by one of the functions that spec/ws_errors.def lists and nowhere else. It lives in the
 * caller's room, so that reporting needs no memory, and becomes an Osprey string at the last step only (ws_error_give).
 * Invariant: an entry point fails exactly when its struct ws_error is set.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ws_error {
  char text[1024]; /* "" : no failure. A sentence that is too long is cut. */
};

#define WS_P(...) , __VA_ARGS__
#define WS_A(expression)
#define WS_ERROR(name, parameters, format, arguments, when) void ws_error_##name(struct ws_error *error parameters);
#include "ws_errors.def"

static inline void ws_error_clear(struct ws_error *error) {
  error->text[0] = '\0';
}

static inline bool ws_error_is_set(const struct ws_error *error) {
  return error->text[0] != '\0';
}

/* Makes the Osprey string: NULL if no failure is set, else an osp_alloc'ed one, or a constant where that fails. What a
 * peer or a caller put into it is made printable: one line, valid UTF-8. */
char *ws_error_give(const struct ws_error *error);
