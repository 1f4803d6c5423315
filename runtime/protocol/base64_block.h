#pragma once
/* Base64 in blocks: of 24 bytes and 32 letters with AVX2, of 48 bytes and 64 letters with NEON. Internal to base64.c.
 *
 * With AVX2, multiplications move the bits of all groups at once, and table look-ups translate them (W. Muła and
 * D. Lemire, "Faster Base64 Encoding and Decoding Using AVX2 Instructions", 2018).
 */
#include <stddef.h>
#include <stdint.h>

#ifdef __FRAMAC__
#elif defined(__x86_64__)
#define WS_BASE64_HAVE_AVX2 1
#elif defined(__aarch64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define WS_BASE64_HAVE_NEON 1
#endif

/* The letter of each value. */
extern const char ws_base64_letters[64 + 1];

/* The value of a letter plus one; 0 for other bytes. */
extern const uint8_t ws_base64_values[256];

#if defined(WS_BASE64_HAVE_AVX2) || defined(WS_BASE64_HAVE_NEON)
#define WS_BASE64_HAVE_BLOCKS 1

/* Encodes from the front of n bytes, a multiple of three. Returns the number of bytes encoded. */
size_t ws_base64_blocks_encode(char *to, const uint8_t *bytes, size_t n);

/* Decodes from the front of n letters, up to the first block that is invalid; not the last four, nor a padded block.
 * Writes no more than n / 4 * 3 bytes, of which some behind the result. Returns the number of letters decoded. */
size_t ws_base64_blocks_decode(uint8_t *to, const char *text, size_t n);
#endif
