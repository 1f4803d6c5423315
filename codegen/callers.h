#pragma once
/* Calls of the module's functions. */

#include "map.h"

#include <llvm-c/Core.h>

/* Whether the user of a function calls it: the use is that of a callee. */
bool cg_callers_is_call(LLVMUseRef use);

/* What is known of functions and of their parameters. Zero-initialized: nothing yet. */
struct cg_callers {
  struct cg_map known;   /* by function: 1 if every use of a function is a call that passes what it receives, else 2 */
  struct cg_map numbers; /* by parameter: its index, counted from 1 */
  bool failed;           /* out of memory */
};

/* Whether every call of the parameter's function is known. Writes the index of the parameter. */
bool cg_callers_known(struct cg_callers *callers, LLVMValueRef parameter, unsigned *index);
void cg_callers_free(struct cg_callers *callers);
