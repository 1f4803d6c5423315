/* Which handshakes servers admit. */
#include "osprey/hooks.h"
#include "support/osprey.h"
#include "support/peer.h"
#include "support/test.h"

static char *error;

/* WS-ORIGIN-1 WS-ORIGIN-2 WS-ORIGIN-3 WS-ORIGIN-8 WS-ORIGIN-4 WS-ORIGIN-5 */
static void test_origins(void **state) {
  char own[64];
  char foreign[64];
  (void)state;
  int port = peer_free_port();
  int64_t server = must_create(port, "/");
  osp_ws_server_allow_origin(server, "HTTPS://Friend.example:443", &error);
  expect_success(error);
  osp_ws_server_allow_origin(server, "http://friend.example:81", &error);
  expect_success(error);
  must_listen(server);
  snprintf(own, sizeof own, "Origin: HTTP://127.0.0.1:%d\r\n", port);
  snprintf(foreign, sizeof foreign, "Origin: http://127.0.0.1:%d\r\n", port == 1024 ? 1025 : 1024);
  assert_int_equal(peer_status(port, "/", ""), 101);
  assert_int_equal(peer_status(port, "/", own), 101);
  assert_int_equal(peer_status(port, "/", foreign), 403);
  assert_int_equal(peer_status(port, "/", "Origin: https://friend.example\r\n"), 101);
  assert_int_equal(peer_status(port, "/", "Origin: http://friend.example:81\r\n"), 101);
  assert_int_equal(peer_status(port, "/", "Origin: http://friend.example\r\n"), 403);
  assert_int_equal(peer_status(port, "/", "Origin: https://evil.example\r\n"), 403);
  /* What only begins, or ends, like one that is allowed. */
  const char *const alike[] = {"https://friend.example.evil.example", "https://friend.example:444",
                               "https://friend.exampl", "https://evil.https://friend.example",
                               "https://friend.example/"};
  for (size_t i = 0; i < sizeof alike / sizeof *alike; i++) {
    snprintf(foreign, sizeof foreign, "Origin: %s\r\n", alike[i]);
    assert_int_equal(peer_status(port, "/", foreign), 403);
  }
  assert_int_equal(peer_status(port, "/", "Origin: null\r\n"), 403);
  struct peer peer = peer_connect(port);
  char head[2048];
  peer_send_text(&peer, "GET / HTTP/1.1\r\nHost: rebound.example\r\n" PEER_UPGRADE_LINES PEER_KEY_LINE PEER_VERSION_LINE
                        "\r\n");
  peer_read_head(&peer, head, sizeof head);
  assert_int_equal(atoi(head + 9), 403);
  peer_close(&peer);
  must_stop(server);
  port = peer_free_port();
  server = must_create(port, "/");
  osp_ws_server_allow_origin(server, "*", &error);
  expect_success(error);
  must_listen(server);
  assert_int_equal(peer_status(port, "/", "Origin: null\r\n"), 101);
  assert_int_equal(peer_status(port, "/", "Origin: https://evil.example\r\n"), 101);
  must_stop(server);
}

static int status_of(int port, const char *request, char *answer, size_t room) {
  struct peer peer = peer_connect(port);
  peer_send_text(&peer, request);
  peer_read_all(&peer, answer, room);
  peer_close(&peer);
  return atoi(answer + 9);
}

