#pragma once
/* Input that was read from a connection and is not parsed yet: what a run of the connection left (input.h). Owned
 * by the connection. */
#include <stddef.h>
#include <stdint.h>

/* bytes[at .. size) */
struct ws_unparsed {
  size_t at, size;
  uint8_t bytes[];
};

/* A copy of n bytes, n > 0. NULL: no memory. */
struct ws_unparsed *ws_unparsed_new(const uint8_t *bytes, size_t n);

/* Wipes and frees. NULL does nothing. */
void ws_unparsed_free(struct ws_unparsed *unparsed);
