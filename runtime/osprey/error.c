#include "error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "hooks.h"
#include "printable.h"

__attribute__((format(printf, 2, 3))) static void ws_error_set(struct ws_error *error, const char *format, ...) {
  va_list values;
  va_start(values, format);
  vsnprintf(error->text, sizeof error->text, format, values);
  va_end(values);
}

#define WS_P(...) , __VA_ARGS__
#define WS_A(expression) , expression
#define WS_ERROR(name, parameters, format, arguments, when)                                                            \
  void ws_error_##name(struct ws_error *error parameters) {                                                            \
    ws_error_set(error, format arguments);                                                                             \
  }
#include "ws_errors.def"

char *ws_error_give(const struct ws_error *error) {
  static char no_memory[] = "out of memory";
  if (!ws_error_is_set(error))
    return NULL;
  char printable[WS_PRINTABLE_SIZE(sizeof error->text)];
  size_t size = ws_printable(printable, sizeof printable, error->text);
  char *text = ws_hooks_alloc(size + 1);
  return text ? memcpy(text, printable, size + 1) : no_memory;
}
