/* WebSocket URLs. */
#include "support.h"

#include "protocol/url.h"

struct url_case {
  const char *text;
  enum ws_url_problem problem;
  bool secure;
  const char *host;
  enum ws_host_kind kind;
  unsigned port;
  const char *path;
  const char *query;
};

#define LABEL63 "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0"

static const struct url_case cases[] = {
    /* URL-1 */
    {"ws://example.com", 0, false, "example.com", WS_HOST_NAME, 80, "", ""},
    {"wss://example.com", 0, true, "example.com", WS_HOST_NAME, 443, "", ""},
    {"WS://Example.COM/Chat", 0, false, "Example.COM", WS_HOST_NAME, 80, "/Chat", ""},
    {"wSs://a:1", 0, true, "a", WS_HOST_NAME, 1, "", ""},
    {"ws://a:65535/", 0, false, "a", WS_HOST_NAME, 65535, "/", ""},
    {"ws://a:/x", 0, false, "a", WS_HOST_NAME, 80, "/x", ""},
    {"ws://a:0080", 0, false, "a", WS_HOST_NAME, 80, "", ""},
    {"ws://a?q", 0, false, "a", WS_HOST_NAME, 80, "", "?q"},
    {"ws://a/b/c?d=e/f?g@h:i", 0, false, "a", WS_HOST_NAME, 80, "/b/c", "?d=e/f?g@h:i"},
    {"ws://a/b?{x}|^`\"<>\\", 0, false, "a", WS_HOST_NAME, 80, "/b", "?{x}|^`\"<>\\"},
    {"ws://a/@:80", 0, false, "a", WS_HOST_NAME, 80, "/@:80", ""},
    {"ws://x_y-1.example.", 0, false, "x_y-1.example.", WS_HOST_NAME, 80, "", ""},
    {"ws://" LABEL63 ".com", 0, false, LABEL63 ".com", WS_HOST_NAME, 80, "", ""},
    {"ws://127.0.0.1:8080/x", 0, false, "127.0.0.1", WS_HOST_IPV4, 8080, "/x", ""},
    {"ws://255.255.255.255", 0, false, "255.255.255.255", WS_HOST_IPV4, 80, "", ""},
    {"ws://[::1]:9/", 0, false, "::1", WS_HOST_IPV6, 9, "/", ""},
    {"ws://[::]", 0, false, "::", WS_HOST_IPV6, 80, "", ""},
    {"ws://[2001:db8::8a2e:370:7334]", 0, false, "2001:db8::8a2e:370:7334", WS_HOST_IPV6, 80, "", ""},
    {"ws://[1:2:3:4:5:6:7:8]", 0, false, "1:2:3:4:5:6:7:8", WS_HOST_IPV6, 80, "", ""},
    {"ws://[1:2:3:4:5:6:7::]", 0, false, "1:2:3:4:5:6:7::", WS_HOST_IPV6, 80, "", ""},
    {"ws://[::2:3:4:5:6:7:8]", 0, false, "::2:3:4:5:6:7:8", WS_HOST_IPV6, 80, "", ""},
    {"ws://[::ffff:192.0.2.1]", 0, false, "::ffff:192.0.2.1", WS_HOST_IPV6, 80, "", ""},
    {"ws://[1:2:3:4:5:6:1.2.3.4]", 0, false, "1:2:3:4:5:6:1.2.3.4", WS_HOST_IPV6, 80, "", ""},
    {"ws://[ABCD::]", 0, false, "ABCD::", WS_HOST_IPV6, 80, "", ""},
    /* URL-2 */
    {"ws://a/b c", WS_URL_CHARACTER, 0, 0, 0, 0, 0, 0},
    {"ws://a/\r\nX: y", WS_URL_CHARACTER, 0, 0, 0, 0, 0, 0},
    {"ws://a/\tb", WS_URL_CHARACTER, 0, 0, 0, 0, 0, 0},
    {"ws://a/\x7F", WS_URL_CHARACTER, 0, 0, 0, 0, 0, 0},
    {"ws://\xC3\xA9.com/", WS_URL_CHARACTER, 0, 0, 0, 0, 0, 0},
    {"ws://a/\xC0\x80", WS_URL_CHARACTER, 0, 0, 0, 0, 0, 0},
    /* URL-3 */
    {"ws://a/b#c", WS_URL_FRAGMENT, 0, 0, 0, 0, 0, 0},
    {"ws://a#", WS_URL_FRAGMENT, 0, 0, 0, 0, 0, 0},
    {"ws://user@a/", WS_URL_USER, 0, 0, 0, 0, 0, 0},
    {"ws://user:secret@a/", WS_URL_USER, 0, 0, 0, 0, 0, 0},
    {"ws://@a/", WS_URL_USER, 0, 0, 0, 0, 0, 0},
    /* URL-4 */
    {"ws://a:0", WS_URL_PORT, 0, 0, 0, 0, 0, 0},
    {"ws://a:65536", WS_URL_PORT, 0, 0, 0, 0, 0, 0},
    {"ws://a:99999999999999999999", WS_URL_PORT, 0, 0, 0, 0, 0, 0},
    {"ws://a:-1", WS_URL_PORT, 0, 0, 0, 0, 0, 0},
    {"ws://a:80x/", WS_URL_PORT, 0, 0, 0, 0, 0, 0},
    {"ws://a:1:2/", WS_URL_PORT, 0, 0, 0, 0, 0, 0},
    /* the scheme */
    {"", WS_URL_SCHEME, 0, 0, 0, 0, 0, 0},
    {"ws", WS_URL_SCHEME, 0, 0, 0, 0, 0, 0},
    {"ws:/a", WS_URL_SCHEME, 0, 0, 0, 0, 0, 0},
    {"http://a/", WS_URL_SCHEME, 0, 0, 0, 0, 0, 0},
    {"wsss://a/", WS_URL_SCHEME, 0, 0, 0, 0, 0, 0},
    {"example.com", WS_URL_SCHEME, 0, 0, 0, 0, 0, 0},
    /* URL-5 */
    {"ws://", WS_URL_HOST_EMPTY, 0, 0, 0, 0, 0, 0},
    {"ws:///x", WS_URL_HOST_EMPTY, 0, 0, 0, 0, 0, 0},
    {"ws://:80/", WS_URL_HOST_EMPTY, 0, 0, 0, 0, 0, 0},
    {"ws://a..b/", WS_URL_HOST, 0, 0, 0, 0, 0, 0},
    {"ws://a../", WS_URL_HOST, 0, 0, 0, 0, 0, 0},
    {"ws://[::1:2:3:4:5:6:1.2.3.4]/", WS_URL_HOST, 0, 0, 0, 0, 0, 0},
    {"ws://.a/", WS_URL_HOST, 0, 0, 0, 0, 0, 0},
    {"ws://./", WS_URL_HOST, 0, 0, 0, 0, 0, 0},
    {"ws://a[b/", WS_URL_HOST, 0, 0, 0, 0, 0, 0},
    {"ws://a{b/", WS_URL_HOST, 0, 0, 0, 0, 0, 0},
    {"ws://a!b/", WS_URL_HOST, 0, 0, 0, 0, 0, 0},
    {"ws://a%41/", WS_URL_HOST, 0, 0, 0, 0, 0, 0},
    {"ws://" LABEL63 "x/", WS_URL_HOST, 0, 0, 0, 0, 0, 0},
    {"ws://" LABEL63 "." LABEL63 "." LABEL63 "." LABEL63 "/", WS_URL_HOST, 0, 0, 0, 0, 0, 0},
    {"ws://127.1/", WS_URL_HOST, 0, 0, 0, 0, 0, 0},
    {"ws://2130706433/", WS_URL_HOST, 0, 0, 0, 0, 0, 0},
    {"ws://0x7f.1/", WS_URL_HOST, 0, 0, 0, 0, 0, 0},
    {"ws://0x7F000001/", WS_URL_HOST, 0, 0, 0, 0, 0, 0},
    {"ws://a.0X1/", WS_URL_HOST, 0, 0, 0, 0, 0, 0},
    {"ws://1.2.3.256/", WS_URL_HOST, 0, 0, 0, 0, 0, 0},
    {"ws://1.2.3.04/", WS_URL_HOST, 0, 0, 0, 0, 0, 0},
    {"ws://1.2.3.1000/", WS_URL_HOST, 0, 0, 0, 0, 0, 0},
    {"ws://1.2.3.4.5/", WS_URL_HOST, 0, 0, 0, 0, 0, 0},
    {"ws://1.2.3./", WS_URL_HOST, 0, 0, 0, 0, 0, 0},
    {"ws://[]/", WS_URL_HOST, 0, 0, 0, 0, 0, 0},
    {"ws://[::1/", WS_URL_HOST, 0, 0, 0, 0, 0, 0},
    {"ws://[::1]x/", WS_URL_HOST, 0, 0, 0, 0, 0, 0},
    {"ws://[1:2:3:4:5:6:7]/", WS_URL_HOST, 0, 0, 0, 0, 0, 0},
    {"ws://[1:2:3:4:5:6:7:8:9]/", WS_URL_HOST, 0, 0, 0, 0, 0, 0},
    {"ws://[1::2::3]/", WS_URL_HOST, 0, 0, 0, 0, 0, 0},
    {"ws://[1:2:3:4::5:6:7:8]/", WS_URL_HOST, 0, 0, 0, 0, 0, 0},
    {"ws://[:1:2]/", WS_URL_HOST, 0, 0, 0, 0, 0, 0},
    {"ws://[1:2:]/", WS_URL_HOST, 0, 0, 0, 0, 0, 0},
    {"ws://[12345::]/", WS_URL_HOST, 0, 0, 0, 0, 0, 0},
    {"ws://[g::]/", WS_URL_HOST, 0, 0, 0, 0, 0, 0},
    {"ws://[::1.2.3]/", WS_URL_HOST, 0, 0, 0, 0, 0, 0},
    {"ws://[::1.2.3.4:5]/", WS_URL_HOST, 0, 0, 0, 0, 0, 0},
    {"ws://[1.2.3.4]/", WS_URL_HOST, 0, 0, 0, 0, 0, 0},
    {"ws://[1:2:3:4:5:6:7:1.2.3.4]/", WS_URL_HOST, 0, 0, 0, 0, 0, 0},
    {"ws://[fe80::1%25eth0]/", WS_URL_ZONE, 0, 0, 0, 0, 0, 0}, /* URL-7 */
};

