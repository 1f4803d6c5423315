/* Who owns a value, what a scope must release, and where values meet. */
#include "lower.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct lower_value lower_borrowed(LLVMValueRef ir) {
  return (struct lower_value){.ir = ir};
}

/* What a function returned, or a block just made. */
struct lower_value lower_fresh(const struct type *type, LLVMValueRef ir) {
  return (struct lower_value){.ir = ir, .owned = type_is_managed(type)};
}

struct lower_value lower_unit(struct lower *lower) {
  return lower_borrowed(lower_word(lower, 0));
}

/* Constants are never counted: no code for them. */
void lower_retain(struct lower_function *fn, LLVMValueRef ir) {
  if (!LLVMIsConstant(ir))
    lower_call_hook(fn->lower, "osp_retain", NULL, &ir, 1);
}

void lower_release(struct lower_function *fn, LLVMValueRef ir) {
  if (!LLVMIsConstant(ir))
    lower_call_hook(fn->lower, "osp_release", NULL, &ir, 1);
}

/* Makes sure that the value is owned. */
LLVMValueRef lower_own(struct lower_function *fn, const struct type *type, struct lower_value value) {
  if (type_is_managed(type) && !value.owned)
    lower_retain(fn, value.ir);
  return value.ir;
}

void lower_drop(struct lower_function *fn, struct lower_value value) {
  if (value.owned)
    lower_release(fn, value.ir);
}

/* Turns an owned value into one that is borrowed from the current scope. */
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

/* Releases what lies above the depth, but for what was moved. The entries stay. */
void lower_release_to(struct lower_function *fn, size_t depth) {
  for (size_t i = fn->cleanup_count; i-- > depth;) {
    if (!fn->cleanups[i].moved)
      lower_release(fn, fn->cleanups[i].ir);
    fn->cleanups[i].moved = false;
  }
}

void lower_pop_to(struct lower_function *fn, size_t depth) {
  assert(depth <= fn->cleanup_count);
  fn->cleanup_count = depth;
}

/* lower_own on a way out that releases down to the depth: a reference that would be retained here and released there moves. */
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

/* A select, or what it would choose where that is known. */
LLVMValueRef lower_select(struct lower *lower, LLVMValueRef condition, LLVMValueRef then, LLVMValueRef otherwise) {
  if (LLVMIsAConstantInt(condition))
    return LLVMConstIntGetZExtValue(condition) ? then : otherwise;
  return LLVMBuildSelect(lower->builder, condition, then, otherwise, "");
}

/* left || right, for conditions that may be known to be false. */
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

/* Continues in a block, which moves to the end of the text so far. */
void lower_block_enter(struct lower_function *fn, LLVMBasicBlockRef block) {
  LLVMBasicBlockRef last = LLVMGetLastBasicBlock(fn->ir);
  if (last != block)
    LLVMMoveBasicBlockAfter(block, last);
  LLVMPositionBuilderAtEnd(fn->lower->builder, block);
}

/* A target at the current depth, for values of a type; the builder stays where it is. */
void lower_target_begin(struct lower_function *fn, struct lower_target *target, const struct type *type) {
  LLVMBasicBlockRef here = LLVMGetInsertBlock(fn->lower->builder);
  target->returns = false;
  target->depth = fn->cleanup_count;
  target->block = lower_block_new(fn, "join");
  LLVMPositionBuilderAtEnd(fn->lower->builder, target->block);
  target->phi = LLVMBuildPhi(fn->lower->builder, lower_type(fn->lower, type), "");
  LLVMPositionBuilderAtEnd(fn->lower->builder, here);
}

/* Continues at the target. */
struct lower_value lower_target_end(struct lower_function *fn, struct lower_target *target, const struct type *type) {
  lower_block_enter(fn, target->block);
  return lower_fresh(type, target->phi);
}

/* Ends the block: releases what the target has no part in, and goes there with the value. */
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

static size_t bindings_slot(const struct lower_bindings *bindings, const struct ast_variable *variable) {
  size_t slot = ((uintptr_t)variable >> 4) * 0x9e3779b97f4a7c15u & (bindings->capacity - 1);
  while (bindings->keys[slot] && bindings->keys[slot] != variable)
    slot = (slot + 1) & (bindings->capacity - 1);
  return slot;
}

static void bindings_grow(struct lower_bindings *bindings) {
  struct lower_bindings old = *bindings;
  bindings->capacity = old.capacity ? 2 * old.capacity : 256;
  bindings->keys = calloc(bindings->capacity, sizeof *bindings->keys);
  bindings->values = calloc(bindings->capacity, sizeof *bindings->values);
  for (size_t i = 0; i < old.capacity; i++) {
    if (!old.keys[i])
      continue;
    size_t slot = bindings_slot(bindings, old.keys[i]);
    bindings->keys[slot] = old.keys[i];
    bindings->values[slot] = old.values[i];
  }
  free(old.keys);
  free(old.values);
}

void lower_bind(struct lower *lower, const struct ast_variable *variable, LLVMValueRef ir) {
  struct lower_bindings *bindings = &lower->bindings;
  if (2 * (bindings->count + 1) > bindings->capacity)
    bindings_grow(bindings);
  size_t slot = bindings_slot(bindings, variable);
  bindings->count += bindings->keys[slot] == NULL;
  bindings->keys[slot] = variable;
  bindings->values[slot] = ir;
}

LLVMValueRef lower_binding(const struct lower *lower, const struct ast_variable *variable) {
  LLVMValueRef ir = lower->bindings.values[bindings_slot(&lower->bindings, variable)];
  assert(ir && "a variable is bound before it is used");
  return ir;
}
