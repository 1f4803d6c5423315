#pragma once
/* A hash map from strings to pointers. Keys are not copied and must outlive the map. Keys are never removed. */
#include <stddef.h>

struct arena;

struct map_entry {
  const char *key;
  size_t length;
  void *value;
};

struct map {
  struct arena *arena;
  struct map_entry *entries;
  size_t count;
  size_t capacity; /* a power of two, or 0 */
};

void map_init(struct map *map, struct arena *arena);

/* The slot of a key's value, initially NULL. Valid until the next call. */
void **map_slot(struct map *map, const char *key, size_t length);

/* The value of a NUL-terminated key, or NULL. */
void *map_get(const struct map *map, const char *key);
