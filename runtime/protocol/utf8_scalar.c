#include "utf8_scalar.h"

size_t ws_utf8_scalar_feed(struct ws_utf8 *state, const uint8_t *bytes, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (!ws_utf8_step(state, bytes[i]))
      return i;
  return n;
}

size_t ws_utf8_scalar_unmask(struct ws_utf8 *state, uint8_t *to, const uint8_t *from, size_t n, const uint8_t key[4]) {
  for (size_t i = 0; i < n; i++) {
    to[i] = from[i] ^ key[i & 3];
    if (!ws_utf8_step(state, to[i]))
      return i;
  }
  return n;
}
