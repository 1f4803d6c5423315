/* Base64 of RFC 4648 section 4: padded, canonical, nothing else.
 *
 * Decoding refuses every other byte, missing or misplaced padding, and non-zero bits under the padding: each byte string
 * has one encoding, and only that decodes.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/*@ logic integer base64_size(integer n) = (n + 2) / 3 * 4; */

/* Size of the encoding of n bytes, without a final NUL. n is at most SIZE_MAX / 2. */
/*@ requires n <= SIZE_MAX / 2;
    assigns \nothing;
    ensures \result == base64_size(n);
*/
size_t ws_base64_encoded_size(size_t n);

/* Encodes n bytes and writes a final NUL: ws_base64_encoded_size(n) + 1 bytes. */
/*@ requires n <= SIZE_MAX / 2 && \valid_read(bytes + (0 .. n - 1)) && \valid(to + (0 .. base64_size(n)));
    requires \separated(to + (0 .. base64_size(n)), bytes + (0 .. n - 1));
    assigns to[0 .. base64_size(n)];
*/
void ws_base64_encode(char *to, const uint8_t *bytes, size_t n);

/* The most bytes that n characters can decode to. */
/*@ assigns \nothing;
    ensures \result == n / 4 * 3;
*/
size_t ws_base64_decoded_max(size_t n);

/* Decodes n characters to at most ws_base64_decoded_max(n) bytes. Returns 0 with *size set, or -1 with *error_offset set to
 * where the first wrong character stands (n where characters are missing). */
/*@ requires \valid_read(text + (0 .. n - 1)) && \valid(to + (0 .. n / 4 * 3 - 1)) && \valid(size) && \valid(error_offset);
    requires \separated(to + (0 .. n / 4 * 3 - 1), text + (0 .. n - 1), size, error_offset);
    assigns to[0 .. n / 4 * 3 - 1], *size, *error_offset;
    ensures \result == 0 ? *size <= n / 4 * 3 : \result == -1 && *error_offset <= n;
*/
int ws_base64_decode(uint8_t *to, const char *text, size_t n, size_t *size, size_t *error_offset);
