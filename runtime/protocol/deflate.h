/* permessage-deflate: RFC 7692. Negotiation in both roles, and the two directions of the stream.
 *
 * Window bits: zlib makes and reads raw streams with 9 to 15, and reads those with 8 as 9. So an offer that would bind this
 * endpoint to send with 8 is declined, and a response that would is failed; a peer that promises 8 is believed.
 *
 * An inflater or deflater exists only once it is needed, and where a direction does not keep its context, it holds nothing
 * from message to message. What they take by the window's bits (DEFLATE-11): ws_inflater_memory, ws_deflater_memory.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "slice.h"
#include "violation.h"

enum { WS_DEFLATE_BITS_MAX = 15 };

/* The agreed parameters. Bits are 0 while compression is not in use. */
struct ws_deflate_params {
  uint8_t server_bits; /* window of what the server sends: 8 to 15 */
  uint8_t client_bits; /* window of what the client sends */
  bool server_no_takeover;
  bool client_no_takeover;
};

static inline bool ws_deflate_in_use(const struct ws_deflate_params *params) {
  return params->server_bits != 0;
}

/* Negotiation ------------------------------------------------------------------------------------------------------ */

enum ws_deflate_outcome {
  WS_DEFLATE_AGREED = 0,    /* *params is set */
  WS_DEFLATE_DECLINED = 1,  /* well-formed, but nothing (acceptable) in it: no compression; *params is zeroed */
  WS_DEFLATE_MALFORMED = 2, /* not a list of extensions; in a response also: not what was offered, or not acceptable */
};

#define WS_DEFLATE_RESPONSE_MAX 160

/* Server: chooses among the offers of one Sec-WebSocket-Extensions value: the first acceptable one. */
enum ws_deflate_outcome ws_deflate_negotiate(struct ws_deflate_params *params, struct ws_slice offers);

/* Server: writes the response's Sec-WebSocket-Extensions value, NUL-terminated. Returns its length. */
size_t ws_deflate_response(char to[WS_DEFLATE_RESPONSE_MAX], const struct ws_deflate_params *params);

/* Client: the offer this endpoint makes. */
#define WS_DEFLATE_OFFER "permessage-deflate; client_max_window_bits"

/* Client: reads the server's answer to WS_DEFLATE_OFFER (empty: declined). */
enum ws_deflate_outcome ws_deflate_agree(struct ws_deflate_params *params, struct ws_slice response);

/* How much a message may expand (DEFLATE-7): so many times by default, and the most that deflate can. The first MiB is free. */
enum { WS_DEFLATE_RATIO = 100, WS_DEFLATE_RATIO_MAX = 1032, WS_DEFLATE_FREE = 1 << 20, WS_DEFLATE_SLICE = 4096 };

/* Whether `size` bytes are more than `from` compressed ones may become. Judged by whole slices of these, so that it does not
 * depend on the pieces in which a message arrives. */
static inline bool ws_deflate_expands_too_much(size_t size, size_t from, unsigned ratio) {
  size_t slices = (from + WS_DEFLATE_SLICE - 1) / WS_DEFLATE_SLICE;
  return size > WS_DEFLATE_FREE && size / ratio > slices * WS_DEFLATE_SLICE;
}

/* Receiving -------------------------------------------------------------------------------------------------------- */

struct ws_inflater;

/* Progress through one piece of payload: bytes are taken from `in` and put at `to`. */
struct ws_inflate_step {
  const uint8_t *in;
  size_t in_size;
  uint8_t *to;
  size_t room;
};

/* A new inflater for a window of 8 to 15 bits; NULL without memory. */
struct ws_inflater *ws_inflater_new(uint8_t bits);
void ws_inflater_free(struct ws_inflater *inflater);

/* Inflates until the input is used up or the room is (then there may be more to come), and moves both on.
 * Returns WS_VIOLATION_NONE, DEFLATE_DATA or OUT_OF_MEMORY. */
enum ws_violation ws_inflater_step(struct ws_inflater *inflater, struct ws_inflate_step *step);

/* Ends a message: whether all of it was there. The tail must have been stepped through before. */
bool ws_inflater_at_boundary(const struct ws_inflater *inflater);

/* The four bytes that a sender leaves off the end of each message. */
#define WS_DEFLATE_TAIL ((const uint8_t[4]){0x00, 0x00, 0xFF, 0xFF})

/* The most bytes that an inflater takes, the allocator's own overhead apart. */
static inline size_t ws_inflater_memory(uint8_t bits) {
  return ((size_t)1 << bits) + 8 * 1024;
}

/* Sending ---------------------------------------------------------------------------------------------------------- */

struct ws_deflater;

/* zlib's memory level for a window: that of its default, and less where the window is small. */
static inline int ws_deflater_level(uint8_t bits) {
  return bits < 13 ? bits - 5 : 8;
}

/* The most bytes that a deflater takes, the allocator's own overhead apart. */
static inline size_t ws_deflater_memory(uint8_t bits) {
  return ((size_t)4 << bits) + ((size_t)512 << ws_deflater_level(bits)) + 8 * 1024;
}

/* A new deflater for a window of 9 to 15 bits, which keeps its context from message to message or not; NULL without memory. */
struct ws_deflater *ws_deflater_new(uint8_t bits, bool no_takeover);
void ws_deflater_free(struct ws_deflater *deflater);

enum { WS_DEFLATE_MESSAGE_MAX = 1 << 30 };

/* The most bytes that a message of n bytes (at most WS_DEFLATE_MESSAGE_MAX) becomes. */
size_t ws_deflater_bound(struct ws_deflater *deflater, size_t n);

/* Compresses one whole message to `to`, which has room for ws_deflater_bound(n) bytes; returns the payload's size. A frame
 * with RSV1 carries it. 0: it shrinks so much that receivers with the default guard would refuse it, and must be sent as it is;
 * the context begins anew. Where context is kept, a message that went through here must be sent, and in this order; without,
 * the original may be sent instead when it is no longer than the result. */
size_t ws_deflater_run(struct ws_deflater *deflater, uint8_t *to, const uint8_t *message, size_t n);
