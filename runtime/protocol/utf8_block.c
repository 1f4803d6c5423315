#include "utf8_block.h"

#ifdef WS_UTF8_HAVE_BLOCKS
#include <immintrin.h>
#include <string.h>

#define WS_AVX2 __attribute__((target("avx2")))
#define WS_AVX2_INLINE static inline __attribute__((target("avx2"), always_inline))

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

#define WS_TWICE(...) _mm256_setr_epi8(__VA_ARGS__, __VA_ARGS__)

WS_AVX2_INLINE __m256i ws_utf8_first_upper(__m256i nibbles) {
  const __m256i table =
      WS_TWICE(TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, (char)TWO_CONTINUED,
               (char)TWO_CONTINUED, (char)TWO_CONTINUED, (char)TWO_CONTINUED, TOO_SHORT | OVERLONG_2, TOO_SHORT,
               TOO_SHORT | OVERLONG_3 | SURROGATE, TOO_SHORT | TOO_LARGE | TOO_LARGE_1000 | OVERLONG_4);
  return _mm256_shuffle_epi8(table, nibbles);
}

WS_AVX2_INLINE __m256i ws_utf8_first_lower(__m256i nibbles) {
  const char above = (char)(ANY_LOW | TOO_LARGE | TOO_LARGE_1000);
  const __m256i table = WS_TWICE((char)(ANY_LOW | OVERLONG_2 | OVERLONG_3 | OVERLONG_4), (char)(ANY_LOW | OVERLONG_2),
                                 (char)ANY_LOW, (char)ANY_LOW, (char)(ANY_LOW | TOO_LARGE), above, above, above, above,
                                 above, above, above, above, (char)(above | SURROGATE), above, above);
  return _mm256_shuffle_epi8(table, nibbles);
}

WS_AVX2_INLINE __m256i ws_utf8_second_upper(__m256i nibbles) {
  const __m256i table = WS_TWICE(TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT,
                                 (char)(ANY_HIGH | OVERLONG_3 | TOO_LARGE_1000 | OVERLONG_4),
                                 (char)(ANY_HIGH | OVERLONG_3 | TOO_LARGE), (char)(ANY_HIGH | SURROGATE | TOO_LARGE),
                                 (char)(ANY_HIGH | SURROGATE | TOO_LARGE), TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT);
  return _mm256_shuffle_epi8(table, nibbles);
}

/* The bytes `count` positions before those of `now`. */
#define WS_BEFORE(now, last, count) _mm256_alignr_epi8(now, _mm256_permute2x128_si256(last, now, 0x21), 16 - (count))

/* Non-zero where a byte is invalid after the bytes before it. */
WS_AVX2_INLINE __m256i ws_utf8_errors(__m256i now, __m256i last) {
  const __m256i low = _mm256_set1_epi8(0x0F);
  __m256i first = WS_BEFORE(now, last, 1);
  __m256i pair =
      _mm256_and_si256(_mm256_and_si256(ws_utf8_first_upper(_mm256_and_si256(_mm256_srli_epi16(first, 4), low)),
                                        ws_utf8_first_lower(_mm256_and_si256(first, low))),
                       ws_utf8_second_upper(_mm256_and_si256(_mm256_srli_epi16(now, 4), low)));
  /* The second of two continuation bytes is valid exactly two after E0..FF or three after F0..FF: the top bit here. */
  __m256i third = _mm256_subs_epu8(WS_BEFORE(now, last, 2), _mm256_set1_epi8(0xE0 - 0x80));
  __m256i fourth = _mm256_subs_epu8(WS_BEFORE(now, last, 3), _mm256_set1_epi8((char)(0xF0 - 0x80)));
  __m256i wanted = _mm256_and_si256(_mm256_or_si256(third, fourth), _mm256_set1_epi8((char)0x80));
  return _mm256_xor_si256(wanted, pair);
}

/* Non-zero where a sequence at the end of `last` is incomplete. */
WS_AVX2_INLINE __m256i ws_utf8_open(__m256i last) {
  const __m256i most =
      _mm256_setr_epi8(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
                       -1, -1, -1, -1, -1, (char)(0xF0 - 1), (char)(0xE0 - 1), (char)(0xC0 - 1));
  return _mm256_subs_epu8(last, most);
}

WS_AVX2_INLINE bool ws_utf8_blocks(uint8_t *to, const uint8_t *from, size_t blocks, __m256i key) {
  __m256i errors = _mm256_setzero_si256(), last = errors;
  for (; blocks > 0; blocks--, from += WS_UTF8_BLOCK) {
    __m256i a = _mm256_loadu_si256((const __m256i_u *)from);
    __m256i b = _mm256_loadu_si256((const __m256i_u *)(from + 32));
    if (to) {
      a = _mm256_xor_si256(a, key);
      b = _mm256_xor_si256(b, key);
      _mm256_storeu_si256((__m256i_u *)to, a);
      _mm256_storeu_si256((__m256i_u *)(to + 32), b);
      to += WS_UTF8_BLOCK;
    }
    if (_mm256_movemask_epi8(_mm256_or_si256(a, b)) == 0) {
      errors = _mm256_or_si256(errors, ws_utf8_open(last));
    } else {
      errors = _mm256_or_si256(errors, ws_utf8_errors(a, last));
      errors = _mm256_or_si256(errors, ws_utf8_errors(b, a));
    }
    last = b;
  }
  return _mm256_testz_si256(errors, errors) != 0;
}

bool ws_utf8_blocks_usable(void) {
  return __builtin_cpu_supports("avx2") != 0;
}

WS_AVX2 bool ws_utf8_blocks_check(const uint8_t *bytes, size_t blocks) {
  return ws_utf8_blocks(NULL, bytes, blocks, _mm256_setzero_si256());
}

WS_AVX2 bool ws_utf8_blocks_unmask(uint8_t *to, const uint8_t *from, size_t blocks, const uint8_t key[4]) {
  int32_t word;
  memcpy(&word, key, sizeof word);
  return ws_utf8_blocks(to, from, blocks, _mm256_set1_epi32(word));
}
#endif
