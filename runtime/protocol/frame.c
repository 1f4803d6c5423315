#include "frame.h"

#include <stddef.h>
#include <string.h>

/*@ // The rules of RFC 6455 section 5.2 for the first byte, the second byte and the extended length of a header.
    predicate frame_head_legal(integer head, integer rsv1) =
      ((rsv1 != 0 && ((head & 0x0F) == 1 || (head & 0x0F) == 2)) ? (head & 0x30) == 0 : (head & 0x70) == 0) &&
      ((head & 0x0F) <= 2 || (8 <= (head & 0x0F) <= 10)) &&
      ((head & 0x0F) >= 8 ==> (head & 0x80) != 0);

    predicate frame_second_legal(integer head, integer second, integer masked) =
      ((second & 0x80) != 0 <==> masked != 0) && ((head & 0x08) != 0 ==> (second & 0x7F) <= 125);

    logic integer frame_extension(integer second) =
      (second & 0x7F) <= 125 ? 0 : (second & 0x7F) == 126 ? 2 : 8;

    // The big-endian number of `size` bytes, with 255 for those from `there` on.
    axiomatic FrameNumber {
      logic integer frame_number{L}(uint8_t *bytes, integer there, integer size) reads bytes[0 .. size - 1];
      axiom frame_number_none{L}: \forall uint8_t *bytes, integer there; frame_number(bytes, there, 0) == 0;
      axiom frame_number_next{L}: \forall uint8_t *bytes, integer there, size; size > 0 ==>
        frame_number(bytes, there, size) ==
        frame_number(bytes, there, size - 1) * 256 + (size - 1 < there ? bytes[size - 1] : 255);
    }

    logic integer frame_length{L}(uint8_t *bytes) =
      frame_extension(bytes[1]) == 0 ? (bytes[1] & 0x7F) :
        frame_number(bytes + 2, frame_extension(bytes[1]), frame_extension(bytes[1]));

    predicate frame_length_legal{L}(uint8_t *bytes) =
      (frame_extension(bytes[1]) == 2 ==> frame_length(bytes) >= 126) &&
      (frame_extension(bytes[1]) == 8 ==> 65536 <= frame_length(bytes) <= 0x7FFFFFFFFFFFFFFF);

    logic integer frame_size(integer second, integer masked) = 2 + frame_extension(second) + (masked != 0 ? 4 : 0);

    predicate frame_legal{L}(uint8_t *bytes, integer masked, integer rsv1) =
      frame_head_legal(bytes[0], rsv1) && frame_second_legal(bytes[0], bytes[1], masked) && frame_length_legal(bytes);
*/

/*@ assigns \nothing;
    ensures \result == WS_VIOLATION_NONE <==> frame_head_legal(head, rsv1_allowed);
*/
static enum ws_violation ws_frame_check_head(uint8_t head, bool rsv1_allowed) {
  uint8_t opcode = head & WS_FRAME_OPCODE_MASK;
  bool data = opcode == WS_OPCODE_TEXT || opcode == WS_OPCODE_BINARY;
  /* RFC 7692 section 6: RSV1 marks the first frame of a data message. */
  if ((head & (rsv1_allowed && data ? WS_FRAME_RSV_MASK & ~WS_FRAME_RSV1 : WS_FRAME_RSV_MASK)) != 0)
    return WS_VIOLATION_RESERVED_BITS;
  if ((opcode > WS_OPCODE_BINARY && opcode < WS_OPCODE_CLOSE) || opcode > WS_OPCODE_PONG)
    return WS_VIOLATION_RESERVED_OPCODE;
  if (opcode >= WS_OPCODE_CLOSE && (head & WS_FRAME_FIN) == 0)
    return WS_VIOLATION_CONTROL_FRAGMENTED;
  return WS_VIOLATION_NONE;
}

/*@ assigns \nothing;
    ensures \result == WS_VIOLATION_NONE <==> frame_second_legal(head, second, masked);
*/
static enum ws_violation ws_frame_check_second(uint8_t head, uint8_t second, bool masked) {
  if ((second & 0x80) == 0 && masked)
    return WS_VIOLATION_NOT_MASKED;
  if ((second & 0x80) != 0 && !masked)
    return WS_VIOLATION_MASKED;
  if ((head & WS_FRAME_CONTROL) != 0 && (second & 0x7F) > WS_FRAME_CONTROL_MAX)
    return WS_VIOLATION_CONTROL_TOO_LONG;
  return WS_VIOLATION_NONE;
}

/* The greatest extended length of `size` bytes that is consistent with the first `there`. */
/*@ requires there <= size <= 8 && \valid_read(bytes + (0 .. there - 1));
    assigns \nothing;
    ensures \result == frame_number(bytes, there, size);
*/
static uint64_t ws_frame_length_max(const uint8_t *bytes, size_t size, size_t there) {
  uint64_t length = 0;
  /*@ loop invariant 0 <= i <= size;
      loop invariant length == frame_number(bytes, there, i);
      loop invariant (i == 0 ==> length == 0) && (i == 1 ==> length <= 0xFF) && (i == 2 ==> length <= 0xFFFF) &&
        (i == 3 ==> length <= 0xFFFFFF) && (i == 4 ==> length <= 0xFFFFFFFF) && (i == 5 ==> length <= 0xFFFFFFFFFF) &&
        (i == 6 ==> length <= 0xFFFFFFFFFFFF) && (i == 7 ==> length <= 0xFFFFFFFFFFFFFF);
      loop assigns i, length;
      loop variant size - i;
  */
  for (size_t i = 0; i < size; i++)
    length = length * 256 + (i < there ? bytes[i] : 0xFFu);
  return length;
}

