#pragma once
/* From a module to an object file: LLVM's target, optimiser and code generator.
 *
 * If the compiler was built with sanitizers, so were the runtime archives beside it, and it instruments compiled
 * programs too. Functions that fail print a message to `err` and return -1.
 */
#include <llvm-c/TargetMachine.h>
#include <stdio.h>

struct emit_machine {
  LLVMTargetMachineRef machine;
  LLVMTargetDataRef layout;
  char *triple;
};

/* Sets up for this machine. Returns 0. */
int emit_machine_init(struct emit_machine *machine, unsigned optimise, FILE *err);
void emit_machine_deinit(struct emit_machine *machine);

/* Verifies the module. Returns 0. */
int emit_verify(LLVMModuleRef module, FILE *err);

/* Runs the optimiser, and then the sanitizers. Returns 0. */
int emit_optimise(const struct emit_machine *machine, LLVMModuleRef module, unsigned optimise, FILE *err);

/* Writes the object file. Returns 0. */
int emit_object(const struct emit_machine *machine, LLVMModuleRef module, const char *path, FILE *err);

/* The build's -fsanitize option, or "none". */
const char *emit_sanitizers(void);