static void check_slice(struct ws_slice got, const char *want) {
  assert_int_equal(got.size, strlen(want));
  assert_memory_equal(got.data, want, got.size);
}

static void test_urls_are_parsed(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    const struct url_case *c = &cases[i];
    size_t n = strlen(c->text);
    struct ws_url url;
    enum ws_url_problem problem = ws_url_parse(&url, (char *)guard_place(c->text, n), n);
    if (problem != c->problem)
      fail_msg("%s: %s", c->text, ws_url_problem_text(problem));
    if (problem != WS_URL_OK)
      continue;
    assert_int_equal(url.secure, c->secure);
    assert_int_equal(url.authority.kind, c->kind);
    assert_int_equal(url.authority.port, c->port);
    check_slice(url.authority.host, c->host);
    check_slice(url.path, c->path);
    check_slice(url.query, c->query);
  }
}

/* URL-2: a NUL does not end the text. */
static void test_nul_is_rejected(void **state) {
  struct ws_url url;
  (void)state;
  assert_int_equal(ws_url_parse(&url, "ws://a/\0b", 9), WS_URL_CHARACTER);
}

/* URL-6 */
static void test_length_is_limited(void **state) {
  char text[WS_URL_MAX + 1];
  struct ws_url url;
  (void)state;
  memset(text, 'a', sizeof text);
  memcpy(text, "ws://h/", 7);
  assert_int_equal(ws_url_parse(&url, text, WS_URL_MAX), WS_URL_OK);
  assert_int_equal(ws_url_parse(&url, text, WS_URL_MAX + 1), WS_URL_TOO_LONG);
}

