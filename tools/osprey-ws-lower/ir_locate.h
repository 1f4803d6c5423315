#pragma once
/* Line numbers of textual IR. LLVM does not record them, so this searches the text for the declaration, definition
 * or call that a diagnostic is about. */
#include <llvm-c/Types.h>

/* Returns the line, from 1, on which `text` declares or defines a global, or contains a call; 0 if it is not found. The
 * value belongs to the module parsed from the text. */
unsigned ir_locate(const char *text, LLVMValueRef value);
