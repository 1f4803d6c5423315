#include "memory.h"

#include "attribute.h"

#include <stdlib.h>
#include <string.h>

bool cg_memory_is_variable(LLVMValueRef value) {
  return LLVMIsAAllocaInst(value) || LLVMIsAGlobalVariable(value);
}

static bool cg_find_fixed_size(struct cg_memory *memory, LLVMTypeRef type) {
  switch (LLVMGetTypeKind(type)) {
  case LLVMIntegerTypeKind:
  case LLVMHalfTypeKind:
  case LLVMBFloatTypeKind:
  case LLVMFloatTypeKind:
  case LLVMDoubleTypeKind:
  case LLVMX86_FP80TypeKind:
  case LLVMFP128TypeKind:
  case LLVMPPC_FP128TypeKind:
  case LLVMPointerTypeKind:
    return true;
  case LLVMArrayTypeKind:
  case LLVMVectorTypeKind:
    return cg_memory_has_fixed_size(memory, LLVMGetElementType(type));
  case LLVMStructTypeKind:
    if (LLVMIsOpaqueStruct(type))
      return false;
    for (unsigned i = 0; i < LLVMCountStructElementTypes(type); i++)
      if (!cg_memory_has_fixed_size(memory, LLVMStructGetTypeAtIndex(type, i)))
        return false;
    return true;
  default:
    return false;
  }
}

/* A type without a fixed size has no offsets. Each is looked at once. */
bool cg_memory_has_fixed_size(struct cg_memory *memory, LLVMTypeRef type) {
  enum { UNKNOWN, FIXED, OTHER };
  if (cg_map_find(&memory->fixed, (uintptr_t)type) == UNKNOWN) {
    size_t answer = cg_find_fixed_size(memory, type) ? FIXED : OTHER;
    size_t *known = cg_map_at(&memory->fixed, (uintptr_t)type);
    if (!known) {
      memory->failed = true;
      return false;
    }
    *known = answer;
  }
  return cg_map_find(&memory->fixed, (uintptr_t)type) == FIXED;
}

static struct cg_address cg_indexed(LLVMValueRef index, uint64_t size) {
  if (!LLVMIsAConstantInt(index))
    return (struct cg_address){0, size};
  return (struct cg_address){(int64_t)((uint64_t)LLVMConstIntGetSExtValue(index) * size), 0};
}

bool cg_memory_step(struct cg_memory *memory, LLVMValueRef gep, struct cg_address *address) {
  LLVMTypeRef type = LLVMGetGEPSourceElementType(gep);
  if (LLVMGetTypeKind(LLVMTypeOf(gep)) != LLVMPointerTypeKind || !cg_memory_has_fixed_size(memory, type))
    return false;
  *address = cg_address_add(*address, cg_indexed(LLVMGetOperand(gep, 1), LLVMABISizeOfType(memory->layout, type)));
  for (unsigned i = 2; i < (unsigned)LLVMGetNumOperands(gep); i++) {
    LLVMValueRef index = LLVMGetOperand(gep, i);
    struct cg_address more;
    if (LLVMGetTypeKind(type) == LLVMStructTypeKind) {
      unsigned element = (unsigned)LLVMConstIntGetZExtValue(index);
      more = (struct cg_address){(int64_t)LLVMOffsetOfElement(memory->layout, type, element), 0};
      type = LLVMStructGetTypeAtIndex(type, element);
    } else {
      type = LLVMGetElementType(type);
      more = cg_indexed(index, LLVMABISizeOfType(memory->layout, type));
    }
    *address = cg_address_add(*address, more);
  }
  return true;
}

/* Returns the type of a member, or NULL. */
static LLVMTypeRef cg_member_type(LLVMTypeRef type, unsigned step) {
  LLVMTypeKind kind = LLVMGetTypeKind(type);
  if (kind == LLVMArrayTypeKind || kind == LLVMVectorTypeKind)
    return LLVMGetElementType(type);
  if (kind == LLVMStructTypeKind && step - 1 < LLVMCountStructElementTypes(type))
    return LLVMStructGetTypeAtIndex(type, step - 1);
  return NULL;
}

LLVMTypeRef cg_memory_part(struct cg_memory *memory, LLVMTypeRef type, cg_path path, struct cg_address *address) {
  for (; type && path; path = cg_path_rest(path)) {
    unsigned step = cg_path_first(path);
    LLVMTypeRef member = cg_memory_has_fixed_size(memory, type) ? cg_member_type(type, step) : NULL;
    struct cg_address more = {0, 0};
    if (member && LLVMGetTypeKind(type) == LLVMStructTypeKind)
      more.offset = (int64_t)LLVMOffsetOfElement(memory->layout, type, step - 1);
    else if (member && step == CG_PATH_ANY)
      more.step = LLVMABISizeOfType(memory->layout, member);
    else if (member)
      more.offset = (int64_t)((step - 1) * LLVMABISizeOfType(memory->layout, member));
    *address = cg_address_add(*address, more);
    type = member;
  }
  return type;
}

