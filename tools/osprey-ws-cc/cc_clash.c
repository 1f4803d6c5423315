#include "cc_clash.h"

#include <dlfcn.h>
#include <llvm-c/Core.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The libraries that a program with this runtime is linked with are loaded in this process too: libc, libm, OpenSSL and
 * zlib (the build links them for this purpose). What they do not show are the few symbols that are linked statically. */
static bool cc_belongs_to_c(const char *name) {
  static const char *const linked_statically[] = {"_start", "_init",         "_fini",
                                                  "atexit", "at_quick_exit", "pthread_atfork"};
  for (size_t i = 0; i < sizeof(linked_statically) / sizeof(linked_statically[0]); i++)
    if (!strcmp(name, linked_statically[i]))
      return true;
  return !strncmp(name, "osp_ws_", 7) || dlsym(RTLD_DEFAULT, name);
}

static bool cc_is_wanted_elsewhere(const struct ir_file *files, size_t count, size_t which, const char *name) {
  for (size_t i = 0; i < count; i++) {
    if (i == which || !files[i].module)
      continue;
    LLVMValueRef other = LLVMGetNamedFunction(files[i].module, name);
    if (other && LLVMIsDeclaration(other))
      return true;
  }
  return false;
}

/* close becomes close.osprey, internal. The new name keeps the code generator's own calls (memcpy, for one) apart. */
static bool cc_hide(LLVMValueRef global) {
  char *name = NULL;
  size_t length;
  if (asprintf(&name, "%s.osprey", LLVMGetValueName2(global, &length)) < 0)
    return false;
  LLVMSetLinkage(global, LLVMInternalLinkage);
  LLVMSetValueName2(global, name, strlen(name));
  free(name);
  return true;
}

static bool cc_hide_if_clashing(const struct ir_file *files, size_t count, size_t which, LLVMValueRef global) {
  size_t length;
  const char *name = LLVMGetValueName2(global, &length);
  if (LLVMIsDeclaration(global) || LLVMGetLinkage(global) != LLVMExternalLinkage || !strcmp(name, "main") ||
      !cc_belongs_to_c(name))
    return false;
  if (!cc_is_wanted_elsewhere(files, count, which, name))
    return cc_hide(global);
  fprintf(stderr, "%s: warning: '%s' is a name of the C library's, but another input declares it: it stays visible\n",
          files[which].name, name);
  return false;
}

size_t cc_clash_hide(const struct ir_file *files, size_t count, size_t which) {
  LLVMModuleRef module = files[which].module;
  size_t hidden = 0;
  for (LLVMValueRef f = LLVMGetFirstFunction(module); f; f = LLVMGetNextFunction(f))
    hidden += cc_hide_if_clashing(files, count, which, f);
  for (LLVMValueRef v = LLVMGetFirstGlobal(module); v; v = LLVMGetNextGlobal(v))
    hidden += cc_hide_if_clashing(files, count, which, v);
  return hidden;
}
