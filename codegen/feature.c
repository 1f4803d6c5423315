#include "feature.h"

#include "map.h"

#include <string.h>

/* One entry of a list: a sign and a name. */
struct cg_feature {
  const char *text;
  size_t length;
};

/* Takes the next entry of a list. Returns false at its end. */
static bool cg_take_feature(const char **at, const char *end, struct cg_feature *feature) {
  if (*at >= end)
    return false;
  const char *comma = memchr(*at, ',', (size_t)(end - *at));
  *feature = (struct cg_feature){*at, (size_t)((comma ? comma : end) - *at)};
  *at = comma ? comma + 1 : end;
  return true;
}

/* FNV-1a of the name. Never 0, which is no key. */
static uint64_t cg_feature_key(struct cg_feature feature) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (size_t i = 1; i < feature.length; i++)
    hash = (hash ^ (unsigned char)feature.text[i]) * 0x100000001b3u;
  return hash | 1;
}

static size_t cg_feature_sign(struct cg_feature feature) {
  return feature.length ? (unsigned char)*feature.text : 0;
}

/* Maps the name of each feature to its sign. */
static bool cg_read_features(struct cg_map *signs, const char *list, size_t length) {
  struct cg_feature feature;
  for (const char *at = list; cg_take_feature(&at, list + length, &feature);) {
    size_t *sign = cg_map_at(signs, cg_feature_key(feature));
    if (!sign)
      return false;
    *sign = cg_feature_sign(feature);
  }
  return true;
}

/* The list under construction. */
struct cg_shared {
  char *text;
  size_t length;
};

static void cg_put_feature(struct cg_shared *shared, struct cg_feature feature) {
  if (shared->length)
    shared->text[shared->length++] = ',';
  memcpy(shared->text + shared->length, feature.text, feature.length);
  shared->length += feature.length;
}

/* Appends the entries of one list that hold for both functions. An entry of both lists is taken from the first. */
static void cg_put_shared(struct cg_shared *shared, const char *list, size_t length, const struct cg_map *here,
                          const struct cg_map *there, bool is_first) {
  struct cg_feature feature;
  for (const char *at = list; cg_take_feature(&at, list + length, &feature);) {
    uint64_t key = cg_feature_key(feature);
    size_t sign = cg_feature_sign(feature);
    bool both = cg_map_find(there, key) == sign;
    if (sign && cg_map_find(here, key) == sign && (both ? is_first : sign == '-'))
      cg_put_feature(shared, feature);
  }
}

/* Linear in the lists: a function has a hundred features, and a module may have many functions that differ. */
size_t cg_feature_share(const char *first, size_t first_length, const char *second, size_t second_length,
                        char *shared) {
  struct cg_map here = {NULL, 0, 0}, there = {NULL, 0, 0};
  struct cg_shared list = {shared, 0};
  if (cg_read_features(&here, first, first_length) && cg_read_features(&there, second, second_length)) {
    cg_put_shared(&list, first, first_length, &here, &there, true);
    cg_put_shared(&list, second, second_length, &there, &here, false);
  }
  cg_map_free(&here);
  cg_map_free(&there);
  return list.length;
}
