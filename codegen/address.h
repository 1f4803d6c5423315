#pragma once
/* Addresses relative to a variable: an offset and a step. An address is `offset` if the step is 0, else any multiple of
 * the step from it, as a variable index gives. */

#include <stdbool.h>
#include <stdint.h>

struct cg_address {
  int64_t offset;
  uint64_t step;
};

/* Whether two addresses may be equal. */
bool cg_address_meet(struct cg_address a, struct cg_address b);

struct cg_address cg_address_add(struct cg_address a, struct cg_address b);
struct cg_address cg_address_subtract(struct cg_address a, struct cg_address b);

/* Returns an address that stands for two, and for what is as far beyond: those of a pointer that a loop moves. */
struct cg_address cg_address_join(struct cg_address a, struct cg_address b);
