/* Which handshakes servers admit. */
#include "osprey/hooks.h"
#include "support/osprey.h"
#include "support/peer.h"
#include "support/test.h"

static char *error;

struct origin_row {
  const char *origin; /* NULL: no Origin header */
  int status;
};

static void assert_origins(int port, const struct origin_row *rows, size_t n) {
  for (size_t i = 0; i < n; i++) {
    char header[128] = "";
    if (rows[i].origin)
      snprintf(header, sizeof header, "Origin: %s\r\n", rows[i].origin);
    int status = peer_status(port, "/", header);
    if (status != rows[i].status)
      fail_msg("%s is answered with %d, not %d", header, status, rows[i].status);
  }
}

#define assert_origins(port, rows) assert_origins(port, rows, sizeof rows / sizeof *rows)

static void test_the_own_origin(void **state) {
  char own[64];
  char other_port[64];
  int port;
  (void)state;
  int64_t server = must_serve_with(&port, NULL);
  snprintf(own, sizeof own, "HTTP://127.0.0.1:%d", port);
  snprintf(other_port, sizeof other_port, "http://127.0.0.1:%d", port == 1024 ? 1025 : 1024);
  const struct origin_row rows[] = {
      {NULL, 101},       /* WS-ORIGIN-1 */
      {own, 101},        /* WS-ORIGIN-2 */
      {other_port, 403}, /* WS-ORIGIN-3 */
      {"https://evil.example", 403},
      {"null", 403}, /* WS-ORIGIN-4 */
  };
  assert_origins(port, rows);
  must_stop(server);
}

static void test_allowed_origins(void **state) {
  static const struct origin_row rows[] = {
      {"https://friend.example", 101}, /* WS-ORIGIN-8 */
      {"http://friend.example:81", 101},
      {"http://friend.example", 403}, /* WS-ORIGIN-3 */
      {"https://evil.example", 403},
      /* Starts or ends like an allowed origin. */
      {"https://friend.example.evil.example", 403},
      {"https://friend.example:444", 403},
      {"https://friend.exampl", 403},
      {"https://evil.https://friend.example", 403},
      {"https://friend.example/", 403},
      {"null", 403},
  };
  (void)state;
  int port = peer_free_port();
  int64_t server = must_create(port, "/");
  osp_ws_server_allow_origin(server, "HTTPS://Friend.example:443", &error);
  expect_success(error);
  osp_ws_server_allow_origin(server, "http://friend.example:81", &error);
  expect_success(error);
  must_listen(server);
  assert_origins(port, rows);
  must_stop(server);
}

/* WS-ORIGIN-4 */
static void test_all_origins(void **state) {
  static const struct origin_row rows[] = {{"null", 101}, {"https://evil.example", 101}};
  (void)state;
  int port = peer_free_port();
  int64_t server = must_create(port, "/");
  osp_ws_server_allow_origin(server, "*", &error);
  expect_success(error);
  must_listen(server);
  assert_origins(port, rows);
  must_stop(server);
}

#define UPGRADE PEER_UPGRADE_LINES
#define KEY PEER_KEY_LINE
#define VERSION PEER_VERSION_LINE
#define HOST "Host: localhost\r\n"
#define HEAD HOST "Upgrade: websocket\r\nConnection: keep-alive, upgrade\r\n"

/* Sends a request, and reads the answer up to the end of the stream. Returns its status. */
static int status_of(int port, const char *request, char *answer, size_t room) {
  struct peer peer = peer_connect(port);
  peer_send_text(&peer, request);
  peer_read_all(&peer, answer, room);
  peer_close(&peer);
  return atoi(answer + 9);
}

