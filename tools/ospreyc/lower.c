#include "lower.h"

#include "lower_type.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* The bits of LLVM's `allockind`. */
enum { KIND_ALLOC = 1, KIND_UNINITIALIZED = 8, KIND_ZEROED = 16 };

/* `allocsize(0)`: argument 0 is the size, and no argument is a count of elements. */
static const uint64_t allocsize_0 = 0xffffffff;

struct lower_value lower_borrowed(LLVMValueRef ir) {
  return (struct lower_value){.ir = ir};
}

struct lower_value lower_fresh(const struct type *type, LLVMValueRef ir) {
  return (struct lower_value){.ir = ir, .owned = type_is_managed(type)};
}

struct lower_value lower_unit(struct lower *lower) {
  return lower_borrowed(lower_word(lower, 0));
}

LLVMValueRef lower_word(struct lower *lower, int64_t value) {
  return LLVMConstInt(lower->word, (unsigned long long)value, true);
}

void lower_retain(struct lower_function *fn, LLVMValueRef ir) {
  if (!LLVMIsConstant(ir))
    lower_call_hook(fn->lower, "osp_retain", NULL, &ir, 1);
}

void lower_release(struct lower_function *fn, LLVMValueRef ir) {
  if (!LLVMIsConstant(ir))
    lower_call_hook(fn->lower, "osp_release", NULL, &ir, 1);
}

LLVMValueRef lower_own(struct lower_function *fn, const struct type *type, struct lower_value value) {
  if (type_is_managed(type) && !value.owned)
    lower_retain(fn, value.ir);
  return value.ir;
}

void lower_drop(struct lower_function *fn, struct lower_value value) {
  if (value.owned)
    lower_release(fn, value.ir);
}

LLVMValueRef lower_keep(struct lower_function *fn, struct lower_value value) {
  if (value.owned)
    lower_push(fn, value.ir);
  return value.ir;
}

void lower_push(struct lower_function *fn, LLVMValueRef ir) {
  if (fn->cleanup_count == fn->cleanup_capacity) {
    fn->cleanup_capacity = fn->cleanup_capacity ? 2 * fn->cleanup_capacity : 16;
    fn->cleanups = realloc(fn->cleanups, fn->cleanup_capacity * sizeof *fn->cleanups);
  }
  fn->cleanups[fn->cleanup_count++] = (struct lower_cleanup){.ir = ir};
}

void lower_release_to(struct lower_function *fn, size_t depth) {
  for (size_t i = fn->cleanup_count; i-- > depth;) {
    if (!fn->cleanups[i].moved && !fn->cleanups[i].absent)
      lower_release(fn, fn->cleanups[i].ir);
    fn->cleanups[i].moved = false;
  }
}

void lower_pop_to(struct lower_function *fn, size_t depth) {
  assert(depth <= fn->cleanup_count);
  fn->cleanup_count = depth;
}

void lower_leave(struct lower_function *fn, size_t depth) {
  lower_release_to(fn, depth);
  lower_pop_to(fn, depth);
}

LLVMValueRef lower_own_moving(struct lower_function *fn, const struct type *type, struct lower_value value,
                              size_t depth) {
  if (!type_is_managed(type) || value.owned)
    return value.ir;
  for (size_t i = fn->cleanup_count; i-- > depth;) {
    if (fn->cleanups[i].ir == value.ir && !fn->cleanups[i].moved) {
      fn->cleanups[i].moved = true;
      return value.ir;
    }
  }
  return lower_own(fn, type, value);
}

LLVMValueRef lower_select(struct lower *lower, LLVMValueRef condition, LLVMValueRef then, LLVMValueRef otherwise) {
  if (LLVMIsAConstantInt(condition))
    return LLVMConstIntGetZExtValue(condition) ? then : otherwise;
  return LLVMBuildSelect(lower->builder, condition, then, otherwise, "");
}

LLVMValueRef lower_or(struct lower *lower, LLVMValueRef left, LLVMValueRef right) {
  if (LLVMIsAConstantInt(left) && !LLVMConstIntGetZExtValue(left))
    return right;
  if (LLVMIsAConstantInt(right) && !LLVMConstIntGetZExtValue(right))
    return left;
  return LLVMBuildOr(lower->builder, left, right, "");
}

LLVMBasicBlockRef lower_block_new(struct lower_function *fn, const char *name) {
  return LLVMAppendBasicBlockInContext(fn->lower->llvm, fn->ir, name);
}

LLVMValueRef lower_alloca(struct lower_function *fn, LLVMTypeRef type, LLVMValueRef count, const char *name) {
  LLVMBuilderRef builder = fn->lower->builder;
  LLVMBasicBlockRef here = LLVMGetInsertBlock(builder);
  LLVMMetadataRef place = LLVMGetCurrentDebugLocation2(builder);
  LLVMPositionBuilderAtEnd(builder, fn->entry);
  LLVMSetCurrentDebugLocation2(builder, NULL);
  LLVMValueRef address = LLVMBuildArrayAlloca(builder, type, count, name);
  LLVMPositionBuilderAtEnd(builder, here);
  LLVMSetCurrentDebugLocation2(builder, place);
  return address;
}

void lower_block_enter(struct lower_function *fn, LLVMBasicBlockRef block) {
  LLVMBasicBlockRef last = LLVMGetLastBasicBlock(fn->ir);
  if (last != block)
    LLVMMoveBasicBlockAfter(block, last);
  LLVMPositionBuilderAtEnd(fn->lower->builder, block);
}

