#pragma once
/* Decompresses the messages of one direction of a connection (RFC 7692 section 7.2.2).
 *
 * The caller feeds the payload of a message in pieces, then WS_DEFLATE_TAIL (deflate.h), and checks
 * ws_inflater_at_boundary. The window lasts until ws_inflater_free: without context takeover, use a new inflater for
 * each message.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "violation.h"

struct ws_inflater;

/* Input to consume, and room for output. */
struct ws_inflater_buffers {
  const uint8_t *in;
  size_t in_size;
  uint8_t *to;
  size_t room;
};

/* Returns an inflater for a window of 8 to 15 bits, or NULL if out of memory. */
struct ws_inflater *ws_inflater_new(uint8_t bits);
/* NULL does nothing. */
void ws_inflater_free(struct ws_inflater *inflater);

/* Returns true if the input so far ended with a final block: some senders then omit the byte that RFC 7692 section
 * 7.2.3.4 adds behind it, so that there is nothing for WS_DEFLATE_TAIL to complete. */
bool ws_inflater_at_final(const struct ws_inflater *inflater);

/* Bytes of memory that it holds, by zlib's manual: its window, and 7 KiB. */
size_t ws_inflater_held(const struct ws_inflater *inflater);

/* Inflates until the input or the room is used up, and advances both. If no room is left, more output may be pending.
 * Returns WS_VIOLATION_NONE, WS_VIOLATION_DEFLATE_DATA or WS_VIOLATION_OUT_OF_MEMORY. */
enum ws_violation ws_inflater_step(struct ws_inflater *inflater, struct ws_inflater_buffers *buffers);

/* Returns true if the message is complete. Call this after the tail. */
bool ws_inflater_at_boundary(const struct ws_inflater *inflater);

/* The most memory that an inflater uses, without the allocator's overhead. */
static inline size_t ws_inflater_memory(uint8_t bits) {
  return ((size_t)1 << bits) + 8 * 1024;
}
