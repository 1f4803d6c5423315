#pragma once
/* The functions that a module may declare for a builtin: by its name or alias, boxed or not.
 *
 *     declare ptr @websocketQueuedBytes(i64)                     returns a Result block
 *     declare { i64, ptr } @websocketQueuedBytes.unboxed(i64)    returns the value and the error message */

#include "osprey_ws_codegen.h"

#include <stdbool.h>

struct cg_form {
  const char *name;
  const struct osp_ws_codegen_builtin *builtin;
  bool unboxed;
};

/* All forms, those of a builtin in a row. */
size_t cg_form_count(void);
struct cg_form cg_form_at(size_t index);

/* Returns the form with this name; without a name if there is none. */
struct cg_form cg_form_find(const char *name);
