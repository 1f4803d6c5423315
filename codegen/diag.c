#include "diag.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How much of a text a message quotes. No signature of a builtin is longer. */
enum { CG_MOST_QUOTED = 200 };

static void cg_diag_report(struct cg_diag *diag, LLVMValueRef value, const char *message) {
  const struct osp_ws_codegen_diagnostic diagnostic = {OSP_WS_CODEGEN_ERROR, message, value};
  if (diag->report)
    diag->report(&diagnostic, diag->context);
}

/* Prints the first `length` bytes of a text, or as many whole characters as `most` bytes have and an ellipsis. */
static void cg_print_text(FILE *stream, const char *text, size_t length, size_t most) {
  size_t cut = strnlen(text, length < most ? length : most);
  bool whole = cut == length || !text[cut];
  while (!whole && cut && ((unsigned char)text[cut] & 0xc0) == 0x80)
    cut--;
  fprintf(stream, "%.*s%s", (int)cut, text, whole ? "" : "…");
}

/* Prints one conversion, whose % has been read: %s, %.*s for the beginning of a text, %.2000s for a text that may be
 * long, %d, %u and %zu. Returns what follows it. */
static const char *cg_print_conversion(FILE *stream, const char *format, va_list *arguments) {
  size_t length = SIZE_MAX, most = CG_MOST_QUOTED;
  if (*format == '.' && format[1] == '*') {
    length = (size_t)va_arg(*arguments, int);
    format += 2;
  } else if (*format == '.') {
    char *end;
    most = strtoul(format + 1, &end, 10);
    format = end;
  }
  if (*format == 's')
    cg_print_text(stream, va_arg(*arguments, const char *), length, most);
  else if (*format == 'd')
    fprintf(stream, "%d", va_arg(*arguments, int));
  else if (*format == 'u')
    fprintf(stream, "%u", va_arg(*arguments, unsigned));
  else if (*format++ == 'z')
    fprintf(stream, "%zu", va_arg(*arguments, size_t));
  return format + 1;
}

/* A message is a sentence, but what it quotes of a module has no bound: a name, a type, an initializer. So the texts
 * are cut here, wherever they come from. */
static char *cg_format(const char *format, va_list *arguments) {
  char *message = NULL;
  size_t size;
  FILE *stream = open_memstream(&message, &size);
  if (!stream)
    return NULL;
  while (*format) {
    size_t plain = strcspn(format, "%");
    fwrite(format, 1, plain, stream);
    format += plain;
    if (*format)
      format = cg_print_conversion(stream, format + 1, arguments);
  }
  bool failed = ferror(stream);
  if (!fclose(stream) && !failed)
    return message;
  free(message);
  return NULL;
}

void cg_diag_error(struct cg_diag *diag, LLVMValueRef value, const char *format, ...) {
  va_list arguments;
  diag->errors++;
  va_start(arguments, format);
  char *message = cg_format(format, &arguments);
  va_end(arguments);
  cg_diag_report(diag, value, message ? message : "out of memory");
  free(message);
}
