/* URLs of a cluster: WS-CLUSTER-2 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cluster/cluster_url.h"

static void test_good_urls(void **state) {
  struct ws_cluster_url url;
  (void)state;
  assert_null(ws_cluster_url_init(&url, "nats://localhost/chat"));
  assert_false(url.address.tls);
  assert_int_equal(url.address.host_count, 1);
  assert_string_equal(url.hosts[0], "localhost");
  assert_string_equal(url.prefix, "chat");
  assert_null(url.address.user);
  ws_cluster_url_deinit(&url);

  assert_null(ws_cluster_url_init(&url, "tls://u%40x:p%2f:%2525@a.example:4222,[::1],[fe80::2]:1,b/A-b_9"));
  assert_true(url.address.tls);
  assert_string_equal(url.address.user, "u@x");
  assert_string_equal(url.address.password, "p/:%25");
  assert_int_equal(url.address.host_count, 4);
  assert_string_equal(url.hosts[1], "[::1]");
  assert_string_equal(url.hosts[2], "[fe80::2]:1");
  assert_string_equal(url.shown, "a.example:4222,[::1],[fe80::2]:1,b");
  ws_cluster_url_deinit(&url);

  assert_null(ws_cluster_url_init(&url, "nats://token@h:65535/p"));
  assert_string_equal(url.address.user, "token");
  assert_null(url.address.password);
  ws_cluster_url_deinit(&url);
}

#define P64 "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz012345678901"
#define H8 "a,b,c,d,e,f,g,h,"

static const struct {
  const char *url, *problem;
} bad[] = {
    {"", "the URL does not begin with nats:// or tls://"},
    {"http://h/p", "the URL does not begin with nats:// or tls://"},
    {"nats:/h/p", "the URL does not begin with nats:// or tls://"},
    {"nats://h", "the URL lacks the prefix: nats://host:port/PREFIX"},
    {"nats://h/", "the URL lacks the prefix: nats://host:port/PREFIX"},
    {"nats://h/" P64 "x", "the prefix has more than 64 characters"},
    {"nats://h/a.b", "the prefix may only hold letters, digits, '-' and '_'"},
    {"nats://h/a/b", "the prefix may only hold letters, digits, '-' and '_'"},
    {"nats://h/>", "the prefix may only hold letters, digits, '-' and '_'"},
    {"nats:///p", "the URL has a bad host or port"},
    {"nats://h,/p", "the URL has a bad host or port"},
    {"nats://h:/p", "the URL has a bad host or port"},
    {"nats://h:0/p", "the URL has a bad host or port"},
    {"nats://h:65536/p", "the URL has a bad host or port"},
    {"nats://h:000080/p", "the URL has a bad host or port"},
    {"nats://h:8x/p", "the URL has a bad host or port"},
    {"nats://h x/p", "the URL has a bad host or port"},
    {"nats://[::1/p", "the URL has a bad host or port"},
    {"nats://[]/p", "the URL has a bad host or port"},
    {"nats://[::g]/p", "the URL has a bad host or port"},
    {"nats://[::1]x/p", "the URL has a bad host or port"},
    {"nats://" H8 H8 H8 H8 "i/p", "the URL has more than 32 hosts"},
    {"nats://@h/p", "the user is empty"},
    {"nats://:secret@h/p", "the user is empty"},
    {"nats://u%4@h/p", "the user or password has a '%' without two hexadecimal digits"},
    {"nats://u:%@h/p", "the user or password has a '%' without two hexadecimal digits"},
    {"nats://u:%+1@h/p", "the user or password has a '%' without two hexadecimal digits"},
    {"nats://u:%00@h/p", "the user or password has a '%' without two hexadecimal digits"},
};

/* WS-CLUSTER-3: nor does a problem hold the credentials. */
static void test_bad_urls(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    struct ws_cluster_url url;
    const char *problem = ws_cluster_url_init(&url, bad[i].url);
    if (!problem || strcmp(problem, bad[i].problem) != 0)
      fail_msg("%s: %s", bad[i].url, problem ? problem : "nothing is wrong");
    assert_null(url.text);
  }
}

static void test_prefix_and_hosts_at_their_limits(void **state) {
  struct ws_cluster_url url;
  (void)state;
  assert_null(ws_cluster_url_init(&url, "nats://" H8 H8 H8 "a,b,c,d,e,f,g,h/" P64));
  assert_int_equal(url.address.host_count, WS_CLUSTER_URL_HOSTS);
  assert_string_equal(url.prefix, P64);
  ws_cluster_url_deinit(&url);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_good_urls),
      cmocka_unit_test(test_bad_urls),
      cmocka_unit_test(test_prefix_and_hosts_at_their_limits),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
