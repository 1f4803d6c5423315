#pragma once
/* Base64 (RFC 4648 section 4), padded and canonical.
 *
 * Decoding rejects other characters, missing or misplaced padding, and non-zero bits under the padding: each byte
 * string has exactly one encoding that decodes.
 */
#include <stddef.h>
#include <stdint.h>

/*@ logic integer base64_size(integer n) = (n + 2) / 3 * 4; */

/* The size of the encoding of n bytes, without the NUL. n is at most SIZE_MAX / 2. */
/*@ requires n <= SIZE_MAX / 2;
    assigns \nothing;
    ensures \result == base64_size(n);
*/
size_t ws_base64_encoded_size(size_t n);

/* Encodes n bytes. Writes ws_base64_encoded_size(n) characters and a NUL. */
/*@ requires n <= SIZE_MAX / 2 && \valid_read(bytes + (0 .. n - 1)) && \valid(to + (0 .. base64_size(n)));
    requires \separated(to + (0 .. base64_size(n)), bytes + (0 .. n - 1));
    assigns to[0 .. base64_size(n)];
*/
void ws_base64_encode(char *to, const uint8_t *bytes, size_t n);

/* The most bytes to which n characters decode. */
/*@ assigns \nothing;
    ensures \result == n / 4 * 3;
*/
size_t ws_base64_decoded_max(size_t n);

/* Decodes n characters to at most ws_base64_decoded_max(n) bytes. Returns 0 and sets *size, or returns -1 and sets
 * *error_offset to the offset of the first invalid character (n if characters are missing). */
/*@ requires \valid_read(text + (0 .. n - 1)) && \valid(to + (0 .. n / 4 * 3 - 1));
    requires \valid(size) && \valid(error_offset);
    requires \separated(to + (0 .. n / 4 * 3 - 1), text + (0 .. n - 1), size, error_offset);
    assigns to[0 .. n / 4 * 3 - 1], *size, *error_offset;
    ensures \result == 0 ? *size <= n / 4 * 3 : \result == -1 && *error_offset <= n;
*/
int ws_base64_decode(uint8_t *to, const char *text, size_t n, size_t *size, size_t *error_offset);
