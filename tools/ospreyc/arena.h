#pragma once
/* Arena allocation.
 *
 * The data of one program lives until the program is compiled, so one arena allocates it and frees it at once. Memory
 * is zeroed. Out of memory, the process ends with a message, so callers do not check.
 */
#include <stdarg.h>
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

/* Formats as printf does. */
char *arena_printf(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *arena, const char *format, va_list arguments) __attribute__((format(printf, 2, 0)));

/* Makes room for one more item in a growing list: `*array` points to `count` items of `size` bytes, and has room for
 * `*capacity`. */
void arena_grow(struct arena *arena, void *array, size_t count, size_t *capacity, size_t size);

/* Appends `value` to a list of `type *items` with `count` and `capacity`. */
#define ARENA_PUSH(arena, items, count, capacity, value)                                                               \
  (arena_grow((arena), &(items), (count), &(capacity), sizeof *(items)), (items)[(count)++] = (value))
