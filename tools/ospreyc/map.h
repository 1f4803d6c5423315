#pragma once
/* A map from text to a pointer. The texts are not copied: they must outlive the map. Nothing is ever removed. */
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

/* The place of the value of a key, which is NULL at first. Valid until the next call. */
void **map_slot(struct map *map, const char *key, size_t length);

/* The value of a NUL-terminated key, or NULL. */
void *map_get(const struct map *map, const char *key);
