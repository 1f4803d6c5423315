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

/* Adds that the callee does not capture the pointer that a parameter receives. */
void cg_attribute_add_nocapture(LLVMValueRef function, LLVMAttributeIndex index);

/* Adds that the function writes only memory that its module cannot access and, if `and_arguments`, what its arguments
 * point to. The function may read any memory: a tracing collector does when it allocates. */
void cg_attribute_add_writes_own_memory(LLVMValueRef function, bool and_arguments);

/* Copies the sanitizer attributes of a function. The inliner does not inline between functions that differ in them. */
void cg_attribute_copy_sanitizers(LLVMValueRef from, LLVMValueRef to);
