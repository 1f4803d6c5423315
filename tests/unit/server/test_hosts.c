/* The Host header: what a server admits that is reached at a loopback address. */
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/osprey.h"
#include "support/peer.h"
#include "support/test.h"

static char *error;

static int status_of_host(int port, const char *host) {
  char request[512];
  char head[1024];
  struct peer peer = peer_connect(port);
  snprintf(request, sizeof request,
           "GET / HTTP/1.1\r\nHost: %s\r\n" PEER_UPGRADE_LINES PEER_KEY_LINE PEER_VERSION_LINE "\r\n", host);
  peer_send_text(&peer, request);
  peer_read_head(&peer, head, sizeof head);
  peer_close(&peer);
  return atoi(head + 9);
}

struct host_row {
  const char *host;
  int status;
};

static void assert_hosts(int port, const struct host_row *rows, size_t n) {
  for (size_t i = 0; i < n; i++) {
    int status = status_of_host(port, rows[i].host);
    if (status != rows[i].status)
      fail_msg("Host: %s is answered with %d, not %d", rows[i].host, status, rows[i].status);
  }
}

#define assert_hosts(port, rows) assert_hosts(port, rows, sizeof rows / sizeof *rows)

static void allow(int64_t server, const char *host) {
  osp_ws_server_allow_host(server, host, &error);
  expect_success(error);
}

/* WS-HOST-1 WS-HOST-2 WS-HOST-3 */
static void test_allowed_hosts(void **state) {
  static const struct host_row rows[] = {
      {"dash.example.com", 101},
      {"DASH.example.COM:8443", 101},
      {"dash.example.com.", 101},
      {"api.example.com:8080", 101},
      {"api.example.com", 403},
      {"api.example.com:8081", 403},
      {"[2001:DB8::1]", 101},
      {"[2001:db8::1]:80", 101},
      {"[2001:db8::2]", 403},
      {"[2001:db8::3]:8080", 101},
      {"[2001:db8::3]", 403},
      {"192.0.2.7:1", 101},
      {"192.0.2.70", 403},
      {"localhost", 101},
      {"127.0.0.1:9", 101},
      /* Starts or ends like an allowed host. */
      {"evil-dash.example.com", 403},
      {"dash.example.com.evil.example", 403},
      {"sub.dash.example.com", 403},
      {"ash.example.com", 403},
      {"dash.example.com..", 400},
  };
  (void)state;
  int port = peer_free_port();
  int64_t server = must_create(port, "/");
  allow(server, "Dash.Example.com");
  allow(server, "api.example.com:8080");
  allow(server, "2001:db8:0::1");
  allow(server, "[2001:db8::3]:8080");
  allow(server, "192.0.2.7");
  must_listen(server);
  assert_hosts(port, rows);
  must_stop(server);
}

/* WS-ORIGIN-6 */
static void test_the_host_of_an_allowed_origin(void **state) {
  static const struct host_row rows[] = {
      {"dash.example.com", 101},
      {"dash.example.com:8443", 101},
      {"dash.example.org", 403},
      {"[2001:db8::9]", 101},
  };
  (void)state;
  int port = peer_free_port();
  int64_t server = must_create(port, "/");
  osp_ws_server_allow_origin(server, "https://dash.example.com:8444", &error);
  expect_success(error);
  osp_ws_server_allow_origin(server, "https://[2001:DB8::9]", &error);
  expect_success(error);
  osp_ws_server_allow_origin(server, "*", &error);
  expect_success(error);
  must_listen(server);
  assert_hosts(port, rows);
  must_stop(server);
}

/* A server of every address: WS-ORIGIN-5 */
static void test_a_server_of_every_address(void **state) {
  static const char *const addresses[] = {"0.0.0.0", "::"};
  static const struct host_row rows[] = {{"localhost", 101}, {"rebound.example", 403}};
  (void)state;
  for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
    int port = peer_free_port();
    int64_t server = osp_ws_create_server(port, addresses[i], "/", &error);
    expect_success(error);
    must_listen(server);
    assert_hosts(port, rows);
    must_stop(server);
  }
}

/* An address of this machine that is not loopback. Returns false without one. */
static bool outer_address(struct sockaddr_in *address) {
  struct ifaddrs *list;
  bool found = false;
  assert_int_equal(getifaddrs(&list), 0);
  for (const struct ifaddrs *at = list; at && !found; at = at->ifa_next) {
    found = at->ifa_addr && at->ifa_addr->sa_family == AF_INET && !(at->ifa_flags & IFF_LOOPBACK);
    if (found)
      memcpy(address, at->ifa_addr, sizeof *address);
  }
  freeifaddrs(list);
  return found;
}

/* WS-ORIGIN-5 */
static void test_a_connection_to_another_address(void **state) {
  static const char request[] =
      "GET / HTTP/1.1\r\nHost: any.example\r\n" PEER_UPGRADE_LINES PEER_KEY_LINE PEER_VERSION_LINE "\r\n";
  struct sockaddr_in address;
  char head[1024];
  (void)state;
  if (!outer_address(&address))
    skip();
  int port = peer_free_port();
  int64_t server = osp_ws_create_server(port, "0.0.0.0", "/", &error);
  expect_success(error);
  must_listen(server);
  struct peer peer = {.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  address.sin_port = htons((uint16_t)port);
  assert_int_equal(connect(peer.fd, (struct sockaddr *)&address, sizeof address), 0);
  peer_send_text(&peer, request);
  peer_read_head(&peer, head, sizeof head);
  assert_int_equal(atoi(head + 9), 101);
  peer_close(&peer);
  must_stop(server);
}

/* WS-HOST-3 */
static void test_misuse(void **state) {
  char long_name[400];
  memset(long_name, 'a', sizeof long_name - 1);
  long_name[sizeof long_name - 1] = '\0';
  const char *bad[] = {"",
                       "*",
                       "*.example.com",
                       "https://example.com",
                       "example.com/",
                       "a b",
                       "a:b",
                       "a:0",
                       "a:65536",
                       "[::1",
                       "::1]",
                       ":80",
                       "[1.2.3]",
                       "user@a",
                       "a\r\nX: y",
                       "a\xC0\x80",
                       "1.2.3.256",
                       "fe80::1%lo",
                       long_name,
                       "2001:db8::g"};
  (void)state;
  int64_t server = must_create(peer_free_port(), "/");
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    osp_ws_server_allow_host(server, bad[i], &error);
    if (!error)
      fail_msg("%s is allowed", bad[i]);
    expect_error_with(error, "is neither a name nor an address, with or without a port");
  }
  must_stop(server);
  osp_ws_server_allow_host(server, "a", &error);
  expect_error_with(error, "is stopped");
  osp_ws_server_allow_host(-1, "a", &error);
  expect_error(error, "allow host: there is no server -1");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_allowed_hosts, journal_setup),
      cmocka_unit_test_setup(test_the_host_of_an_allowed_origin, journal_setup),
      cmocka_unit_test_setup(test_a_server_of_every_address, journal_setup),
      cmocka_unit_test_setup(test_a_connection_to_another_address, journal_setup),
      cmocka_unit_test_setup(test_misuse, journal_setup),
  };
  return cmocka_run_group_tests_name("hosts", tests, NULL, NULL);
}
