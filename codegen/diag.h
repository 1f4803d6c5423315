#pragma once
/* Diagnostics of one call of the library.
 *
 * Errors go to the caller's callback as they are found. The count tells the entry point whether to fail. */

#include "osprey_ws_codegen.h"

struct cg_diag {
  osp_ws_codegen_report *report;
  void *context;
  unsigned errors;
};

/* Reports an error about a value (may be NULL). The message is formatted as by printf, with %s, %d, %u and %zu only,
 * and quotes the beginning of a text that is too long; of %.2000s as much as the precision says. */
void cg_diag_error(struct cg_diag *diag, LLVMValueRef value, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
