#include "utf8_block.h"

#ifdef WS_UTF8_HAVE_BLOCKS
#include <string.h>

/* Errors of two consecutive bytes. The table of each nibble lists the errors in which it can take part; an error is
 * present if all three nibbles (both of the first byte, the upper of the second) list it. */
enum {
  TOO_SHORT = 1 << 0,      /* 11______ 0_______ or 11______ 11______ */
  TOO_LONG = 1 << 1,       /* 0_______ 10______ */
  OVERLONG_3 = 1 << 2,     /* 11100000 100_____ */
  TOO_LARGE = 1 << 3,      /* 11110100 1001____ or 11110100 101_____, and above */
  SURROGATE = 1 << 4,      /* 11101101 101_____ */
  OVERLONG_2 = 1 << 5,     /* 1100000_ 10______ */
  TOO_LARGE_1000 = 1 << 6, /* 11110101 1000____ and above */
  OVERLONG_4 = 1 << 6,     /* 11110000 1000____; shares a bit, as the nibbles differ */
  TWO_CONTINUED = 1 << 7,  /* 10______ 10______; valid within a longer sequence */
  ANY_LOW = TOO_SHORT | TOO_LONG | TWO_CONTINUED,
  ANY_HIGH = TOO_LONG | OVERLONG_2 | TWO_CONTINUED,
};

WS_VECTOR_INLINE ws_vector ws_utf8_first_upper(ws_vector nibbles) {
  const ws_vector table = WS_VECTOR_TABLE(
      TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, (char)TWO_CONTINUED,
      (char)TWO_CONTINUED, (char)TWO_CONTINUED, (char)TWO_CONTINUED, TOO_SHORT | OVERLONG_2, TOO_SHORT,
      TOO_SHORT | OVERLONG_3 | SURROGATE, TOO_SHORT | TOO_LARGE | TOO_LARGE_1000 | OVERLONG_4);
  return ws_vector_look_up(table, nibbles);
}

WS_VECTOR_INLINE ws_vector ws_utf8_first_lower(ws_vector nibbles) {
  const char above = (char)(ANY_LOW | TOO_LARGE | TOO_LARGE_1000);
  const ws_vector table =
      WS_VECTOR_TABLE((char)(ANY_LOW | OVERLONG_2 | OVERLONG_3 | OVERLONG_4), (char)(ANY_LOW | OVERLONG_2),
                      (char)ANY_LOW, (char)ANY_LOW, (char)(ANY_LOW | TOO_LARGE), above, above, above, above, above,
                      above, above, above, (char)(above | SURROGATE), above, above);
  return ws_vector_look_up(table, nibbles);
}

WS_VECTOR_INLINE ws_vector ws_utf8_second_upper(ws_vector nibbles) {
  const ws_vector table =
      WS_VECTOR_TABLE(TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT,
                      (char)(ANY_HIGH | OVERLONG_3 | TOO_LARGE_1000 | OVERLONG_4),
                      (char)(ANY_HIGH | OVERLONG_3 | TOO_LARGE), (char)(ANY_HIGH | SURROGATE | TOO_LARGE),
                      (char)(ANY_HIGH | SURROGATE | TOO_LARGE), TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT);
  return ws_vector_look_up(table, nibbles);
}

/* Non-zero where a byte is invalid after the bytes before it. */
WS_VECTOR_INLINE ws_vector ws_utf8_errors(ws_vector now, ws_vector last) {
  ws_vector first = WS_VECTOR_BEFORE(now, last, 1);
  ws_vector pair = ws_utf8_first_upper(ws_vector_upper(first)) & ws_utf8_first_lower(first & ws_vector_fill(0x0F)) &
                   ws_utf8_second_upper(ws_vector_upper(now));
  /* The second of two continuation bytes is valid exactly two after E0..FF or three after F0..FF: the top bit here. */
  ws_vector third = ws_vector_minus(WS_VECTOR_BEFORE(now, last, 2), ws_vector_fill(0xE0 - 0x80));
  ws_vector fourth = ws_vector_minus(WS_VECTOR_BEFORE(now, last, 3), ws_vector_fill(0xF0 - 0x80));
  return ((third | fourth) & ws_vector_fill(0x80)) ^ pair;
}

/* Non-zero where a sequence at the end of `last` is incomplete. */
WS_VECTOR_INLINE ws_vector ws_utf8_open(ws_vector last) {
  return ws_vector_minus(last, WS_VECTOR_ENDS(0xF0 - 1, 0xE0 - 1, 0xC0 - 1));
}

WS_VECTOR_INLINE bool ws_utf8_blocks(uint8_t *to, const uint8_t *from, size_t blocks, ws_vector key) {
  enum { VECTORS = WS_UTF8_BLOCK / WS_VECTOR_SIZE };
  ws_vector errors = ws_vector_fill(0), last = errors, now[VECTORS];
  for (; blocks > 0; blocks--, from += WS_UTF8_BLOCK) {
    ws_vector any = ws_vector_fill(0);
    for (size_t i = 0; i < VECTORS; i++)
      now[i] = ws_vector_load(from + i * WS_VECTOR_SIZE);
    if (to) {
      for (size_t i = 0; i < VECTORS; i++) {
        now[i] ^= key;
        ws_vector_store(to + i * WS_VECTOR_SIZE, now[i]);
      }
      to += WS_UTF8_BLOCK;
    }
    for (size_t i = 0; i < VECTORS; i++)
      any |= now[i];
    if (ws_vector_is_ascii(any)) {
      errors |= ws_utf8_open(last);
    } else {
      /* With AVX2 there are two. In these words GCC keeps most tables in registers, which tests/cost shows. */
      errors = ws_vector_or(errors, ws_utf8_errors(now[0], last));
      errors |= ws_utf8_errors(now[1], now[0]);
      for (size_t i = 2; i < VECTORS; i++)
        errors |= ws_utf8_errors(now[i], now[i - 1]);
    }
    last = now[VECTORS - 1];
  }
  return ws_vector_is_zero(errors);
}

bool ws_utf8_blocks_usable(void) {
  return ws_vector_usable();
}

WS_VECTOR_TARGET bool ws_utf8_blocks_check(const uint8_t *bytes, size_t blocks) {
  return ws_utf8_blocks(NULL, bytes, blocks, ws_vector_fill(0));
}

WS_VECTOR_TARGET bool ws_utf8_blocks_unmask(uint8_t *to, const uint8_t *from, size_t blocks, const uint8_t key[4]) {
  uint32_t word;
  memcpy(&word, key, sizeof word);
  return ws_utf8_blocks(to, from, blocks, ws_vector_fill_word(word));
}
#endif
