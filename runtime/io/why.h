#pragma once
/* The reason of a failure, for the person who runs the program: `connect 127.0.0.1:1: Connection refused`. The caller
 * provides the struct. A function that fails sets it; one that succeeds does not touch it.
 */
#include <stdarg.h>
#include <stdio.h>

struct ws_why {
  char text[384];
};

/* Sets the text, truncated if it is too long. Returns -1, so that a failing function can return the result. */
__attribute__((format(printf, 2, 3))) static inline int ws_why_set(struct ws_why *why, const char *format, ...) {
  va_list values;
  va_start(values, format);
  vsnprintf(why->text, sizeof why->text, format, values);
  va_end(values);
  return -1;
}

/* The text of an errno, such as `Connection refused`. Valid until the thread's next call, and never freed. Any thread.
 */
const char *ws_why_errno(int error);
