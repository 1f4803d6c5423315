/* A compiler that loads the codegen library at run time, and reports if it is missing or has another interface version.
 *
 * CG-22: dlopen_host LIBRARY IN.ll prints the builtins, then the lowered module.
 */

#include <dlfcn.h>
#include <llvm-c/Core.h>
#include <llvm-c/IRReader.h>
#include <llvm/Config/llvm-config.h>
#include <osprey_ws_codegen.h>
#include <stdio.h>
#include <stdlib.h>

/* The functions that this compiler uses, with the types of the header. */
struct library {
  __typeof__(osp_ws_codegen_version) *version;
  __typeof__(osp_ws_codegen_llvm_version) *llvm_version;
  __typeof__(osp_ws_codegen_builtins) *builtins;
  __typeof__(osp_ws_codegen_spell_builtin) *spell_builtin;
  __typeof__(osp_ws_codegen_prepare_context) *prepare_context;
  __typeof__(osp_ws_codegen_lower_module) *lower_module;
};

static void *look_up(void *handle, const char *name) {
  void *address = dlsym(handle, name);
  if (!address) {
    fprintf(stderr, "error: %s\n", dlerror());
    exit(1);
  }
  return address;
}

static struct library load(const char *path) {
  struct library library;
  void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    fprintf(stderr, "error: %s\n", dlerror());
    exit(1);
  }
  *(void **)&library.version = look_up(handle, "osp_ws_codegen_version");
  if (library.version() != OSP_WS_CODEGEN_VERSION) {
    fprintf(stderr, "error: interface %u, expected %u\n", library.version(), OSP_WS_CODEGEN_VERSION);
    exit(1);
  }
  *(void **)&library.llvm_version = look_up(handle, "osp_ws_codegen_llvm_version");
  if (library.llvm_version() != LLVM_VERSION_MAJOR) {
    fprintf(stderr, "error: LLVM %u, expected %u\n", library.llvm_version(), LLVM_VERSION_MAJOR);
    exit(1);
  }
  *(void **)&library.builtins = look_up(handle, "osp_ws_codegen_builtins");
  *(void **)&library.spell_builtin = look_up(handle, "osp_ws_codegen_spell_builtin");
  *(void **)&library.prepare_context = look_up(handle, "osp_ws_codegen_prepare_context");
  *(void **)&library.lower_module = look_up(handle, "osp_ws_codegen_lower_module");
  return library;
}

static void list_builtins(const struct library *library) {
  size_t count;
  const struct osp_ws_codegen_builtin *builtins = library->builtins(&count);
  for (size_t i = 0; i < count; i++) {
    char signature[256];
    library->spell_builtin(&builtins[i], signature, sizeof signature);
    printf("; %s\n", signature);
  }
}

static void report(const struct osp_ws_codegen_diagnostic *diagnostic, void *context) {
  fprintf(stderr, "%s: error: %s\n", (const char *)context, diagnostic->message);
}

static int lower(const struct library *library, char *path) {
  LLVMContextRef llvm = LLVMContextCreate();
  LLVMMemoryBufferRef buffer;
  LLVMModuleRef module;
  char *message = NULL;
  library->prepare_context(llvm);
  if (LLVMCreateMemoryBufferWithContentsOfFile(path, &buffer, &message) ||
      LLVMParseIRInContext(llvm, buffer, &module, &message)) {
    fprintf(stderr, "%s: error: %s\n", path, message);
    LLVMDisposeMessage(message);
    LLVMContextDispose(llvm);
    return 1;
  }
  int status = library->lower_module(module, NULL, report, path) ? 1 : 0;
  char *text = LLVMPrintModuleToString(module);
  if (!status)
    fputs(text, stdout);
  LLVMDisposeMessage(text);
  LLVMDisposeModule(module);
  LLVMContextDispose(llvm);
  return status;
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: dlopen_host LIBRARY IN.ll\n");
    return 2;
  }
  struct library library = load(argv[1]);
  list_builtins(&library);
  return lower(&library, argv[2]);
}
