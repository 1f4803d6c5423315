/* Base64 (RFC 4648 section 4). */
#include "support.h"

#include "protocol/base64.h"

/* B64-1: the vectors of the RFC, and bytes of every kind. */
static const struct {
  const char *bytes;
  const char *text;
} pairs[] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
    {"\xFF\xFE\xFD", "//79"},
    {"\xFB\xF0", "+/A="},
};

static void test_vectors_encode_and_decode(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(pairs); i++) {
    size_t n = strlen(pairs[i].bytes), m = strlen(pairs[i].text), size, offset;
    char text[32];
    uint8_t bytes[32];
    ws_base64_encode(text, guard_place(pairs[i].bytes, n), n);
    assert_string_equal(text, pairs[i].text);
    assert_int_equal(ws_base64_encoded_size(n), m);
    assert_true(ws_base64_decoded_max(m) >= n);
    assert_int_equal(ws_base64_decode(bytes, (char *)guard_place(text, m), m, &size, &offset), 0);
    assert_int_equal(size, n);
    assert_memory_equal(bytes, pairs[i].bytes, n);
  }
}

/* B64-1: every byte value at every position in a group. */
static void test_every_byte_round_trips(void **state) {
  uint8_t bytes[260], back[260];
  char text[360];
  (void)state;
  for (size_t n = 0; n <= 258; n++) {
    size_t size, offset;
    for (size_t i = 0; i < n; i++)
      bytes[i] = (uint8_t)(i + n);
    ws_base64_encode(text, bytes, n);
    assert_int_equal(strlen(text), ws_base64_encoded_size(n));
    assert_int_equal(ws_base64_decode(back, text, strlen(text), &size, &offset), 0);
    assert_int_equal(size, n);
    assert_memory_equal(back, bytes, n);
  }
}

/* WS-SENDBINARY-2 */
static const struct {
  const char *text;
  size_t offset;
} refused[] = {
    {"Z", 1},    {"Zg", 2},   {"Zg=", 2},  {"Zm9", 3},      {"Zm9vY", 5},      {"=", 0},           {"====", 0},
    {"Z===", 1}, {"Zg=a", 2}, {"Zh==", 1}, {"Zm9=", 2},     {"Zm8=Zm8=", 3},   {"Zg==Zg==", 2},    {"Zm9v\n", 4},
    {" Zm9", 0}, {"Zm9-", 3}, {"Zm9_", 3}, {"Zm9v*AAA", 4}, {"\xC3\xA9==", 0}, {"Zm9vZm\xFF=", 6},
};

static void test_invalid_text_is_rejected_at_its_offset(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(refused); i++) {
    size_t n = strlen(refused[i].text), size, offset = 99;
    uint8_t bytes[16];
    assert_int_equal(ws_base64_decode(bytes, (char *)guard_place(refused[i].text, n), n, &size, &offset), -1);
    if (offset != refused[i].offset)
      fail_msg("%s: %zu", refused[i].text, offset);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_vectors_encode_and_decode),
      cmocka_unit_test(test_every_byte_round_trips),
      cmocka_unit_test(test_invalid_text_is_rejected_at_its_offset),
  };

  return cmocka_run_group_tests_name("base64", tests, NULL, NULL);
}
