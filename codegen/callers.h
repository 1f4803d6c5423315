#pragma once
/* Calls of the module's functions. */

#include <llvm-c/Core.h>
#include <stdbool.h>

/* Whether the user of a function calls it: the use is that of a callee. */
bool cg_callers_is_call(LLVMUseRef use);
