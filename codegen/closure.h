#pragma once
/* Handlers: wraps plain functions in closure cells. */

#include "flow.h"
#include "map.h"

/* The cells that one lowering makes for one handler type. They are found by function in the map, never by name: a
 * linker or a user may have given the name to something else. */
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
