#include "memory.h"

#include <stdlib.h>
#include <string.h>

static uint64_t cg_gcd(uint64_t a, uint64_t b) {
  while (b) {
    uint64_t rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

static bool cg_is_multiple(int64_t difference, uint64_t step) {
  uint64_t distance = difference < 0 ? 0 - (uint64_t)difference : (uint64_t)difference;
  return step ? distance % step == 0 : distance == 0;
}

bool cg_memory_meet(struct cg_address a, struct cg_address b) {
  return cg_is_multiple((int64_t)((uint64_t)a.offset - (uint64_t)b.offset), cg_gcd(a.step, b.step));
}

struct cg_address cg_memory_add(struct cg_address a, struct cg_address b) {
  struct cg_address sum = {(int64_t)((uint64_t)a.offset + (uint64_t)b.offset), cg_gcd(a.step, b.step)};
  if (sum.step && sum.step <= INT64_MAX) {
    int64_t step = (int64_t)sum.step;
    sum.offset = (sum.offset % step + step) % step;
  }
  return sum;
}

struct cg_address cg_memory_subtract(struct cg_address a, struct cg_address b) {
  return cg_memory_add(a, (struct cg_address){(int64_t)(0 - (uint64_t)b.offset), b.step});
}

struct cg_address cg_memory_join(struct cg_address a, struct cg_address b) {
  struct cg_address apart = cg_memory_subtract(a, b);
  uint64_t distance = apart.offset < 0 ? 0 - (uint64_t)apart.offset : (uint64_t)apart.offset;
  return cg_memory_add((struct cg_address){a.offset, cg_gcd(apart.step, distance)}, (struct cg_address){0, 0});
}

bool cg_memory_is_variable(LLVMValueRef value) {
  return LLVMIsAAllocaInst(value) || LLVMIsAGlobalVariable(value);
}

/* A type without a fixed size has no offsets. */
static bool cg_has_fixed_size(LLVMTypeRef type) {
  switch (LLVMGetTypeKind(type)) {
  case LLVMIntegerTypeKind:
  case LLVMHalfTypeKind:
  case LLVMFloatTypeKind:
  case LLVMDoubleTypeKind:
  case LLVMPointerTypeKind:
    return true;
  case LLVMArrayTypeKind:
  case LLVMVectorTypeKind:
    return cg_has_fixed_size(LLVMGetElementType(type));
  case LLVMStructTypeKind:
    if (LLVMIsOpaqueStruct(type))
      return false;
    for (unsigned i = 0; i < LLVMCountStructElementTypes(type); i++)
      if (!cg_has_fixed_size(LLVMStructGetTypeAtIndex(type, i)))
        return false;
    return true;
  default:
    return false;
  }
}

static struct cg_address cg_indexed(LLVMValueRef index, uint64_t size) {
  if (!LLVMIsAConstantInt(index))
    return (struct cg_address){0, size};
  return (struct cg_address){(int64_t)((uint64_t)LLVMConstIntGetSExtValue(index) * size), 0};
}

bool cg_memory_step(LLVMTargetDataRef layout, LLVMValueRef gep, struct cg_address *address) {
  LLVMTypeRef type = LLVMGetGEPSourceElementType(gep);
  if (LLVMGetTypeKind(LLVMTypeOf(gep)) != LLVMPointerTypeKind || !cg_has_fixed_size(type))
    return false;
  *address = cg_memory_add(*address, cg_indexed(LLVMGetOperand(gep, 1), LLVMABISizeOfType(layout, type)));
  for (unsigned i = 2; i < (unsigned)LLVMGetNumOperands(gep); i++) {
    LLVMValueRef index = LLVMGetOperand(gep, i);
    struct cg_address more;
    if (LLVMGetTypeKind(type) == LLVMStructTypeKind) {
      unsigned element = (unsigned)LLVMConstIntGetZExtValue(index);
      more = (struct cg_address){(int64_t)LLVMOffsetOfElement(layout, type, element), 0};
      type = LLVMStructGetTypeAtIndex(type, element);
    } else {
      type = LLVMGetElementType(type);
      more = cg_indexed(index, LLVMABISizeOfType(layout, type));
    }
    *address = cg_memory_add(*address, more);
  }
  return true;
}

static LLVMOpcode cg_opcode(LLVMValueRef value) {
  if (LLVMIsAInstruction(value))
    return LLVMGetInstructionOpcode(value);
  return LLVMIsAConstantExpr(value) ? LLVMGetConstOpcode(value) : (LLVMOpcode)0;
}

static bool cg_begins(const char *name, size_t length, const char *prefix) {
  return length >= strlen(prefix) && !strncmp(name, prefix, strlen(prefix));
}

/* The name of the function that a call names, or "". */
static const char *cg_callee_name(LLVMValueRef call, size_t *length) {
  LLVMValueRef callee = LLVMGetCalledValue(call);
  *length = 0;
  return LLVMIsAFunction(callee) ? LLVMGetValueName2(callee, length) : "";
}

bool cg_memory_is_same_pointer(LLVMValueRef call) {
  static const char *const intrinsics[] = {"llvm.threadlocal.address", "llvm.launder.invariant.group",
                                           "llvm.strip.invariant.group", "llvm.ptr.annotation", "llvm.ssa.copy"};
  size_t length;
  const char *name = LLVMIsACallInst(call) ? cg_callee_name(call, &length) : NULL;
  for (size_t i = 0; name && i < sizeof intrinsics / sizeof *intrinsics; i++)
    if (cg_begins(name, length, intrinsics[i]))
      return true;
  return false;
}

/* Casts and the like, which leave an address as it is. */
static bool cg_is_cast(LLVMValueRef value) {
  LLVMOpcode opcode = cg_opcode(value);
  return opcode == LLVMBitCast || opcode == LLVMPtrToInt || opcode == LLVMIntToPtr || cg_memory_is_same_pointer(value);
}

static bool cg_is_step(LLVMValueRef value) {
  return cg_opcode(value) == LLVMGetElementPtr || cg_is_cast(value);
}

/* Each value is visited once, whatever the number of pointers that are made of it. The base of those that are being
 * visited is NULL, as is that of a circle in unreachable code. */
LLVMValueRef cg_memory_base(struct cg_bases *bases, LLVMTargetDataRef layout, LLVMValueRef pointer,
                            struct cg_address *address) {
  struct cg_base found = {.base = NULL};
  size_t first = bases->count;
  for (; cg_is_step(pointer); pointer = LLVMGetOperand(pointer, 0)) {
    size_t *number = cg_map_at(&bases->by_pointer, (uintptr_t)pointer);
    if (!number || !CG_GROW(bases->items, bases->count, bases->capacity)) {
      bases->failed = true;
      return NULL;
    }
    if (*number) {
      found = bases->items[*number - 1];
      break;
    }
    bases->items[bases->count++] = (struct cg_base){.pointer = pointer};
    *number = bases->count;
  }
  if (!cg_is_step(pointer))
    found.base = pointer;
  for (size_t i = bases->count; i-- > first;) {
    struct cg_base *base = &bases->items[i];
    if (cg_opcode(base->pointer) == LLVMGetElementPtr && !cg_memory_step(layout, base->pointer, &found.address))
      found.base = NULL;
    base->base = found.base;
    base->address = found.address;
  }
  *address = found.address;
  return found.base;
}

void cg_memory_free(struct cg_bases *bases) {
  cg_map_free(&bases->by_pointer);
  free(bases->items);
}

static const struct cg_address cg_everywhere = {0, 1};

static void cg_write_add(struct cg_writes *writes, struct cg_address address, LLVMValueRef value) {
  if (!CG_GROW(writes->items, writes->count, writes->capacity)) {
    writes->failed = true;
    return;
  }
  writes->items[writes->count++] = (struct cg_write){address, value, false};
}

/* A pointer into the variable, or a part of its initializer, that is still to be looked at. Parameters that are given
 * one are kept, because functions may call each other. */
enum { CG_MOST_PARAMETERS = 16 };

struct cg_places {
  struct cg_place {
    LLVMValueRef value;
    struct cg_address address;
  } * items;
  size_t count, capacity;
  struct cg_place parameters[CG_MOST_PARAMETERS];
  size_t parameter_count;
};

static void cg_place_push(struct cg_places *places, LLVMValueRef value, struct cg_address address,
                          struct cg_writes *writes) {
  if (!CG_GROW(places->items, places->count, places->capacity)) {
    writes->failed = true;
    return;
  }
  places->items[places->count++] = (struct cg_place){value, address};
}

static void cg_add_aggregate(LLVMTargetDataRef layout, struct cg_places *places, struct cg_place place,
                             struct cg_writes *writes) {
  LLVMTypeRef type = LLVMTypeOf(place.value);
  bool is_struct = LLVMGetTypeKind(type) == LLVMStructTypeKind;
  LLVMTypeRef element = is_struct ? NULL : LLVMGetElementType(type);
  LLVMTypeKind kind = element ? LLVMGetTypeKind(element) : LLVMVoidTypeKind;
  bool plain = kind != LLVMPointerTypeKind && kind != LLVMStructTypeKind && kind != LLVMArrayTypeKind;
  if (element && (LLVMIsAConstantDataSequential(place.value) || (plain && kind != LLVMIntegerTypeKind)))
    return;
  for (unsigned i = 0;; i++) {
    LLVMValueRef part = LLVMGetAggregateElement(place.value, i);
    if (!part)
      return;
    uint64_t offset = is_struct ? LLVMOffsetOfElement(layout, type, i) : i * LLVMABISizeOfType(layout, element);
    cg_place_push(places, part, cg_memory_add(place.address, (struct cg_address){(int64_t)offset, 0}), writes);
  }
}

/* Adds the pointers in a constant. */
static void cg_add_constant(LLVMTargetDataRef layout, LLVMValueRef constant, struct cg_address address,
                            struct cg_writes *writes) {
  struct cg_places places = {.items = NULL};
  if (cg_has_fixed_size(LLVMTypeOf(constant)))
    cg_place_push(&places, constant, address, writes);
  else
    cg_write_add(writes, cg_everywhere, NULL);
  while (places.count) {
    struct cg_place place = places.items[--places.count];
    LLVMTypeKind kind = LLVMGetTypeKind(LLVMTypeOf(place.value));
    if (LLVMIsNull(place.value) || LLVMIsUndef(place.value))
      continue;
    if (kind == LLVMPointerTypeKind || cg_opcode(place.value) == LLVMPtrToInt)
      cg_write_add(writes, place.address, place.value);
    else if (kind == LLVMStructTypeKind || kind == LLVMArrayTypeKind || kind == LLVMVectorTypeKind)
      cg_add_aggregate(layout, &places, place, writes);
  }
  free(places.items);
}

/* Whether the initializer is what a load finds, until a store. */
static bool cg_has_definitive_initializer(LLVMValueRef global) {
  LLVMLinkage linkage = LLVMGetLinkage(global);
  return LLVMGetInitializer(global) && !LLVMIsExternallyInitialized(global) && linkage != LLVMWeakAnyLinkage &&
         linkage != LLVMLinkOnceAnyLinkage && linkage != LLVMCommonLinkage && linkage != LLVMExternalWeakLinkage;
}

bool cg_memory_is_local(LLVMValueRef global) {
  return LLVMGetLinkage(global) == LLVMInternalLinkage || LLVMGetLinkage(global) == LLVMPrivateLinkage;
}

/* An integer may hold a pointer: LLVM copies a struct of 8 bytes so. */
static bool cg_is_address_sized(LLVMValueRef value) {
  LLVMTypeRef type = LLVMTypeOf(value);
  return LLVMGetTypeKind(type) == LLVMIntegerTypeKind && LLVMGetIntTypeWidth(type) == 64;
}

static void cg_add_store(LLVMTargetDataRef layout, LLVMValueRef value, struct cg_address address,
                         struct cg_writes *writes) {
  LLVMTypeKind kind = LLVMGetTypeKind(LLVMTypeOf(value));
  if (kind == LLVMPointerTypeKind || (cg_is_address_sized(value) && !LLVMIsConstant(value)))
    cg_write_add(writes, address, value);
  else if (LLVMIsConstant(value))
    cg_add_constant(layout, value, address, writes);
  else if (kind == LLVMStructTypeKind || kind == LLVMArrayTypeKind || kind == LLVMVectorTypeKind)
    cg_write_add(writes, cg_everywhere, NULL);
}

/* Whether a call is given a copy of what the pointer points to. */
static bool cg_passes_copy(LLVMValueRef call, LLVMValueRef pointer) {
  unsigned by_value = LLVMGetEnumAttributeKindForName("byval", 5);
  bool copy = true;
  for (unsigned i = 0; i < LLVMGetNumArgOperands(call); i++)
    if (LLVMGetOperand(call, i) == pointer)
      copy = copy && LLVMGetCallSiteEnumAttribute(call, i + 1, by_value);
  return copy && LLVMGetCalledValue(call) != pointer;
}

/* Continues in a function that is given the pointer. Returns false if it is given too many different ones. */
static bool cg_add_parameter(struct cg_places *places, struct cg_place place, struct cg_writes *writes) {
  for (size_t i = 0; i < places->parameter_count; i++) {
    const struct cg_place *known = &places->parameters[i];
    if (known->value == place.value && known->address.offset == place.address.offset &&
        known->address.step == place.address.step)
      return true;
  }
  if (places->parameter_count == CG_MOST_PARAMETERS)
    return false;
  places->parameters[places->parameter_count++] = place;
  cg_place_push(places, place.value, place.address, writes);
  return true;
}

/* Continues in the function that a call gives the pointer to. Returns false if that is not known. */
static bool cg_follow_call(struct cg_places *places, LLVMValueRef call, struct cg_place place,
                           struct cg_writes *writes) {
  LLVMValueRef callee = LLVMGetCalledValue(call);
  unsigned count = LLVMGetNumArgOperands(call);
  if (!LLVMIsAFunction(callee) || LLVMIsDeclaration(callee) || !cg_memory_is_local(callee) ||
      LLVMGetCalledFunctionType(call) != LLVMGlobalGetValueType(callee) || count != LLVMCountParams(callee) ||
      (unsigned)LLVMGetNumOperands(call) != count + 1)
    return false;
  for (unsigned i = 0; i < count; i++)
    if (LLVMGetOperand(call, i) == place.value &&
        !cg_add_parameter(places, (struct cg_place){LLVMGetParam(callee, i), place.address}, writes))
      return false;
  return true;
}

static void cg_add_call(struct cg_places *places, LLVMValueRef call, struct cg_place place, struct cg_writes *writes) {
  LLVMValueRef pointer = place.value;
  struct cg_address address = place.address;
  size_t length;
  const char *name = cg_callee_name(call, &length);
  if (cg_begins(name, length, "llvm.lifetime.") || cg_begins(name, length, "llvm.dbg.") ||
      cg_begins(name, length, "llvm.invariant.") || cg_begins(name, length, "llvm.memset."))
    return;
  bool copies = cg_begins(name, length, "llvm.memcpy.") || cg_begins(name, length, "llvm.memmove.");
  if (copies && LLVMGetOperand(call, 0) == pointer) {
    cg_write_add(writes, address, LLVMGetOperand(call, 1));
    if (!writes->failed)
      writes->items[writes->count - 1].copies = true;
  } else if (!copies && !cg_passes_copy(call, pointer) && !cg_follow_call(places, call, place, writes)) {
    cg_write_add(writes, cg_everywhere, NULL);
  }
}

/* Returns the value that a store or an atomic exchange writes, or NULL, and where to. */
static LLVMValueRef cg_written(LLVMValueRef user, LLVMValueRef *to) {
  LLVMOpcode opcode = cg_opcode(user);
  bool exchanges = opcode == LLVMAtomicRMW && LLVMGetAtomicRMWBinOp(user) == LLVMAtomicRMWBinOpXchg;
  if (opcode != LLVMStore && opcode != LLVMAtomicCmpXchg && !exchanges)
    return NULL;
  *to = LLVMGetOperand(user, opcode == LLVMStore ? 1 : 0);
  return LLVMGetOperand(user, opcode == LLVMStore ? 0 : exchanges ? 1 : 2);
}

static void cg_add_user(LLVMTargetDataRef layout, struct cg_places *places, struct cg_place place, LLVMValueRef user,
                        struct cg_writes *writes) {
  struct cg_address address = place.address;
  LLVMOpcode opcode = cg_opcode(user);
  LLVMValueRef to = NULL, written = cg_written(user, &to);
  if (opcode == LLVMLoad || opcode == LLVMICmp)
    return;
  if (to == place.value && written != place.value)
    cg_add_store(layout, written, address, writes);
  else if (opcode == LLVMBitCast || cg_memory_is_same_pointer(user) ||
           (opcode == LLVMGetElementPtr && LLVMGetOperand(user, 0) == place.value &&
            cg_memory_step(layout, user, &address)))
    cg_place_push(places, user, address, writes);
  else if (opcode == LLVMCall)
    cg_add_call(places, user, place, writes);
  else
    cg_write_add(writes, cg_everywhere, NULL);
}

/* Follows every pointer into the variable forward. A pointer that goes elsewhere may be written through. Only circles
 * of unreachable code could bring a pointer back, and they do not begin at the variable. */
static void cg_add_stores(LLVMTargetDataRef layout, LLVMValueRef variable, struct cg_writes *writes) {
  struct cg_places places = {.items = NULL};
  cg_place_push(&places, variable, (struct cg_address){0, 0}, writes);
  while (places.count && !writes->failed) {
    struct cg_place place = places.items[--places.count];
    for (LLVMUseRef use = LLVMGetFirstUse(place.value); use; use = LLVMGetNextUse(use))
      cg_add_user(layout, &places, place, LLVMGetUser(use), writes);
  }
  free(places.items);
}

void cg_memory_writes(LLVMTargetDataRef layout, LLVMValueRef variable, struct cg_writes *writes) {
  if (LLVMIsAAllocaInst(variable) || LLVMIsAArgument(variable)) {
    cg_add_stores(layout, variable, writes);
  } else if (!cg_has_definitive_initializer(variable) ||
             (!LLVMIsGlobalConstant(variable) && !cg_memory_is_local(variable))) {
    cg_write_add(writes, cg_everywhere, NULL);
  } else {
    cg_add_constant(layout, LLVMGetInitializer(variable), (struct cg_address){0, 0}, writes);
    if (!LLVMIsGlobalConstant(variable))
      cg_add_stores(layout, variable, writes);
  }
}
