#include "result.h"

#include "declare.h"
#include "layout.h"
#include "type.h"

#include <stdbool.h>

enum { CG_RESULT_VALUE, CG_RESULT_DISCRIMINANT, CG_RESULT_MESSAGE };

/* The alignments are said, not left to the data layout: an empty one would take four bytes for an i64. */
static void cg_store_field(LLVMBuilderRef builder, LLVMTypeRef block, LLVMValueRef result, unsigned field,
                           LLVMValueRef value) {
  static const char *const names[] = {"", "result.discriminant", "result.message"};
  static const unsigned alignments[] = {8, 1, 8};
  if (field != CG_RESULT_VALUE)
    result = LLVMBuildStructGEP2(builder, block, result, field, names[field]);
  LLVMSetAlignment(LLVMBuildStore(builder, value, result), alignments[field]);
}

/*   %failed = icmp ne ptr %message, null
 *   %discriminant = zext i1 %failed to i8                    ; 0 Success, 1 Error
 *   %result = call ptr @osp_alloc_tagged(i64 size of { T, i8, ptr }, i64 meta)
 *   store T %value, ptr %result
 *   store i8 %discriminant, ptr (field 1 of %result)
 *   store ptr %message, ptr (field 2 of %result)             ; null on Success */
LLVMValueRef cg_result_build(LLVMBuilderRef builder, LLVMModuleRef module, const struct osp_ws_codegen_type *type,
                             LLVMValueRef value, LLVMValueRef message) {
  LLVMContextRef llvm = LLVMGetModuleContext(module);
  LLVMTypeRef block = osp_ws_codegen_result_type(llvm, type);
  LLVMValueRef failed = LLVMBuildIsNotNull(builder, message, "failed");
  LLVMValueRef discriminant = LLVMBuildZExt(builder, failed, LLVMInt8TypeInContext(llvm), "discriminant");
  LLVMValueRef arguments[] = {LLVMSizeOf(block),
                              LLVMConstInt(LLVMInt64TypeInContext(llvm), cg_layout_result_meta(type), false)};
  LLVMValueRef result = LLVMBuildCall2(builder, cg_type_alloc(llvm), cg_declare_alloc(module), arguments, 2, "result");
  cg_store_field(builder, block, result, CG_RESULT_VALUE, value);
  cg_store_field(builder, block, result, CG_RESULT_DISCRIMINANT, discriminant);
  cg_store_field(builder, block, result, CG_RESULT_MESSAGE, message);
  return result;
}
