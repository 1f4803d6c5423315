#include "version.h"

#include "osprey_ws_codegen.h"

#include <llvm/Config/llvm-config.h>

bool cg_version_has_opaque_pointers(LLVMContextRef llvm) {
#if LLVM_VERSION_MAJOR < 17
  return LLVMPointerTypeIsOpaque(LLVMPointerType(LLVMInt8TypeInContext(llvm), 0));
#else
  (void)llvm;
  return true;
#endif
}

void osp_ws_codegen_prepare_context(LLVMContextRef llvm) {
#if LLVM_VERSION_MAJOR < 17
  LLVMContextSetOpaquePointers(llvm, true);
#else
  (void)llvm;
#endif
}
