#pragma once
/* Support for the Eva drivers: every input of a size.
 *
 * An input is in a block of exactly its size, so access past it is an alarm. The block is weak: Eva retains no
 * knowledge of its bytes. Each read may return any value, and paths do not multiply with the values read.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

static volatile unsigned char any_byte;

static void *any_input(size_t n) {
  unsigned char *bytes = calloc(n + 1, 1); /* at least one byte, as a block of size 0 is not valid */

  for (size_t i = 0; i < n; i++)
    bytes[1 + i] = any_byte;
  return bytes + 1;
}

/* Raises an alarm unless the condition always holds. */
static void promise(bool holds) {
  char place[1];

  place[!holds] = 0;
}
