#pragma once
/* Compresses the messages of one direction of a connection (RFC 7692 section 7.2.1).
 *
 * With context takeover the receiver's window follows the deflater's: every message that ws_deflater_run compressed
 * must be sent compressed, and in this order. Without it, a message may be sent uncompressed if that is not longer.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ws_deflater;

enum { WS_DEFLATER_MESSAGE_MAX = 1 << 30 };

/* Returns a deflater for a window of 9 to 15 bits, or NULL if out of memory. */
struct ws_deflater *ws_deflater_new(uint8_t bits, bool no_takeover);
/* NULL does nothing. */
void ws_deflater_free(struct ws_deflater *deflater);

/* zlib's level for a message of n bytes (spec/speed.md has what each level costs). */
enum { WS_DEFLATER_SMALL = 4096, WS_DEFLATER_SMALL_EFFORT = 3, WS_DEFLATER_EFFORT = 5 };
static inline uint8_t ws_deflater_effort(size_t n) {
  return n <= WS_DEFLATER_SMALL ? WS_DEFLATER_SMALL_EFFORT : WS_DEFLATER_EFFORT;
}

/* Bytes of memory that it holds, by zlib's manual. */
size_t ws_deflater_held(const struct ws_deflater *deflater);

/* The most bytes to which a message of n bytes compresses. n is at most WS_DEFLATER_MESSAGE_MAX. */
size_t ws_deflater_bound(struct ws_deflater *deflater, size_t n);

/* Compresses a whole message to `to`, which has room for ws_deflater_bound(n) bytes. Returns the size of the payload,
 * to be sent in a frame with RSV1. Returns 0 if the ratio exceeds what receivers with the default guard accept
 * (deflate.h): the message must be sent uncompressed, and the context is reset. */
size_t ws_deflater_run(struct ws_deflater *deflater, uint8_t *to, const uint8_t *message, size_t n);

/* The same in steps of up to `most` bytes of the message, which stays where it is until a step returns true. The end
 * returns what ws_deflater_run returns. */
void ws_deflater_begin(struct ws_deflater *deflater, uint8_t *to, const uint8_t *message, size_t n);
bool ws_deflater_step(struct ws_deflater *deflater, size_t most);
size_t ws_deflater_end(struct ws_deflater *deflater);

/* The message in progress is to be sent uncompressed: the context is reset, the next step returns true, and the end
 * returns 0. */
void ws_deflater_decline(struct ws_deflater *deflater);

/* zlib's memLevel for a window. Its default, 8, takes 64 KiB more and saves less than 1 % of the bytes. */
static inline int ws_deflater_level(uint8_t bits) {
  return bits < 12 ? bits - 5 : 7;
}

/* The most memory that a deflater uses, without the allocator's overhead. */
static inline size_t ws_deflater_memory(uint8_t bits) {
  return ((size_t)4 << bits) + ((size_t)512 << ws_deflater_level(bits)) + 8 * 1024;
}
