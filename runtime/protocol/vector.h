#pragma once
/* Vectors of bytes, one source for two machines: 32 bytes on x86-64 with AVX2, 16 on AArch64, which always has NEON.
 *
 * On x86-64, only functions marked WS_VECTOR_TARGET may use them, and only if ws_vector_usable(). C's operators & | ^
 * work on vectors. A table has 16 bytes; an index is below 16.
 */
#include <stdbool.h>
#include <stdint.h>

#if defined(__x86_64__) && !defined(__FRAMAC__)
#include <immintrin.h>

#define WS_VECTOR_SIZE 32
#define WS_VECTOR_TARGET __attribute__((target("avx2")))
#define WS_VECTOR_INLINE static inline __attribute__((target("avx2"), always_inline))

typedef __m256i ws_vector;

static inline bool ws_vector_usable(void) {
  return __builtin_cpu_supports("avx2") != 0;
}

WS_VECTOR_INLINE ws_vector ws_vector_load(const uint8_t *from) {
  return _mm256_loadu_si256((const __m256i_u *)from);
}

WS_VECTOR_INLINE void ws_vector_store(uint8_t *to, ws_vector bytes) {
  _mm256_storeu_si256((__m256i_u *)to, bytes);
}

WS_VECTOR_INLINE ws_vector ws_vector_fill(uint8_t byte) {
  return _mm256_set1_epi8((char)byte);
}

WS_VECTOR_INLINE ws_vector ws_vector_fill_word(uint32_t word) {
  return _mm256_set1_epi32((int32_t)word);
}

#define WS_VECTOR_TABLE(...) _mm256_setr_epi8(__VA_ARGS__, __VA_ARGS__)

/* A vector that ends with these three bytes, after 0xFF everywhere else. */
#define WS_VECTOR_ENDS(a, b, c)                                                                                        \
  _mm256_setr_epi8(-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, \
                   -1, -1, -1, -1, (char)(a), (char)(b), (char)(c))

WS_VECTOR_INLINE ws_vector ws_vector_look_up(ws_vector table, ws_vector indices) {
  return _mm256_shuffle_epi8(table, indices);
}

/* The upper nibble of each byte. */
WS_VECTOR_INLINE ws_vector ws_vector_upper(ws_vector bytes) {
  return _mm256_srli_epi16(bytes, 4) & ws_vector_fill(0x0F);
}

/* a - b, or 0 where b is greater. */
WS_VECTOR_INLINE ws_vector ws_vector_minus(ws_vector a, ws_vector b) {
  return _mm256_subs_epu8(a, b);
}

/* a | b, for which GCC allocates registers otherwise than for the operator. */
WS_VECTOR_INLINE ws_vector ws_vector_or(ws_vector a, ws_vector b) {
  return _mm256_or_si256(a, b);
}

/* The bytes `count` positions before those of `now`, which `last` precedes. */
#define WS_VECTOR_BEFORE(now, last, count)                                                                             \
  _mm256_alignr_epi8(now, _mm256_permute2x128_si256(last, now, 0x21), 16 - (count))

WS_VECTOR_INLINE bool ws_vector_is_ascii(ws_vector bytes) {
  return _mm256_movemask_epi8(bytes) == 0;
}

WS_VECTOR_INLINE bool ws_vector_is_zero(ws_vector bytes) {
  return _mm256_testz_si256(bytes, bytes) != 0;
}

#elif defined(__aarch64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ && !defined(__FRAMAC__)
#include <arm_neon.h>

#define WS_VECTOR_SIZE 16
#define WS_VECTOR_TARGET
#define WS_VECTOR_INLINE static inline __attribute__((always_inline))

typedef uint8x16_t ws_vector;

static inline bool ws_vector_usable(void) {
  return true;
}

WS_VECTOR_INLINE ws_vector ws_vector_load(const uint8_t *from) {
  return vld1q_u8(from);
}

WS_VECTOR_INLINE void ws_vector_store(uint8_t *to, ws_vector bytes) {
  vst1q_u8(to, bytes);
}

WS_VECTOR_INLINE ws_vector ws_vector_fill(uint8_t byte) {
  return vdupq_n_u8(byte);
}

WS_VECTOR_INLINE ws_vector ws_vector_fill_word(uint32_t word) {
  return vreinterpretq_u8_u32(vdupq_n_u32(word));
}

#define WS_VECTOR_TABLE(...) ((ws_vector){__VA_ARGS__})
#define WS_VECTOR_ENDS(a, b, c)                                                                                        \
  ((ws_vector){255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, (a), (b), (c)})

WS_VECTOR_INLINE ws_vector ws_vector_look_up(ws_vector table, ws_vector indices) {
  return vqtbl1q_u8(table, indices);
}

WS_VECTOR_INLINE ws_vector ws_vector_upper(ws_vector bytes) {
  return vshrq_n_u8(bytes, 4);
}

WS_VECTOR_INLINE ws_vector ws_vector_minus(ws_vector a, ws_vector b) {
  return vqsubq_u8(a, b);
}

WS_VECTOR_INLINE ws_vector ws_vector_or(ws_vector a, ws_vector b) {
  return vorrq_u8(a, b);
}

#define WS_VECTOR_BEFORE(now, last, count) vextq_u8(last, now, 16 - (count))

WS_VECTOR_INLINE bool ws_vector_is_ascii(ws_vector bytes) {
  return vmaxvq_u8(bytes) < 0x80;
}

WS_VECTOR_INLINE bool ws_vector_is_zero(ws_vector bytes) {
  return vmaxvq_u8(bytes) == 0;
}
#endif
