#include "attribute.h"

#include <llvm/Config/llvm-config.h>
#include <string.h>

void cg_attribute_add(LLVMValueRef function, LLVMAttributeIndex index, const char *name, uint64_t value) {
  LLVMContextRef llvm = LLVMGetModuleContext(LLVMGetGlobalParent(function));
  unsigned kind = LLVMGetEnumAttributeKindForName(name, strlen(name));
  LLVMAddAttributeAtIndex(function, index, LLVMCreateEnumAttribute(llvm, kind, value));
}

void cg_attribute_add_nocapture(LLVMValueRef function, LLVMAttributeIndex index) {
#if LLVM_VERSION_MAJOR < 21
  cg_attribute_add(function, index, "nocapture", 0);
#else
  cg_attribute_add(function, index, "captures", 0); /* captures(none) */
#endif
}

/* The encoding of the attribute `memory`: two bits (1 reads, 2 writes) for each location. LLVM 21 added errno, which
 * malloc may set. LLVM 22 added two locations for targets. */
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

void cg_attribute_copy_sanitizers(LLVMValueRef from, LLVMValueRef to) {
  static const char *const sanitizers[] = {"sanitize_address", "sanitize_hwaddress", "sanitize_memory",
                                           "sanitize_thread", "sanitize_memtag"};
  for (size_t i = 0; i < sizeof sanitizers / sizeof sanitizers[0]; i++) {
    unsigned kind = LLVMGetEnumAttributeKindForName(sanitizers[i], strlen(sanitizers[i]));
    LLVMAttributeRef attribute = LLVMGetEnumAttributeAtIndex(from, CG_ATTRIBUTE_FUNCTION, kind);
    if (attribute)
      LLVMAddAttributeAtIndex(to, CG_ATTRIBUTE_FUNCTION, attribute);
  }
}
