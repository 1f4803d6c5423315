#pragma once
/* The values that a part of an aggregate may be, as an extractvalue reads it. */

#include <llvm-c/Core.h>
#include <stdbool.h>
#include <stddef.h>

enum { CG_MOST_PARTS = 64, CG_MOST_LEVELS = 4 };

/* A part of an aggregate, by the number of the member at each level; no level: the value itself. */
struct cg_part {
  LLVMValueRef value;
  unsigned path[CG_MOST_LEVELS], levels;
};

/* Whether every call of the parameter's function is known. Writes the number of the parameter. */
typedef bool cg_part_known_calls(LLVMValueRef parameter, unsigned *index);

struct cg_parts {
  cg_part_known_calls *known_calls;
  struct cg_part items[CG_MOST_PARTS]; /* those without a level are what was asked for */
  size_t count;
  bool unknown; /* it may be another value too */
};

/* Follows an extractvalue backwards through insertvalue, phi, select and freeze, constants, and parameters and results
 * of functions of the module whose every call is known. */
void cg_parts_of(LLVMValueRef extract, cg_part_known_calls *known_calls, struct cg_parts *parts);
