/* Base64 of RFC 4648 section 4: padded, canonical, nothing else.
 *
 * Decoding refuses every other byte, missing or misplaced padding, and non-zero bits under the padding: each byte string
 * has one encoding, and only that decodes.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Size of the encoding of n bytes, without a final NUL. n is at most SIZE_MAX / 2. */
size_t ws_base64_encoded_size(size_t n);

/* Encodes n bytes and writes a final NUL: ws_base64_encoded_size(n) + 1 bytes. */
void ws_base64_encode(char *to, const uint8_t *bytes, size_t n);

/* The most bytes that n characters can decode to. */
size_t ws_base64_decoded_max(size_t n);

/* Decodes n characters to at most ws_base64_decoded_max(n) bytes. Returns 0 with *size set, or -1 with *error_offset set to
 * where the first wrong character stands (n where characters are missing). */
int ws_base64_decode(uint8_t *to, const char *text, size_t n, size_t *size, size_t *error_offset);
