#include "map.h"

#include "arena.h"

#include <stdint.h>
#include <string.h>

void map_init(struct map *map, struct arena *arena) {
  *map = (struct map){.arena = arena};
}

/* The entry of a key, or the free entry for it. */
static struct map_entry *map_find(const struct map *map, const char *key, size_t length) {
  size_t mask = map->capacity - 1;
  uint64_t hash = 14695981039346656037u; /* FNV-1a */
  for (size_t i = 0; i < length; i++)
    hash = (hash ^ (unsigned char)key[i]) * 1099511628211u;
  for (size_t i = hash & mask;; i = (i + 1) & mask) {
    struct map_entry *entry = &map->entries[i];
    if (!entry->key || (entry->length == length && memcmp(entry->key, key, length) == 0))
      return entry;
  }
}

void **map_slot(struct map *map, const char *key, size_t length) {
  if ((map->count + 1) * 2 > map->capacity) {
    struct map old = *map;
    map->capacity = old.capacity ? old.capacity * 2 : 64;
    map->entries = arena_array(map->arena, map->capacity, sizeof *map->entries);
    for (size_t i = 0; i < old.capacity; i++)
      if (old.entries[i].key)
        *map_find(map, old.entries[i].key, old.entries[i].length) = old.entries[i];
  }
  struct map_entry *entry = map_find(map, key, length);
  if (!entry->key) {
    *entry = (struct map_entry){.key = key, .length = length};
    map->count++;
  }
  return &entry->value;
}

void *map_get(const struct map *map, const char *key) {
  return map->capacity ? map_find(map, key, strlen(key))->value : NULL;
}
