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

/* B64-1 ARM-2: long texts, which vectors encode and decode, are those of their groups, which are too short for them. */
static void encode_by_groups(char *to, const uint8_t *bytes, size_t n) {
  for (size_t at = 0; at < n; at += 3, to += 4)
    ws_base64_encode(to, bytes + at, n - at < 3 ? n - at : 3);
}

static void test_vectors_of_the_machine_agree_with_groups(void **state) {
  enum { MOST = 200 };
  uint8_t bytes[MOST], back[MOST + 2];
  char text[MOST * 2], groups[MOST * 2];
  uint32_t random = 1;
  (void)state;
  for (size_t round = 0; round < 20 * MOST; round++) {
    size_t n = round % (MOST + 1), size, offset;
    for (size_t i = 0; i < n; i++)
      bytes[i] = (uint8_t)((random = random * 1664525 + 1013904223) >> 24);
    groups[0] = '\0';
    encode_by_groups(groups, bytes, n);
    ws_base64_encode(text, guard_place(bytes, n), n);
    assert_string_equal(text, groups);
    size_t m = strlen(text), room = ws_base64_decoded_max(m);
    /* The guard page behind the result: no more is written than the contract says. */
    uint8_t *to = guard_place(back, room);
    assert_int_equal(ws_base64_decode(to, text, m, &size, &offset), 0);
    assert_int_equal(size, n);
    assert_memory_equal(to, bytes, n);
  }
}

/* WS-SENDBINARY-2: each byte that is no letter, at each place of a long text. */
static void test_invalid_bytes_of_long_text_are_found(void **state) {
  enum { LETTERS = 96 };
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  char text[LETTERS + 1];
  uint8_t bytes[LETTERS];
  (void)state;
  for (size_t at = 0; at < LETTERS; at++) {
    for (int byte = 1; byte < 256; byte++) {
      size_t size, offset = 999;
      for (size_t i = 0; i < LETTERS; i++)
        text[i] = letters[(i * 7 + (size_t)byte) % 64];
      text[at] = (char)byte;
      int valid = strchr(letters, byte) != NULL || (byte == '=' && at == LETTERS - 1);
      int outcome = ws_base64_decode(bytes, text, LETTERS, &size, &offset);
      if (byte == '=' && at == LETTERS - 1)
        continue; /* whether it is canonical depends on the letter before */
      if (outcome != (valid ? 0 : -1) || (!valid && offset != at))
        fail_msg("byte %d at %zu: %d, %zu", byte, at, outcome, offset);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_vectors_encode_and_decode),
      cmocka_unit_test(test_every_byte_round_trips),
      cmocka_unit_test(test_invalid_text_is_rejected_at_its_offset),
      cmocka_unit_test(test_vectors_of_the_machine_agree_with_groups),
      cmocka_unit_test(test_invalid_bytes_of_long_text_are_found),
  };

  return cmocka_run_group_tests_name("base64", tests, NULL, NULL);
}
