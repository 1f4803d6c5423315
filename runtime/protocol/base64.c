#include "base64.h"

#include <stdbool.h>

#include "base64_block.h"

const char ws_base64_letters[64 + 1] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

const uint8_t ws_base64_values[256] = {
    ['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,  ['H'] = 8,
    ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16,
    ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
    ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32,
    ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40,
    ['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
    ['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
    ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63, ['/'] = 64,
};

size_t ws_base64_encoded_size(size_t n) {
  return n / 3 * 4 + (n % 3 > 0 ? 4 : 0);
}

size_t ws_base64_decoded_max(size_t n) {
  return n / 4 * 3;
}

void ws_base64_encode(char *to, const uint8_t *bytes, size_t n) {
  size_t at = 0;
#ifdef WS_BASE64_HAVE_BLOCKS
  at = ws_base64_blocks_encode(to, bytes, n);
  to += at / 3 * 4;
#endif
  /*@ loop invariant at <= n && at % 3 == 0 && to == \at(to, Pre) + at / 3 * 4;
      loop assigns at, to, \at(to, Pre)[0 .. base64_size(n)];
      loop variant n - at;
  */
  for (; n - at >= 3; at += 3) {
    uint32_t bits = (uint32_t)bytes[at] << 16 | (uint32_t)bytes[at + 1] << 8 | bytes[at + 2];
    *to++ = ws_base64_letters[bits >> 18 & 63];
    *to++ = ws_base64_letters[bits >> 12 & 63];
    *to++ = ws_base64_letters[bits >> 6 & 63];
    *to++ = ws_base64_letters[bits & 63];
  }
  if (n - at > 0) {
    uint32_t bits = (uint32_t)bytes[at] << 16 | (n - at == 2 ? (uint32_t)bytes[at + 1] << 8 : 0);
    *to++ = ws_base64_letters[bits >> 18 & 63];
    *to++ = ws_base64_letters[bits >> 12 & 63];
    *to++ = n - at == 2 ? ws_base64_letters[bits >> 6 & 63] : '=';
    *to++ = '=';
  }
  *to = '\0';
}

/* Decodes up to four letters. Returns false and sets *wrong to the index of the first byte that is not a letter. */
/*@ requires letters <= 4 && \valid_read(text + (0 .. letters - 1)) && \valid(bits) && \valid(wrong);
    requires \separated(bits, wrong, text + (0 .. letters - 1));
    assigns *bits, *wrong;
    ensures \result == 0 ==> *wrong < letters;
*/
static bool ws_base64_quad(const char *text, size_t letters, uint32_t *bits, size_t *wrong) {
  *bits = 0;
  /*@ loop invariant i <= letters;
      loop assigns i, *bits;
      loop variant letters - i;
  */
  for (size_t i = 0; i < letters; i++) {
    uint8_t value = ws_base64_values[(uint8_t)text[i]];
    if (value == 0) {
      *wrong = i;
      return false;
    }
    *bits |= (uint32_t)(value - 1) << (18 - 6 * i);
  }
  return true;
}

/* Decodes the last four characters, of which up to two are padding. */
/*@ requires \valid_read(text + (0 .. 3)) && \valid(to + (0 .. 2)) && \valid(size) && \valid(wrong);
    requires \separated(to + (0 .. 2), text + (0 .. 3), size, wrong);
    assigns to[0 .. 2], *size, *wrong;
    ensures \result == 0 ? *size <= 3 : \result == -1 && *wrong < 4;
*/
static int ws_base64_last(uint8_t *to, const char *text, size_t *size, size_t *wrong) {
  size_t letters = text[3] != '=' ? 4 : text[2] != '=' ? 3 : 2;
  uint32_t unused = letters == 4 ? 0 : letters == 3 ? 0xFF : 0xFFFF;
  uint32_t bits;
  if (!ws_base64_quad(text, letters, &bits, wrong))
    return -1;
  if (bits & unused) {
    *wrong = letters - 1; /* not canonical: bits under the padding are set */
    return -1;
  }
  to[0] = (uint8_t)(bits >> 16);
  if (letters > 2)
    to[1] = (uint8_t)(bits >> 8);
  if (letters > 3)
    to[2] = (uint8_t)bits;
  *size = letters - 1;
  return 0;
}

int ws_base64_decode(uint8_t *to, const char *text, size_t n, size_t *size, size_t *error_offset) {
  size_t at = 0, done = 0, wrong = 0, last = 0;
  uint32_t bits;
#ifdef WS_BASE64_HAVE_BLOCKS
  at = ws_base64_blocks_decode(to, text, n);
  done = at / 4 * 3;
#endif
  /*@ loop invariant at <= n && at % 4 == 0 && done == at / 4 * 3;
      loop assigns at, done, bits, wrong, to[0 .. n / 4 * 3 - 1], *error_offset;
      loop variant n - at;
  */
  for (; n - at > 4; at += 4, done += 3) {
    if (!ws_base64_quad(text + at, 4, &bits, &wrong)) {
      *error_offset = at + wrong;
      return -1;
    }
    to[done] = (uint8_t)(bits >> 16);
    to[done + 1] = (uint8_t)(bits >> 8);
    to[done + 2] = (uint8_t)bits;
  }
  if (n - at == 4 && ws_base64_last(to + done, text + at, &last, &wrong) < 0) {
    *error_offset = at + wrong;
    return -1;
  }
  if (n - at != 4 && n > 0) {
    *error_offset = ws_base64_quad(text + at, n - at, &bits, &wrong) ? n : at + wrong;
    return -1;
  }
  *size = done + last;
  return 0;
}
