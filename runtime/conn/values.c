#include "values.h"

#include <pthread.h>
#include <string.h>

#include "base/mem.h"
#include "base/tree.h"
#include "handle.h"

/* A value. An ID that has any has one with the key "" too, which a program cannot name: it holds their sum. */
struct ws_value {
  int64_t id;
  int64_t held; /* with key "": of all values of the ID */
  char *text;
  const char *key; /* behind this struct, in the same block */
};

static pthread_mutex_t ws_values_lock = PTHREAD_MUTEX_INITIALIZER;
static struct ws_tree ws_values; /* by ID, then by key */

static int ws_values_compare_id(const void *one, const void *other) {
  int64_t a = ((const struct ws_value *)one)->id;
  int64_t b = ((const struct ws_value *)other)->id;
  return (a > b) - (a < b);
}

static int ws_values_compare(const void *one, const void *other) {
  int order = ws_values_compare_id(one, other);
  return order ? order : strcmp(((const struct ws_value *)one)->key, ((const struct ws_value *)other)->key);
}

/* What an entry holds; the two blocks' own parts are a guess. */
static int64_t ws_values_size(const char *key, const char *text) {
  enum { ALLOCATOR = 32 };
  return (int64_t)(sizeof(struct ws_value) + WS_TREE_NODE + ALLOCATOR + strlen(key) + strlen(text) + 2);
}

/* ---- entries; the lock is held */

static struct ws_value *ws_values_find(int64_t id, const char *key) {
  const struct ws_value wanted = {.id = id, .key = key};
  return ws_tree_find(&ws_values, &wanted, ws_values_compare);
}

/* Adds an entry without a text. NULL: no memory. */
static struct ws_value *ws_values_add(int64_t id, const char *key) {
  size_t size = strlen(key) + 1;
  struct ws_value *value = ws_mem_alloc(sizeof *value + size);
  if (!value)
    return NULL;
  *value = (struct ws_value){.id = id, .key = memcpy(value + 1, key, size)};
  if (ws_tree_add(&ws_values, value, ws_values_compare)) {
    ws_mem_free(value);
    return NULL;
  }
  return value;
}

static void ws_values_delete(struct ws_value *value) {
  ws_tree_remove(&ws_values, value, ws_values_compare);
  ws_mem_free(value->text);
  ws_mem_free(value);
}

/* The entry of a key, and of the ID's sum, made if they are missing. -1: no memory; nothing has changed. */
static int ws_values_make(int64_t id, const char *key, struct ws_value **value, struct ws_value **sum) {
  struct ws_value *old_sum = ws_values_find(id, "");
  *sum = old_sum ? old_sum : ws_values_add(id, "");
  if (!*sum)
    return -1;
  *value = ws_values_find(id, key);
  if (!*value)
    *value = ws_values_add(id, key);
  if (*value)
    return 0;
  if (!old_sum)
    ws_values_delete(*sum);
  return -1;
}

static enum ws_values_outcome ws_values_store(int64_t id, const char *key, const char *text, int64_t cap,
                                              struct ws_values_change *change) {
  struct ws_value *value = ws_values_find(id, key);
  struct ws_value *sum = ws_values_find(id, "");
  change->bytes = ws_values_size(key, text) - (value ? ws_values_size(key, value->text) : 0);
  change->held = (sum ? sum->held : 0) + change->bytes;
  if (change->held > cap)
    return WS_VALUES_FULL;
  char *copy = ws_mem_strdup(text);
  if (!copy || ws_values_make(id, key, &value, &sum)) {
    ws_mem_free(copy);
    return WS_VALUES_NO_MEMORY;
  }
  sum->held = change->held;
  ws_mem_free(value->text);
  value->text = copy;
  return WS_VALUES_DONE;
}

/* ---- operations */

enum ws_values_outcome ws_values_set(int64_t id, const char *key, const char *value, int64_t cap,
                                     struct ws_values_change *change) {
  pthread_mutex_lock(&ws_values_lock);
  /* Under the lock: whoever retires the ID drops its values afterwards. */
  enum ws_values_outcome outcome =
      ws_handle_is_alive(ws_handle_kind_of(id), id) ? ws_values_store(id, key, value, cap, change) : WS_VALUES_GONE;
  pthread_mutex_unlock(&ws_values_lock);
  return outcome;
}

enum ws_values_outcome ws_values_remove(int64_t id, const char *key, struct ws_values_change *change) {
  pthread_mutex_lock(&ws_values_lock);
  struct ws_value *value = ws_values_find(id, key);
  if (value) {
    struct ws_value *sum = ws_values_find(id, "");
    change->bytes = -ws_values_size(key, value->text);
    change->held = sum->held += change->bytes;
    ws_values_delete(value);
    if (change->held == 0)
      ws_values_delete(sum);
  }
  pthread_mutex_unlock(&ws_values_lock);
  return value ? WS_VALUES_DONE : WS_VALUES_MISSING;
}

enum ws_values_outcome ws_values_get(int64_t id, const char *key, char **copy) {
  pthread_mutex_lock(&ws_values_lock);
  const struct ws_value *value = ws_values_find(id, key);
  *copy = value ? ws_mem_strdup(value->text) : NULL;
  pthread_mutex_unlock(&ws_values_lock);
  if (!value)
    return WS_VALUES_MISSING;
  return *copy ? WS_VALUES_DONE : WS_VALUES_NO_MEMORY;
}

void ws_values_drop(int64_t id) {
  const struct ws_value any = {.id = id};
  struct ws_value *value;
  pthread_mutex_lock(&ws_values_lock);
  while ((value = ws_tree_find(&ws_values, &any, ws_values_compare_id)) != NULL)
    ws_values_delete(value);
  pthread_mutex_unlock(&ws_values_lock);
}
