/* Text that is safe to log. */
#include "osprey/log.h"
#include "osprey/printable.h"
#include "support/test.h"

/* WS-LOG-4 */
static void test_printable(void **state) {
  char text[64];
  (void)state;
  const char *cases[][2] = {
      {"plain", "plain"},
      {"a\nb\r\t\x7f", "a\\x0ab\\x0d\\x09\\x7f"},
      {"\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80", "\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80"},
      {"\xC2\x9B", "\\xc2\\x9b"}, /* a C1 control character, which terminals obey */
      {"\xC2\xA0", "\xC2\xA0"},
      {"\xFF\xC3", "\\xff\\xc3"},
      {"\xE2\x82", "\\xe2\\x82"},
      {"\xED\xA0\x80", "\\xed\\xa0\\x80"},
      /* line and paragraph separators, direction marks, and their neighbours */
      {"\xE2\x80\xA8", "\\xe2\\x80\\xa8"},
      {"\xE2\x80\xA9", "\\xe2\\x80\\xa9"},
      {"\xE2\x80\xAA", "\\xe2\\x80\\xaa"},
      {"\xE2\x80\xAE", "\\xe2\\x80\\xae"},
      {"\xE2\x80\x8E", "\\xe2\\x80\\x8e"},
      {"\xE2\x80\x8F", "\\xe2\\x80\\x8f"},
      {"\xE2\x81\xA6", "\\xe2\\x81\\xa6"},
      {"\xE2\x81\xA9", "\\xe2\\x81\\xa9"},
      {"\xD8\x9C", "\\xd8\\x9c"},
      {"\xE2\x80\x90 \xE2\x80\xA7 \xE2\x80\xAF", "\xE2\x80\x90 \xE2\x80\xA7 \xE2\x80\xAF"},
      {"\xE2\x81\xA5 \xE2\x81\xAA \xD8\x9B", "\xE2\x81\xA5 \xE2\x81\xAA \xD8\x9B"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    assert_int_equal(ws_printable(text, sizeof text, cases[i][0]), strlen(cases[i][1]));
    assert_string_equal(text, cases[i][1]);
  }
  assert_int_equal(ws_printable(text, 4, "abcdef"), 3);
  assert_string_equal(text, "abc");
  assert_int_equal(ws_printable(text, 4, "a\n"), 1);
}

/* WS-LOG-3 */
static void test_urls_in_the_log(void **state) {
  char text[64];
  (void)state;
  const char *cases[][2] = {
      {"ws://h/p", "ws://h/p"},
      {"ws://h/p?secret", "ws://h/p?…"},
      {"ws://h/p#secret", "ws://h/p#…"},
      {"ws://user:secret@h/p?q", "ws://…@h/p?…"},
      {"ws://h/p@x", "ws://h/p@x"},
      {"/p?secret", "/p?…"},
      {"", ""},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    assert_string_equal(ws_log_url(text, sizeof text, cases[i][0]), cases[i][1]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_printable),
      cmocka_unit_test(test_urls_in_the_log),
  };
  return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
