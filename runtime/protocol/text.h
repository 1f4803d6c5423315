#pragma once
/* Conversion of text between the host's strings and the wire.
 *
 * A host's string ends at its first NUL byte, but a WebSocket text may contain U+0000. In a host's string the two
 * bytes C0 80 represent U+0000; everything else is the same UTF-8. C0 80 on the wire is invalid.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/path.h"

enum ws_text_outcome {
  WS_TEXT_SAME = 0,    /* the wire's form is equal */
  WS_TEXT_CONVERT = 1, /* well-formed, with C0 80 for U+0000 */
  WS_TEXT_INVALID = 2, /* not UTF-8 */
};

struct ws_text_extent {
  size_t host_size;    /* bytes before the NUL */
  size_t wire_size;    /* bytes on the wire */
  size_t error_offset; /* WS_TEXT_INVALID: offset of the first byte that is not UTF-8 */
};

/* Measures and validates a host's string. */
WS_ASIDE enum ws_text_outcome ws_text_measure(const char *text, struct ws_text_extent *extent);

/* Writes the wire's form of a text that ws_text_measure accepted: extent->wire_size bytes. */
WS_ASIDE void ws_text_from_host(uint8_t *to, const char *text, size_t host_size);

/* The size of the host's form of n bytes of wire text, without the NUL. */
size_t ws_text_host_size(const uint8_t *bytes, size_t n);

/* Writes the host's form with a NUL: ws_text_host_size + 1 bytes. */
void ws_text_to_host(char *to, const uint8_t *bytes, size_t n);
