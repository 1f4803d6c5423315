#pragma once
/* The plain functions that a handler operand is compared with at run time.
 *
 * They are in groups. A linker may drop a comdat of the module for that of another one, and what is outside cannot
 * refer to a local function in it. Such functions are compared only in the comdat, all others everywhere. */

#include "map.h"

#include <llvm-c/Core.h>

enum { CG_CANDIDATES_EVERYWHERE = 0, CG_CANDIDATES_END = 0 };

struct cg_candidate {
  LLVMValueRef constant; /* a function, alias or ifunc, or another address of one (dso_local_equivalent, no_cfi) */
  size_t next;           /* of the same group; CG_CANDIDATES_END: none */
};

struct cg_candidate_group {
  size_t first, last;   /* CG_CANDIDATES_END: it is empty */
  LLVMValueRef to_cell; /* the function that compares; NULL until needed */
};

/* Zero-initialized: none. */
struct cg_candidates {
  struct cg_candidate *items;
  size_t count, capacity;
  struct cg_candidate_group *groups; /* CG_CANDIDATES_EVERYWHERE, and one for each comdat with local candidates */
  size_t group_count, group_capacity;
  struct cg_map by_comdat;
};

/* Lists the functions, aliases and ifuncs of a type whose addresses the module takes, except those that lowering added.
 * Returns false if out of memory. */
bool cg_candidates_list(struct cg_candidates *candidates, LLVMModuleRef module, LLVMTypeRef type);

/* Returns the group for code of a function. */
size_t cg_candidates_group(const struct cg_candidates *candidates, LLVMValueRef caller);
void cg_candidates_free(struct cg_candidates *candidates);

/* Returns the comdat that what names a function, alias or ifunc has to be in; NULL: it can be anywhere. */
LLVMComdatRef cg_candidates_comdat(LLVMValueRef raw);