LLVMOpcode cg_memory_opcode(LLVMValueRef value) {
  if (LLVMIsAInstruction(value))
    return LLVMGetInstructionOpcode(value);
  return LLVMIsAConstantExpr(value) ? LLVMGetConstOpcode(value) : (LLVMOpcode)0;
}

bool cg_memory_begins(const char *name, size_t length, const char *prefix) {
  return length >= strlen(prefix) && !strncmp(name, prefix, strlen(prefix));
}

const char *cg_memory_callee_name(LLVMValueRef call, size_t *length) {
  LLVMValueRef callee = LLVMGetCalledValue(call);
  *length = 0;
  return LLVMIsAFunction(callee) ? LLVMGetValueName2(callee, length) : "";
}

bool cg_memory_is_same_pointer(LLVMValueRef call) {
  static const char *const intrinsics[] = {"llvm.threadlocal.address", "llvm.launder.invariant.group",
                                           "llvm.strip.invariant.group", "llvm.ptr.annotation", "llvm.ssa.copy"};
  size_t length;
  const char *name = LLVMIsACallInst(call) ? cg_memory_callee_name(call, &length) : NULL;
  for (size_t i = 0; name && i < sizeof intrinsics / sizeof *intrinsics; i++)
    if (cg_memory_begins(name, length, intrinsics[i]))
      return true;
  return false;
}

bool cg_memory_is_address_sized(LLVMTypeRef type) {
  return LLVMGetTypeKind(type) == LLVMIntegerTypeKind && LLVMGetIntTypeWidth(type) == 64;
}

bool cg_memory_is_alike(LLVMValueRef value) {
  LLVMOpcode opcode = cg_memory_opcode(value);
  return opcode == LLVMBitCast || opcode == LLVMAddrSpaceCast || opcode == LLVMFreeze ||
         cg_memory_is_same_pointer(value) ||
         (LLVMIsAGlobalAlias(value) && LLVMGetLinkage(value) != LLVMWeakAnyLinkage &&
          LLVMGetLinkage(value) != LLVMLinkOnceAnyLinkage);
}

static bool cg_is_cast(LLVMValueRef value) {
  LLVMOpcode opcode = cg_memory_opcode(value);
  return cg_memory_is_alike(value) || opcode == LLVMIntToPtr ||
         (opcode == LLVMPtrToInt && cg_memory_is_address_sized(LLVMTypeOf(value)));
}

static bool cg_is_step(LLVMValueRef value) {
  return cg_memory_opcode(value) == LLVMGetElementPtr || cg_is_cast(value);
}

/* Each value is visited once, whatever the number of pointers that are made of it. The base of those that are being
 * visited is NULL, as is that of a circle in unreachable code. */
LLVMValueRef cg_memory_base(struct cg_memory *memory, LLVMValueRef pointer, struct cg_address *address) {
  struct cg_base found = {.base = NULL};
  size_t first = memory->count;
  for (; cg_is_step(pointer); pointer = LLVMGetOperand(pointer, 0)) {
    size_t *number = cg_map_at(&memory->by_pointer, (uintptr_t)pointer);
    if (!number || !CG_GROW(memory->items, memory->count, memory->capacity)) {
      memory->failed = true;
      return NULL;
    }
    if (*number) {
      found = memory->items[*number - 1];
      break;
    }
    memory->items[memory->count++] = (struct cg_base){.pointer = pointer};
    *number = memory->count;
  }
  if (!cg_is_step(pointer))
    found.base = pointer;
  for (size_t i = memory->count; i-- > first;) {
    struct cg_base *base = &memory->items[i];
    if (cg_memory_opcode(base->pointer) == LLVMGetElementPtr && !cg_memory_step(memory, base->pointer, &found.address))
      found.base = NULL;
    base->base = found.base;
    base->address = found.address;
  }
  *address = found.address;
  return found.base;
}

void cg_memory_free(struct cg_memory *memory) {
  cg_map_free(&memory->fixed);
  cg_map_free(&memory->by_pointer);
  for (size_t i = 0; i < memory->parameter_count; i++)
    free(memory->parameters[i].items);
  cg_map_free(&memory->by_parameter);
  free(memory->parameters);
  free(memory->items);
}

bool cg_memory_is_local(LLVMValueRef global) {
  return LLVMGetLinkage(global) == LLVMInternalLinkage || LLVMGetLinkage(global) == LLVMPrivateLinkage;
}

bool cg_memory_is_closed(LLVMValueRef function) {
  return cg_memory_is_local(function) && !LLVMIsDeclaration(function) &&
         !cg_attribute_has(function, CG_ATTRIBUTE_FUNCTION, "naked");
}
