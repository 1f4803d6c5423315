#pragma once
/* Attributes of functions and parameters, in the spelling of each LLVM version.
 *
 * `index` is CG_ATTRIBUTE_FUNCTION, LLVMAttributeReturnIndex, or a parameter's number, counted from 1. */

#include <llvm-c/Core.h>
#include <stdbool.h>
#include <stdint.h>

/* The C API declares the index of the function as a negative enumerator. */
#define CG_ATTRIBUTE_FUNCTION ((LLVMAttributeIndex)LLVMAttributeFunctionIndex)

/* Adds an enum attribute by its name. */
void cg_attribute_add(LLVMValueRef function, LLVMAttributeIndex index, const char *name, uint64_t value);

/* Removes an enum attribute by its name. */
void cg_attribute_remove(LLVMValueRef function, LLVMAttributeIndex index, const char *name);

/* Removes from an argument what the call says of the memory that it points to: its alignment, and how much there is. */
void cg_attribute_remove_places(LLVMValueRef call, LLVMAttributeIndex index);

/* Adds that the callee does not capture the pointer that a parameter receives. */
void cg_attribute_add_nocapture(LLVMValueRef function, LLVMAttributeIndex index);

/* Adds a string attribute to a function. */
void cg_attribute_add_text(LLVMValueRef function, const char *name, const char *value);

bool cg_attribute_has(LLVMValueRef function, LLVMAttributeIndex index, const char *name);
bool cg_attribute_has_text(LLVMValueRef function, const char *name);

/* Returns the name of an attribute of a parameter that no call here can serve, or of the calling convention if it
 * permits no calls, or NULL. */
const char *cg_attribute_unserved(LLVMValueRef function);

/* The same for a builtin or a function of the runtime: their arguments are pointers, and the callee gets no copy of
 * what they point to. */
const char *cg_attribute_unserved_by_runtime(LLVMValueRef function);

/* Returns the name of an attribute of a declared entry point by which LLVM would remove its calls, what the caller
 * writes for it, or what the body does with the error that it writes; NULL: none. */
const char *cg_attribute_unserved_by_entry(LLVMValueRef function);

/* The first attribute of a function or its parameters that a body made here could not honour; NULL: none. */
const char *cg_attribute_unserved_by_body(LLVMValueRef function);

/* The first attribute that a call alone has, and by which it would not reach a body made here, or LLVM would remove it
 * or what follows; NULL: none. */
const char *cg_attribute_unserved_by_body_at(LLVMValueRef call);

/* Adds that the function writes only memory that its module cannot access. It may read any memory: a tracing collector
 * does when it allocates. */
void cg_attribute_add_writes_own_memory(LLVMValueRef function);

/* Adds what the flags of the module ask of every function: unwind tables, frame pointers, branch protection. */
void cg_attribute_add_defaults(LLVMValueRef function);

/* The attributes about instrumentation, protection and the machine that some functions have in common. Zero-
 * initialized: no function yet. */
enum { CG_ATTRIBUTE_SHARED = 47 };
struct cg_attribute_shared {
  LLVMValueRef last;
  LLVMAttributeRef common[CG_ATTRIBUTE_SHARED];
};

/* Adds a function to those that share. */
void cg_attribute_share(struct cg_attribute_shared *shared, LLVMValueRef function);
void cg_attribute_add_shared(LLVMValueRef function, const struct cg_attribute_shared *shared);

/* Gives a call the attributes of the callee's parameters and result: some are part of how it is called. */
void cg_attribute_copy_to_call(LLVMValueRef function, LLVMValueRef call);
