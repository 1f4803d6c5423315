#pragma once
/* Result blocks (spec/abi.md). */

#include "osprey_ws_codegen.h"

/* Builds a Result block from the returned value and the error message (null on success) of a C entry point, and returns
 * it from the function. */
void cg_result_return(LLVMBuilderRef builder, LLVMModuleRef module, const struct osp_ws_codegen_type *type,
                      LLVMValueRef value, LLVMValueRef message);

/* The same without a value, of type Success: one constant block stands for every success. */
void cg_result_return_unit(LLVMBuilderRef builder, LLVMModuleRef module, const struct osp_ws_codegen_type *type,
                           LLVMValueRef message);

/* Returns the value and the error message without a block. */
void cg_result_return_unboxed(LLVMBuilderRef builder, LLVMValueRef value, LLVMValueRef message);
