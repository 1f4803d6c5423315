/* What a program reads from request targets. */
#include "protocol/target.h"
#include "support.h"

#define REPLACED "\xEF\xBF\xBD"

/* The target in a block of its own, and a result that may be as long. */
static struct ws_slice result_of(const char *target, const char *parameter) {
  static char room[256];
  size_t n = strlen(target);
  struct ws_slice placed = {(const char *)guard_place(target, n), n};
  memset(room, '~', sizeof room);
  long size = parameter ? ws_target_parameter(room, placed, parameter) : (long)ws_target_path(room, placed);
  assert_int_equal(room[n], '~');
  return (struct ws_slice){size < 0 ? NULL : room, size < 0 ? 0 : (size_t)size};
}

static void expect(const char *target, const char *parameter, const char *expected) {
  struct ws_slice result = result_of(target, parameter);
  bool same = expected ? result.data && ws_slice_equal(result, ws_slice_of(expected)) : !result.data;
  if (!same)
    fail_msg("%s of %s: %.*s, expected %s", parameter ? parameter : "the path", target, (int)result.size,
             result.data ? result.data : "", expected ? expected : "none");
}

static void test_paths(void **state) {
  static const char *const rows[][2] = {
      {"/", "/"}, /* WS-REQUESTPATH-1 */
      {"/rooms/tea", "/rooms/tea"},
      {"/rooms/tea?token=a", "/rooms/tea"},
      {"/a?b?c", "/a"},
      {"/a%3Fb", "/a?b"}, /* WS-REQUESTPATH-2 */
      {"/%67r%C3%BC%c3%9fe", "/gr\xC3\xBC\xC3\x9F\x65"},
      {"/a%2Fb%2f..", "/a/b/.."},
      {"/../a//b", "/../a//b"},
      {"/a+b", "/a+b"},
      {"/%2541", "/%41"},
      {"/%", "/%"},
      {"/%4", "/%4"},
      {"/%4?", "/%4"},
      {"/%4?1", "/%4"},
      {"/%G0%0G%%41%-1", "/%G0%0G%A%-1"},
      {"/%00", "/\xC0\x80"},
      {"/a%00%0Ab", "/a\xC0\x80\nb"},
      {"/%F0%9F%98%80", "/\xF0\x9F\x98\x80"},
      {"/%80", "/" REPLACED},
      {"/%FF%FE", "/" REPLACED REPLACED},
      {"/%C0%80", "/" REPLACED REPLACED},             /* no other spelling of U+0000 */
      {"/%ED%A0%80", "/" REPLACED REPLACED REPLACED}, /* a surrogate */
      {"/%C3", "/" REPLACED},
      {"/%C3(", "/" REPLACED "("},
      {"/%C3%C3%A9", "/" REPLACED "\xC3\xA9"},
      {"/%F0%9F%98", "/" REPLACED},
      {"/%F0%9F%98%00%F0%9F?", "/" REPLACED "\xC0\x80" REPLACED},
      {"/%F0%9F%F0%9F%98%80", "/" REPLACED "\xF0\x9F\x98\x80"},
      {"/%E2%82%FF", "/" REPLACED REPLACED},
      {"/%EF%BB%BFa", "/\xEF\xBB\xBF\x61"}, /* U+FEFF stays */
  };
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++)
    expect(rows[i][0], NULL, rows[i][1]);
}

static void test_parameters(void **state) {
  static const struct {
    const char *target, *name, *value; /* NULL: none */
  } rows[] = {
      {"/a?token=x", "token", "x"}, /* WS-REQUESTQUERY-1 */
      {"/a?b=c&token=x&token=y", "token", "x"},
      {"/a?Token=x&token=y", "token", "y"},
      {"/a?token", "token", ""},
      {"/a?token=", "token", ""},
      {"/a?token&token=y", "token", ""},
      {"/a?token=a=b", "token", "a=b"},
      {"/a?&&token=x&", "token", "x"},
      {"/a?=x", "", "x"},
      {"/a?=", "", ""},
      {"/a?a?b=c", "a?b", "c"},
      {"/a?b=c/d", "b", "c/d"},
      {"/a?a=b;c=d", "a", "b;c=d"},
      {"/a?q=a+b%2Bc%20d", "q", "a b+c d"}, /* WS-REQUESTQUERY-2 */
      {"/a?to+be=1", "to be", "1"},
      {"/a?%74oken=x", "token", "x"},
      {"/a?a%26b=c%26d%3De", "a&b", "c&d=e"},
      {"/a?a=%2541", "a", "%41"},
      {"/a?a=%&b=%4&c=%zz", "a", "%"},
      {"/a?a=%&b=%4&c=%zz", "b", "%4"},
      {"/a?a=%&b=%4&c=%zz", "c", "%zz"},
      {"/a?a=%00b", "a", "\xC0\x80\x62"},
      {"/a?%00=b", "\xC0\x80", "b"},
      {"/a?a=%C3&b=%A9", "a", REPLACED},
      {"/a?a=%C3&b=%A9", "b", REPLACED},
      {"/a?%FF=b", "\xFF", NULL},
      {"/a", "token", NULL}, /* WS-REQUESTQUERY-3 */
      {"/a", "", NULL},
      {"/a?", "token", NULL},
      {"/a?", "", NULL},
      {"/a?&", "", NULL},
      {"/a?tokens=x&oken=x&toke=x", "token", NULL},
      {"/token=x", "token", NULL},
  };
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++)
    expect(rows[i].target, rows[i].name, rows[i].value);
}

/* Any byte reads the same escaped, and alone it is text or one U+FFFD. */
static void test_every_byte(void **state) {
  (void)state;
  for (unsigned byte = 1; byte < 256; byte++) {
    char text[] = {(char)byte, '\0'}, target[32];
    snprintf(target, sizeof target, "/?a=%%%02X&b=%%%02x", byte, byte);
    expect(target, "a", byte < 0x80 ? text : REPLACED);
    expect(target, "b", byte < 0x80 ? text : REPLACED);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_paths),
      cmocka_unit_test(test_parameters),
      cmocka_unit_test(test_every_byte),
  };
  return cmocka_run_group_tests_name("target", tests, NULL, NULL);
}