/* Reports a violation as soon as no further byte could prevent it. */
/*@ requires size == 2 || size == 8;
    assigns \nothing;
    ensures there == size ==>
      (\result == WS_VIOLATION_NONE <==>
       (size == 2 ? length_max >= 126 : 65536 <= length_max <= 0x7FFFFFFFFFFFFFFF));
*/
static enum ws_violation ws_frame_check_length(uint64_t length_max, size_t size, size_t there) {
  if (size == 8 && there > 0 && length_max > INT64_MAX)
    return WS_VIOLATION_LENGTH_TOP_BIT;
  if (length_max < (size == 8 ? 65536u : 126u))
    return WS_VIOLATION_LENGTH_NOT_MINIMAL;
  return WS_VIOLATION_NONE;
}

/*@ requires \valid(frame);
    assigns frame->violation;
    ensures \result == WS_FRAME_VIOLATION;
*/
static enum ws_frame_outcome ws_frame_fail(struct ws_frame *frame, enum ws_violation violation) {
  frame->violation = (uint8_t)violation;
  return WS_FRAME_VIOLATION;
}

/* Fills *frame from a complete header of `size` bytes; the last four are the key if it is masked. */
/*@ requires \valid(frame) && 2 <= size <= 14 && (masked != 0 ==> size >= 6) && \valid_read(bytes + (0 .. size - 1));
    requires \separated(frame, bytes + (0 .. size - 1));
    assigns *frame;
    ensures \result == WS_FRAME_OK && frame->length == length && frame->size == size && frame->head == \old(bytes[0]);
    ensures \forall integer i; 0 <= i < 4 ==> frame->key[i] == (masked != 0 ? \old(bytes[size - 4 + i]) : 0);
*/
static enum ws_frame_outcome ws_frame_fill(struct ws_frame *frame, uint64_t length, bool masked, const uint8_t *bytes,
                                           size_t size) {
  /* All bytes of the key are read before one is written, so that the compiler can move them as a word. */
  uint8_t key0 = masked ? bytes[size - 4] : 0, key1 = masked ? bytes[size - 3] : 0;
  uint8_t key2 = masked ? bytes[size - 2] : 0, key3 = masked ? bytes[size - 1] : 0;
  frame->length = length;
  frame->head = bytes[0];
  frame->key[0] = key0;
  frame->key[1] = key1;
  frame->key[2] = key2;
  frame->key[3] = key3;
  frame->size = (uint8_t)size;
  frame->violation = WS_VIOLATION_NONE;
  return WS_FRAME_OK;
}

/*@ requires \valid(frame) && \valid_read(bytes + (0 .. n - 1)) && \separated(frame, bytes + (0 .. n - 1));
    assigns *frame;
    ensures \result == WS_FRAME_OK || \result == WS_FRAME_PARTIAL || \result == WS_FRAME_VIOLATION;
    ensures \result == WS_FRAME_OK ==>
      n >= 2 && n >= frame_size(\old(bytes[1]), rules.masked) && frame_legal{Pre}(bytes, rules.masked, rules.rsv1);
    ensures \result == WS_FRAME_OK ==>
      frame->size == frame_size(\old(bytes[1]), rules.masked) && frame->head == \old(bytes[0]) &&
      frame->length == frame_length{Pre}(bytes);
    ensures n >= 14 ==> (\result == WS_FRAME_OK <==> frame_legal{Pre}(bytes, rules.masked, rules.rsv1));
    ensures \result == WS_FRAME_PARTIAL ==> n < 2 || n < frame_size(\old(bytes[1]), rules.masked);
*/
enum ws_frame_outcome ws_frame_decode(struct ws_frame *frame, struct ws_frame_rules rules, const uint8_t *bytes,
                                      size_t n) {
  enum ws_violation violation;
  uint64_t length;
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

  length = bytes[1] & 0x7Fu;
  if (length > 125) {
    size_t extension = length == 126 ? 2 : 8, there = n - 2 < extension ? n - 2 : extension;
    length = ws_frame_length_max(bytes + 2, extension, there);
    violation = ws_frame_check_length(length, extension, there);
    if (violation != WS_VIOLATION_NONE)
      return ws_frame_fail(frame, violation);
    size += extension;
  }
  if (rules.masked)
    size += 4;
  return n < size ? WS_FRAME_PARTIAL : ws_frame_fill(frame, length, rules.masked, bytes, size);
}

uint64_t ws_frame_length_least(const uint8_t *header, size_t n) {
  uint8_t length = n < 2 ? 0 : header[1] & 0x7Fu;
  size_t extension = length == 127 ? 8 : 2, there, missing;
  if (length <= 125)
    return length;
  there = n - 2 < extension ? n - 2 : extension;
  missing = extension - there;
  /* The greatest length has ones in place of the missing bytes. */
  return missing == 8 ? 0 : ws_frame_length_max(header + 2, extension, there) & ~(((uint64_t)1 << 8 * missing) - 1);
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

/* Loads all words before it stores any, so that the compiler can vectorise although `to` may equal `from`. */
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
