#include "cc_clash.h"

#include "cc_object.h"

#include <ctype.h>
#include <dlfcn.h>
#include <llvm-c/Comdat.h>
#include <llvm-c/Core.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- reserved names */

/* What the archives of a static link define besides: a tree of copies, which live as long as the process. */
static void *cc_clash_of_archives;

static int cc_clash_compare(const void *left, const void *right) {
  return strcmp(left, right);
}

static void cc_clash_add(const char *name, void *context) {
  (void)context;
  char *copy = tfind(name, &cc_clash_of_archives, cc_clash_compare) ? NULL : strdup(name);
  if (copy)
    tsearch(copy, &cc_clash_of_archives, cc_clash_compare);
}

void cc_clash_reserve_archives(void) {
  static const struct {
    const char *symbol, *archive;
  } libraries[] = {
      {"SSL_new", "libssl.a"}, {"EVP_MD_CTX_new", "libcrypto.a"}, {"inflate", "libz.a"}, {"qsort", "libc.a"}};
  for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++) {
    Dl_info info;
    void *symbol = dlsym(RTLD_DEFAULT, libraries[i].symbol);
    const char *library = symbol && dladdr(symbol, &info) ? info.dli_fname : "";
    const char *slash = strrchr(library, '/');
    char *path = NULL;
    if (slash && asprintf(&path, "%.*s/%s", (int)(slash - library), library, libraries[i].archive) >= 0)
      cc_object_each_in_archive(path, cc_clash_add, NULL);
    free(path);
  }
}

/* The libraries that the runtime needs are loaded here (libc, libm, OpenSSL, zlib: tools/meson.build links them for
 * this lookup, main.c makes their names global); the table has what libc defines in static objects. LLVM is loaded too,
 * with names of C++ that the program's inline functions share. */
bool cc_clash_is_reserved(const char *name) {
  static const char *const static_symbols[] = {"_start", "_init", "_fini", "atexit", "at_quick_exit", "pthread_atfork"};
  for (size_t i = 0; i < sizeof static_symbols / sizeof *static_symbols; i++)
    if (!strcmp(name, static_symbols[i]))
      return true;
  if (!strcmp(name, "main") || !strncmp(name, "_Z", 2))
    return false;
  return !strncmp(name, "osp_ws_", 7) || tfind(name, &cc_clash_of_archives, cc_clash_compare) ||
         dlsym(RTLD_DEFAULT, name);
}

/* ---- names of modules */

/* A name that LLVM passes on as it is begins with a byte that says so. The linker does not see it. */
static const char *cc_clash_linker_name(LLVMValueRef global) {
  size_t length;
  const char *name = LLVMGetValueName2(global, &length);
  return name + (*name == '\1');
}

static LLVMValueRef cc_clash_find(LLVMModuleRef module, const char *name) {
  LLVMValueRef global = LLVMGetNamedFunction(module, name);
  if (!global)
    global = LLVMGetNamedGlobal(module, name);
  if (!global)
    global = LLVMGetNamedGlobalAlias(module, name, strlen(name));
  if (!global)
    global = LLVMGetNamedGlobalIFunc(module, name, strlen(name));
  return global;
}

/* As above, by the name that the linker sees. */
static LLVMValueRef cc_clash_find_either(LLVMModuleRef module, const char *name) {
  char *literal = NULL;
  LLVMValueRef global = cc_clash_find(module, name);
  if (!global && asprintf(&literal, "\1%s", name) >= 0)
    global = cc_clash_find(module, literal);
  free(literal);
  return global;
}

/* Returns true if all definitions of the name are the same function, so that each module can have its own. */
static bool cc_clash_is_odr_function(LLVMValueRef global) {
  LLVMLinkage linkage = LLVMGetLinkage(global);
  return !LLVMIsAGlobalVariable(global) && (linkage == LLVMLinkOnceODRLinkage || linkage == LLVMWeakODRLinkage);
}

/* Returns true if the linker would give two modules one definition between them. */
static bool cc_clash_is_shared(LLVMValueRef global, LLVMValueRef other) {
  LLVMLinkage linkage = LLVMGetLinkage(other);
  if (LLVMIsDeclaration(other))
    return true;
  if (linkage == LLVMInternalLinkage || linkage == LLVMPrivateLinkage)
    return false;
  if (linkage == LLVMExternalLinkage && LLVMGetLinkage(global) == LLVMExternalLinkage)
    return false; /* no linker takes both */
  return !cc_clash_is_odr_function(global) || !cc_clash_is_odr_function(other);
}

/* ---- names in assembly, which LLVM does not rename */

static bool cc_clash_has_word(const char *text, size_t n, const char *word) {
  size_t length = strlen(word);
  for (const char *at = text; (at = memmem(at, n - (size_t)(at - text), word, length)) != NULL; at++) {
    bool begins = at == text || !(isalnum((unsigned char)at[-1]) || strchr("_.$", at[-1]));
    char after = at + length < text + n ? at[length] : ' ';
    if (begins && !(isalnum((unsigned char)after) || strchr("_.$", after)))
      return true;
  }
  return false;
}

static bool cc_clash_inline_assembly_has(LLVMValueRef call, const char *name) {
  if (!LLVMIsACallInst(call) && !LLVMIsAInvokeInst(call) && !LLVMIsACallBrInst(call))
    return false;
  if (!LLVMIsAInlineAsm(LLVMGetCalledValue(call)))
    return false;
  char *text = LLVMPrintValueToString(LLVMGetCalledValue(call));
  bool has = cc_clash_has_word(text, strlen(text), name);
  LLVMDisposeMessage(text);
  return has;
}

