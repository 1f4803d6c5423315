#pragma once
/* Lowering: from a checked tree to an LLVM module.
 *
 * The module follows spec/abi.md in everything that other code can see (Result blocks, records, closure cells,
 * ownership across a cell or a C function), and spec/execution.md in its behaviour. Functions of the program are
 * internal and use their own calling convention. WebSocket builtins are declared and called, without bodies; the
 * caller runs codegen's lower_module next.
 *
 *     define internal tailcc T @osprey.NAME(ptr %cell, parameters…)     %cell only if it captures
 *
 * Such a function is internal and has a prefix, so that neither the linker nor LLVM takes an Osprey `fn close` for the
 * C library's. With tailcc, a tail call reuses the stack whatever the parameter lists of the two functions.
 */
#include "ast.h"

#include <llvm-c/Target.h>
#include <llvm-c/Types.h>
#include <stdio.h>

struct lower;

/* Lowers a program, once, to a new module for the target described by the triple and the layout. With
 * `debug_variables`, the debug information describes variables; with `splits_blocks`, no block has so much arithmetic
 * that LLVM takes long at -O0. Returns NULL after a message on `err` if the binary interface cannot express the
 * program. */
LLVMModuleRef lower_program(const struct ast_program *program, LLVMContextRef llvm, const char *triple,
                            LLVMTargetDataRef layout, bool debug_variables, bool splits_blocks, FILE *err);

/* Returns the IR function of a function of the program. */
LLVMValueRef lower_program_function(struct lower *lower, const struct ast_function *function);
