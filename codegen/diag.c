#include "diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void cg_diag_report(struct cg_diag *diag, LLVMValueRef value, const char *message) {
  const struct osp_ws_codegen_diagnostic diagnostic = {OSP_WS_CODEGEN_ERROR, message, value};
  if (diag->report)
    diag->report(&diagnostic, diag->context);
}

void cg_diag_error(struct cg_diag *diag, LLVMValueRef value, const char *format, ...) {
  char *message = NULL;
  va_list arguments;
  diag->errors++;
  va_start(arguments, format);
  if (vasprintf(&message, format, arguments) < 0)
    message = NULL;
  va_end(arguments);
  cg_diag_report(diag, value, message ? message : "out of memory");
  free(message);
}
