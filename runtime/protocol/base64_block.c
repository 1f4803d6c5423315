#include "base64_block.h"

#ifdef WS_BASE64_HAVE_AVX2
#include <immintrin.h>

#define WS_AVX2_BASE64 __attribute__((target("avx2")))
#define WS_BASE64_TWICE(...) _mm256_setr_epi8(__VA_ARGS__, __VA_ARGS__)

enum {
  WS_BASE64_BYTES = 24,
  WS_BASE64_LETTERS = 32,
  WS_BASE64_READ = 28, /* two loads of 16 bytes, 12 apart */
  WS_BASE64_LAST = 44, /* letters whose bytes have room for a store of 32 */
};

/* Spreads each three bytes over four: the value of a letter each. */
WS_AVX2_BASE64 static __m256i ws_base64_spread(__m256i bytes) {
  const __m256i order = WS_BASE64_TWICE(1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10);
  __m256i groups = _mm256_shuffle_epi8(bytes, order);
  __m256i first =
      _mm256_mulhi_epu16(_mm256_and_si256(groups, _mm256_set1_epi32(0x0FC0FC00)), _mm256_set1_epi32(0x04000040));
  __m256i second =
      _mm256_mullo_epi16(_mm256_and_si256(groups, _mm256_set1_epi32(0x003F03F0)), _mm256_set1_epi32(0x01000010));
  return _mm256_or_si256(first, second);
}

/* A letter is its value plus the distance of its range: A-Z, a-z, 0-9, + and /. */
WS_AVX2_BASE64 static __m256i ws_base64_letters_of(__m256i values) {
  const __m256i distances = WS_BASE64_TWICE('a' - 26, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52,
                                            '0' - 52, '0' - 52, '0' - 52, '0' - 52, '+' - 62, '/' - 63, 'A', 0, 0);
  __m256i range = _mm256_subs_epu8(values, _mm256_set1_epi8(51));
  __m256i upper = _mm256_and_si256(_mm256_cmpgt_epi8(_mm256_set1_epi8(26), values), _mm256_set1_epi8(13));
  return _mm256_add_epi8(values, _mm256_shuffle_epi8(distances, _mm256_or_si256(range, upper)));
}

WS_AVX2_BASE64 static size_t ws_base64_encode_all(char *to, const uint8_t *bytes, size_t n) {
  size_t at = 0;
  for (; n - at >= WS_BASE64_READ; at += WS_BASE64_BYTES, to += WS_BASE64_LETTERS) {
    __m256i block = _mm256_loadu2_m128i((const __m128i_u *)(bytes + at + 12), (const __m128i_u *)(bytes + at));
    _mm256_storeu_si256((__m256i_u *)to, ws_base64_letters_of(ws_base64_spread(block)));
  }
  return at;
}

size_t ws_base64_blocks_encode(char *to, const uint8_t *bytes, size_t n) {
  return n >= WS_BASE64_READ && __builtin_cpu_supports("avx2") ? ws_base64_encode_all(to, bytes, n) : 0;
}

/* Packs the values of each four letters into three bytes. */
WS_AVX2_BASE64 static __m256i ws_base64_pack(__m256i values) {
  const __m256i order = WS_BASE64_TWICE(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1);
  __m256i pairs = _mm256_maddubs_epi16(values, _mm256_set1_epi32(0x01400140));
  __m256i groups = _mm256_madd_epi16(pairs, _mm256_set1_epi32(0x00011000));
  return _mm256_permutevar8x32_epi32(_mm256_shuffle_epi8(groups, order), _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 3, 7));
}