/* The answer names the reason. */
static void test_refused_requests(void **state) {
  static const struct {
    const char *request;
    int status;
    const char *part; /* of the answer */
  } rows[] = {
      /* HS-12 */
      {"POST / HTTP/1.1\r\n" HEAD KEY VERSION "\r\n", 405, "Allow: GET"},
      {"GET / HTTP/1.0\r\n" HEAD KEY VERSION "\r\n", 400, "version"},
      {"GET / HTTP/1.1\r\n" UPGRADE KEY VERSION "\r\n", 400, "Host"},
      {"GET / HTTP/1.1\r\n" HOST "Connection: upgrade\r\n" KEY VERSION "\r\n", 426, "Upgrade"},
      {"GET / HTTP/1.1\r\n" HOST "Upgrade: websocket\r\n" KEY VERSION "\r\n", 400, "Connection"},
      {"GET / HTTP/1.1\r\n" HEAD VERSION "\r\n", 400, "Sec-WebSocket-Key"},
      {"GET / HTTP/1.1\r\n" HEAD "Sec-WebSocket-Key: short==\r\n" VERSION "\r\n", 400, "Sec-WebSocket-Key"},
      {"GET / HTTP/1.1\r\n" HEAD KEY "Sec-WebSocket-Version: 8\r\n\r\n", 426, "Sec-WebSocket-Version: 13"},
      /* HTTP-2 */
      {"GET / HTTP/1.1\r\n" HEAD KEY VERSION "Content-Length: 5\r\n\r\nhello", 400, "body"},
      {"GET / HTTP/1.1\r\n" HEAD KEY VERSION "A: b\r\n c\r\n\r\n", 400, "fold"},
      {"GET / HTTP/1.1\n" HEAD KEY VERSION "\r\n", 400, "CR LF"},
      {"nonsense\r\n\r\n", 400, "HTTP"},
      /* WS-ORIGIN-5 */
      {"GET / HTTP/1.1\r\nHost: rebound.example\r\n" UPGRADE KEY VERSION "\r\n", 403, "HTTP/1.1 403 "},
  };
  char answer[4096];
  int port;
  (void)state;
  int64_t server = must_serve_with(&port, NULL);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    assert_int_equal(status_of(port, rows[i].request, answer, sizeof answer), rows[i].status);
    assert_non_null(strstr(answer, rows[i].part));
  }
  must_stop(server);
}

/* HTTP-2 */
static void test_heads_that_are_too_long(void **state) {
  static char head[40000];
  char answer[4096];
  int port;
  (void)state;
  int64_t server = must_serve_with(&port, NULL);
  int n = sprintf(head, "GET / HTTP/1.1\r\n" HEAD KEY VERSION "X-Big: ");
  memset(head + n, 'x', 20000);
  strcpy(head + n + 20000, "\r\n\r\n");
  assert_int_equal(status_of(port, head, answer, sizeof answer), 431);
  n = sprintf(head, "GET / HTTP/1.1\r\n" HEAD KEY VERSION);
  for (int i = 0; i < 100; i++)
    n += sprintf(head + n, "X: y\r\n");
  strcpy(head + n, "\r\n");
  assert_int_equal(status_of(port, head, answer, sizeof answer), 431);
  must_stop(server);
}

/* peer_open checks Sec-WebSocket-Accept: HS-1 FRAME-4 */
static void test_an_unmasked_frame(void **state) {
  int port;
  (void)state;
  int64_t server = must_serve_with(&port, NULL);
  struct peer peer = peer_open(port, "/");
  peer_send_plain(&peer, 0x81, "not masked", 10);
  peer_expect_close(&peer, 1002);
  peer_close(&peer);
  must_stop(server);
}

static void expect_handshake_and_echoes(struct peer *peer) {
  char head[1024];
  peer_read_head(peer, head, sizeof head);
  peer_expect_text(peer, "one");
  peer_expect_text(peer, "two");
  peer_close(peer);
}

/* A handshake and the first frames arrive in two segments, or one byte at a time: WS-TEXT-1 */
static void test_a_handshake_in_pieces(void **state) {
  static const char bytes[] = "GET / HTTP/1.1\r\n" HEAD KEY VERSION "\r\n"
                              "\x81\x83\0\0\0\0one\x81\x83\0\0\0\0two";
  enum { SIZE = sizeof bytes - 1 };
  int port;
  (void)state;
  int64_t server = must_serve_with(&port, NULL);
  for (size_t split = 1; split < SIZE; split += 3) {
    struct peer peer = peer_connect(port);
    peer_send(&peer, bytes, split);
    peer_await_reading(&peer);
    peer_send(&peer, bytes + split, SIZE - split);
    expect_handshake_and_echoes(&peer);
  }
  struct peer peer = peer_connect(port);
  for (size_t i = 0; i < SIZE; i++)
    peer_send(&peer, bytes + i, 1);
  expect_handshake_and_echoes(&peer);
  must_stop(server);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_the_own_origin, journal_setup),
      cmocka_unit_test_setup(test_allowed_origins, journal_setup),
      cmocka_unit_test_setup(test_all_origins, journal_setup),
      cmocka_unit_test_setup(test_refused_requests, journal_setup),
      cmocka_unit_test_setup(test_heads_that_are_too_long, journal_setup),
      cmocka_unit_test_setup(test_an_unmasked_frame, journal_setup),
      cmocka_unit_test_setup(test_a_handshake_in_pieces, journal_setup),
  };
  return cmocka_run_group_tests_name("handshake", tests, NULL, NULL);
}
