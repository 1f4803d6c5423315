#pragma once
/* Where a handler operand comes from.
 *
 * An operand is followed backwards through values only: bitcasts, freeze, phi and select. What comes from elsewhere
 * (memory, a parameter, the result of a call, an integer) may be a plain function or a cell, and is compared at run
 * time: a cell never has the address of a function. The walk visits each value once, whatever the number of operands,
 * and keeps its own queue. */

#include "osprey_ws_codegen.h"

#include <stdbool.h>

/* What is known of an operand. Nothing: it is a cell. */
struct cg_origin {
  LLVMValueRef plain; /* the operand is this function, alias or ifunc; else NULL */
  LLVMValueRef wrong; /* a constant that it may be, and that is neither a function nor a cell; else NULL */
  bool compared;      /* it may be a plain function, and only a comparison tells */
};

/* The origins of the operands of one handler type. */
struct cg_origins;

/* Returns NULL if out of memory. */
struct cg_origins *cg_origins_new(LLVMModuleRef module, const struct osp_ws_codegen_type *handler);
void cg_origins_free(struct cg_origins *origins);

/* Adds an operand. After the last one, solve; then ask for the origins. Solving returns false if out of memory. */
void cg_origins_add(struct cg_origins *origins, LLVMValueRef operand);
bool cg_origins_solve(struct cg_origins *origins);
struct cg_origin cg_origins_get(const struct cg_origins *origins, LLVMValueRef operand);

/* The name of the attribute of functions that lowering adds, and the annotation of instructions that it adds to them:
 * choices whose results are cells, and calls of builtins. What else is in such a function was inlined into it. */
#define CG_ORIGIN_MARK "osprey-ws-lowered"
void cg_origin_mark(LLVMValueRef instruction);
bool cg_origin_is_marked(LLVMValueRef instruction);

/* The names of those that are no bodies of builtins begin with this. The linker appends to names. */
#define CG_ORIGIN_PREFIX "osp_ws."