/* The tables of a byte's two nibbles list the classes that it cannot be in; it is a letter if none is in both. */
WS_AVX2_BASE64 static size_t ws_base64_decode_all(uint8_t *to, const char *text, size_t n) {
  const __m256i lower =
      WS_BASE64_TWICE(0x15, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x13, 0x1A, 0x1B, 0x1B, 0x1B, 0x1A);
  const __m256i upper =
      WS_BASE64_TWICE(0x10, 0x10, 0x01, 0x02, 0x04, 0x08, 0x04, 0x08, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10);
  const __m256i distances = WS_BASE64_TWICE(0, 16, 19, 4, -65, -65, -71, -71, 0, 0, 0, 0, 0, 0, 0, 0);
  const __m256i slash = _mm256_set1_epi8('/');
  size_t at = 0;
  for (; n - at >= WS_BASE64_LAST; at += WS_BASE64_LETTERS, to += WS_BASE64_BYTES) {
    __m256i letters = _mm256_loadu_si256((const __m256i_u *)(text + at));
    __m256i high = _mm256_and_si256(_mm256_srli_epi32(letters, 4), slash);
    __m256i classes = _mm256_shuffle_epi8(lower, _mm256_and_si256(letters, slash));
    if (!_mm256_testz_si256(classes, _mm256_shuffle_epi8(upper, high)))
      break;
    __m256i range = _mm256_add_epi8(_mm256_cmpeq_epi8(letters, slash), high);
    __m256i values = _mm256_add_epi8(letters, _mm256_shuffle_epi8(distances, range));
    _mm256_storeu_si256((__m256i_u *)to, ws_base64_pack(values));
  }
  return at;
}

size_t ws_base64_blocks_decode(uint8_t *to, const char *text, size_t n) {
  return n >= WS_BASE64_LAST && __builtin_cpu_supports("avx2") ? ws_base64_decode_all(to, text, n) : 0;
}

#elif defined(WS_BASE64_HAVE_NEON)
#include <arm_neon.h>

enum { WS_BASE64_BYTES = 48, WS_BASE64_LETTERS = 64 };

/* The loads and stores of three and four vectors separate the bytes of a group, and the letters. */
size_t ws_base64_blocks_encode(char *to, const uint8_t *bytes, size_t n) {
  const uint8x16x4_t letters = vld1q_u8_x4((const uint8_t *)ws_base64_letters);
  size_t at = 0;
  for (; n - at >= WS_BASE64_BYTES; at += WS_BASE64_BYTES, to += WS_BASE64_LETTERS) {
    uint8x16x3_t group = vld3q_u8(bytes + at);
    uint8x16x4_t values = {{vshrq_n_u8(group.val[0], 2), vsliq_n_u8(vshrq_n_u8(group.val[1], 4), group.val[0], 4),
                            vsliq_n_u8(vshrq_n_u8(group.val[2], 6), group.val[1], 2), group.val[2]}};
    for (size_t i = 0; i < 4; i++)
      values.val[i] = vqtbl4q_u8(letters, values.val[i] & vdupq_n_u8(63));
    vst4q_u8((uint8_t *)to, values);
  }
  return at;
}

/* The value of each letter plus one, as ws_base64_values has it; 0 for other bytes. An index that is not in a table
 * gives 0. */
static inline uint8x16_t ws_base64_values_of(uint8x16_t letters) {
  const uint8x16x4_t low = vld1q_u8_x4(ws_base64_values), high = vld1q_u8_x4(ws_base64_values + 64);
  return vqtbl4q_u8(low, letters) | vqtbl4q_u8(high, letters - vdupq_n_u8(64));
}

/* Leaves at least one letter: the last four may be padded. */
size_t ws_base64_blocks_decode(uint8_t *to, const char *text, size_t n) {
  size_t at = 0;
  for (; n - at > WS_BASE64_LETTERS; at += WS_BASE64_LETTERS, to += WS_BASE64_BYTES) {
    uint8x16x4_t letters = vld4q_u8((const uint8_t *)text + at);
    uint8x16_t least = vdupq_n_u8(255);
    for (size_t i = 0; i < 4; i++) {
      letters.val[i] = ws_base64_values_of(letters.val[i]);
      least = vminq_u8(least, letters.val[i]);
      letters.val[i] -= vdupq_n_u8(1);
    }
    if (vminvq_u8(least) == 0)
      break;
    uint8x16x3_t group = {{vsliq_n_u8(vshrq_n_u8(letters.val[1], 4), letters.val[0], 2),
                           vsliq_n_u8(vshrq_n_u8(letters.val[2], 2), letters.val[1], 4),
                           vsliq_n_u8(letters.val[3], letters.val[2], 6)}};
    vst3q_u8(to, group);
  }
  return at;
}
#endif
