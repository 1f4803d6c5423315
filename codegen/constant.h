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

/* Whether all indices of a getelementptr are zero. */
bool cg_constant_has_no_offset(LLVMValueRef gep);

/* Returns what a constant address is made of by casts, offsets and aliases of variables. Writes true if it may be a
 * place beside it, and if that may be outside of the variable. */
LLVMValueRef cg_constant_base(LLVMValueRef value, bool *is_place, bool *may_leave);

/* Whether the linker may take another definition than that of an alias, or of one behind it. */
bool cg_constant_is_replaceable_alias(LLVMValueRef value);

/* Returns the first word of a constant variable, where a cell has its code. NULL: its initializer does not tell. */
LLVMValueRef cg_constant_code_of(LLVMValueRef variable);

/* Whether a value is null, undef, poison, a number or a block's address. */
bool cg_constant_is_no_address(LLVMValueRef value);
