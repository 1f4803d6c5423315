/* UTF-8: well-formed sequences, and the byte at which others fail. */
#include "support.h"

#include "protocol/frame.h"
#include "protocol/text.h"
#include "protocol/utf8.h"
#include "protocol/utf8_scalar.h"

/* `valid` is the offset of the first invalid byte, or the size. */
struct utf8_case {
  const char *name;
  const char *hex;
  size_t valid;
  bool complete;
};

static const struct utf8_case cases[] = {
    /* UTF8-1: well-formed, at both ends of each row of table 3-7 of the Unicode standard */
    {"empty", "", 0, true},
    {"U+0000", "00", 1, true},
    {"U+007F", "7F", 1, true},
    {"U+0080", "C2 80", 2, true},
    {"U+07FF", "DF BF", 2, true},
    {"U+0800", "E0 A0 80", 3, true},
    {"U+0FFF", "E0 BF BF", 3, true},
    {"U+1000", "E1 80 80", 3, true},
    {"U+CFFF", "EC BF BF", 3, true},
    {"U+D000", "ED 80 80", 3, true},
    {"U+D7FF", "ED 9F BF", 3, true},
    {"U+E000", "EE 80 80", 3, true},
    {"U+FFFF, a non-character", "EF BF BF", 3, true},
    {"U+FDD0, a non-character", "EF B7 90", 3, true},
    {"U+10000", "F0 90 80 80", 4, true},
    {"U+3FFFF", "F0 BF BF BF", 4, true},
    {"U+40000", "F1 80 80 80", 4, true},
    {"U+FFFFF", "F3 BF BF BF", 4, true},
    {"U+100000", "F4 80 80 80", 4, true},
    {"U+10FFFF", "F4 8F BF BF", 4, true},
    {"kosme", "CE BA E1 BD B9 CF 83 CE BC CE B5", 11, true},
    /* UTF8-1: ill-formed; UTF8-2: fails at the first byte that shows it */
    {"lone continuation 80", "80", 0, true},
    {"lone continuation BF", "41 BF", 1, true},
    {"C0", "C0 80", 0, true},
    {"C1", "C1 BF", 0, true},
    {"overlong of three", "E0 9F BF", 1, false},
    {"overlong of three, lowest", "E0 80 80", 1, false},
    {"overlong of four", "F0 8F BF BF", 1, false},
    {"surrogate U+D800", "ED A0 80", 1, false},
    {"surrogate U+DFFF", "ED BF BF", 1, false},
    {"surrogate pair", "ED A0 80 ED B0 80", 1, false},
    {"U+110000", "F4 90 80 80", 1, false},
    {"F5", "F5 80 80 80", 0, true},
    {"F8", "F8 88 80 80 80", 0, true},
    {"FC", "FC 84 80 80 80 80", 0, true},
    {"FE", "FE", 0, true},
    {"FF", "FF", 0, true},
    {"a letter within a sequence of two", "C3 41", 1, false},
    {"a letter as third", "E2 82 41", 2, false},
    {"a letter as fourth", "F0 9F 98 41", 3, false},
    {"a lead within a sequence", "E2 C3 A9", 1, false},
    {"a fifth continuation", "F0 9F 98 80 80", 4, true},
    /* UTF8-3: truncated within a character */
    {"one of two", "41 C3", 2, false},
    {"one of three", "E2", 1, false},
    {"two of three", "E2 82", 2, false},
    {"three of four", "F0 9F 98", 3, false},
    {"half a surrogate is not yet wrong", "ED 9F", 2, false},
};

/* UTF8-1 UTF8-2: whole, byte by byte and at every split, before a guard page. */
static void test_vectors_at_every_split(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    uint8_t bytes[64];
    size_t n = from_hex(bytes, cases[i].hex);
    for (size_t cut = 0; cut <= n; cut++) {
      struct ws_utf8 utf8 = WS_UTF8_START;
      size_t valid = ws_utf8_feed(&utf8, guard_place(bytes, cut), cut);
      if (valid == cut)
        valid += ws_utf8_feed(&utf8, guard_place(bytes + cut, n - cut), n - cut);
      if (valid != cases[i].valid || ws_utf8_complete(&utf8) != cases[i].complete)
        fail_msg("%s, cut at %zu: %zu", cases[i].name, cut, valid);
    }
    struct ws_utf8 utf8 = WS_UTF8_START;
    size_t valid = 0;
    while (valid < n && ws_utf8_feed(&utf8, guard_place(bytes + valid, 1), 1) == 1)
      valid++;
    assert_int_equal(valid, cases[i].valid);
  }
}

/* UTF8-2 ARM-2: behind 0 to 130 letters, and so at every offset in words and blocks. */
static void test_vectors_at_every_offset(void **state) {
  uint8_t text[512];
  (void)state;
  memset(text, 'x', sizeof text);
  for (size_t i = 0; i < COUNT(cases); i++) {
    for (size_t before = 0; before <= 130; before++) {
      struct ws_utf8 utf8 = WS_UTF8_START;
      size_t n = from_hex(text + before, cases[i].hex);
      size_t want = before + cases[i].valid;
      bool whole = cases[i].valid == n && cases[i].complete;
      size_t after = whole ? 70 : 0;
      memset(text + before + n, 'y', 70);
      if (whole)
        want += after;
      size_t valid = ws_utf8_feed(&utf8, guard_place(text, before + n + after), before + n + after);
      if (valid != want)
        fail_msg("%s after %zu: %zu", cases[i].name, before, valid);
      memset(text + before, 'x', n + 70);
    }
  }
}

