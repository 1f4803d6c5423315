/* JSON documents of a program, by libjansson. Only programs that use them are linked with it. */
#include "osprey_rt.h"
#include "osprey_rt_library.h"
#include "osprey_rt_text.h"

#include <jansson.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The document of number n is at n - 1. The free ones are a list: a number is found without a search, however many
 * documents a program never frees. */
struct json_place {
  json_t *root;      /* NULL: the number is free */
  int64_t next_free; /* then the next free number, or 0 */
};

static pthread_mutex_t json_lock = PTHREAD_MUTEX_INITIALIZER;
static struct json_place *json_places;
static size_t json_numbered, json_capacity; /* numbers given so far; places */
static int64_t json_first_free;             /* 0: none */

__attribute__((format(printf, 1, 2))) static char *json_text(const char *format, ...) {
  va_list values;
  va_start(values, format);
  char buffer[256];
  int length = vsnprintf(buffer, sizeof buffer, format, values);
  va_end(values);
  size_t kept = length < (int)sizeof buffer ? (size_t)length : sizeof buffer - 1;
  return osprey_rt_text_of(buffer, kept);
}

/* Makes room for one more number. */
static bool json_grow(void) {
  size_t capacity = json_capacity ? 2 * json_capacity : 16;
  struct json_place *larger = json_numbered < json_capacity ? NULL : realloc(json_places, capacity * sizeof *larger);
  if (larger) {
    json_places = larger;
    json_capacity = capacity;
  }
  return json_numbered < json_capacity;
}

/* Keeps a document, and returns its number. Returns 0 if there is no memory. */
static int64_t json_keep(json_t *root) {
  int64_t number = json_first_free;
  if (number)
    json_first_free = json_places[number - 1].next_free;
  else if (json_grow())
    number = (int64_t)++json_numbered;
  if (number)
    json_places[number - 1] = (struct json_place){.root = root};
  return number;
}

int64_t osp_rt_json_parse(const char *text, const char **error) {
  json_error_t problem;
  json_t *root = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, &problem);
  *error = root ? NULL : json_text("jsonParse: %d:%d: %s", problem.line, problem.column, problem.text);
  if (!root)
    return 0;
  pthread_mutex_lock(&json_lock);
  int64_t document = json_keep(root);
  pthread_mutex_unlock(&json_lock);
  if (document)
    return document;
  json_decref(root);
  *error = "jsonParse: out of memory";
  return 0;
}

static json_t *json_document(int64_t document) {
  return document >= 1 && (uint64_t)document <= json_numbered ? json_places[document - 1].root : NULL;
}

/* path = { "." | key | "[" digits "]" } */
static const json_t *json_find(int64_t document, const char *path) {
  const json_t *value = json_document(document);
  while (value && *path) {
    if (*path == '.') {
      path++;
    } else if (*path == '[') {
      char *end = NULL;
      bool digit = path[1] >= '0' && path[1] <= '9';
      unsigned long long index = strtoull(path + 1, &end, 10);
      value = digit && *end == ']' ? json_array_get(value, index) : NULL;
      path = end + 1;
    } else {
      size_t length = strcspn(path, ".[");
      value = json_object_getn(value, path, length);
      path += length;
    }
  }
  return value;
}

/* A scalar as text, or NULL. */
static char *json_scalar(const json_t *value) {
  struct osp_rt_part part = {.kind = OSP_RT_INT};
  switch (json_typeof(value)) {
  case JSON_STRING:
    return osprey_rt_text_of(json_string_value(value), json_string_length(value));
  case JSON_TRUE:
  case JSON_FALSE:
    part.kind = OSP_RT_BOOL;
    part.integer = json_is_true(value);
    return osp_rt_format(&part, 1);
  case JSON_INTEGER:
    part.integer = json_integer_value(value);
    return osp_rt_format(&part, 1);
  case JSON_REAL:
    part.kind = OSP_RT_FLOAT;
    part.real = json_real_value(value);
    return osp_rt_format(&part, 1);
  case JSON_NULL:
    return json_text("null");
  default:
    return NULL;
  }
}

char *osp_rt_json_get(int64_t document, const char *path, const char **error) {
  pthread_mutex_lock(&json_lock);
  bool known = json_document(document) != NULL;
  const json_t *value = json_find(document, path);
  char *text = value ? json_scalar(value) : NULL;
  pthread_mutex_unlock(&json_lock);
  *error = NULL;
  if (!known)
    *error = json_text("jsonGet: there is no document %lld", (long long)document);
  else if (!value)
    *error = json_text("jsonGet: there is nothing at '%s'", path);
  else if (!text)
    *error = json_text("jsonGet: an array or object is at '%s'", path);
  return text;
}

int64_t osp_rt_json_length(int64_t document, const char *path) {
  pthread_mutex_lock(&json_lock);
  const json_t *value = json_find(document, path);
  int64_t length = json_is_array(value)    ? (int64_t)json_array_size(value)
                   : json_is_object(value) ? (int64_t)json_object_size(value)
                                           : -1;
  pthread_mutex_unlock(&json_lock);
  return length;
}

int64_t osp_rt_json_free(int64_t document, const char **error) {
  pthread_mutex_lock(&json_lock);
  json_t *root = json_document(document);
  if (root) {
    json_places[document - 1] = (struct json_place){.next_free = json_first_free};
    json_first_free = document;
  }
  pthread_mutex_unlock(&json_lock);
  json_decref(root);
  *error = root ? NULL : json_text("jsonFree: there is no document %lld", (long long)document);
  return 0;
}
