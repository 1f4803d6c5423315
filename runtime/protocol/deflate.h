#pragma once
/* permessage-deflate (RFC 7692): negotiation, and the guard against decompression bombs.
 *
 * Window bits: zlib compresses with 9 to 15, and decompresses a window of 8 with 9. This endpoint therefore declines an
 * offer, and rejects a response, that would require it to compress with 8. It accepts a peer that compresses with 8.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "slice.h"

enum { WS_DEFLATE_BITS_MAX = 15, WS_DEFLATE_RESPONSE_MAX = 160 };

/* The agreed parameters. Bits are 0 without compression. */
struct ws_deflate_params {
  uint8_t server_bits; /* window of the server's messages: 8 to 15 */
  uint8_t client_bits; /* window of the client's messages */
  bool server_no_takeover;
  bool client_no_takeover;
  bool server_bits_offered; /* the response includes server_max_window_bits (RFC 7692 section 7.1.2.1) */
};

static inline bool ws_deflate_in_use(const struct ws_deflate_params *params) {
  return params->server_bits != 0;
}

enum ws_deflate_outcome {
  WS_DEFLATE_AGREED = 0,    /* *params is set */
  WS_DEFLATE_DECLINED = 1,  /* no compression, *params is zeroed: nothing acceptable in a well-formed value */
  WS_DEFLATE_MALFORMED = 2, /* not a list of extensions; in a response also: not offered, or not acceptable */
};

/* Server: accepts the first acceptable offer of a Sec-WebSocket-Extensions value. */
enum ws_deflate_outcome ws_deflate_negotiate(struct ws_deflate_params *params, struct ws_slice offers);

/* Server: writes the Sec-WebSocket-Extensions value of the response, NUL-terminated. Returns its length. */
size_t ws_deflate_response(char to[WS_DEFLATE_RESPONSE_MAX], const struct ws_deflate_params *params);

/* Client: the offer. */
#define WS_DEFLATE_OFFER "permessage-deflate; client_max_window_bits"

/* Client: parses the response to WS_DEFLATE_OFFER. An empty one declines it. */
enum ws_deflate_outcome ws_deflate_agree(struct ws_deflate_params *params, struct ws_slice response);

/* The four bytes that a sender removes from the end of each message (RFC 7692 section 7.2.1). */
#define WS_DEFLATE_TAIL ((const uint8_t[4]){0x00, 0x00, 0xFF, 0xFF})

/* The guard (DEFLATE-7). A message of up to WS_DEFLATE_FREE bytes may have any ratio; a longer one at most the limit,
 * by default WS_DEFLATE_RATIO. Deflate cannot exceed WS_DEFLATE_RATIO_MAX. */
enum { WS_DEFLATE_RATIO = 100, WS_DEFLATE_RATIO_MAX = 1032, WS_DEFLATE_FREE = 1 << 20, WS_DEFLATE_SLICE = 4096 };

/* Returns true if `size` inflated bytes exceed the ratio for `from` compressed bytes. Rounds `from` up to whole slices,
 * so that the result does not depend on the pieces in which a message arrives. */
static inline bool ws_deflate_expands_too_much(size_t size, size_t from, unsigned ratio) {
  size_t slices = (from + WS_DEFLATE_SLICE - 1) / WS_DEFLATE_SLICE;
  return size > WS_DEFLATE_FREE && size / ratio > slices * WS_DEFLATE_SLICE;
}
