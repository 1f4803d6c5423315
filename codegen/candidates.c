#include "candidates.h"

#include "attribute.h"
#include "callers.h"
#include "constant.h"
#include "origin.h"

#include <llvm-c/Comdat.h>
#include <llvm/Config/llvm-config.h>
#include <stdlib.h>
#include <string.h>

static bool cg_is_local(LLVMValueRef global) {
  return LLVMGetLinkage(global) == LLVMInternalLinkage || LLVMGetLinkage(global) == LLVMPrivateLinkage;
}

LLVMComdatRef cg_candidates_comdat(LLVMValueRef raw) {
  LLVMValueRef function = cg_constant_function_behind(raw);
  LLVMComdatRef comdat = function && cg_is_local(raw) ? LLVMGetComdat(function) : NULL;
  /* No linker drops one of these in favour of another. SanitizerCoverage puts each function into one. */
  bool is_kept = comdat && LLVMGetComdatSelectionKind(comdat) == LLVMNoDeduplicateComdatSelectionKind;
  return is_kept ? NULL : comdat;
}

/* ---- addresses that are taken */

/* The constants that are the address of a function. */
struct cg_addresses {
  LLVMValueRef *items;
  size_t count, capacity;
  bool taken;
};

static bool cg_push(struct cg_addresses *addresses, LLVMValueRef constant) {
  if (!CG_GROW(addresses->items, addresses->count, addresses->capacity))
    return false;
  addresses->items[addresses->count++] = constant;
  return true;
}

/* An alias of the same type is a candidate of its own. A constant without users is left over from what LLVM erased. */
static bool cg_takes_address(LLVMUseRef use, LLVMTypeRef type) {
  LLVMValueRef user = LLVMGetUser(use);
  if (LLVMIsAGlobalAlias(user))
    return LLVMGlobalGetValueType(user) != type;
  return !cg_callers_is_call(use) && !LLVMIsABlockAddress(user) &&
         (!LLVMIsAConstant(user) || LLVMIsAGlobalValue(user) || LLVMGetFirstUse(user));
}

/* Visits the uses of a function, and those of each other address of it. Returns false if out of memory. */
static bool cg_list_addresses(struct cg_addresses *addresses, LLVMValueRef raw, LLVMTypeRef type) {
  if (!cg_push(addresses, raw))
    return false;
  for (size_t i = 0; i < addresses->count; i++)
    for (LLVMUseRef use = LLVMGetFirstUse(addresses->items[i]); use; use = LLVMGetNextUse(use)) {
      LLVMValueRef user = LLVMGetUser(use);
      bool is_address = LLVMIsAConstant(user) && !LLVMIsAGlobalValue(user) && cg_constant_strip(user) == raw;
      if (is_address && !cg_push(addresses, user))
        return false;
      addresses->taken |= !is_address && cg_takes_address(use, type);
    }
  return true;
}

/* ---- the list */

static size_t cg_add_group(struct cg_candidates *candidates, LLVMComdatRef comdat) {
  size_t *known = comdat ? cg_map_at(&candidates->by_comdat, (uintptr_t)comdat) : NULL;
  if (!comdat || (known && *known))
    return known ? *known : CG_CANDIDATES_EVERYWHERE;
  if (!known || !CG_GROW(candidates->groups, candidates->group_count, candidates->group_capacity))
    return CG_CANDIDATES_EVERYWHERE;
  candidates->groups[candidates->group_count] = (struct cg_candidate_group){.to_cell = NULL};
  *known = candidates->group_count;
  return candidates->group_count++;
}

static bool cg_add(struct cg_candidates *candidates, LLVMValueRef constant, LLVMComdatRef comdat) {
  size_t at = cg_add_group(candidates, comdat);
  if ((comdat && at == CG_CANDIDATES_EVERYWHERE) ||
      !CG_GROW(candidates->items, candidates->count, candidates->capacity))
    return false;
  struct cg_candidate_group *group = &candidates->groups[at];
  candidates->items[candidates->count] = (struct cg_candidate){constant, CG_CANDIDATES_END};
  if (group->first == CG_CANDIDATES_END)
    group->first = candidates->count;
  else
    candidates->items[group->last].next = candidates->count;
  group->last = candidates->count++;
  return true;
}

/* The bodies of builtins are functions like those of the program, whatever they are called. */
static bool cg_is_inner(LLVMValueRef global) {
  size_t length;
  const char *name = LLVMGetValueName2(global, &length);
  return LLVMIsAFunction(global) && cg_attribute_has_text(global, CG_ORIGIN_MARK) &&
         !strncmp(name, CG_ORIGIN_PREFIX, sizeof CG_ORIGIN_PREFIX - 1);
}

/* Whether a handler can be compared with an address. What comes by a signed one has to be a cell. LLVM 16 overflows its
 * stack when it folds a comparison of null with dso_local_equivalent or no_cfi. */
static bool cg_is_comparable(LLVMValueRef address) {
  if (LLVM_VERSION_MAJOR < 19)
    return LLVMIsAGlobalValue(address);
  return !LLVMIsAConstantExpr(address) && !cg_constant_is_signed(address);
}

static bool cg_consider(struct cg_candidates *candidates, LLVMValueRef raw, LLVMTypeRef type) {
  struct cg_addresses addresses = {.items = NULL};
  if (LLVMGlobalGetValueType(raw) != type || cg_is_inner(raw) || cg_constant_is_unserved(raw))
    return true;
  bool done = cg_list_addresses(&addresses, raw, type);
  for (size_t i = 0; i < addresses.count && addresses.taken && done; i++)
    if (cg_is_comparable(addresses.items[i]))
      done = cg_add(candidates, addresses.items[i], cg_candidates_comdat(raw));
  free(addresses.items);
  return done;
}

bool cg_candidates_list(struct cg_candidates *candidates, LLVMModuleRef module, LLVMTypeRef type) {
  if (!CG_GROW(candidates->items, candidates->count, candidates->capacity) ||
      !CG_GROW(candidates->groups, candidates->group_count, candidates->group_capacity))
    return false;
  candidates->items[candidates->count++] = (struct cg_candidate){NULL, CG_CANDIDATES_END};
  candidates->groups[candidates->group_count++] = (struct cg_candidate_group){.to_cell = NULL};
  bool done = true;
  for (LLVMValueRef at = LLVMGetFirstFunction(module); at && done; at = LLVMGetNextFunction(at))
    done = cg_consider(candidates, at, type);
  for (LLVMValueRef at = LLVMGetFirstGlobalAlias(module); at && done; at = LLVMGetNextGlobalAlias(at))
    done = cg_consider(candidates, at, type);
  for (LLVMValueRef at = LLVMGetFirstGlobalIFunc(module); at && done; at = LLVMGetNextGlobalIFunc(at))
    done = cg_consider(candidates, at, type);
  return done;
}

size_t cg_candidates_group(const struct cg_candidates *candidates, LLVMValueRef caller) {
  LLVMComdatRef comdat = LLVMGetComdat(caller);
  return comdat ? cg_map_find(&candidates->by_comdat, (uintptr_t)comdat) : CG_CANDIDATES_EVERYWHERE;
}

void cg_candidates_free(struct cg_candidates *candidates) {
  cg_map_free(&candidates->by_comdat);
  free(candidates->items);
  free(candidates->groups);
}
