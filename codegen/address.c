#include "address.h"

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

bool cg_address_meet(struct cg_address a, struct cg_address b) {
  return cg_is_multiple((int64_t)((uint64_t)a.offset - (uint64_t)b.offset), cg_gcd(a.step, b.step));
}

struct cg_address cg_address_add(struct cg_address a, struct cg_address b) {
  struct cg_address sum = {(int64_t)((uint64_t)a.offset + (uint64_t)b.offset), cg_gcd(a.step, b.step)};
  if (sum.step && sum.step <= INT64_MAX) {
    int64_t step = (int64_t)sum.step;
    sum.offset = (sum.offset % step + step) % step;
  }
  return sum;
}

struct cg_address cg_address_subtract(struct cg_address a, struct cg_address b) {
  return cg_address_add(a, (struct cg_address){(int64_t)(0 - (uint64_t)b.offset), b.step});
}

struct cg_address cg_address_join(struct cg_address a, struct cg_address b) {
  struct cg_address apart = cg_address_subtract(a, b);
  uint64_t distance = apart.offset < 0 ? 0 - (uint64_t)apart.offset : (uint64_t)apart.offset;
  return cg_address_add((struct cg_address){a.offset, cg_gcd(apart.step, distance)}, (struct cg_address){0, 0});
}
