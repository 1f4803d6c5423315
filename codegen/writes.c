#include "writes.h"

#include <stdlib.h>

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
    cg_place_push(places, (struct cg_place){part, cg_address_add(place.address, more)}, writes);
  }
}

/* Adds the pointers in a constant. */
static void cg_add_constant(struct cg_memory *memory, LLVMValueRef constant, struct cg_address address,
                            struct cg_writes *writes) {
  struct cg_places places = {.items = NULL};
  if (cg_memory_has_fixed_size(memory, LLVMTypeOf(constant)))
    cg_place_push(&places, (struct cg_place){constant, address}, writes);
  else
    cg_write_add(writes, CG_WRITE_STORE, cg_everywhere, NULL);
  while (places.count) {
    struct cg_place place = places.items[--places.count];
    LLVMTypeKind kind = LLVMGetTypeKind(LLVMTypeOf(place.value));
    if (LLVMIsNull(place.value) || LLVMIsUndef(place.value))
      continue;
    if (kind == LLVMPointerTypeKind || cg_memory_opcode(place.value) == LLVMPtrToInt)
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
  if (!type || !cg_memory_has_fixed_size(memory, type) || writes->count >= most)
    return false;
  if (LLVMGetTypeKind(type) == LLVMIntegerTypeKind && LLVMGetIntTypeWidth(type) > 64)
    return false;
  if (cg_is_scalar(type)) {
    cg_write_add(writes, CG_WRITE_STORE, address, whole.value);
    if (!writes->failed) {
      writes->items[writes->count - 1].path = path;
      writes->items[writes->count - 1].is_bits =
          LLVMGetTypeKind(type) != LLVMPointerTypeKind && !cg_memory_is_address_sized(type);
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
    if (cg_memory_begins(name, length, intrinsics[i]))
      return true;
  return false;
}

static void cg_add_call(LLVMValueRef call, struct cg_place place, struct cg_writes *writes) {
  size_t length;
  const char *name = cg_memory_callee_name(call, &length);
  if (cg_writes_no_pointer(name, length))
    return;
  bool copies = cg_memory_begins(name, length, "llvm.memcpy.") || cg_memory_begins(name, length, "llvm.memmove.");
  if (copies && LLVMGetOperand(call, 0) == place.value)
    cg_write_add(writes, CG_WRITE_COPY, place.address, LLVMGetOperand(call, 1));
  else if (!copies && !cg_passes_copy(call, place.value) && !cg_add_pass(call, place, writes))
    cg_write_add(writes, CG_WRITE_STORE, cg_everywhere, NULL);
}

/* Returns the value that a store or an atomic exchange writes, or NULL, and where to. */
static LLVMValueRef cg_written(LLVMValueRef user, LLVMValueRef *to) {
  LLVMOpcode opcode = cg_memory_opcode(user);
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
  if (cg_memory_opcode(user->value) == LLVMGetElementPtr)
    return LLVMGetOperand(user->value, 0) == from.value && cg_memory_step(memory, user->value, &user->address);
  return cg_memory_is_alike(user->value);
}

/* Continues at a phi or a select that may be the pointer. Returns false if there are too many. */
static bool cg_add_merge(struct cg_places *places, struct cg_place merge, struct cg_writes *writes) {
  struct cg_place *known = places->merges;
  while (known < places->merges + places->merge_count && known->value != merge.value)
    known++;
  if (known < places->merges + places->merge_count) {
    merge.address = cg_address_join(known->address, merge.address);
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
  LLVMOpcode opcode = cg_memory_opcode(user);
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
      write.address = cg_address_add(write.address, place.address);
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

void cg_writes_list(struct cg_memory *memory, LLVMValueRef variable, struct cg_writes *writes) {
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
