#include "part.h"

#include "memory.h"

#include <string.h>

static bool cg_is_same_part(const struct cg_part *a, const struct cg_part *b) {
  return a->value == b->value && a->levels == b->levels && !memcmp(a->path, b->path, a->levels * sizeof *a->path);
}

static void cg_part_add(struct cg_parts *parts, LLVMValueRef value, const unsigned *path, unsigned levels) {
  struct cg_part part = {.value = value, .levels = levels};
  if (levels > CG_MOST_LEVELS || parts->count == CG_MOST_PARTS) {
    parts->unknown = true;
    return;
  }
  if (levels)
    memcpy(part.path, path, levels * sizeof *path);
  for (size_t i = 0; i < parts->count; i++)
    if (cg_is_same_part(&parts->items[i], &part))
      return;
  parts->items[parts->count++] = part;
}

/* A part of what an extractvalue reads. */
static void cg_add_outer(struct cg_parts *parts, LLVMValueRef extract, const struct cg_part *part) {
  unsigned path[CG_MOST_LEVELS], count = LLVMGetNumIndices(extract);
  if (count + part->levels > CG_MOST_LEVELS) {
    parts->unknown = true;
    return;
  }
  memcpy(path, LLVMGetIndices(extract), count * sizeof *path);
  if (part->levels)
    memcpy(path + count, part->path, part->levels * sizeof *path);
  cg_part_add(parts, LLVMGetOperand(extract, 0), path, count + part->levels);
}

/* An insertvalue replaces the part, or leaves it as it is. */
static void cg_add_inserted(struct cg_parts *parts, LLVMValueRef insert, const struct cg_part *part) {
  unsigned count = LLVMGetNumIndices(insert);
  bool replaced = count <= part->levels && !memcmp(LLVMGetIndices(insert), part->path, count * sizeof *part->path);
  if (replaced)
    cg_part_add(parts, LLVMGetOperand(insert, 1), part->path + count, part->levels - count);
  else
    cg_part_add(parts, LLVMGetOperand(insert, 0), part->path, part->levels);
}

static void cg_add_returned(struct cg_parts *parts, LLVMValueRef call, const struct cg_part *part) {
  LLVMValueRef callee = LLVMGetCalledValue(call);
  if (!LLVMIsAFunction(callee) || !cg_memory_is_local(callee) ||
      LLVMGetCalledFunctionType(call) != LLVMGlobalGetValueType(callee)) {
    parts->unknown = true;
    return;
  }
  for (LLVMBasicBlockRef block = LLVMGetFirstBasicBlock(callee); block; block = LLVMGetNextBasicBlock(block)) {
    LLVMValueRef end = LLVMGetBasicBlockTerminator(block);
    if (end && LLVMIsAReturnInst(end) && LLVMGetNumOperands(end) == 1)
      cg_part_add(parts, LLVMGetOperand(end, 0), part->path, part->levels);
  }
}

static void cg_add_passed(struct cg_parts *parts, const struct cg_part *part) {
  unsigned index;
  LLVMValueRef function = LLVMGetParamParent(part->value);
  if (!parts->known_calls(part->value, &index)) {
    parts->unknown = true;
    return;
  }
  for (LLVMUseRef use = LLVMGetFirstUse(function); use && !parts->unknown; use = LLVMGetNextUse(use))
    cg_part_add(parts, LLVMGetOperand(LLVMGetUser(use), index), part->path, part->levels);
}

static void cg_add_constant_part(struct cg_parts *parts, const struct cg_part *part) {
  LLVMValueRef value = part->value;
  for (unsigned i = 0; value && i < part->levels && !LLVMIsUndef(value); i++)
    value = LLVMGetAggregateElement(value, part->path[i]);
  if (!value)
    parts->unknown = true;
  else if (!LLVMIsUndef(value))
    cg_part_add(parts, value, NULL, 0);
}

static void cg_part_follow(struct cg_parts *parts, const struct cg_part *part) {
  LLVMValueRef value = part->value;
  LLVMOpcode opcode = LLVMIsAInstruction(value) ? LLVMGetInstructionOpcode(value) : (LLVMOpcode)0;
  if (LLVMIsConstant(value)) {
    cg_add_constant_part(parts, part);
  } else if (LLVMIsAArgument(value)) {
    cg_add_passed(parts, part);
  } else if (opcode == LLVMExtractValue) {
    cg_add_outer(parts, value, part);
  } else if (opcode == LLVMInsertValue) {
    cg_add_inserted(parts, value, part);
  } else if (opcode == LLVMCall || opcode == LLVMInvoke) {
    cg_add_returned(parts, value, part);
  } else if (opcode == LLVMPHI || opcode == LLVMSelect || opcode == LLVMFreeze) {
    for (unsigned i = opcode == LLVMSelect; i < (unsigned)LLVMGetNumOperands(value); i++)
      cg_part_add(parts, LLVMGetOperand(value, i), part->path, part->levels);
  } else {
    parts->unknown = true;
  }
}

void cg_parts_of(LLVMValueRef extract, cg_part_known_calls *known_calls, struct cg_parts *parts) {
  struct cg_part whole = {.value = extract};
  parts->known_calls = known_calls;
  parts->count = 0;
  parts->unknown = false;
  cg_add_outer(parts, extract, &whole);
  for (size_t i = 0; i < parts->count; i++) {
    struct cg_part part = parts->items[i];
    if (part.levels)
      cg_part_follow(parts, &part);
  }
}
