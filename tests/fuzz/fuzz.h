#pragma once
/* Support for the fuzz targets: an assertion, and values drawn from the input.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void must(bool holds) {
  if (!holds)
    abort();
}

/* The rest of the input. */
struct input {
  const uint8_t *data;
  size_t size;
};

static inline uint8_t take_byte(struct input *input) {
  if (input->size == 0)
    return 0;
  input->size--;
  return *input->data++;
}

/* A copy in a block of its own, whose bounds a sanitizer checks. The caller frees it. */
static inline uint8_t *copy_of(const uint8_t *data, size_t size) {
  uint8_t *copy = malloc(size ? size : 1);

  must(copy != NULL);
  if (size > 0)
    memcpy(copy, data, size);
  return copy;
}
