/* Frame headers and masking. */
#include "support.h"

#include "protocol/frame.h"

/* FRAME-1 to FRAME-7: decoding of headers. */
struct header_case {
  const char *name;
  bool masked, rsv1;
  const char *hex;
  enum ws_violation violation;
  size_t size; /* of the header; for a violation, of the part that shows it */
  uint64_t length;
};

static const struct header_case cases[] = {
    {"empty text", false, false, "81 00", 0, 2, 0},
    {"125", false, false, "82 7D", 0, 2, 125},
    {"126", false, false, "82 7E 00 7E", 0, 4, 126},
    {"65535", false, false, "82 7E FF FF", 0, 4, 65535},
    {"65536", false, false, "82 7F 00 00 00 00 00 01 00 00", 0, 10, 65536},
    {"2^63-1", false, false, "82 7F 7F FF FF FF FF FF FF FF", 0, 10, INT64_MAX},
    {"masked", true, false, "81 85 01 02 03 04", 0, 6, 5},
    {"masked, 16 bits", true, false, "81 FE 01 00 01 02 03 04", 0, 8, 256},
    {"masked, 64 bits", true, false, "81 FF 00 00 00 01 00 00 00 00 01 02 03 04", 0, 14, 1ull << 32},
    {"continuation", false, false, "00 01", 0, 2, 1},
    {"last continuation", false, false, "80 01", 0, 2, 1},
    {"close", false, false, "88 02", 0, 2, 2},
    {"ping of 125", false, false, "89 7D", 0, 2, 125},
    {"pong", false, false, "8A 00", 0, 2, 0},
    {"RSV1 on text, negotiated", false, true, "C1 00", 0, 2, 0},
    {"RSV1 on binary, negotiated", false, true, "42 00", 0, 2, 0},
    /* FRAME-2 DEFLATE-4 */
    {"RSV1", false, false, "C1", WS_VIOLATION_RESERVED_BITS, 1, 0},
    {"RSV2", false, true, "A1", WS_VIOLATION_RESERVED_BITS, 1, 0},
    {"RSV3", false, true, "91", WS_VIOLATION_RESERVED_BITS, 1, 0},
    {"RSV1 and RSV2, negotiated", false, true, "E1", WS_VIOLATION_RESERVED_BITS, 1, 0},
    {"all three", false, false, "F1", WS_VIOLATION_RESERVED_BITS, 1, 0},
    {"RSV1 on a continuation, negotiated", false, true, "C0", WS_VIOLATION_RESERVED_BITS, 1, 0},
    {"RSV1 on a ping, negotiated", false, true, "C9", WS_VIOLATION_RESERVED_BITS, 1, 0},
    {"RSV1 on a close, negotiated", false, true, "C8", WS_VIOLATION_RESERVED_BITS, 1, 0},
    /* FRAME-3 */
    {"opcode 3", false, false, "83", WS_VIOLATION_RESERVED_OPCODE, 1, 0},
    {"opcode 4", false, false, "84", WS_VIOLATION_RESERVED_OPCODE, 1, 0},
    {"opcode 5", false, false, "85", WS_VIOLATION_RESERVED_OPCODE, 1, 0},
    {"opcode 6", false, false, "86", WS_VIOLATION_RESERVED_OPCODE, 1, 0},
    {"opcode 7", false, false, "07", WS_VIOLATION_RESERVED_OPCODE, 1, 0},
    {"opcode 11", false, false, "8B", WS_VIOLATION_RESERVED_OPCODE, 1, 0},
    {"opcode 12", false, false, "8C", WS_VIOLATION_RESERVED_OPCODE, 1, 0},
    {"opcode 13", false, false, "8D", WS_VIOLATION_RESERVED_OPCODE, 1, 0},
    {"opcode 14", false, false, "8E", WS_VIOLATION_RESERVED_OPCODE, 1, 0},
    {"opcode 15", false, false, "0F", WS_VIOLATION_RESERVED_OPCODE, 1, 0},
    /* FRAME-4 */
    {"not masked, at a server", true, false, "81 05", WS_VIOLATION_NOT_MASKED, 2, 0},
    {"masked, at a client", false, false, "81 85", WS_VIOLATION_MASKED, 2, 0},
    /* FRAME-5 */
    {"125 in 16 bits", false, false, "82 7E 00 7D", WS_VIOLATION_LENGTH_NOT_MINIMAL, 4, 0},
    {"0 in 16 bits", true, false, "82 FE 00 00", WS_VIOLATION_LENGTH_NOT_MINIMAL, 4, 0},
    {"65535 in 64 bits", false, false, "82 7F 00 00 00 00 00 00", WS_VIOLATION_LENGTH_NOT_MINIMAL, 8, 0},
    {"0 in 64 bits", true, false, "82 FF 00 00 00 00 00 00", WS_VIOLATION_LENGTH_NOT_MINIMAL, 8, 0},
    {"top bit", false, false, "82 7F 80", WS_VIOLATION_LENGTH_TOP_BIT, 3, 0},
    {"all bits", true, false, "82 FF FF", WS_VIOLATION_LENGTH_TOP_BIT, 3, 0},
    /* FRAME-6 */
    {"ping in fragments", false, false, "09", WS_VIOLATION_CONTROL_FRAGMENTED, 1, 0},
    {"close in fragments", false, false, "08", WS_VIOLATION_CONTROL_FRAGMENTED, 1, 0},
    {"pong in fragments", false, false, "0A", WS_VIOLATION_CONTROL_FRAGMENTED, 1, 0},
    {"ping of 126", false, false, "89 7E", WS_VIOLATION_CONTROL_TOO_LONG, 2, 0},
    {"close of 126", true, false, "88 FE", WS_VIOLATION_CONTROL_TOO_LONG, 2, 0},
    {"pong of 65536", true, false, "8A FF", WS_VIOLATION_CONTROL_TOO_LONG, 2, 0},
};