/* URL-2 URL-3: the path that a program sets. */
static void test_characters_of_targets(void **state) {
  (void)state;
  assert_true(ws_url_target_valid(ws_slice_of("/chat?x=~")));
  assert_false(ws_url_target_valid(ws_slice_of("/chat#x")));
  assert_false(ws_url_target_valid(ws_slice_of("/a b")));
  assert_false(ws_url_target_valid(ws_slice_of("/\x7F")));
  assert_false(ws_url_target_valid(ws_slice_of("/\xC3\xA9")));
}

/* WS-ORIGIN-5: hosts that name this machine. */
static void test_loopback_hosts(void **state) {
  static const struct {
    const char *host;
    bool loopback;
  } hosts[] = {{"localhost", true},
               {"LocalHost:80", true},
               {"localhost.", true},
               {"app.localhost", true},
               {"127.0.0.1", true},
               {"127.255.0.9:1", true},
               {"[::1]", true},
               {"[::1]:8080", true},
               {"[0:0:0:0:0:0:0:1]", true},
               {"128.0.0.1", false},
               {"[::2]", false},
               {"example.com", false},
               {"xlocalhost", false},
               {"localhost.evil.com", false},
               {"127.0.0.1.evil.com", false},
               {"ocalhost", false},
               {"0.0.0.0", false}};

  (void)state;
  for (size_t i = 0; i < COUNT(hosts); i++) {
    struct ws_authority authority;
    assert_int_equal(ws_url_authority_parse(&authority, ws_slice_of(hosts[i].host)), WS_URL_OK);
    if (ws_url_host_is_loopback(&authority) != hosts[i].loopback)
      fail_msg("%s", hosts[i].host);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_urls_are_parsed),   cmocka_unit_test(test_nul_is_rejected),
      cmocka_unit_test(test_length_is_limited), cmocka_unit_test(test_characters_of_targets),
      cmocka_unit_test(test_loopback_hosts),
  };

  return cmocka_run_group_tests_name("url", tests, NULL, NULL);
}
