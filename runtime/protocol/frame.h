#pragma once
/* Frame headers (RFC 6455 section 5.2) and masking.
 *
 * A header has 2 to 14 bytes. Decoding checks everything that concerns one frame alone: reserved bits and opcodes, the
 * direction of masking, minimal lengths, the limits of control frames. It reports a violation at the first byte that
 * shows it. Rules that depend on earlier frames belong to session.h.
 */
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
  WS_FRAME_OK = 0,        /* complete: `size` bytes are the header */
  WS_FRAME_PARTIAL = 1,   /* valid so far, incomplete */
  WS_FRAME_VIOLATION = 2, /* see `violation` */
};

struct ws_frame {
  uint64_t length; /* of the payload, below 2^63 */
  uint8_t head;    /* first byte: FIN, RSV, opcode */
  uint8_t key[4];  /* zero in an unmasked frame, where unmasking then has no effect */
  uint8_t size;    /* of the header, 2 to 14 */
  uint8_t violation;
};

/* What the receiver accepts. */
struct ws_frame_rules {
  bool masked; /* true: every frame must be masked (server); false: no frame may be (client) */
  bool rsv1;   /* permessage-deflate: RSV1 is allowed on text and binary frames */
};

/* Decodes the header at the start of n bytes. On success fills *frame. */
enum ws_frame_outcome ws_frame_decode(struct ws_frame *frame, struct ws_frame_rules rules, const uint8_t *bytes,
                                      size_t n);

/* The least payload length that is consistent with the first n bytes of a header. n is at least 1. */
uint64_t ws_frame_length_least(const uint8_t *header, size_t n);

/* Encodes a header. `head` is FIN | RSV | opcode; `key` is NULL for an unmasked frame. Returns its size. */
size_t ws_frame_encode(uint8_t header[WS_FRAME_HEADER_MAX], uint8_t head, uint64_t length, const uint8_t key[4]);

/* The size that ws_frame_encode returns. */
size_t ws_frame_header_size(uint64_t length, bool masked);

/* Masks or unmasks n bytes from `from` to `to` (equal, or no overlap). `key` is rotated to the first byte. */
void ws_frame_mask(uint8_t *to, const uint8_t *from, size_t n, const uint8_t key[4]);

/* Rotates a key past n payload bytes. */
void ws_frame_key_advance(uint8_t key[4], uint64_t n);
