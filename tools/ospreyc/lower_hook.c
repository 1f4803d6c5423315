/* The C functions that compiled code calls: declared once, when first called, with what may be assumed of them. */
#include "lower.h"

#include <stdlib.h>
#include <string.h>

/* The bits of LLVM's `allockind`. */
enum { KIND_ALLOC = 1, KIND_FREE = 4, KIND_UNINITIALIZED = 8 };

/* `allocsize(0)`: the size is argument 0, and no argument counts elements. */
static const uint64_t allocsize_0 = 0xffffffff;

static void hook_attribute(struct lower *lower, LLVMValueRef function, unsigned at, const char *name, uint64_t value) {
  unsigned kind = LLVMGetEnumAttributeKindForName(name, strlen(name));
  LLVMAddAttributeAtIndex(function, at, LLVMCreateEnumAttribute(lower->llvm, kind, value));
}

static void hook_family(struct lower *lower, LLVMValueRef function, uint64_t allockind) {
  static const char family[] = "alloc-family", osprey[] = "osprey";
  LLVMAttributeRef attribute =
      LLVMCreateStringAttribute(lower->llvm, family, sizeof family - 1, osprey, sizeof osprey - 1);
  LLVMAddAttributeAtIndex(function, (LLVMAttributeIndex)LLVMAttributeFunctionIndex, attribute);
  hook_attribute(lower, function, (LLVMAttributeIndex)LLVMAttributeFunctionIndex, "allockind", allockind);
}

static void hook_describe(struct lower *lower, LLVMValueRef function, const char *name) {
  hook_attribute(lower, function, (LLVMAttributeIndex)LLVMAttributeFunctionIndex, "nounwind", 0);
  if (strncmp(name, "osp_alloc", strlen("osp_alloc")) == 0) {
    hook_family(lower, function, KIND_ALLOC | KIND_UNINITIALIZED);
    hook_attribute(lower, function, (LLVMAttributeIndex)LLVMAttributeFunctionIndex, "allocsize", allocsize_0);
    hook_attribute(lower, function, LLVMAttributeReturnIndex, "noalias", 0);
    hook_attribute(lower, function, LLVMAttributeReturnIndex, "nonnull", 0);
  }
  bool waits = strcmp(name, "osp_rt_sleep") == 0 || strcmp(name, "osp_rt_input") == 0;
  if (!waits) {
    hook_attribute(lower, function, (LLVMAttributeIndex)LLVMAttributeFunctionIndex, "mustprogress", 0);
    hook_attribute(lower, function, (LLVMAttributeIndex)LLVMAttributeFunctionIndex, "willreturn", 0);
  }
}

static LLVMValueRef hook_declare(struct lower *lower, const char *name, LLVMTypeRef type) {
  LLVMValueRef function = LLVMGetNamedFunction(lower->module, name);
  if (!function) {
    function = LLVMAddFunction(lower->module, name, type);
    hook_describe(lower, function, name);
  }
  return function;
}

/* Calls it with these arguments, whose types are its parameters'. A result type of NULL stands for void. */
LLVMValueRef lower_call_hook(struct lower *lower, const char *name, LLVMTypeRef result, LLVMValueRef *arguments,
                             unsigned count) {
  LLVMTypeRef parameters[4];
  for (unsigned i = 0; i < count; i++)
    parameters[i] = LLVMTypeOf(arguments[i]);
  LLVMTypeRef type = LLVMFunctionType(result ? result : LLVMVoidTypeInContext(lower->llvm), parameters, count, false);
  return LLVMBuildCall2(lower->builder, type, hook_declare(lower, name, type), arguments, count, "");
}

static LLVMValueRef hook_alloc(struct lower *lower, const char *name, LLVMTypeRef block, int64_t meta) {
  LLVMValueRef arguments[] = {lower_type_size(lower, block), lower_word(lower, meta)};
  return lower_call_hook(lower, name, lower->pointer, arguments, 2);
}

LLVMValueRef lower_alloc(struct lower *lower, LLVMTypeRef block, int64_t meta) {
  return hook_alloc(lower, "osp_alloc_tagged", block, meta);
}

/* The caller stores every member. */
LLVMValueRef lower_alloc_record(struct lower *lower, LLVMTypeRef block, int64_t meta) {
  return hook_alloc(lower, "osp_alloc_tagged_noinit", block, meta);
}
