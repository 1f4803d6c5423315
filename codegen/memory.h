#pragma once
/* The places of a variable that hold pointers: the words of its initializer, its stores and loads. */

#include "address.h"
#include "map.h"
#include "path.h"

#include <llvm-c/Core.h>
#include <llvm-c/Target.h>

/* What is written to a variable. */
struct cg_write {
  enum cg_write_kind {
    CG_WRITE_STORE, /* the value or a part of it; NULL: something unknown */
    CG_WRITE_COPY,  /* what the value points to */
    CG_WRITE_PASS,  /* what is written to the value, a parameter that is given the address; not in results */
  } kind;
  struct cg_address address;
  LLVMValueRef value;
  cg_path path;
  bool is_bits; /* no pointer, but perhaps the bits of one, or some of them */
};

struct cg_writes {
  struct cg_write *items;
  size_t count, capacity;
  bool failed; /* out of memory */
};

/* The memory of a module: the bases of the pointers that were asked for, and of those that they are made of.
 * Zero-initialized, except for the layout. */
struct cg_memory {
  LLVMTargetDataRef layout;
  struct cg_map fixed;      /* by type: whether its size is known */
  struct cg_map by_pointer; /* the index, counted from 1 */
  struct cg_base {
    LLVMValueRef pointer, base;
    struct cg_address address;
  } * items;
  size_t count, capacity;
  struct cg_map by_parameter; /* the index of what its function writes to it, counted from 1 */
  struct cg_writes *parameters;
  size_t parameter_count, parameter_capacity;
  bool failed; /* out of memory */
};

/* Adds the address of a part of a value in memory. Returns the type of the part, or NULL if that cannot be told. */
LLVMTypeRef cg_memory_part(struct cg_memory *memory, LLVMTypeRef type, cg_path path, struct cg_address *address);

/* Returns the value that a pointer is an address relative to. Returns NULL if the address cannot be told. */
LLVMValueRef cg_memory_base(struct cg_memory *memory, LLVMValueRef pointer, struct cg_address *address);
void cg_memory_free(struct cg_memory *memory);

/* Whether a value is a variable: an alloca or a global variable. */
bool cg_memory_is_variable(LLVMValueRef value);

/* Whether a call is of an intrinsic that returns its first argument, as far as addresses go. */
bool cg_memory_is_same_pointer(LLVMValueRef call);

/* Whether no other module sees a function, a global variable or an alias. */
bool cg_memory_is_local(LLVMValueRef global);

/* Whether no other module sees a function, and IR tells what it does. */
bool cg_memory_is_closed(LLVMValueRef function);

/* Whether the size of a type is a number of bytes. A type without one has no offsets. */
bool cg_memory_has_fixed_size(struct cg_memory *memory, LLVMTypeRef type);

/* Adds the offsets of a getelementptr. Returns false if they cannot be told. */
bool cg_memory_step(struct cg_memory *memory, LLVMValueRef gep, struct cg_address *address);

/* The opcode of an instruction or a constant expression, or 0. */
LLVMOpcode cg_memory_opcode(LLVMValueRef value);

bool cg_memory_begins(const char *name, size_t length, const char *prefix);

/* The name of the function that a call names, or "". */
const char *cg_memory_callee_name(LLVMValueRef call, size_t *length);

/* Whether a number may be a pointer: LLVM copies a struct of 8 bytes so. */
bool cg_memory_is_address_sized(LLVMTypeRef type);

/* Whether a pointer made of another one has the same address. */
bool cg_memory_is_alike(LLVMValueRef value);
