#pragma once
/* Handlers: wraps plain functions in closure cells. */

#include "attribute.h"
#include "candidates.h"
#include "origin.h"

/* The cells that one lowering makes for one handler type. They are found by function in the map, never by name: a
 * linker or a user may have given the name to something else. */
struct cg_closures {
  LLVMModuleRef module;
  const struct osp_ws_codegen_type *handler;
  struct cg_origins *origins;
  struct cg_candidates candidates; /* listed if an operand has to be compared */
  bool compares;
  struct cg_map cells;               /* by function, alias or ifunc */
  struct cg_attribute_shared shared; /* by the functions whose operands are adapted */
  LLVMValueRef *sharing;             /* functions that get what these share */
  size_t sharing_count, sharing_capacity;
};

/* Makes a handler operand of a call a closure cell. A plain function is replaced by a constant cell. A value that may
 * be a plain function is replaced by a call that compares it. Everything else is a cell already. The operand has passed
 * the checks. */
void cg_closure_adapt(struct cg_closures *closures, LLVMValueRef call, unsigned operand);

/* Completes the functions that were added. After the last operand. */
void cg_closure_finish(struct cg_closures *closures);
void cg_closure_free(struct cg_closures *closures);
