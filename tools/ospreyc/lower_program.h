#pragma once
/* Lowering: a checked tree becomes an LLVM module.
 *
 * The module follows spec/abi.md in everything that code outside it can see (Result blocks, records, closure cells, who owns what
 * at a cell or a C function), and spec/execution.md in what it does. Inside, functions of the program are internal and call each
 * other in a convention of their own. WebSocket builtins are declared and called; they get their bodies from codegen's
 * lower_module, which the caller runs next.
 */
#include "ast.h"

#include <llvm-c/Target.h>
#include <llvm-c/Types.h>
#include <stdio.h>

/* Lowers a program into a new module for a target of that triple and layout. Returns NULL after a message on `err` where the
 * program asks for more than the binary interface can express. */
LLVMModuleRef lower_program(const struct ast_program *program, LLVMContextRef llvm, const char *triple,
                            LLVMTargetDataRef layout, FILE *err);
