#include "cg.h"

#include <llvm/Config/llvm-config.h>

void cg_attribute_add_nocapture(LLVMValueRef function, LLVMAttributeIndex index) {
#if LLVM_VERSION_MAJOR < 21
  cg_attribute_add(function, index, "nocapture", 0);
#else
  cg_attribute_add(function, index, "captures", 0); /* captures(none) */
#endif
}

/* The effects of a function, as the attribute `memory` encodes them: two bits (1 reads, 2 writes) for each kind of memory.
 * Version 21 added errno, which malloc may set, and 22 two kinds that a target may define. */
enum {
  CG_MEMORY_READ_ARGUMENTS = 1 << 0,
  CG_MEMORY_WRITE_ARGUMENTS = 2 << 0,
  CG_MEMORY_INACCESSIBLE = 3 << 2,
#if LLVM_VERSION_MAJOR < 21
  CG_MEMORY_READ_OTHER = 1 << 4,
#else
  CG_MEMORY_READ_OTHER = 3 << 4 | 1 << 6 | 1 << 8 | 1 << 10,
#endif
};

void cg_attribute_add_writes_own_memory(LLVMValueRef function, bool and_arguments) {
  unsigned effects = CG_MEMORY_READ_OTHER | CG_MEMORY_INACCESSIBLE | CG_MEMORY_READ_ARGUMENTS;
  if (and_arguments)
    effects |= CG_MEMORY_WRITE_ARGUMENTS;
  cg_attribute_add(function, CG_ATTRIBUTE_FUNCTION, "memory", effects);
}

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
