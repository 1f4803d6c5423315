#pragma once
/* The places of a variable that hold pointers: the words of its initializer, its stores and loads.
 *
 * An address is an offset and a step: `offset` if the step is 0, else any multiple of the step from it, as a variable
 * index gives. */

#include "map.h"

#include <llvm-c/Core.h>
#include <llvm-c/Target.h>

struct cg_address {
  int64_t offset;
  uint64_t step;
};

/* Whether two addresses may be equal. */
bool cg_memory_meet(struct cg_address a, struct cg_address b);

/* Adds what a GEP adds to an address. Returns false if it cannot be told. */
bool cg_memory_step(LLVMTargetDataRef layout, LLVMValueRef gep, struct cg_address *address);

/* Finds the variable that a pointer points into: an alloca or a global variable. Returns NULL if there is none. */
LLVMValueRef cg_memory_base(LLVMTargetDataRef layout, LLVMValueRef pointer, struct cg_address *address);

/* What is written to a variable. `value` is NULL for something unknown. */
struct cg_write {
  struct cg_address address;
  LLVMValueRef value;
};

struct cg_writes {
  struct cg_write *items;
  size_t count, capacity;
  bool failed; /* out of memory */
};

/* Lists all writes to a variable, its initial value included. */
void cg_memory_writes(LLVMTargetDataRef layout, LLVMValueRef variable, struct cg_writes *writes);