static bool cc_clash_assembly_has(LLVMModuleRef module, const char *name) {
  size_t length;
  const char *text = LLVMGetModuleInlineAsm(module, &length);
  if (cc_clash_has_word(text, length, name))
    return true;
  for (LLVMValueRef f = LLVMGetFirstFunction(module); f; f = LLVMGetNextFunction(f))
    for (LLVMBasicBlockRef b = LLVMGetFirstBasicBlock(f); b; b = LLVMGetNextBasicBlock(b))
      for (LLVMValueRef i = LLVMGetFirstInstruction(b); i; i = LLVMGetNextInstruction(i))
        if (cc_clash_inline_assembly_has(i, name))
          return true;
  return false;
}

/* Returns who else uses the name that this file defines, and would not find it if it were hidden; NULL: nobody. */
static const char *cc_clash_use_elsewhere(const struct ir_file *files, size_t count, size_t which,
                                          LLVMValueRef global) {
  const char *name = cc_clash_linker_name(global);
  for (size_t i = 0; i < count; i++) {
    LLVMValueRef other = i == which || !files[i].module ? NULL : cc_clash_find_either(files[i].module, name);
    if (other && cc_clash_is_shared(global, other))
      return LLVMIsDeclaration(other) ? "another input declares" : "another input defines";
  }
  return cc_clash_assembly_has(files[which].module, name) ? "assembly names" : NULL;
}

static void cc_clash_leave_comdat_if_in(LLVMModuleRef module, LLVMValueRef global, LLVMComdatRef comdat) {
  size_t length;
  if (LLVMGetComdat(global) != comdat)
    return;
  LLVMLinkage linkage = LLVMGetLinkage(global);
  bool is_local = linkage == LLVMInternalLinkage || linkage == LLVMPrivateLinkage;
  LLVMSetComdat(global, is_local ? NULL : LLVMGetOrInsertComdat(module, LLVMGetValueName2(global, &length)));
}

/* What a comdat holds goes separate ways: the linker may take another input's in its place, and what is hidden would
 * name parts of one that is gone. */
static void cc_clash_split_comdat(LLVMModuleRef module, LLVMComdatRef comdat) {
  for (LLVMValueRef f = LLVMGetFirstFunction(module); f; f = LLVMGetNextFunction(f))
    cc_clash_leave_comdat_if_in(module, f, comdat);
  for (LLVMValueRef v = LLVMGetFirstGlobal(module); v; v = LLVMGetNextGlobal(v))
    cc_clash_leave_comdat_if_in(module, v, comdat);
}

/* Renames close to close.osprey: an internal `memcpy` would still receive the calls that the code generator emits. */
static bool cc_clash_hide_global(LLVMValueRef global) {
  char *name = NULL;
  if (asprintf(&name, "%s.osprey", cc_clash_linker_name(global)) < 0)
    return false;
  bool may_have_comdat = LLVMIsAFunction(global) || LLVMIsAGlobalVariable(global);
  LLVMComdatRef comdat = may_have_comdat ? LLVMGetComdat(global) : NULL;
  if (comdat) {
    cc_clash_split_comdat(LLVMGetGlobalParent(global), comdat);
    LLVMSetComdat(global, NULL);
  }
  LLVMSetLinkage(global, LLVMInternalLinkage);
  LLVMSetValueName2(global, name, strlen(name));
  free(name);
  return true;
}

/* Returns true if the linker sees the definition. */
static bool cc_clash_is_visible(LLVMValueRef global) {
  static const LLVMLinkage linkages[] = {LLVMExternalLinkage, LLVMWeakAnyLinkage,     LLVMWeakODRLinkage,
                                         LLVMCommonLinkage,   LLVMLinkOnceAnyLinkage, LLVMLinkOnceODRLinkage};
  for (size_t i = 0; i < sizeof linkages / sizeof *linkages; i++)
    if (LLVMGetLinkage(global) == linkages[i])
      return !LLVMIsDeclaration(global);
  return false;
}

bool cc_clash_is_defined_elsewhere(const struct ir_file *files, size_t count, size_t which, const char *name) {
  for (size_t i = 0; i < count; i++) {
    LLVMValueRef other = i == which || !files[i].module ? NULL : cc_clash_find_either(files[i].module, name);
    if (other && cc_clash_is_visible(other))
      return true;
  }
  return false;
}

static bool cc_clash_hide_if_reserved(const struct ir_file *files, size_t count, size_t which, LLVMValueRef global) {
  const char *name = cc_clash_linker_name(global);
  if (!cc_clash_is_visible(global) || !cc_clash_is_reserved(name))
    return false;
  const char *use = cc_clash_use_elsewhere(files, count, which, global);
  if (!use)
    return cc_clash_hide_global(global);
  fprintf(stderr, "%s: warning: '%s' is a name of the C library's, but %s it: it stays visible\n", files[which].name,
          name, use);
  return false;
}

size_t cc_clash_hide(const struct ir_file *files, size_t count, size_t which) {
  LLVMModuleRef module = files[which].module;
  size_t hidden = 0;
  for (LLVMValueRef f = LLVMGetFirstFunction(module); f; f = LLVMGetNextFunction(f))
    hidden += cc_clash_hide_if_reserved(files, count, which, f);
  for (LLVMValueRef v = LLVMGetFirstGlobal(module); v; v = LLVMGetNextGlobal(v))
    hidden += cc_clash_hide_if_reserved(files, count, which, v);
  for (LLVMValueRef a = LLVMGetFirstGlobalAlias(module); a; a = LLVMGetNextGlobalAlias(a))
    hidden += cc_clash_hide_if_reserved(files, count, which, a);
  for (LLVMValueRef i = LLVMGetFirstGlobalIFunc(module); i; i = LLVMGetNextGlobalIFunc(i))
    hidden += cc_clash_hide_if_reserved(files, count, which, i);
  return hidden;
}
