#pragma once
/* The symbols that a module's inline assembly defines: LLVM knows nothing of them until it writes an object. */

#include <stddef.h>

/* Calls `found` with the name of each symbol that the text defines, by a label, an assignment or a directive. A
 * name is not NUL-terminated. */
typedef void cg_assembly_found(const char *name, size_t length, void *context);
void cg_assembly_definitions(const char *text, size_t length, cg_assembly_found *found, void *context);
