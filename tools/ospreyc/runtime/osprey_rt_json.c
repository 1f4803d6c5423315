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

static pthread_mutex_t json_lock = PTHREAD_MUTEX_INITIALIZER;
static json_t **json_documents; /* the document of number n is at n - 1; NULL: the number is free */
static size_t json_capacity;

__attribute__((format(printf, 1, 2))) static char *json_text(const char *format, ...) {
  va_list values;
  va_start(values, format);
  char buffer[256];
  int length = vsnprintf(buffer, sizeof buffer, format, values);
  va_end(values);
  size_t kept = length < (int)sizeof buffer ? (size_t)length : sizeof buffer - 1;
  return osprey_rt_text_of(buffer, kept);
}

/* Keeps a document, and returns its number. Returns 0 if there is no memory. */
static int64_t json_keep(json_t *root) {
  size_t at = 0;
  while (at < json_capacity && json_documents[at])
    at++;
  if (at == json_capacity) {
    size_t capacity = json_capacity ? 2 * json_capacity : 16;
    json_t **larger = realloc(json_documents, capacity * sizeof *larger);
    if (!larger)
      return 0;
    memset(larger + json_capacity, 0, (capacity - json_capacity) * sizeof *larger);
    json_documents = larger;
    json_capacity = capacity;
  }
  json_documents[at] = root;
  return (int64_t)at + 1;
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
  return document >= 1 && (uint64_t)document <= json_capacity ? json_documents[document - 1] : NULL;
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
  if (root)
    json_documents[document - 1] = NULL;
  pthread_mutex_unlock(&json_lock);
  json_decref(root);
  *error = root ? NULL : json_text("jsonFree: there is no document %lld", (long long)document);
  return 0;
}
