#include "emit.h"

#include <llvm-c/Analysis.h>
#include <llvm-c/Core.h>
#include <llvm-c/Target.h>
#include <llvm-c/Transforms/PassBuilder.h>
#include <stdbool.h>
#include <string.h>

#ifndef OSPREYC_SANITIZE
#define OSPREYC_SANITIZE "none"
#endif

const char *emit_sanitizers(void) {
  return OSPREYC_SANITIZE;
}

/* Prints and frees a message of LLVM. */
static int emit_fail(FILE *err, const char *what, char *message) {
  fprintf(err, "error: %s: %s\n", what, message ? message : "unknown");
  LLVMDisposeMessage(message);
  return -1;
}

/* Returns the triple that programs are compiled for, which the caller frees: this machine's, or in a cross build the
 * other's. */
static char *emit_target(void) {
#ifdef OSPREY_WS_TARGET
  LLVMInitializeAllTargetInfos();
  LLVMInitializeAllTargets();
  LLVMInitializeAllTargetMCs();
  LLVMInitializeAllAsmPrinters();
  return LLVMNormalizeTargetTriple(OSPREY_WS_TARGET);
#else
  LLVMInitializeNativeTarget();
  LLVMInitializeNativeAsmPrinter();
  return LLVMGetDefaultTargetTriple();
#endif
}

int emit_machine_init(struct emit_machine *machine, unsigned optimise, FILE *err) {
  static const LLVMCodeGenOptLevel levels[] = {LLVMCodeGenLevelNone, LLVMCodeGenLevelLess, LLVMCodeGenLevelDefault,
                                               LLVMCodeGenLevelAggressive};
  *machine = (struct emit_machine){0};
  machine->triple = emit_target();
  LLVMTargetRef target = NULL;
  char *message = NULL;
  if (LLVMGetTargetFromTriple(machine->triple, &target, &message))
    return emit_fail(err, "LLVM does not support the target", message);
  machine->machine =
      LLVMCreateTargetMachine(target, machine->triple, "", "", levels[optimise], LLVMRelocPIC, LLVMCodeModelDefault);
  machine->layout = LLVMCreateTargetDataLayout(machine->machine);
  return 0;
}

void emit_machine_deinit(struct emit_machine *machine) {
  if (machine->layout)
    LLVMDisposeTargetData(machine->layout);
  if (machine->machine)
    LLVMDisposeTargetMachine(machine->machine);
  LLVMDisposeMessage(machine->triple);
  *machine = (struct emit_machine){0};
}

int emit_verify(LLVMModuleRef module, FILE *err) {
  char *message = NULL;
  if (LLVMVerifyModule(module, LLVMReturnStatusAction, &message))
    return emit_fail(err, "the module is not valid", message);
  LLVMDisposeMessage(message);
  return 0;
}

/* Marks the functions for a sanitizer's pass. */
static void emit_mark(LLVMModuleRef module, const char *attribute) {
  unsigned kind = LLVMGetEnumAttributeKindForName(attribute, strlen(attribute));
  LLVMAttributeRef mark = LLVMCreateEnumAttribute(LLVMGetModuleContext(module), kind, 0);
  for (LLVMValueRef function = LLVMGetFirstFunction(module); function; function = LLVMGetNextFunction(function))
    if (!LLVMIsDeclaration(function))
      LLVMAddAttributeAtIndex(function, (LLVMAttributeIndex)LLVMAttributeFunctionIndex, mark);
}

/* Erases the calls that count references to a constant: inlining makes them, and the hooks ignore them. */
static void emit_erase_counts_of_constants(LLVMModuleRef module) {
  static const char *const names[] = {"osp_retain", "osp_release"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    LLVMValueRef hook = LLVMGetNamedFunction(module, names[i]);
    for (LLVMUseRef use = hook ? LLVMGetFirstUse(hook) : NULL, next; use; use = next) {
      LLVMValueRef call = LLVMGetUser(use);
      next = LLVMGetNextUse(use);
      bool counts = LLVMIsACallInst(call) && LLVMGetCalledValue(call) == hook && LLVMGetNumArgOperands(call) == 1 &&
                    LLVMGetTypeKind(LLVMTypeOf(call)) == LLVMVoidTypeKind;
      if (counts && LLVMIsConstant(LLVMGetOperand(call, 0)))
        LLVMInstructionEraseFromParent(call);
    }
  }
}

int emit_optimise(const struct emit_machine *machine, LLVMModuleRef module, unsigned optimise, FILE *err) {
  char passes[64];
  const char *sanitize = "";
  if (strstr(emit_sanitizers(), "address")) {
    emit_mark(module, "sanitize_address");
    sanitize = ",asan";
  } else if (strstr(emit_sanitizers(), "thread")) {
    emit_mark(module, "sanitize_thread");
    sanitize = ",tsan-module,function(tsan)";
  }
  snprintf(passes, sizeof passes, "default<O%u>%s", optimise, sanitize);
  LLVMPassBuilderOptionsRef options = LLVMCreatePassBuilderOptions();
  LLVMErrorRef problem = LLVMRunPasses(module, passes, machine->machine, options);
  LLVMDisposePassBuilderOptions(options);
  emit_erase_counts_of_constants(module);
  if (!problem)
    return 0;
  char *message = LLVMGetErrorMessage(problem);
  fprintf(err, "error: the optimiser failed: %s\n", message);
  LLVMDisposeErrorMessage(message);
  return -1;
}

int emit_object(const struct emit_machine *machine, LLVMModuleRef module, const char *path, FILE *err) {
  char *message = NULL;
  /* LLVM 16 declares the path as char *, but does not write to it. */
  if (LLVMTargetMachineEmitToFile(machine->machine, module, (char *)(uintptr_t)path, LLVMObjectFile, &message))
    return emit_fail(err, path, message);
  return 0;
}
