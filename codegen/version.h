#pragma once
/* Differences between LLVM 16, 19 and 22 outside of attributes (attribute.h). */

#include <llvm-c/Core.h>
#include <stdbool.h>

/* Whether the context has opaque pointers, which all of codegen needs. LLVM 16 can be told to use typed ones. */
bool cg_version_has_opaque_pointers(LLVMContextRef llvm);
