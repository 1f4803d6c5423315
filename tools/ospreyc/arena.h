#pragma once
/* Arena allocation.
 *
 * Everything the front end builds for one program lives until the program is compiled, so it is allocated from one arena
 * and freed at once. Memory comes zeroed. Running out of memory ends the process with a message: a compiler has nothing
 * better to do, and no caller has to check.
 */
#include <stddef.h>

struct arena_chunk;

struct arena {
  struct arena_chunk *chunks;
  char *next;
  size_t left;
};

void arena_init(struct arena *arena);
void arena_deinit(struct arena *arena);

/* Zeroed memory for any object. */
void *arena_alloc(struct arena *arena, size_t size);

/* Zeroed memory for `count` objects of `size` bytes. */
void *arena_array(struct arena *arena, size_t count, size_t size);

/* A copy of `length` bytes, with a NUL after them. */
char *arena_copy(struct arena *arena, const char *bytes, size_t length);

/* What printf would print. */
char *arena_printf(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