/* WS-TEXT-4: the offset of the first byte outside a well-formed sequence. */
static void test_check_returns_the_offset(void **state) {
  static const struct {
    const char *hex;
    size_t offset;
  } texts[] = {{"", 0},         {"41 42", 2},       {"41 C3", 1}, {"41 E2 82", 1},    {"F0 9F 98", 0},
               {"41 42 FF", 2}, {"41 E2 82 41", 1}, {"41 80", 1}, {"C3 A9 C0 80", 2}, {"F0 9F 98 80", 4}};

  (void)state;
  for (size_t i = 0; i < COUNT(texts); i++) {
    uint8_t bytes[16];
    size_t n = from_hex(bytes, texts[i].hex);
    if (ws_utf8_check(guard_place(bytes, n), n) != texts[i].offset)
      fail_msg("%s", texts[i].hex);
  }
}

/* A text of characters of all sizes; in half of the texts one byte is replaced. */
static size_t random_text(uint8_t *to, size_t n, uint32_t *random) {
  static const char *const characters[] = {"a",
                                           "Z",
                                           "\xC2\x80",
                                           "\xD0\xBF",
                                           "\xE0\xA0\x80",
                                           "\xED\x9F\xBF",
                                           "\xE4\xB8\xAD",
                                           "\xEF\xBF\xBF",
                                           "\xF0\x90\x80\x80",
                                           "\xF4\x8F\xBF\xBF"};
  size_t at = 0, spread = 1 + next_random(random) % COUNT(characters);
  for (;;) {
    const char *character = characters[next_random(random) % spread];
    size_t size = strlen(character);
    if (size > n - at)
      break;
    memcpy(to + at, character, size);
    at += size;
  }
  if (at > 0 && next_random(random) % 2 == 0)
    to[next_random(random) % at] = (uint8_t)next_random(random);
  return at;
}

/* FRAME-10: fused, vectorised and word by word, offset, state and bytes equal those of the scalar code. */
static void test_all_paths_agree_with_the_scalar_code(void **state) {
  uint32_t random = 1;
  (void)state;
  for (int i = 0; i < 60000; i++) {
    uint8_t text[300], masked[300], out[300];
    uint8_t key[4] = {(uint8_t)next_random(&random), (uint8_t)next_random(&random), (uint8_t)next_random(&random),
                      (uint8_t)next_random(&random)};
    size_t n = random_text(text, next_random(&random) % sizeof text, &random);
    size_t cut = n > 0 ? next_random(&random) % n : 0;
    struct ws_utf8 scalar = WS_UTF8_START, fed = WS_UTF8_START, fused = WS_UTF8_START;
    size_t want = ws_utf8_scalar_feed(&scalar, text, n), valid;
    assert_int_equal(ws_utf8_feed(&fed, guard_place(text, n), n), want);
    assert_memory_equal(&fed, &scalar, sizeof fed);
    for (size_t k = 0; k < n; k++)
      masked[k] = text[k] ^ key[k % 4];
    uint8_t *placed = guard_place(masked, n);
    valid = ws_utf8_unmask(&fused, out, placed, cut, key);
    if (valid == cut) {
      ws_frame_key_advance(key, cut);
      valid += ws_utf8_unmask(&fused, placed + cut, placed + cut, n - cut, key);
      if (valid == n) {
        assert_memory_equal(out, text, cut);
        assert_memory_equal(placed + cut, text + cut, n - cut);
      }
    }
    assert_int_equal(valid, want);
    assert_memory_equal(&fused, &scalar, sizeof fused);
  }
}

/* UTF8-1 FRAME-10: the sequence of every number up to U+10FFFF and some beyond is valid exactly for scalar values. */
static void test_every_code_point(void **state) {
  uint8_t block[64];
  (void)state;
  memset(block, 'a', sizeof block);
  for (unsigned code = 0; code <= 0x10FFFF + 0x100; code++) {
    bool scalar_value = code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
    size_t n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const uint8_t leads[] = {0, 0x00, 0xC0, 0xE0, 0xF0};
    for (size_t i = 0; i < n; i++) {
      uint8_t bits = (uint8_t)(code >> (6 * (n - 1 - i)));
      block[30 + i] = i == 0 ? (uint8_t)(leads[n] | bits) : (uint8_t)(0x80 | (bits & 0x3F));
    }
    assert_int_equal(ws_utf8_check(block, sizeof block) == sizeof block, scalar_value);
    memset(block + 30, 'a', 4);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_vectors_at_every_split),   cmocka_unit_test(test_vectors_at_every_offset),
      cmocka_unit_test(test_check_returns_the_offset), cmocka_unit_test(test_all_paths_agree_with_the_scalar_code),
      cmocka_unit_test(test_every_code_point),
  };

  return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
