#include "arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_CHUNK = 64 * 1024, ARENA_ALIGNMENT = 16 };

struct arena_chunk {
  struct arena_chunk *next;
  _Alignas(ARENA_ALIGNMENT) char bytes[];
};

void arena_init(struct arena *arena) {
  *arena = (struct arena){0};
}

void arena_deinit(struct arena *arena) {
  struct arena_chunk *next;
  for (struct arena_chunk *chunk = arena->chunks; chunk; chunk = next) {
    next = chunk->next;
    free(chunk);
  }
  *arena = (struct arena){0};
}

static _Noreturn void arena_exhausted(void) {
  fputs("ospreyc: error: out of memory\n", stderr);
  exit(3);
}

static char *arena_add_chunk(struct arena *arena, size_t size) {
  struct arena_chunk *chunk = size > SIZE_MAX / 2 ? NULL : calloc(1, sizeof *chunk + size);
  if (!chunk)
    arena_exhausted();
  chunk->next = arena->chunks;
  arena->chunks = chunk;
  return chunk->bytes;
}

void *arena_alloc(struct arena *arena, size_t size) {
  if (size > SIZE_MAX / 2)
    arena_exhausted();
  size_t rounded = (size + ARENA_ALIGNMENT - 1) & ~(size_t)(ARENA_ALIGNMENT - 1);
  if (rounded > ARENA_CHUNK / 4)
    return arena_add_chunk(arena, rounded);
  if (rounded > arena->left) {
    arena->next = arena_add_chunk(arena, ARENA_CHUNK);
    arena->left = ARENA_CHUNK;
  }
  void *memory = arena->next;
  arena->next += rounded;
  arena->left -= rounded;
  return memory;
}

void *arena_array(struct arena *arena, size_t count, size_t size) {
  if (size && count > SIZE_MAX / 2 / size)
    arena_exhausted();
  return arena_alloc(arena, count * size);
}

char *arena_copy(struct arena *arena, const char *bytes, size_t length) {
  char *copy = arena_alloc(arena, length + 1);
  if (length)
    memcpy(copy, bytes, length);
  return copy;
}

char *arena_vprintf(struct arena *arena, const char *format, va_list arguments) {
  char *printed;
  int length = vasprintf(&printed, format, arguments);
  if (length < 0)
    arena_exhausted();
  char *text = arena_copy(arena, printed, (size_t)length);
  free(printed);
  return text;
}

char *arena_printf(struct arena *arena, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  char *text = arena_vprintf(arena, format, arguments);
  va_end(arguments);
  return text;
}

void arena_grow(struct arena *arena, void *array, size_t count, size_t *capacity, size_t size) {
  if (count < *capacity)
    return;
  size_t larger = *capacity ? *capacity * 2 : 8;
  void **items = array;
  void *grown = arena_array(arena, larger, size);
  if (count)
    memcpy(grown, *items, count * size);
  *items = grown;
  *capacity = larger;
}
