#include "cc_clash.h"

#include <dlfcn.h>
#include <llvm-c/Core.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Returns true if the runtime or a library it needs uses the name. The same libraries are loaded here (libc, libm,
 * OpenSSL, zlib: tools/meson.build links them for this lookup, main.c makes their names global); the table has what
 * libc defines in static objects. */
static bool cc_clash_is_reserved(const char *name) {
  static const char *const static_symbols[] = {"_start", "_init", "_fini", "atexit", "at_quick_exit", "pthread_atfork"};
  for (size_t i = 0; i < sizeof static_symbols / sizeof *static_symbols; i++)
    if (!strcmp(name, static_symbols[i]))
      return true;
  return !strncmp(name, "osp_ws_", 7) || dlsym(RTLD_DEFAULT, name);
}

static bool cc_clash_is_declared_elsewhere(const struct ir_file *files, size_t count, size_t which, const char *name) {
  for (size_t i = 0; i < count; i++) {
    if (i == which || !files[i].module)
      continue;
    LLVMValueRef other = LLVMGetNamedFunction(files[i].module, name);
    if (other && LLVMIsDeclaration(other))
      return true;
  }
  return false;
}

/* Renames close to close.osprey: an internal `memcpy` would still receive the calls that the code generator emits. */
static bool cc_clash_hide_global(LLVMValueRef global) {
  char *name = NULL;
  size_t length;
  if (asprintf(&name, "%s.osprey", LLVMGetValueName2(global, &length)) < 0)
    return false;
  LLVMSetLinkage(global, LLVMInternalLinkage);
  LLVMSetValueName2(global, name, strlen(name));
  free(name);
  return true;
}

static bool cc_clash_hide_if_reserved(const struct ir_file *files, size_t count, size_t which, LLVMValueRef global) {
  size_t length;
  const char *name = LLVMGetValueName2(global, &length);
  if (LLVMIsDeclaration(global) || LLVMGetLinkage(global) != LLVMExternalLinkage || !strcmp(name, "main") ||
      !cc_clash_is_reserved(name))
    return false;
  if (!cc_clash_is_declared_elsewhere(files, count, which, name))
    return cc_clash_hide_global(global);
  fprintf(stderr, "%s: warning: '%s' is a name of the C library's, but another input declares it: it stays visible\n",
          files[which].name, name);
  return false;
}

size_t cc_clash_hide(const struct ir_file *files, size_t count, size_t which) {
  LLVMModuleRef module = files[which].module;
  size_t hidden = 0;
  for (LLVMValueRef f = LLVMGetFirstFunction(module); f; f = LLVMGetNextFunction(f))
    hidden += cc_clash_hide_if_reserved(files, count, which, f);
  for (LLVMValueRef v = LLVMGetFirstGlobal(module); v; v = LLVMGetNextGlobal(v))
    hidden += cc_clash_hide_if_reserved(files, count, which, v);
  return hidden;
}
