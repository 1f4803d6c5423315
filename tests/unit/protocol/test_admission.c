/* Who is admitted, and what the answer says: hosts and values of headers. */
#include "support.h"

#include "protocol/answer_header.h"
#include "protocol/host.h"

static bool is_listed(const char *host, const char *listed) {
  struct ws_authority authority;
  assert_int_equal(ws_url_authority_parse(&authority, ws_slice_of(host)), WS_URL_OK);
  return ws_host_is_listed(&authority, &listed, 1);
}

static bool has_origin(const char *host, const char *origin) {
  struct ws_authority authority;
  assert_int_equal(ws_url_authority_parse(&authority, ws_slice_of(host)), WS_URL_OK);
  return ws_host_has_origin(&authority, &origin, 1);
}

/* WS-HOST-1, WS-HOST-2 */
static void test_hosts(void **state) {
  (void)state;
  assert_true(is_listed("Example.com", "example.com"));
  assert_true(is_listed("example.com.", "example.com"));
  assert_true(is_listed("example.com:80", "example.com"));
  assert_true(is_listed("a", "a"));
  assert_false(is_listed("example.com:80", "example.com:81"));
  assert_false(is_listed("example.com", "not a host"));
  assert_false(is_listed("127.0.0.1", "example.com"));
  assert_true(has_origin("example.com:80", "https://example.com"));
  assert_false(has_origin("example.com", "null"));
  assert_false(has_origin("example.org", "https://example.com"));
}

/* WS-ANSWER-2 */
static void test_values_of_headers(void **state) {
  (void)state;
  assert_null(ws_answer_header_problem("X-Value", "a\tb"));
  assert_string_equal(ws_answer_header_problem("X-Value", "a\x7F"), "its value contains a control character");
  assert_string_equal(ws_answer_header_problem("X-Value", "a\r\nb"), "its value contains a control character");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_hosts),
      cmocka_unit_test(test_values_of_headers),
  };
  return cmocka_run_group_tests_name("admission", tests, NULL, NULL);
}
