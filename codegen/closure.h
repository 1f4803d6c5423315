#pragma once
/* Handlers: wraps raw functions in closure cells.
 *
 * A handler operand is a raw function, a cell, or a choice (phi or select) among these, behind any bitcasts and
 * aliases. Choices may form loops. A walk over them keeps the enclosing choices in a chain, innermost first, and stops
 * when it meets one of them again. */

#include "osprey_ws_codegen.h"

#include <stdbool.h>

struct cg_closure_choice {
  LLVMValueRef value, copy;
  const struct cg_closure_choice *outer;
};

/* Returns the operand as a pointer to a closure cell. Only an operand that can be a raw function is replaced: by a
 * constant cell, or by a copy of the choice. The operand has passed cg_check_handler. */
LLVMValueRef cg_closure_adapt(LLVMModuleRef module, LLVMValueRef operand, const struct osp_ws_codegen_type *handler);

/* Erases bitcasts and selects that have no use after an operand was replaced. */
void cg_closure_erase_unused(LLVMValueRef value);

/* Returns the value behind bitcasts and aliases. */
LLVMValueRef cg_closure_strip_casts(LLVMValueRef value);

bool cg_closure_is_choice(LLVMValueRef value);

/* The number of the first alternative among the operands of a choice. All later operands are alternatives too. */
unsigned cg_closure_first_alternative(LLVMValueRef choice);

/* Returns the link of a value in the chain, or NULL. */
const struct cg_closure_choice *cg_closure_find_choice(const struct cg_closure_choice *chain, LLVMValueRef value);
