#pragma once
/* Handlers: wraps plain functions in closure cells. */

#include "flow.h"
#include "map.h"

/* The cells of the functions that one lowering passes as one type of handler. Only the map finds them: a name may have
 * been given to something else by a linker or a user. */
struct cg_closures {
  LLVMModuleRef module;
  const struct osp_ws_codegen_type *handler;
  struct cg_flow *flow;
  struct cg_map cells;  /* by function, alias or ifunc */
  LLVMValueRef to_cell; /* the function that turns a choice into a cell; NULL until needed */
};

/* Makes a handler operand of a call a closure cell. A plain function is replaced by a constant cell. A value that may
 * be a plain function is replaced by a call that looks its cell up. Everything else is a cell already. The operand
 * has passed the checks. */
void cg_closure_adapt(struct cg_closures *closures, LLVMValueRef call, unsigned operand);

void cg_closure_free(struct cg_closures *closures);
