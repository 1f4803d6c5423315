#pragma once
/* Why something failed, as a sentence for the person who runs the program: `connect 127.0.0.1:1: Connection refused`.
 * The caller provides the room; a function that fails has filled it in, one that succeeds has not touched it.
 */
#include <stdarg.h>
#include <stdio.h>

struct ws_why {
  char text[384];
};

/* Sets the sentence; one that is too long is cut. Always returns -1, so that a failing function can return it. */
__attribute__((format(printf, 2, 3))) static inline int ws_why_set(struct ws_why *why, const char *format, ...) {
  va_list values;
  va_start(values, format);
  vsnprintf(why->text, sizeof why->text, format, values);
  va_end(values);
  return -1;
}

/* The text of an errno, `Connection refused`; from any thread, never freed. */
const char *ws_why_errno(int error);
