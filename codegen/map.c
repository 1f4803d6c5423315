#include "map.h"

#include <stdlib.h>

static struct cg_map_slot *cg_slot(const struct cg_map *map, uint64_t key) {
  size_t at = (size_t)(key * 0x9e3779b97f4a7c15u >> 20) & (map->capacity - 1);
  while (map->slots[at].key && map->slots[at].key != key)
    at = (at + 1) & (map->capacity - 1);
  return &map->slots[at];
}

/* At most half of the slots are used. The capacity is a power of two. */
static bool cg_map_grow(struct cg_map *map) {
  struct cg_map grown = {NULL, map->capacity ? 2 * map->capacity : 16, map->count};
  grown.slots = calloc(grown.capacity, sizeof *grown.slots);
  if (!grown.slots)
    return false;
  for (size_t i = 0; i < map->capacity; i++)
    if (map->slots[i].key)
      *cg_slot(&grown, map->slots[i].key) = map->slots[i];
  free(map->slots);
  *map = grown;
  return true;
}

size_t *cg_map_at(struct cg_map *map, uint64_t key) {
  if (2 * (map->count + 1) > map->capacity && !cg_map_grow(map))
    return NULL;
  struct cg_map_slot *slot = cg_slot(map, key);
  map->count += !slot->key;
  slot->key = key;
  return &slot->value;
}

size_t cg_map_find(const struct cg_map *map, uint64_t key) {
  return map->capacity ? cg_slot(map, key)->value : 0;
}

void cg_map_free(struct cg_map *map) {
  free(map->slots);
  *map = (struct cg_map){NULL, 0, 0};
}

bool cg_map_room(void **items, size_t count, size_t *capacity, size_t size) {
  if (count < *capacity)
    return true;
  size_t grown = *capacity ? 2 * *capacity : 16;
  void *moved = realloc(*items, grown * size);
  if (!moved)
    return false;
  *items = moved;
  *capacity = grown;
  return true;
}
