/* Frames: the header of RFC 6455 section 5.2, and masking.
 *
 * A header has 2 to 14 bytes. Decoding it checks everything that can be said of one frame alone, as soon as the byte that
 * shows it is there: reserved bits and opcodes, the mask in the right direction, the shortest form of a length, the limits
 * of control frames. What depends on earlier frames is the session's (session.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "violation.h"

enum ws_opcode {
  WS_OPCODE_CONTINUATION = 0x0,
  WS_OPCODE_TEXT = 0x1,
  WS_OPCODE_BINARY = 0x2,
  WS_OPCODE_CLOSE = 0x8,
  WS_OPCODE_PING = 0x9,
  WS_OPCODE_PONG = 0xA,
};

/* Bits of a header's first byte. */
#define WS_FRAME_FIN 0x80u
#define WS_FRAME_RSV1 0x40u
#define WS_FRAME_RSV_MASK 0x70u
#define WS_FRAME_OPCODE_MASK 0x0Fu
#define WS_FRAME_CONTROL 0x08u

#define WS_FRAME_HEADER_MAX 14
#define WS_FRAME_CONTROL_MAX 125

enum ws_frame_outcome {
  WS_FRAME_OK = 0,        /* the header is whole; `size` bytes were it */
  WS_FRAME_PARTIAL = 1,   /* more bytes are needed; nothing wrong so far */
  WS_FRAME_VIOLATION = 2, /* `violation` tells which */
};

struct ws_frame {
  uint64_t length; /* of the payload, below 2^63 */
  uint8_t head;    /* the first byte: FIN, RSV, opcode */
  uint8_t key[4];  /* all zero in an unmasked frame, so that unmasking is harmless */
  uint8_t size;    /* of the header, 2 to 14 */
  uint8_t violation;
};

/* What the receiver expects of a frame. */
struct ws_frame_rules {
  bool masked; /* true at a server: every frame must be masked; false at a client: none may be */
  bool rsv1;   /* permessage-deflate is in use: RSV1 may be set on a text or binary frame */
};

/* Decodes the header at the start of n bytes. */
enum ws_frame_outcome ws_frame_decode(struct ws_frame *frame, struct ws_frame_rules rules, const uint8_t *bytes,
                                      size_t n);

/* The least payload length that the first n bytes of a header, n of at least 1, can still announce. */
uint64_t ws_frame_length_least(const uint8_t *header, size_t n);

/* Encodes a header: `head` is FIN | RSV | opcode, `key` is NULL for an unmasked frame. Returns its size. */
size_t ws_frame_encode(uint8_t header[WS_FRAME_HEADER_MAX], uint8_t head, uint64_t length, const uint8_t key[4]);

/* The size ws_frame_encode returns. */
size_t ws_frame_header_size(uint64_t length, bool masked);

/* Masks or unmasks n bytes from `from` to `to` (the same place, or no overlap). `key` is rotated to the first byte. */
void ws_frame_mask(uint8_t *to, const uint8_t *from, size_t n, const uint8_t key[4]);

/* Rotates a key past n payload bytes, so that it fits the next one. */
void ws_frame_key_advance(uint8_t key[4], uint64_t n);
