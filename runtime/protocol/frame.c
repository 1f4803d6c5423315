#include "frame.h"

#include <stddef.h>
#include <string.h>

/* What the first byte alone can do wrong. */
static enum ws_violation ws_frame_check_head(uint8_t head, bool rsv1_allowed) {
  uint8_t opcode = head & WS_FRAME_OPCODE_MASK;
  uint8_t reserved = head & WS_FRAME_RSV_MASK;

  /* RFC 7692 section 6: RSV1 marks the first frame of a data message. */
  if (rsv1_allowed && (opcode == WS_OPCODE_TEXT || opcode == WS_OPCODE_BINARY))
    reserved = reserved & (uint8_t)~WS_FRAME_RSV1;
  if (reserved != 0)
    return WS_VIOLATION_RESERVED_BITS;
  if ((opcode > WS_OPCODE_BINARY && opcode < WS_OPCODE_CLOSE) || opcode > WS_OPCODE_PONG)
    return WS_VIOLATION_RESERVED_OPCODE;
  if (opcode >= WS_OPCODE_CLOSE && (head & WS_FRAME_FIN) == 0)
    return WS_VIOLATION_CONTROL_FRAGMENTED;
  return WS_VIOLATION_NONE;
}

/* What the second byte shows. */
static enum ws_violation ws_frame_check_second(uint8_t head, uint8_t second, bool masked) {
  if ((second & 0x80) == 0 && masked)
    return WS_VIOLATION_NOT_MASKED;
  if ((second & 0x80) != 0 && !masked)
    return WS_VIOLATION_MASKED;
  if ((head & WS_FRAME_CONTROL) != 0 && (second & 0x7F) > WS_FRAME_CONTROL_MAX)
    return WS_VIOLATION_CONTROL_TOO_LONG;
  return WS_VIOLATION_NONE;
}

/* The extended length of `size` bytes, of which `there` have arrived: its greatest possible value. */
static uint64_t ws_frame_length_max(const uint8_t *bytes, size_t size, size_t there) {
  uint64_t length = 0;

  for (size_t i = 0; i < size; i++)
    length = length << 8 | (i < there ? bytes[i] : 0xFFu);
  return length;
}

/* What the extended length shows, as soon as no further byte could make it right. */
static enum ws_violation ws_frame_check_length(uint64_t length_max, size_t size, size_t there) {
  if (size == 8 && there > 0 && length_max >> 63 != 0)
    return WS_VIOLATION_LENGTH_TOP_BIT;
  if (length_max < (size == 8 ? 65536u : 126u))
    return WS_VIOLATION_LENGTH_NOT_MINIMAL;
  return WS_VIOLATION_NONE;
}

static enum ws_frame_outcome ws_frame_fail(struct ws_frame *frame, enum ws_violation violation) {
  frame->violation = (uint8_t)violation;
  return WS_FRAME_VIOLATION;
}

enum ws_frame_outcome ws_frame_decode(struct ws_frame *frame, struct ws_frame_rules rules, const uint8_t *bytes,
                                      size_t n) {
  enum ws_violation violation;
  size_t size = 2;

  if (n < 1)
    return WS_FRAME_PARTIAL;
  violation = ws_frame_check_head(bytes[0], rules.rsv1);
  if (violation != WS_VIOLATION_NONE)
    return ws_frame_fail(frame, violation);
  if (n < 2)
    return WS_FRAME_PARTIAL;
  violation = ws_frame_check_second(bytes[0], bytes[1], rules.masked);
  if (violation != WS_VIOLATION_NONE)
    return ws_frame_fail(frame, violation);

  frame->head = bytes[0];
  frame->length = bytes[1] & 0x7Fu;
  if (frame->length > 125) {
    size_t length_size = frame->length == 126 ? 2 : 8;
    size_t there = n - 2 < length_size ? n - 2 : length_size;

    frame->length = ws_frame_length_max(bytes + 2, length_size, there);
    violation = ws_frame_check_length(frame->length, length_size, there);
    if (violation != WS_VIOLATION_NONE)
      return ws_frame_fail(frame, violation);
    size += length_size;
  }

  if (n < size + (rules.masked ? 4u : 0u))
    return WS_FRAME_PARTIAL;
  for (size_t i = 0; i < 4; i++)
    frame->key[i] = rules.masked ? bytes[size + i] : 0;
  frame->size = (uint8_t)(size + (rules.masked ? 4u : 0u));
  frame->violation = WS_VIOLATION_NONE;
  return WS_FRAME_OK;
}

size_t ws_frame_header_size(uint64_t length, bool masked) {
  size_t size = length < 126 ? 2 : length < 65536 ? 4 : 10;

  return masked ? size + 4 : size;
}

size_t ws_frame_encode(uint8_t header[WS_FRAME_HEADER_MAX], uint8_t head, uint64_t length, const uint8_t key[4]) {
  size_t length_size = length < 126 ? 0 : length < 65536 ? 2 : 8;
  size_t size = 2 + length_size;

  header[0] = head;
  header[1] = length_size == 0 ? (uint8_t)length : length_size == 2 ? 126 : 127;
  for (size_t i = 0; i < length_size; i++)
    header[2 + i] = (uint8_t)(length >> 8 * (length_size - 1 - i));
  if (key) {
    header[1] |= 0x80;
    for (size_t i = 0; i < 4; i++)
      header[size + i] = key[i];
    size += 4;
  }
  return size;
}

/* One block: all loads come before the stores, so that the compiler may use vectors although both places can be the same. */
static void ws_frame_mask_block(uint8_t *to, const uint8_t *from, uint64_t key) {
  uint64_t words[8];

  memcpy(words, from, sizeof words);
  for (size_t i = 0; i < 8; i++)
    words[i] ^= key;
  memcpy(to, words, sizeof words);
}

void ws_frame_mask(uint8_t *to, const uint8_t *from, size_t n, const uint8_t key[4]) {
  const uint8_t twice[8] = {key[0], key[1], key[2], key[3], key[0], key[1], key[2], key[3]};
  uint64_t key64;
  size_t i = 0;

  memcpy(&key64, twice, sizeof key64);
  for (; n - i >= 64; i += 64)
    ws_frame_mask_block(to + i, from + i, key64);
  for (; n - i >= 8; i += 8) {
    uint64_t word;

    memcpy(&word, from + i, sizeof word);
    word ^= key64;
    memcpy(to + i, &word, sizeof word);
  }
  for (; i < n; i++)
    to[i] = from[i] ^ key[i & 3];
}

void ws_frame_key_advance(uint8_t key[4], uint64_t n) {
  const uint8_t old[4] = {key[0], key[1], key[2], key[3]};

  for (size_t i = 0; i < 4; i++)
    key[i] = old[(i + n) & 3];
}
