#pragma once
/* The bytes of a regular file, without a copy. */
#include <stdbool.h>
#include <stddef.h>

struct cc_map {
  const char *bytes;
  size_t size;
};

/* Maps a file. Returns false if there is no such file, if it cannot be read, and if it is a pipe or a device: those are
 * not opened, because what is in a pipe can be read only once. Call cc_map_deinit whatever the outcome. */
bool cc_map_init(struct cc_map *map, const char *path);
void cc_map_deinit(struct cc_map *map);

/* Returns true if the bytes begin with the word; if they contain it, with or without its NUL. */
bool cc_map_begins(const struct cc_map *map, const char *word);
bool cc_map_contains(const struct cc_map *map, const char *word, bool with_nul);
