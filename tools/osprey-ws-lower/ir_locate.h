#pragma once

/* Lines of textual IR. LLVM remembers none, so they are found again by reading the text for the declarations and calls that
 * a diagnostic is about. */

#include <llvm-c/Types.h>

/* The line, from 1, on which text declares or defines a function, or holds a call that is part of the module parsed from
 * it; 0 if it is not found. */
unsigned ir_locate(const char *text, LLVMValueRef value);
