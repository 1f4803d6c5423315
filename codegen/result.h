#pragma once
/* Result blocks (spec/abi.md). */

#include "osprey_ws_codegen.h"

/* Builds a Result block from the returned value and the error message (null on success) of a C entry point. Returns
 * the pointer to the block. */
LLVMValueRef cg_result_build(LLVMBuilderRef builder, LLVMModuleRef module, const struct osp_ws_codegen_type *type,
                             LLVMValueRef value, LLVMValueRef message);
