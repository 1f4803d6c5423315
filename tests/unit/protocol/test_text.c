/* WS-TEXT-2: conversion of text between the host's strings and the wire. */
#include "support.h"

#include "protocol/text.h"

struct text_case {
  const char *host_hex; /* without the final NUL */
  enum ws_text_outcome outcome;
  const char *wire_hex;
  size_t error_offset;
};

static const struct text_case cases[] = {
    {"", WS_TEXT_SAME, "", 0},
    {"61 62", WS_TEXT_SAME, "61 62", 0},
    {"C3 A9", WS_TEXT_SAME, "C3 A9", 0},
    {"C0 80", WS_TEXT_CONVERT, "00", 0},
    {"61 C0 80 62", WS_TEXT_CONVERT, "61 00 62", 0},
    {"C0 80 C0 80 C0 80", WS_TEXT_CONVERT, "00 00 00", 0},
    {"61 C0 80", WS_TEXT_CONVERT, "61 00", 0},
    {"C0", WS_TEXT_INVALID, "", 0},
    {"61 C0 81", WS_TEXT_INVALID, "", 1},
    {"61 62 FF", WS_TEXT_INVALID, "", 2},
    {"61 E2 82", WS_TEXT_INVALID, "", 1},
    {"C0 80 E2 82 C0 80", WS_TEXT_INVALID, "", 2},
    {"E2 C0 80", WS_TEXT_INVALID, "", 0},
    {"C1 80", WS_TEXT_INVALID, "", 0},
};

static void test_text_converts_both_ways(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    uint8_t host[32], wire[32], out[32];
    size_t n = from_hex(host, cases[i].host_hex), wire_size = from_hex(wire, cases[i].wire_hex);
    struct ws_text_extent extent;
    host[n] = '\0';
    char *text = (char *)guard_place(host, n + 1);
    assert_int_equal(ws_text_measure(text, &extent), cases[i].outcome);
    assert_int_equal(extent.host_size, n);
    if (cases[i].outcome == WS_TEXT_INVALID) {
      assert_int_equal(extent.error_offset, cases[i].error_offset);
      continue;
    }
    assert_int_equal(extent.wire_size, wire_size);
    ws_text_from_host(out, text, extent.host_size);
    assert_memory_equal(out, wire, wire_size);

    uint8_t *back = guard_place(wire, wire_size);
    assert_int_equal(ws_text_host_size(back, wire_size), n);
    ws_text_to_host((char *)out, back, wire_size);
    assert_memory_equal(out, host, n + 1);
  }
}

/* WS-TEXT-2: blocks with no, few and many U+0000 are converted in different ways. */
static void test_nuls_of_every_density(void **state) {
  static const size_t gaps[] = {1, 2, 3, 20, 30, 70, 1000};
  uint8_t wire[200], out[200];
  char host[2 * sizeof wire + 1];
  (void)state;
  for (size_t gap = 0; gap < COUNT(gaps); gap++) {
    for (size_t n = 0; n <= sizeof wire; n++) {
      struct ws_text_extent extent;
      for (size_t i = 0; i < n; i++)
        wire[i] = i % gaps[gap] == gaps[gap] - 1 ? 0 : 'a';
      const uint8_t *placed = guard_place(wire, n);
      size_t size = ws_text_host_size(placed, n);
      ws_text_to_host(host, placed, n);
      const char *text = (const char *)guard_place(host, size + 1);
      assert_int_equal(ws_text_measure(text, &extent), n >= gaps[gap] ? WS_TEXT_CONVERT : WS_TEXT_SAME);
      assert_int_equal(extent.host_size, size);
      assert_int_equal(extent.wire_size, n);
      ws_text_from_host(out, text, size);
      assert_memory_equal(out, wire, n);
    }
  }
}

/* WS-TEXT-4: the offset of the first byte that is not UTF-8, behind more than a piece of valid text. */
static void test_error_far_behind(void **state) {
  char text[3000];
  struct ws_text_extent extent;
  (void)state;
  memset(text, 'a', sizeof text);
  text[sizeof text - 1] = '\0';
  memcpy(text + 10, "\xC0\x80", 2);
  memcpy(text + 2000, "\xC0\x80", 2);
  text[2500] = '\xFF';
  assert_int_equal(ws_text_measure(text, &extent), WS_TEXT_INVALID);
  assert_int_equal(extent.error_offset, 2500);
}

/* WS-TEXT-2 WS-TEXT-4: a text is converted in pieces of 1,024 bytes. U+0000 lies across the boundary of two, and the
 * first wrong byte has pieces behind it. */
static void test_the_boundaries_of_pieces(void **state) {
  enum { SIZE = 4000, PIECE = 1024 };
  static uint8_t wire[SIZE];
  static char text[SIZE + 1];
  struct ws_text_extent extent;
  (void)state;
  for (size_t at = PIECE - 4; at < PIECE + 2; at++) {
    memset(text, 'a', SIZE);
    memcpy(text + at, "\xC0\x80", 2);
    assert_int_equal(ws_text_measure(text, &extent), WS_TEXT_CONVERT);
    assert_int_equal(extent.wire_size, SIZE - 1);
    ws_text_from_host(wire, text, SIZE);
    for (size_t i = 0; i < SIZE - 1; i++)
      assert_int_equal(wire[i], i == at ? 0 : 'a');
    text[at - 8] = '\xFF';
    assert_int_equal(ws_text_measure(text, &extent), WS_TEXT_INVALID);
    assert_int_equal(extent.error_offset, at - 8);
  }
}

/* WS-TEXT-2: a text that consists of U+0000 is converted in linear time. */
static void test_nuls_take_linear_time(void **state) {
  size_t n = 1u << 20;
  char *text = malloc(2 * n + 1);
  uint8_t *wire = malloc(n);
  struct ws_text_extent extent;
  (void)state;
  memset(wire, 0, n);
  assert_int_equal(ws_text_host_size(wire, n), 2 * n);
  ws_text_to_host(text, wire, n);
  assert_int_equal(ws_text_measure(text, &extent), WS_TEXT_CONVERT);
  assert_int_equal(extent.wire_size, n);
  wire[n - 1] = 1;
  ws_text_from_host(wire, text, extent.host_size);
  assert_int_equal(wire[n - 1], 0);
  free(text);
  free(wire);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_text_converts_both_ways), cmocka_unit_test(test_nuls_of_every_density),
      cmocka_unit_test(test_error_far_behind),        cmocka_unit_test(test_the_boundaries_of_pieces),
      cmocka_unit_test(test_nuls_take_linear_time),
  };

  return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
