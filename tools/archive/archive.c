/* Writes libosprey_ws_builtins.a, the bodies of the builtins for programs that are not lowered (spec/codegen.md):
 *
 *     archive WORK OUTPUT AR
 *
 * Each builtin is a module of its own, which declares it and its form without a block:
 *
 *     declare ptr @websocketSend(i64, ptr)
 *     declare { i64, ptr } @websocketSend.unboxed(i64, ptr)
 *
 * The library lowers the module, LLVM compiles it to WORK/websocketSend.o, and AR collects the objects. */
#include <errno.h>
#include <llvm-c/Core.h>
#include <llvm-c/Target.h>
#include <llvm-c/TargetMachine.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "osprey_ws_codegen.h"

static _Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

static _Noreturn void fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fputc('\n', stderr);
  exit(1);
}

static char *join(const char *before, const char *middle, const char *after) {
  char *text;
  if (asprintf(&text, "%s%s%s", before, middle, after) < 0)
    fail("out of memory");
  return text;
}

static void report(const struct osp_ws_codegen_diagnostic *diagnostic, void *context) {
  (void)context;
  fprintf(stderr, "%s\n", diagnostic->message);
}

/* The build's target: this machine, or in a cross build the other. */
static char *find_target(void) {
#ifdef OSPREY_WS_TARGET
  LLVMInitializeAllTargetInfos();
  LLVMInitializeAllTargets();
  LLVMInitializeAllTargetMCs();
  LLVMInitializeAllAsmPrinters();
  return LLVMNormalizeTargetTriple(OSPREY_WS_TARGET);
#else
  if (LLVMInitializeNativeTarget() || LLVMInitializeNativeAsmPrinter())
    fail("this LLVM cannot compile for its own machine");
  return LLVMGetDefaultTargetTriple();
#endif
}

/* Position-independent code for any processor of the target. */
static LLVMTargetMachineRef make_machine(const char *triple) {
  LLVMTargetRef target;
  char *error = NULL;
  if (LLVMGetTargetFromTriple(triple, &target, &error))
    fail("%s: %s", triple, error);
  return LLVMCreateTargetMachine(target, triple, "", "", LLVMCodeGenLevelDefault, LLVMRelocPIC, LLVMCodeModelDefault);
}

/* Debuggers and profilers unwind through the bodies: cg_attribute_add_defaults follows this flag. */
static void ask_for_unwind_tables(LLVMModuleRef module) {
  static const char name[] = "uwtable";
  LLVMValueRef both = LLVMConstInt(LLVMInt32TypeInContext(LLVMGetModuleContext(module)), 2, false);
  LLVMAddModuleFlag(module, LLVMModuleFlagBehaviorError, name, sizeof name - 1, LLVMValueAsMetadata(both));
}

/* Landing pads and signed return addresses, as the runtime has them on AArch64: a program lacks the protection if one
 * of its objects does. */
static void ask_for_branch_protection(LLVMModuleRef module, const char *triple) {
  static const char *const names[] = {"branch-target-enforcement", "sign-return-address"};
  LLVMValueRef yes = LLVMConstInt(LLVMInt32TypeInContext(LLVMGetModuleContext(module)), 1, false);
  for (size_t i = 0; i < sizeof names / sizeof *names && strncmp(triple, "aarch64", strlen("aarch64")) == 0; i++)
    LLVMAddModuleFlag(module, LLVMModuleFlagBehaviorError, names[i], strlen(names[i]), LLVMValueAsMetadata(yes));
}

/* Lowering makes linkonce_odr of what each module that uses it defines. An object of an archive keeps it for others. */
static void keep_for_others(LLVMValueRef global) {
  if (LLVMGetLinkage(global) == LLVMLinkOnceODRLinkage)
    LLVMSetLinkage(global, LLVMWeakODRLinkage);
}

static void write_body(const struct osp_ws_codegen_builtin *builtin, LLVMTargetMachineRef machine, const char *triple,
                       char *path) {
  LLVMContextRef llvm = LLVMContextCreate();
  osp_ws_codegen_prepare_context(llvm);
  LLVMModuleRef module = LLVMModuleCreateWithNameInContext(builtin->name, llvm);
  LLVMTargetDataRef layout = LLVMCreateTargetDataLayout(machine);
  char *unboxed = join(builtin->name, ".unboxed", ""), *error = NULL;
  LLVMSetTarget(module, triple);
  LLVMSetModuleDataLayout(module, layout);
  ask_for_unwind_tables(module);
  ask_for_branch_protection(module, triple);
  if (!osp_ws_codegen_declare(module, builtin->name, report, NULL) ||
      !osp_ws_codegen_declare(module, unboxed, report, NULL) || osp_ws_codegen_lower_module(module, NULL, report, NULL))
    fail("%s cannot be lowered", builtin->name);
  for (LLVMValueRef function = LLVMGetFirstFunction(module); function; function = LLVMGetNextFunction(function))
    keep_for_others(function);
  for (LLVMValueRef global = LLVMGetFirstGlobal(module); global; global = LLVMGetNextGlobal(global))
    keep_for_others(global);
  if (LLVMTargetMachineEmitToFile(machine, module, path, LLVMObjectFile, &error))
    fail("%s: %s", path, error);
  free(unboxed);
  LLVMDisposeTargetData(layout);
  LLVMDisposeModule(module);
  LLVMContextDispose(llvm);
}

int main(int argc, char **argv) {
  size_t count;
  const struct osp_ws_codegen_builtin *builtins = osp_ws_codegen_builtins(&count);
  if (argc != 4)
    fail("usage: archive WORK OUTPUT AR");
  const char *work = argv[1], *output = argv[2];
  char *triple = find_target();
  LLVMTargetMachineRef machine = make_machine(triple);
  char **command = calloc(count + 4, sizeof *command);
  if (!command)
    fail("out of memory");
  command[0] = argv[3];
  command[1] = "rcsD";
  command[2] = argv[2];
  if (mkdir(work, 0777) && errno != EEXIST)
    fail("%s: %s", work, strerror(errno));
  char *folder = join(work, "/", "");
  for (size_t i = 0; i < count; i++) {
    command[3 + i] = join(folder, builtins[i].name, ".o");
    write_body(&builtins[i], machine, triple, command[3 + i]);
  }
  unlink(output); /* it may have members that are builtins no more */
  execvp(command[0], command);
  fail("%s: %s", command[0], strerror(errno));
}
