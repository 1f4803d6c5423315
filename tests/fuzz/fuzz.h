/* What the fuzz targets share: an oracle that ends the run, and numbers drawn from the input. */
#pragma once

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

/* What is left of the input. */
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

/* A copy in a block of its own, so that a sanitizer sees its ends. The caller frees it. */
static inline uint8_t *copy_of(const uint8_t *data, size_t size) {
  uint8_t *copy = malloc(size ? size : 1);

  must(copy != NULL);
  if (size > 0)
    memcpy(copy, data, size);
  return copy;
}
