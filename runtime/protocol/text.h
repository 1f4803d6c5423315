/* Text between the host and the wire.
 *
 * A host's string ends at its first NUL byte; a WebSocket text may hold U+0000. It crosses as the two bytes C0 80, both
 * ways, so that every text arrives whole. Nothing else differs from UTF-8, and C0 80 itself is never accepted on the wire.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum ws_text_outcome {
  WS_TEXT_SAME = 0,    /* the bytes before the NUL are the wire's bytes */
  WS_TEXT_CONVERT = 1, /* well-formed, but C0 80 stands for U+0000 somewhere */
  WS_TEXT_INVALID = 2, /* not UTF-8 */
};

struct ws_text_extent {
  size_t host_size;    /* bytes before the NUL */
  size_t wire_size;    /* bytes on the wire */
  size_t error_offset; /* WS_TEXT_INVALID: where the first byte that is not UTF-8 stands */
};

/* Measures and validates a host's string. */
enum ws_text_outcome ws_text_measure(const char *text, struct ws_text_extent *extent);

/* Writes the wire's form of a text that ws_text_measure accepted: exactly extent->wire_size bytes. */
void ws_text_from_host(uint8_t *to, const char *text, size_t host_size);

/* The size of the host's form of n bytes of wire text, its final NUL not counted. */
size_t ws_text_host_size(const uint8_t *bytes, size_t n);

/* Writes the host's form with its final NUL: ws_text_host_size() + 1 bytes. */
void ws_text_to_host(char *to, const uint8_t *bytes, size_t n);