static void test_headers_are_decoded(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    const struct header_case *c = &cases[i];
    struct ws_frame_rules rules = {c->masked, c->rsv1};
    struct ws_frame frame;
    uint8_t bytes[20] = {0};
    size_t n = from_hex(bytes, c->hex);
    for (size_t there = 0; there < c->size; there++)
      if (ws_frame_decode(&frame, rules, guard_place(bytes, there), there) != WS_FRAME_PARTIAL)
        fail_msg("%s: decided after %zu bytes", c->name, there);
    for (size_t there = c->size; there <= sizeof bytes; there++) {
      enum ws_frame_outcome outcome = ws_frame_decode(&frame, rules, guard_place(bytes, there), there);
      if (outcome != (c->violation ? WS_FRAME_VIOLATION : WS_FRAME_OK) || frame.violation != c->violation)
        fail_msg("%s: outcome %d, violation %d", c->name, outcome, frame.violation);
      if (outcome == WS_FRAME_VIOLATION)
        continue;
      assert_int_equal(frame.size, n);
      assert_int_equal(frame.head, bytes[0]);
      assert_true(frame.length == c->length);
      assert_memory_equal(frame.key, c->masked ? bytes + n - 4 : (const uint8_t *)"\0\0\0\0", 4);
    }
  }
}

/* FRAME-8 */
static void test_encoding_is_minimal_and_decodes(void **state) {
  static const struct {
    uint64_t length;
    size_t size;
  } sizes[] = {{0, 2},     {1, 2},      {125, 2},         {126, 4},       {127, 4},
               {65535, 4}, {65536, 10}, {1ull << 32, 10}, {INT64_MAX, 10}};
  const uint8_t key[4] = {9, 8, 7, 6};
  (void)state;
  for (size_t i = 0; i < COUNT(sizes); i++) {
    for (int masked = 0; masked < 2; masked++) {
      uint8_t header[WS_FRAME_HEADER_MAX];
      struct ws_frame frame;
      size_t n = ws_frame_encode(header, WS_FRAME_FIN | WS_OPCODE_BINARY, sizes[i].length, masked ? key : NULL);
      assert_int_equal(n, sizes[i].size + (masked ? 4 : 0));
      assert_int_equal(n, ws_frame_header_size(sizes[i].length, masked));
      assert_int_equal(ws_frame_decode(&frame, (struct ws_frame_rules){masked, false}, header, n), WS_FRAME_OK);
      assert_true(frame.length == sizes[i].length);
      assert_int_equal(frame.head, 0x82);
      assert_memory_equal(frame.key, masked ? key : (const uint8_t *)"\0\0\0\0", 4);
    }
  }
}

/* FRAME-9: every size up to three blocks, every phase, in place and to another buffer. */
static void test_masking_is_exclusive_or(void **state) {
  const uint8_t key[4] = {0x11, 0x80, 0x7F, 0xFE};
  uint8_t plain[200], out[200];
  (void)state;
  for (size_t i = 0; i < sizeof plain; i++)
    plain[i] = (uint8_t)(i * 37 + 5);
  for (size_t n = 0; n <= sizeof plain; n++) {
    for (size_t phase = 0; phase < 4; phase++) {
      uint8_t turned[4] = {key[0], key[1], key[2], key[3]};
      uint8_t *placed = guard_place(plain, n);
      ws_frame_key_advance(turned, phase + 4 * n);
      ws_frame_mask(out, placed, n, turned);
      ws_frame_mask(placed, placed, n, turned);
      for (size_t i = 0; i < n; i++)
        assert_int_equal(out[i], plain[i] ^ key[(i + phase) % 4]);
      assert_memory_equal(placed, out, n);
      ws_frame_mask(placed, placed, n, turned);
      assert_memory_equal(placed, plain, n);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_headers_are_decoded),
      cmocka_unit_test(test_encoding_is_minimal_and_decodes),
      cmocka_unit_test(test_masking_is_exclusive_or),
  };

  return cmocka_run_group_tests_name("frame", tests, NULL, NULL);
}
