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

struct cg_address cg_memory_add(struct cg_address a, struct cg_address b);
struct cg_address cg_memory_subtract(struct cg_address a, struct cg_address b);

/* Returns an address that stands for two, and for what is as far beyond: those of a pointer that a loop moves. */
struct cg_address cg_memory_join(struct cg_address a, struct cg_address b);

/* The bases of the pointers that were asked for, and of those that they are made of. */
struct cg_bases {
  struct cg_map by_pointer; /* the index, counted from 1 */
  struct cg_base {
    LLVMValueRef pointer, base;
    struct cg_address address;
  } * items;
  size_t count, capacity;
  bool failed; /* out of memory */
};

/* Returns the value that a pointer is an address relative to. Returns NULL if the address cannot be told. */
LLVMValueRef cg_memory_base(struct cg_bases *bases, LLVMTargetDataRef layout, LLVMValueRef pointer,
                            struct cg_address *address);
void cg_memory_free(struct cg_bases *bases);

/* Whether a value is a variable: an alloca or a global variable. */
bool cg_memory_is_variable(LLVMValueRef value);

/* Whether a call is of an intrinsic that returns its first argument, as far as addresses go. */
bool cg_memory_is_same_pointer(LLVMValueRef call);

/* Whether no other module sees a function or a global variable. */
bool cg_memory_is_local(LLVMValueRef global);

/* What is written to a variable: a pointer; if `copies`, what the pointer points to; or something unknown (NULL). */
struct cg_write {
  struct cg_address address;
  LLVMValueRef value;
  bool copies;
};

struct cg_writes {
  struct cg_write *items;
  size_t count, capacity;
  bool failed; /* out of memory */
};

/* Lists all writes to a variable, its initial value included. Of a parameter that points to a copy of the caller's
 * variable, those of the function. */
void cg_memory_writes(LLVMTargetDataRef layout, LLVMValueRef variable, struct cg_writes *writes);