void lower_target_begin(struct lower_function *fn, struct lower_target *target, const struct type *type) {
  LLVMBasicBlockRef here = LLVMGetInsertBlock(fn->lower->builder);
  target->returns = false;
  target->depth = fn->cleanup_count;
  target->block = lower_block_new(fn, "join");
  LLVMPositionBuilderAtEnd(fn->lower->builder, target->block);
  target->phi = LLVMBuildPhi(fn->lower->builder, lower_type(fn->lower, type), "");
  LLVMPositionBuilderAtEnd(fn->lower->builder, here);
}

struct lower_value lower_target_end(struct lower_function *fn, struct lower_target *target, const struct type *type) {
  lower_block_enter(fn, target->block);
  return lower_fresh(type, target->phi);
}

void lower_deliver(struct lower_function *fn, const struct type *type, struct lower_value value,
                   const struct lower_target *target) {
  LLVMBuilderRef builder = fn->lower->builder;
  LLVMValueRef ir = lower_own_moving(fn, type, value, target->depth);
  lower_release_to(fn, target->depth);
  if (target->returns) {
    LLVMBuildRet(builder, ir);
    return;
  }
  LLVMBasicBlockRef from = LLVMGetInsertBlock(builder);
  LLVMAddIncoming(target->phi, &ir, &from, 1);
  LLVMBuildBr(builder, target->block);
}

LLVMValueRef lower_constant(struct lower *lower, LLVMValueRef content, const char *name) {
  LLVMValueRef constant = LLVMAddGlobal(lower->module, LLVMTypeOf(content), name);
  LLVMSetInitializer(constant, content);
  LLVMSetGlobalConstant(constant, true);
  LLVMSetLinkage(constant, LLVMPrivateLinkage);
  LLVMSetUnnamedAddress(constant, LLVMGlobalUnnamedAddr);
  return constant;
}

void lower_attribute(struct lower *lower, LLVMValueRef function, unsigned at, const char *name, uint64_t value) {
  unsigned kind = LLVMGetEnumAttributeKindForName(name, strlen(name));
  LLVMAddAttributeAtIndex(function, at, LLVMCreateEnumAttribute(lower->llvm, kind, value));
}

/* Tells the optimiser what it may assume of a hook. */
static void hook_describe(struct lower *lower, LLVMValueRef function, const char *name) {
  static const char family[] = "alloc-family", osprey[] = "osprey";
  LLVMAttributeIndex whole = (LLVMAttributeIndex)LLVMAttributeFunctionIndex;
  lower_attribute(lower, function, whole, "nounwind", 0);
  if (strncmp(name, "osp_alloc", strlen("osp_alloc")) == 0) {
    LLVMAddAttributeAtIndex(
        function, whole, LLVMCreateStringAttribute(lower->llvm, family, sizeof family - 1, osprey, sizeof osprey - 1));
    bool zeroed = strcmp(name, "osp_alloc_tagged") == 0;
    lower_attribute(lower, function, whole, "allockind", KIND_ALLOC | (zeroed ? KIND_ZEROED : KIND_UNINITIALIZED));
    lower_attribute(lower, function, whole, "allocsize", allocsize_0);
    lower_attribute(lower, function, LLVMAttributeReturnIndex, "noalias", 0);
    lower_attribute(lower, function, LLVMAttributeReturnIndex, "nonnull", 0);
  }
  if (strcmp(name, "osp_rt_null_result") == 0) {
    lower_attribute(lower, function, whole, "noreturn", 0);
    lower_attribute(lower, function, whole, "cold", 0);
    return;
  }
  bool waits = strcmp(name, "osp_rt_sleep") == 0 || strcmp(name, "osp_rt_input") == 0 ||
               strcmp(name, "osp_rt_read_file") == 0 || strcmp(name, "osp_rt_write_file") == 0;
  if (!waits) {
    lower_attribute(lower, function, whole, "mustprogress", 0);
    lower_attribute(lower, function, whole, "willreturn", 0);
  }
}

LLVMValueRef lower_call_hook(struct lower *lower, const char *name, LLVMTypeRef result, LLVMValueRef *arguments,
                             unsigned count) {
  LLVMTypeRef parameters[4];
  for (unsigned i = 0; i < count; i++)
    parameters[i] = LLVMTypeOf(arguments[i]);
  LLVMTypeRef type = LLVMFunctionType(result ? result : LLVMVoidTypeInContext(lower->llvm), parameters, count, false);
  LLVMValueRef function = LLVMGetNamedFunction(lower->module, name);
  if (!function) {
    function = LLVMAddFunction(lower->module, name, type);
    hook_describe(lower, function, name);
  }
  return LLVMBuildCall2(lower->builder, type, function, arguments, count, "");
}

static LLVMValueRef hook_alloc(struct lower *lower, const char *name, LLVMTypeRef block, int64_t meta) {
  LLVMValueRef arguments[] = {lower_type_size(lower, block), lower_word(lower, meta)};
  return lower_call_hook(lower, name, lower->pointer, arguments, 2);
}

LLVMValueRef lower_alloc(struct lower *lower, LLVMTypeRef block, int64_t meta) {
  return hook_alloc(lower, "osp_alloc_tagged", block, meta);
}

LLVMValueRef lower_alloc_record(struct lower *lower, LLVMTypeRef block, int64_t meta) {
  return hook_alloc(lower, "osp_alloc_tagged_noinit", block, meta);
}
