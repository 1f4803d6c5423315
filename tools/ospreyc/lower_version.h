#pragma once
/* The differences between versions of LLVM. */
#include <llvm-c/Core.h>
#include <llvm-c/DebugInfo.h>
#include <llvm/Config/llvm-config.h>

/* Marks a call before a return as a guaranteed tail call. The C API of LLVM before 18 has no `musttail`; there, tailcc
 * guarantees it for every call marked `tail` before a return. */
static inline void lower_version_must_tail(LLVMValueRef call) {
#if LLVM_VERSION_MAJOR < 18
  LLVMSetTailCall(call, true);
#else
  LLVMSetTailCallKind(call, LLVMTailCallKindMustTail);
#endif
}

static inline LLVMValueRef lower_version_string(LLVMContextRef llvm, const char *bytes, size_t length) {
#if LLVM_VERSION_MAJOR < 19
  return LLVMConstStringInContext(llvm, bytes, (unsigned)length, false);
#else
  return LLVMConstStringInContext2(llvm, bytes, length, false);
#endif
}

static inline LLVMTypeRef lower_version_array(LLVMTypeRef element, size_t count) {
#if LLVM_VERSION_MAJOR < 17
  return LLVMArrayType(element, (unsigned)count);
#else
  return LLVMArrayType2(element, count);
#endif
}

/* Says that a variable lives at an address from the end of a block on. */
static inline void lower_version_debug_declare(LLVMDIBuilderRef debug, LLVMValueRef address, LLVMMetadataRef variable,
                                               LLVMMetadataRef expression, LLVMMetadataRef location,
                                               LLVMBasicBlockRef block) {
#if LLVM_VERSION_MAJOR < 19
  LLVMDIBuilderInsertDeclareAtEnd(debug, address, variable, expression, location, block);
#else
  LLVMDIBuilderInsertDeclareRecordAtEnd(debug, address, variable, expression, location, block);
#endif
}
