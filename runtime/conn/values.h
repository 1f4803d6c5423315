#pragma once
/* The values that a program keeps with a connection or a server: strings by key.
 *
 * They belong to an ID, are kept apart from its object, and end when the ID is retired: an object without values has
 * nothing of them. Any thread; all functions take one lock.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WS_VALUES_KEY_MAX = 255 };

enum ws_values_outcome {
  WS_VALUES_DONE,
  WS_VALUES_MISSING,   /* there is no such key */
  WS_VALUES_GONE,      /* the ID is retired */
  WS_VALUES_FULL,      /* change->held would be more than the cap */
  WS_VALUES_NO_MEMORY, /* nothing has changed */
};

/* Of the bytes that an ID's values hold. */
struct ws_values_change {
  int64_t bytes; /* more than before */
  int64_t held;  /* afterwards */
};

/* Keeps a copy of `value`, in place of the key's present one. */
enum ws_values_outcome ws_values_set(int64_t id, const char *key, const char *value, int64_t cap,
                                     struct ws_values_change *change);
enum ws_values_outcome ws_values_remove(int64_t id, const char *key, struct ws_values_change *change);

/* *copy: the value, which the caller frees (ws_mem_free). */
enum ws_values_outcome ws_values_get(int64_t id, const char *key, char **copy);

/* Forgets all values of an ID, which was retired. */
void ws_values_drop(int64_t id);
