/* Where versions of LLVM differ. */
#include "lower.h"

#include <llvm/Config/llvm-config.h>

/* Marks a call that is followed by its return. Before 18 the C API cannot say `musttail`: there, tailcc itself is the promise, which
 * holds for every call marked `tail` that stands before a return. */
void lower_version_must_tail(LLVMValueRef call) {
#if LLVM_VERSION_MAJOR < 18
  LLVMSetTailCall(call, true);
#else
  LLVMSetTailCallKind(call, LLVMTailCallKindMustTail);
#endif
}

LLVMValueRef lower_version_string(LLVMContextRef llvm, const char *bytes, size_t length) {
#if LLVM_VERSION_MAJOR < 19
  return LLVMConstStringInContext(llvm, bytes, (unsigned)length, false);
#else
  return LLVMConstStringInContext2(llvm, bytes, length, false);
#endif
}

LLVMTypeRef lower_version_array(LLVMTypeRef element, size_t count) {
#if LLVM_VERSION_MAJOR < 17
  return LLVMArrayType(element, (unsigned)count);
#else
  return LLVMArrayType2(element, count);
#endif
}
