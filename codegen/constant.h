#pragma once
/* What a constant that is passed as a handler is: a function, a closure cell, or neither. */

#include <llvm-c/Core.h>
#include <stdbool.h>

/* Returns the value behind casts, and behind dso_local_equivalent and its like: a function, alias or ifunc if the
 * constant is the address of one. */
LLVMValueRef cg_constant_strip(LLVMValueRef value);

/* Whether a value is a pointer that is signed (ptrauth). */
bool cg_constant_is_signed(LLVMValueRef value);

/* Whether a stripped value is a function, or an alias or ifunc of one. */
bool cg_constant_is_function(LLVMValueRef value);

/* Returns the function behind aliases, or NULL. */
LLVMValueRef cg_constant_function_behind(LLVMValueRef value);

/* Whether a function cannot be called with what a handler receives: an attribute says that it is passed otherwise. */
bool cg_constant_is_unserved(LLVMValueRef value);

/* Returns the word of a cell that holds its code, or NULL if the cell has no pointer there. */
LLVMValueRef cg_constant_code_of(LLVMValueRef cell);

/* Returns the pointer that a constant integer is made of, or the constant itself. */
LLVMValueRef cg_constant_pointer_in(LLVMValueRef constant);

/* Whether a value is null, undef, poison, a block's address or an integer cast to a pointer. */
bool cg_constant_is_no_cell(LLVMValueRef value);
