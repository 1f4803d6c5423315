#pragma once
/* From a module to an object file: the machine, the optimiser, the code generator of LLVM.
 *
 * Where the compiler itself was built with sanitizers, so are the runtime archives beside it: then compiled programs are
 * instrumented alike.
 */
#include <llvm-c/TargetMachine.h>
#include <stdio.h>

struct emit_machine {
  LLVMTargetMachineRef machine;
  LLVMTargetDataRef layout;
  char *triple;
};

/* Sets up for this machine. Returns 0, or -1 after a message on `err`. */
int emit_machine_init(struct emit_machine *machine, unsigned optimise, FILE *err);
void emit_machine_deinit(struct emit_machine *machine);

/* Verifies the module, and optimises it at the level. Returns 0, or -1 after a message. */
int emit_verify(LLVMModuleRef module, FILE *err);
int emit_optimise(const struct emit_machine *machine, LLVMModuleRef module, unsigned optimise, FILE *err);

/* Writes the object file. Returns 0, or -1 after a message. */
int emit_object(const struct emit_machine *machine, LLVMModuleRef module, const char *path, FILE *err);

/* The -fsanitize= of the build, "none" for none. */
const char *emit_sanitizers(void);
