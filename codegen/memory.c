#include "memory.h"

#include "attribute.h"

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

static bool cg_has_fixed_size(struct cg_memory *memory, LLVMTypeRef type);

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
    return cg_has_fixed_size(memory, LLVMGetElementType(type));
  case LLVMStructTypeKind:
    if (LLVMIsOpaqueStruct(type))
      return false;
    for (unsigned i = 0; i < LLVMCountStructElementTypes(type); i++)
      if (!cg_has_fixed_size(memory, LLVMStructGetTypeAtIndex(type, i)))
        return false;
    return true;
  default:
    return false;
  }
}

/* A type without a fixed size has no offsets. Each is looked at once. */
static bool cg_has_fixed_size(struct cg_memory *memory, LLVMTypeRef type) {
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

static bool cg_step(struct cg_memory *memory, LLVMValueRef gep, struct cg_address *address) {
  LLVMTypeRef type = LLVMGetGEPSourceElementType(gep);
  if (LLVMGetTypeKind(LLVMTypeOf(gep)) != LLVMPointerTypeKind || !cg_has_fixed_size(memory, type))
    return false;
  *address = cg_memory_add(*address, cg_indexed(LLVMGetOperand(gep, 1), LLVMABISizeOfType(memory->layout, type)));
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
    *address = cg_memory_add(*address, more);
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
    LLVMTypeRef member = cg_has_fixed_size(memory, type) ? cg_member_type(type, step) : NULL;
    struct cg_address more = {0, 0};
    if (member && LLVMGetTypeKind(type) == LLVMStructTypeKind)
      more.offset = (int64_t)LLVMOffsetOfElement(memory->layout, type, step - 1);
    else if (member && step == CG_PATH_ANY)
      more.step = LLVMABISizeOfType(memory->layout, member);
    else if (member)
      more.offset = (int64_t)((step - 1) * LLVMABISizeOfType(memory->layout, member));
    *address = cg_memory_add(*address, more);
    type = member;
  }
  return type;
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

/* An integer may hold a pointer: LLVM copies a struct of 8 bytes so. */
static bool cg_is_address_sized(LLVMTypeRef type) {
  return LLVMGetTypeKind(type) == LLVMIntegerTypeKind && LLVMGetIntTypeWidth(type) == 64;
}

/* Whether a pointer made of another one has the same address. */
static bool cg_is_alike(LLVMValueRef value) {
  LLVMOpcode opcode = cg_opcode(value);
  return opcode == LLVMBitCast || opcode == LLVMAddrSpaceCast || opcode == LLVMFreeze ||
         cg_memory_is_same_pointer(value) ||
         (LLVMIsAGlobalAlias(value) && LLVMGetLinkage(value) != LLVMWeakAnyLinkage &&
          LLVMGetLinkage(value) != LLVMLinkOnceAnyLinkage);
}

static bool cg_is_cast(LLVMValueRef value) {
  LLVMOpcode opcode = cg_opcode(value);
  return cg_is_alike(value) || opcode == LLVMIntToPtr ||
         (opcode == LLVMPtrToInt && cg_is_address_sized(LLVMTypeOf(value)));
}

static bool cg_is_step(LLVMValueRef value) {
  return cg_opcode(value) == LLVMGetElementPtr || cg_is_cast(value);
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
    if (cg_opcode(base->pointer) == LLVMGetElementPtr && !cg_step(memory, base->pointer, &found.address))
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

static const struct cg_address cg_everywhere = {0, 1};

static void cg_write_add(struct cg_writes *writes, enum cg_write_kind kind, struct cg_address address,
                         LLVMValueRef value) {
  if (!CG_GROW(writes->items, writes->count, writes->capacity)) {
    writes->failed = true;
    return;
  }
  writes->items[writes->count++] = (struct cg_write){kind, address, value, 0, false};
}

/* Pointers into the variable, or parts of its initializer, that are still to be looked at. Phis and selects among them
 * are kept, because a loop brings them back. */
enum { CG_MOST_MERGES = 16 };

struct cg_places {
  struct cg_place {
    LLVMValueRef value;
    struct cg_address address;
  } * items;
  size_t count, capacity;
  struct cg_place merges[CG_MOST_MERGES];
  size_t merge_count;
};

static void cg_place_push(struct cg_places *places, struct cg_place place, struct cg_writes *writes) {
  if (!CG_GROW(places->items, places->count, places->capacity)) {
    writes->failed = true;
    return;
  }
  places->items[places->count++] = place;
}

static void cg_add_aggregate(struct cg_memory *memory, struct cg_places *places, struct cg_place place,
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
    struct cg_address more = {0, 0};
    cg_memory_part(memory, type, cg_path_step(i), &more);
    cg_place_push(places, (struct cg_place){part, cg_memory_add(place.address, more)}, writes);
  }
}

/* Adds the pointers in a constant. */
static void cg_add_constant(struct cg_memory *memory, LLVMValueRef constant, struct cg_address address,
                            struct cg_writes *writes) {
  struct cg_places places = {.items = NULL};
  if (cg_has_fixed_size(memory, LLVMTypeOf(constant)))
    cg_place_push(&places, (struct cg_place){constant, address}, writes);
  else
    cg_write_add(writes, CG_WRITE_STORE, cg_everywhere, NULL);
  while (places.count) {
    struct cg_place place = places.items[--places.count];
    LLVMTypeKind kind = LLVMGetTypeKind(LLVMTypeOf(place.value));
    if (LLVMIsNull(place.value) || LLVMIsUndef(place.value))
      continue;
    if (kind == LLVMPointerTypeKind || cg_opcode(place.value) == LLVMPtrToInt)
      cg_write_add(writes, CG_WRITE_STORE, place.address, place.value);
    else if (kind == LLVMStructTypeKind || kind == LLVMArrayTypeKind || kind == LLVMVectorTypeKind)
      cg_add_aggregate(memory, &places, place, writes);
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

bool cg_memory_is_closed(LLVMValueRef function) {
  return cg_memory_is_local(function) && !LLVMIsDeclaration(function) &&
         !cg_attribute_has(function, CG_ATTRIBUTE_FUNCTION, "naked");
}

static bool cg_is_scalar(LLVMTypeRef type) {
  LLVMTypeKind kind = LLVMGetTypeKind(type);
  return kind != LLVMStructTypeKind && kind != LLVMArrayTypeKind && kind != LLVMVectorTypeKind;
}

static uint64_t cg_array_length(struct cg_memory *memory, LLVMTypeRef type) {
  uint64_t size = LLVMABISizeOfType(memory->layout, LLVMGetElementType(type));
  return size ? LLVMABISizeOfType(memory->layout, type) / size : 0;
}

/* Adds the parts of a value that may be pointers; a wide integer may have several. Returns false if it cannot tell. */
enum { CG_MOST_STORED = 1024 };
static bool cg_add_parts(struct cg_memory *memory, struct cg_write whole, cg_path path, size_t most,
                         struct cg_writes *writes) {
  struct cg_address address = whole.address;
  LLVMTypeRef type = cg_memory_part(memory, LLVMTypeOf(whole.value), path, &address);
  if (!type || !cg_has_fixed_size(memory, type) || writes->count >= most)
    return false;
  if (LLVMGetTypeKind(type) == LLVMIntegerTypeKind && LLVMGetIntTypeWidth(type) > 64)
    return false;
  if (cg_is_scalar(type)) {
    cg_write_add(writes, CG_WRITE_STORE, address, whole.value);
    if (!writes->failed) {
      writes->items[writes->count - 1].path = path;
      writes->items[writes->count - 1].is_bits =
          LLVMGetTypeKind(type) != LLVMPointerTypeKind && !cg_is_address_sized(type);
    }
    return true;
  }
  LLVMTypeKind kind = LLVMGetTypeKind(type);
  uint64_t count = kind == LLVMStructTypeKind  ? LLVMCountStructElementTypes(type)
                   : kind == LLVMArrayTypeKind ? cg_array_length(memory, type)
                                               : LLVMGetVectorSize(type);
  if (count > CG_MOST_STORED)
    return false;
  for (uint64_t i = 0; i < count; i++) {
    cg_path part = path;
    if (!cg_path_append(&part, cg_path_step(i)) || !cg_add_parts(memory, whole, part, most, writes))
      return false;
  }
  return true;
}

static void cg_add_store(struct cg_memory *memory, LLVMValueRef value, struct cg_address address,
                         struct cg_writes *writes) {
  struct cg_write whole = {CG_WRITE_STORE, address, value, 0, false};
  if (LLVMIsConstant(value) && LLVMGetTypeKind(LLVMTypeOf(value)) != LLVMPointerTypeKind)
    cg_add_constant(memory, value, address, writes);
  else if (!cg_add_parts(memory, whole, 0, writes->count + CG_MOST_STORED, writes))
    cg_write_add(writes, CG_WRITE_STORE, cg_everywhere, NULL);
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

/* Adds that the function that a call names is given the pointer. Returns false if it is not known what it does. */
static bool cg_add_pass(LLVMValueRef call, struct cg_place place, struct cg_writes *writes) {
  LLVMValueRef callee = LLVMGetCalledValue(call);
  unsigned count = LLVMGetNumArgOperands(call), others = LLVMIsAInvokeInst(call) ? 3 : 1;
  if (!LLVMIsAFunction(callee) || !cg_memory_is_closed(callee) ||
      LLVMGetCalledFunctionType(call) != LLVMGlobalGetValueType(callee) || count != LLVMCountParams(callee) ||
      (unsigned)LLVMGetNumOperands(call) != count + others)
    return false;
  for (unsigned i = 0; i < count; i++)
    if (LLVMGetOperand(call, i) == place.value)
      cg_write_add(writes, CG_WRITE_PASS, place.address, LLVMGetParam(callee, i));
  return true;
}

static bool cg_writes_no_pointer(const char *name, size_t length) {
  static const char *const intrinsics[] = {"llvm.lifetime.", "llvm.dbg.",     "llvm.invariant.", "llvm.memset.",
                                           "llvm.assume",    "llvm.fake.use", "llvm.prefetch.",  "llvm.objectsize."};
  for (size_t i = 0; i < sizeof intrinsics / sizeof *intrinsics; i++)
    if (cg_begins(name, length, intrinsics[i]))
      return true;
  return false;
}

static void cg_add_call(LLVMValueRef call, struct cg_place place, struct cg_writes *writes) {
  size_t length;
  const char *name = cg_callee_name(call, &length);
  if (cg_writes_no_pointer(name, length))
    return;
  bool copies = cg_begins(name, length, "llvm.memcpy.") || cg_begins(name, length, "llvm.memmove.");
  if (copies && LLVMGetOperand(call, 0) == place.value)
    cg_write_add(writes, CG_WRITE_COPY, place.address, LLVMGetOperand(call, 1));
  else if (!copies && !cg_passes_copy(call, place.value) && !cg_add_pass(call, place, writes))
    cg_write_add(writes, CG_WRITE_STORE, cg_everywhere, NULL);
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

/* Whether a user of a pointer is one into the same variable, whose address it completes. */
static bool cg_points_into(struct cg_memory *memory, struct cg_place from, struct cg_place *user) {
  if (LLVMIsAGlobalAlias(user->value))
    return cg_memory_is_local(user->value);
  if (cg_opcode(user->value) == LLVMGetElementPtr)
    return LLVMGetOperand(user->value, 0) == from.value && cg_step(memory, user->value, &user->address);
  return cg_is_alike(user->value);
}

/* Continues at a phi or a select that may be the pointer. Returns false if there are too many. */
static bool cg_add_merge(struct cg_places *places, struct cg_place merge, struct cg_writes *writes) {
  struct cg_place *known = places->merges;
  while (known < places->merges + places->merge_count && known->value != merge.value)
    known++;
  if (known < places->merges + places->merge_count) {
    merge.address = cg_memory_join(known->address, merge.address);
    if (merge.address.offset == known->address.offset && merge.address.step == known->address.step)
      return true;
  } else if (places->merge_count == CG_MOST_MERGES) {
    return false;
  } else {
    places->merge_count++;
  }
  *known = merge;
  cg_place_push(places, merge, writes);
  return true;
}

static void cg_add_user(struct cg_memory *memory, struct cg_places *places, struct cg_place place, LLVMValueRef user,
                        struct cg_writes *writes) {
  struct cg_place next = {user, place.address};
  LLVMOpcode opcode = cg_opcode(user);
  LLVMValueRef to = NULL, written = cg_written(user, &to);
  if (opcode == LLVMLoad || opcode == LLVMICmp)
    return;
  if (to == place.value && written != place.value)
    cg_add_store(memory, written, place.address, writes);
  else if (cg_points_into(memory, place, &next))
    cg_place_push(places, next, writes);
  else if (opcode == LLVMCall || opcode == LLVMInvoke)
    cg_add_call(user, place, writes);
  else if ((opcode != LLVMPHI && opcode != LLVMSelect) || !cg_add_merge(places, next, writes))
    cg_write_add(writes, CG_WRITE_STORE, cg_everywhere, NULL);
}

/* Follows every pointer into the variable forward, within its function. A pointer that goes elsewhere may be written
 * through. Only circles of unreachable code could bring a pointer back, and they do not begin at the variable. */
static void cg_add_own_stores(struct cg_memory *memory, LLVMValueRef variable, struct cg_writes *writes) {
  struct cg_places places = {.items = NULL};
  cg_place_push(&places, (struct cg_place){variable, {0, 0}}, writes);
  while (places.count && !writes->failed) {
    struct cg_place place = places.items[--places.count];
    LLVMValueRef last = NULL;
    for (LLVMUseRef use = LLVMGetFirstUse(place.value); use; use = LLVMGetNextUse(use)) {
      LLVMValueRef user = LLVMGetUser(use);
      if (user != last) /* several operands of one user are side by side */
        cg_add_user(memory, &places, place, user, writes);
      last = user;
    }
  }
  free(places.items);
}

static bool cg_is_same_write(const struct cg_write *a, const struct cg_write *b) {
  return a->kind == b->kind && a->address.offset == b->address.offset && a->address.step == b->address.step &&
         a->value == b->value && a->path == b->path;
}

/* Leaves one of equal writes. Two that have the same key by chance both stay. */
static void cg_drop_repeated(struct cg_writes *writes) {
  struct cg_map seen = {NULL, 0, 0};
  size_t kept = 0;
  for (size_t i = 0; i < writes->count; i++) {
    const struct cg_write *write = &writes->items[i];
    uint64_t key =
        (uintptr_t)write->value * 31 + (uint64_t)write->address.offset * 17 + write->address.step + write->path;
    size_t *first = cg_map_at(&seen, key << 1 | 1);
    writes->failed |= !first;
    if (first && *first && cg_is_same_write(&writes->items[*first - 1], write))
      continue;
    writes->items[kept++] = *write;
    if (first && !*first)
      *first = kept;
  }
  writes->count = kept;
  cg_map_free(&seen);
}

/* Returns what the parameter's function writes to it. Each is looked at once. */
static const struct cg_writes *cg_writes_of(struct cg_memory *memory, LLVMValueRef parameter) {
  static const struct cg_writes nothing = {NULL, 0, 0, true};
  size_t *number = cg_map_at(&memory->by_parameter, (uintptr_t)parameter);
  if (!number || !CG_GROW(memory->parameters, memory->parameter_count, memory->parameter_capacity)) {
    memory->failed = true;
    return &nothing;
  }
  if (!*number) {
    struct cg_writes *writes = &memory->parameters[memory->parameter_count++];
    *number = memory->parameter_count;
    *writes = (struct cg_writes){.items = NULL};
    cg_add_own_stores(memory, parameter, writes);
    cg_drop_repeated(writes);
  }
  return &memory->parameters[cg_map_find(&memory->by_parameter, (uintptr_t)parameter) - 1];
}

/* The parameters that a variable's address is passed to. Functions may call each other. */
enum { CG_MOST_PASSED = 16, CG_MOST_PASSED_WRITES = 512 };

struct cg_passed {
  struct cg_place items[CG_MOST_PASSED];
  size_t count;
};

/* Returns false if there are too many. */
static bool cg_pass(struct cg_passed *passed, LLVMValueRef parameter, struct cg_address address) {
  for (size_t i = 0; i < passed->count; i++) {
    const struct cg_place *known = &passed->items[i];
    if (known->value == parameter && known->address.offset == address.offset && known->address.step == address.step)
      return true;
  }
  if (passed->count == CG_MOST_PASSED)
    return false;
  passed->items[passed->count++] = (struct cg_place){parameter, address};
  return true;
}

/* Replaces the passes among the writes by what the functions write. */
static void cg_resolve_passes(struct cg_memory *memory, struct cg_writes *writes) {
  struct cg_passed passed = {.count = 0};
  size_t own = writes->count, kept = 0, most = 0;
  bool known = true;
  for (size_t i = 0; i < own; i++)
    if (writes->items[i].kind == CG_WRITE_PASS)
      known = known && cg_pass(&passed, writes->items[i].value, writes->items[i].address);
    else
      writes->items[kept++] = writes->items[i];
  writes->count = kept;
  for (size_t i = 0; i < passed.count && known && !writes->failed; i++) {
    struct cg_place place = passed.items[i];
    const struct cg_writes *theirs = cg_writes_of(memory, place.value);
    writes->failed |= theirs->failed;
    for (size_t j = 0; j < theirs->count && known && !writes->failed; j++) {
      struct cg_write write = theirs->items[j];
      write.address = cg_memory_add(write.address, place.address);
      known = ++most <= CG_MOST_PASSED_WRITES;
      if (write.kind == CG_WRITE_PASS) {
        known = known && cg_pass(&passed, write.value, write.address);
      } else {
        cg_write_add(writes, write.kind, write.address, write.value);
        if (!writes->failed) {
          writes->items[writes->count - 1].path = write.path;
          writes->items[writes->count - 1].is_bits = write.is_bits;
        }
      }
    }
  }
  if (!known)
    cg_write_add(writes, CG_WRITE_STORE, cg_everywhere, NULL);
}

static void cg_add_stores(struct cg_memory *memory, LLVMValueRef variable, struct cg_writes *writes) {
  cg_add_own_stores(memory, variable, writes);
  cg_resolve_passes(memory, writes);
}

void cg_memory_writes(struct cg_memory *memory, LLVMValueRef variable, struct cg_writes *writes) {
  if (LLVMIsAAllocaInst(variable) || LLVMIsAArgument(variable)) {
    cg_add_stores(memory, variable, writes);
  } else if (!cg_has_definitive_initializer(variable) ||
             (!LLVMIsGlobalConstant(variable) && !cg_memory_is_local(variable))) {
    cg_write_add(writes, CG_WRITE_STORE, cg_everywhere, NULL);
  } else {
    cg_add_constant(memory, LLVMGetInitializer(variable), (struct cg_address){0, 0}, writes);
    if (!LLVMIsGlobalConstant(variable))
      cg_add_stores(memory, variable, writes);
  }
}