/* Every refusal says why: WS-SEC-1 WS-SEC-2 WS-SEC-5 WS-SEC-7 */
static void test_refusals(void **state) {
  char answer[4096];
  static char head[40000];
  int port;
  (void)state;
  int64_t server = must_serve_with(&port, NULL);
#define HEAD "Host: localhost\r\nUpgrade: websocket\r\nConnection: keep-alive, upgrade\r\n"
  const struct {
    const char *request;
    int status;
    const char *part;
  } cases[] = {
      {"POST / HTTP/1.1\r\n" HEAD PEER_KEY_LINE PEER_VERSION_LINE "\r\n", 405, "Allow: GET"},
      {"GET / HTTP/1.0\r\n" HEAD PEER_KEY_LINE PEER_VERSION_LINE "\r\n", 400, "version"},
      {"GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: upgrade\r\n" PEER_KEY_LINE PEER_VERSION_LINE "\r\n", 400,
       "Host"},
      {"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\n" PEER_KEY_LINE PEER_VERSION_LINE "\r\n", 426,
       "Upgrade"},
      {"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n" PEER_KEY_LINE PEER_VERSION_LINE "\r\n", 400,
       "Connection"},
      {"GET / HTTP/1.1\r\n" HEAD PEER_VERSION_LINE "\r\n", 400, "Sec-WebSocket-Key"},
      {"GET / HTTP/1.1\r\n" HEAD "Sec-WebSocket-Key: short==\r\n" PEER_VERSION_LINE "\r\n", 400, "Sec-WebSocket-Key"},
      {"GET / HTTP/1.1\r\n" HEAD PEER_KEY_LINE "Sec-WebSocket-Version: 8\r\n\r\n", 426, "Sec-WebSocket-Version: 13"},
      {"GET / HTTP/1.1\r\n" HEAD PEER_KEY_LINE PEER_VERSION_LINE "Content-Length: 5\r\n\r\nhello", 400, "body"},
      {"GET / HTTP/1.1\r\n" HEAD PEER_KEY_LINE PEER_VERSION_LINE "A: b\r\n c\r\n\r\n", 400, "fold"},
      {"GET / HTTP/1.1\n" HEAD PEER_KEY_LINE PEER_VERSION_LINE "\r\n", 400, "CR LF"},
      {"nonsense\r\n\r\n", 400, "HTTP"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    assert_int_equal(status_of(port, cases[i].request, answer, sizeof answer), cases[i].status);
    assert_non_null(strstr(answer, cases[i].part));
  }
  int n = sprintf(head, "GET / HTTP/1.1\r\n" HEAD PEER_KEY_LINE PEER_VERSION_LINE "X-Big: ");
  memset(head + n, 'x', 20000);
  strcpy(head + n + 20000, "\r\n\r\n");
  assert_int_equal(status_of(port, head, answer, sizeof answer), 431);
  n = sprintf(head, "GET / HTTP/1.1\r\n" HEAD PEER_KEY_LINE PEER_VERSION_LINE);
  for (int i = 0; i < 100; i++)
    n += sprintf(head + n, "X: y\r\n");
  strcpy(head + n, "\r\n");
  assert_int_equal(status_of(port, head, answer, sizeof answer), 431);
  struct peer peer = peer_open(port, "/");
  peer_send_plain(&peer, 0x81, "not masked", 10);
  peer_expect_close(&peer, 1002);
  peer_close(&peer);
  must_stop(server);
}

/* A handshake and its first frames in any pieces: WS-TEXT-1 */
static void test_split_everywhere(void **state) {
  char request[512];
  char head[1024];
  int port;
  (void)state;
  int64_t server = must_serve_with(&port, NULL);
  size_t n =
      (size_t)snprintf(request, sizeof request, "GET / HTTP/1.1\r\n" HEAD PEER_KEY_LINE PEER_VERSION_LINE "\r\n");
  memcpy(request + n, "\x81\x83\0\0\0\0one\x81\x83\0\0\0\0two", 18);
  n += 18;
  for (size_t split = 1; split < n; split += 3) {
    struct peer peer = peer_connect(port);
    peer_send(&peer, request, split);
    poll(NULL, 0, 1);
    peer_send(&peer, request + split, n - split);
    peer_read_head(&peer, head, sizeof head);
    peer_expect_text(&peer, "one");
    peer_expect_text(&peer, "two");
    peer_close(&peer);
  }
  struct peer peer = peer_connect(port);
  for (size_t i = 0; i < n; i++)
    peer_send(&peer, request + i, 1);
  peer_read_head(&peer, head, sizeof head);
  peer_expect_text(&peer, "one");
  peer_expect_text(&peer, "two");
  peer_close(&peer);
  must_stop(server);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_origins, journal_setup),
      cmocka_unit_test_setup(test_refusals, journal_setup),
      cmocka_unit_test_setup(test_split_everywhere, journal_setup),
  };
  return cmocka_run_group_tests_name("handshake", tests, NULL, NULL);
}
