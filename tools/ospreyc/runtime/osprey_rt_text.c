#include "osprey_rt_text.h"
#include "osprey_rt_result.h"

#include "osprey/osprey_mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_SIZE = 32, NUMBER_MAX = NUMBER_SIZE - 1 };

/* The contents of a Result block. */
struct text_result {
  const void *block;
  bool failed;
  const char *message;
};

static struct text_result text_result_open(const void *block, int64_t inner) {
  const struct rt_bool_result *of_bool = block;
  const struct rt_word_result *of_word = block;
  struct text_result result = {.block = block};
  result.failed = (inner == OSP_RT_BOOL ? of_bool->discriminant : of_word->discriminant) != 0;
  result.message = inner == OSP_RT_BOOL ? of_bool->message : of_word->message;
  if (!result.message)
    result.message = "Error";
  return result;
}

static struct osp_rt_part text_result_value(const struct text_result *result, int64_t inner) {
  struct osp_rt_part value = {.kind = inner};
  if (inner == OSP_RT_BOOL)
    value.integer = *(const unsigned char *)result->block;
  else
    memcpy(&value.integer, result->block, sizeof value.integer);
  return value;
}

/* Writes the fewest digits that read back as the same number: 15, less their zeros, 16 or 17. A subnormal number has
 * fewer bits: from 1 on. The sign of a NaN depends on whether the processor or the optimiser made it. */
static char *text_put_float(char *at, double value) {
  char digits[NUMBER_SIZE];
  if (isnan(value))
    return stpcpy(at, "nan");
  for (int precision = fpclassify(value) == FP_SUBNORMAL ? 1 : 15; precision <= 17; precision++) {
    snprintf(digits, sizeof digits, "%.*g", precision, value);
    if (strtod(digits, NULL) == value)
      break;
  }
  at = stpcpy(at, digits);
  bool looks_like_int = strspn(digits, "-0123456789") == strlen(digits);
  return looks_like_int ? stpcpy(at, ".0") : at;
}

static char *text_put_int(char *at, int64_t value) {
  char digits[NUMBER_SIZE];
  char *first = digits + NUMBER_MAX;
  *first = '\0';
  uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;
  do
    *--first = (char)('0' + rest % 10);
  while ((rest /= 10) != 0);
  if (value < 0)
    *--first = '-';
  return stpcpy(at, first);
}

/* An upper bound of a part's length; exact for text. */
static size_t text_bound(struct osp_rt_part part) {
  if (part.kind == OSP_RT_TEXT)
    return strlen(part.pointer);
  if (part.kind < OSP_RT_RESULT)
    return NUMBER_MAX;
  int64_t inner = part.kind - OSP_RT_RESULT;
  struct text_result result = text_result_open(part.pointer, inner);
  size_t content = result.failed ? strlen(result.message) : text_bound(text_result_value(&result, inner));
  return strlen("Success()") + content;
}

static char *text_put(char *at, struct osp_rt_part part) {
  switch (part.kind) {
  case OSP_RT_TEXT:
    return stpcpy(at, part.pointer);
  case OSP_RT_INT:
    return text_put_int(at, part.integer);
  case OSP_RT_FLOAT:
    return text_put_float(at, part.real);
  case OSP_RT_BOOL:
    return stpcpy(at, part.integer ? "true" : "false");
  case OSP_RT_UNIT:
    return stpcpy(at, "0");
  default:
    break;
  }
  int64_t inner = part.kind - OSP_RT_RESULT;
  struct text_result result = text_result_open(part.pointer, inner);
  if (result.failed)
    at = stpcpy(stpcpy(at, "Error("), result.message);
  else
    at = text_put(stpcpy(at, "Success("), text_result_value(&result, inner));
  return stpcpy(at, ")");
}

size_t osprey_rt_text_bound(const struct osp_rt_part *parts, int64_t count) {
  size_t bound = 0;
  for (int64_t i = 0; i < count; i++)
    bound += text_bound(parts[i]);
  return bound;
}

char *osprey_rt_text_put(char *at, const struct osp_rt_part *parts, int64_t count) {
  *at = '\0';
  for (int64_t i = 0; i < count; i++)
    at = text_put(at, parts[i]);
  return at;
}

char *osprey_rt_text_alloc(size_t length) {
  return osp_alloc_tagged_noinit((int64_t)length + 1, 0);
}

char *osprey_rt_text_of(const char *bytes, size_t length) {
  size_t zeros = 0;
  for (size_t i = 0; i < length; i++)
    zeros += bytes[i] == '\0';
  char *text = osprey_rt_text_alloc(length + zeros), *at = text;
  for (size_t i = 0; i < length; i++) {
    if (bytes[i] != '\0')
      *at++ = bytes[i];
    else
      at = stpcpy(at, "\xc0\x80");
  }
  *at = '\0';
  return text;
}

char *osp_rt_format(const struct osp_rt_part *parts, int64_t count) {
  char *text = osprey_rt_text_alloc(osprey_rt_text_bound(parts, count));
  osprey_rt_text_put(text, parts, count);
  return text;
}

int64_t osp_rt_compare(const char *left, const char *right) {
  return left == right ? 0 : strcmp(left, right); /* the linker merges equal literals */
}
