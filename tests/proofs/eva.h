/* What the Eva drivers share: every input of a size.
 *
 * An input lies in a block of exactly its size, so that touching a byte past it is an alarm. The block is a weak one: Eva never
 * learns what a byte in it is, so that each look at it may give anything, and paths that differ by what they saw only do not
 * multiply.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

static volatile unsigned char any_byte;

static void *any_input(size_t n) {
  unsigned char *bytes = calloc(n + 1, 1); /* a block of no bytes is none: the input starts behind the first */

  for (size_t i = 0; i < n; i++)
    bytes[1 + i] = any_byte;
  return bytes + 1;
}

/* An alarm where it may not hold. */
static void promise(bool holds) {
  char place[1];

  place[!holds] = 0;
}
