#pragma once
/* Which constants may reach a handler operand.
 *
 * An operand is followed backwards through casts, freeze, phi and select; through members of aggregates and vectors;
 * through loads from variables whose every store is known, and from constants; through parameters and results of
 * functions of the module whose every call is known. The walk visits each value and each part of one once, whatever the
 * number of operands, and keeps its own queue. Facts then flow forward along the edges that it found. A load looks at
 * CG_MOST_POINTERS pointers at most, so that the time is linear in what is visited. */

#include "osprey_ws_codegen.h"

#include <stdbool.h>

enum cg_fact {
  CG_FACT_RAW,   /* a plain function of the handler's type */
  CG_FACT_OTHER, /* a value of unknown origin, which has to be a cell */
  CG_FACT_WRONG, /* a constant that is neither */
  CG_FACTS,
};

/* For each fact a value that it is about, or NULL. A cell is no fact. */
struct cg_facts {
  LLVMValueRef witness[CG_FACTS];
};

/* The flow into the operands of one handler type. */
struct cg_flow;

/* Returns NULL if out of memory. */
struct cg_flow *cg_flow_new(LLVMModuleRef module, const struct osp_ws_codegen_type *handler);
void cg_flow_free(struct cg_flow *flow);

/* Returns the value behind the bitcasts of an operand: the public compiler emits one. */
LLVMValueRef cg_flow_operand(LLVMValueRef operand);

/* Adds an operand. After the last one, solve; then ask for the facts. Solving returns false if out of memory. */
void cg_flow_add(struct cg_flow *flow, LLVMValueRef operand);
bool cg_flow_solve(struct cg_flow *flow);
struct cg_facts cg_flow_facts(const struct cg_flow *flow, LLVMValueRef operand);

/* The plain functions that reach an operand other than directly: constants, each once. */
const LLVMValueRef *cg_flow_choices(const struct cg_flow *flow, size_t *count);

/* The name of the attribute of functions that lowering adds, and the annotation of instructions. Their results are
 * cells. */
#define CG_FLOW_MARK "osprey-ws-lowered"
void cg_flow_mark(LLVMValueRef instruction);
