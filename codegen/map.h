#pragma once
/* A map from pointers, or other numbers but 0, to numbers, and growing arrays. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cg_map {
  struct cg_map_slot {
    uint64_t key; /* 0: empty */
    size_t value;
  } * slots;
  size_t capacity, count;
};

/* Returns the number of a key, a new one with the number 0. Returns NULL if out of memory. The pointer is valid until
 * the next call. */
size_t *cg_map_at(struct cg_map *map, uint64_t key);

/* Returns the number of a key, or 0. */
size_t cg_map_find(const struct cg_map *map, uint64_t key);

void cg_map_free(struct cg_map *map);

/* Makes room for one more item in an array. Returns false if out of memory. */
#define CG_GROW(items, count, capacity) cg_map_room((void **)&(items), (count), &(capacity), sizeof *(items))
bool cg_map_room(void **items, size_t count, size_t *capacity, size_t size);
