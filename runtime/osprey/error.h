#pragma once
/* Error messages for Osprey programs.
 *
 * Each message is made by a function ws_error_<name> of spec/ws_errors.def, and by nothing else. The caller provides
 * the struct, so reporting an error allocates nothing; ws_error_give makes the Osprey string at the entry point.
 * Invariant: an entry point fails exactly if its struct ws_error is set.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/path.h"

struct ws_error {
  char text[1024]; /* "": no error. A longer message is truncated. */
};

#define WS_P(...) , __VA_ARGS__
#define WS_A(expression)
#define WS_ERROR(name, parameters, format, arguments, when)                                                            \
  WS_RARE void ws_error_##name(struct ws_error *error parameters);
#include "ws_errors.def"

static inline void ws_error_clear(struct ws_error *error) {
  error->text[0] = '\0';
}

static inline bool ws_error_is_set(const struct ws_error *error) {
  return error->text[0] != '\0';
}

/* Returns the message as an Osprey string that the program releases, or NULL if no error is set. Escapes bytes from a
 * peer or a caller (printable.h). If out of memory, returns a constant. */
WS_RARE char *ws_error_give(const struct ws_error *error);
