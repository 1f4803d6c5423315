#pragma once
/* What is written to a variable, by its initializer, its stores, and the functions that are given its address. */

#include "memory.h"

/* Lists all writes to a variable, its initial value included. Of a parameter that points to a copy of the caller's
 * variable, those of the function. */
void cg_writes_list(struct cg_memory *memory, LLVMValueRef variable, struct cg_writes *writes);
