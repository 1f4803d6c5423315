#pragma once
/* Base64 in blocks of 24 bytes and 32 letters, for machines with AVX2. Internal to base64.c.
 *
 * Multiplications move the bits of all groups at once, and table look-ups translate them (W. Muła and D. Lemire,
 * "Faster Base64 Encoding and Decoding Using AVX2 Instructions", 2018).
 */
#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__) && !defined(__FRAMAC__)
#define WS_BASE64_HAVE_BLOCKS 1

/* Encodes from the front of n bytes, as long as the next 28 are there. Returns the number of bytes encoded. */
size_t ws_base64_blocks_encode(char *to, const uint8_t *bytes, size_t n);

/* Decodes from the front of n letters, up to the first block that is invalid or has less than 44 of them. Writes no
 * more than n / 4 * 3 bytes, of which some behind the result. Returns the number of letters decoded. */
size_t ws_base64_blocks_decode(uint8_t *to, const char *text, size_t n);
#endif
