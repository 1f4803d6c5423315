/* The scalar twin of utf8.h: one byte at a time, the code that is proved (tests/proofs/).
 *
 * Same contracts as ws_utf8_feed() and ws_utf8_unmask(), and used by them wherever whole blocks do not apply.
 */
#pragma once

#include "utf8.h"

/* Table 3-7 of the Unicode standard, read row by row: a leading byte decides how many continuation bytes follow, and within
 * which bounds the first of them lies; the others lie in 80..BF. */
static inline bool ws_utf8_lead(struct ws_utf8 *state, uint8_t byte) {
  if (byte < 0xC2 || byte > 0xF4)
    return false;
  state->need = byte < 0xE0 ? 1 : byte < 0xF0 ? 2 : 3;
  state->low = byte == 0xE0 ? 0xA0 : byte == 0xF0 ? 0x90 : 0x80;
  state->high = byte == 0xED ? 0x9F : byte == 0xF4 ? 0x8F : 0xBF;
  return true;
}

/* Takes one byte. False, with the state unchanged, if no well-formed text goes on with it. */
static inline bool ws_utf8_step(struct ws_utf8 *state, uint8_t byte) {
  if (state->need == 0)
    return byte < 0x80 || ws_utf8_lead(state, byte);
  if (byte < state->low || byte > state->high)
    return false;
  state->need--;
  state->low = 0x80;
  state->high = 0xBF;
  return true;
}

size_t ws_utf8_scalar_feed(struct ws_utf8 *state, const uint8_t *bytes, size_t n);
size_t ws_utf8_scalar_unmask(struct ws_utf8 *state, uint8_t *to, const uint8_t *from, size_t n, const uint8_t key[4]);
