#include "result.h"

#include "declare.h"
#include "layout.h"
#include "type.h"

#include <stdbool.h>

enum {
#define WS_IR(ir, c, size) CG_ALIGN_##ir = size,
#include "ws_layouts.def"
  CG_ALIGN_T = CG_ALIGN_i64, /* the value is at the start of the block */
};

/* The alignment is explicit: under an empty data layout an i64 would be aligned to 4 bytes only. */
static void cg_store_field(LLVMBuilderRef builder, LLVMTypeRef block, LLVMValueRef result, unsigned index,
                           const char *name, unsigned alignment, LLVMValueRef value) {
  LLVMValueRef field = index ? LLVMBuildStructGEP2(builder, block, result, index, name) : result;
  LLVMSetAlignment(LLVMBuildStore(builder, value, field), alignment);
}

/*   %result = call ptr @osp_alloc_tagged(i64 size of { T, i8, ptr }, i64 meta)
 *   store T %value, ptr %result
 *   store i8 %discriminant, ptr %result.discriminant
 *   store ptr %message, ptr %result.message                  ; null on Success
 *   ret ptr %result */
static void cg_return_block(LLVMBuilderRef builder, LLVMModuleRef module, const struct osp_ws_codegen_type *type,
                            LLVMValueRef value, LLVMValueRef discriminant, LLVMValueRef message) {
  LLVMContextRef llvm = LLVMGetModuleContext(module);
  LLVMTypeRef block = osp_ws_codegen_result_type(llvm, type);
  LLVMValueRef arguments[] = {LLVMSizeOf(block),
                              LLVMConstInt(LLVMInt64TypeInContext(llvm), cg_layout_result_meta(type), false)};
  LLVMValueRef result = cg_declare_call(builder, cg_declare_alloc(module), arguments, 2, "result");
#define WS_RESULT_FIELD(field, index, ir, counted)                                                                     \
  cg_store_field(builder, block, result, index, "result." #field, CG_ALIGN_##ir, field);
#include "ws_layouts.def"
  LLVMBuildRet(builder, result);
}

void cg_result_return(LLVMBuilderRef builder, LLVMModuleRef module, const struct osp_ws_codegen_type *type,
                      LLVMValueRef value, LLVMValueRef message) {
  LLVMContextRef llvm = LLVMGetModuleContext(module);
  LLVMValueRef failed = LLVMBuildIsNotNull(builder, message, "failed");
  LLVMValueRef discriminant = LLVMBuildZExt(builder, failed, LLVMInt8TypeInContext(llvm), "discriminant");
  cg_return_block(builder, module, type, value, discriminant, message);
}

/*   %answered = insertvalue { T, ptr } poison, T %answer, 0
 *   %unboxed = insertvalue { T, ptr } %answered, ptr %message, 1
 *   ret { T, ptr } %unboxed */
void cg_result_return_unboxed(LLVMBuilderRef builder, LLVMValueRef value, LLVMValueRef message) {
  LLVMValueRef function = LLVMGetBasicBlockParent(LLVMGetInsertBlock(builder));
  LLVMValueRef nothing = LLVMGetPoison(LLVMGetReturnType(LLVMGlobalGetValueType(function)));
  LLVMValueRef answered = LLVMBuildInsertValue(builder, nothing, value, 0, "answered");
  LLVMBuildRet(builder, LLVMBuildInsertValue(builder, answered, message, 1, "unboxed"));
}

/* Success is 0 in every field: the discriminant, the unit value, and the null message. */
void cg_result_return_unit(LLVMBuilderRef builder, LLVMModuleRef module, const struct osp_ws_codegen_type *type,
                           LLVMValueRef message) {
  LLVMContextRef llvm = LLVMGetModuleContext(module);
  LLVMValueRef function = LLVMGetBasicBlockParent(LLVMGetInsertBlock(builder));
  LLVMBasicBlockRef success = LLVMAppendBasicBlockInContext(llvm, function, "success");
  LLVMBasicBlockRef failure = LLVMAppendBasicBlockInContext(llvm, function, "failed");
  LLVMBuildCondBr(builder, LLVMBuildIsNull(builder, message, "succeeded"), success, failure);
  LLVMPositionBuilderAtEnd(builder, success);
  LLVMBuildRet(builder, cg_declare_success(module, osp_ws_codegen_result_type(llvm, type)));
  LLVMPositionBuilderAtEnd(builder, failure);
  cg_return_block(builder, module, type, LLVMConstInt(LLVMInt64TypeInContext(llvm), 0, false),
                  LLVMConstInt(LLVMInt8TypeInContext(llvm), 1, false), message);
}
