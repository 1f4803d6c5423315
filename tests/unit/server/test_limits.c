/* What a server does at its limits, and who may talk to it. */
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include "osprey/hooks.h"
#include "support/osprey.h"
#include "support/peer.h"
#include "support/test.h"

static char *error;

/* A server at /, with an echo and a close handler, whose limits are given as name, value, …, NULL. */
static int64_t serve_with(int *port, ...) {
  va_list limits;
  const char *name;
  *port = peer_free_port();
  int64_t server = must_create(*port, "/");
  va_start(limits, port);
  while ((name = va_arg(limits, const char *)))
    must_limit(server, name, va_arg(limits, int));
  va_end(limits);
  osp_ws_server_on_message(server, on_echo, &error);
  expect_success(error);
  osp_ws_server_on_close(server, on_close, &error);
  expect_success(error);
  must_listen(server);
  return server;
}

/* Pings as fast as they go, of which no answer is read: WS-LIMIT-15 */
static void test_pings_of_a_peer_that_does_not_read(void **state) {
  enum { FRAME = 6 + 125, FRAMES = 1000, ROUNDS = 200 };
  static uint8_t pings[FRAMES * FRAME];
  int room = 4096;
  (void)state;
  int port = peer_free_port();
  int64_t server = must_create(port, "/");
  osp_ws_server_on_open(server, on_learn_id, &error);
  expect_success(error);
  must_listen(server);
  struct peer peer = peer_open(port, "/");
  assert_int_equal(setsockopt(peer.fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room), 0);
  for (int i = 0; i < FRAMES; i++)
    memcpy(pings + (size_t)i * FRAME, "\x89\xFD\1\2\3\4", 6);
  for (int i = 0; i < ROUNDS; i++) {
    peer_send(&peer, pings, sizeof pings);
    assert_in_range((unsigned long)osp_ws_queued_bytes(latest_id, &error), 0, 128 * 1024);
    expect_success(error);
  }
  peer_reset(&peer);
  must_stop(server);
}

/* 0 is no limit, not a limit of none: WS-LIMIT-9 WS-LIMIT-10 WS-LIMIT-12 */
static void test_limits_that_are_off(void **state) {
  int port;
  struct peer peers[3];
  (void)state;
  int64_t server =
      serve_with(&port, "maxConnectionsPerAddress", 0, "maxMessagesPerSecond", 0, "idleTimeoutMs", 0, NULL);
  for (int i = 0; i < 3; i++)
    peers[i] = peer_open(port, "/");
  for (int i = 0; i < 3; i++) {
    assert_true(peer_is_silent(&peers[i], 20));
    peer_send_message(&peers[i], "still here");
    peer_expect_text(&peers[i], "still here");
    peer_close(&peers[i]);
  }
  must_stop(server);
}

/* WS-LIMIT-1 WS-LIMIT-5 */
static void test_a_message_too_big(void **state) {
  int port;
  (void)state;
  int64_t server = serve_with(&port, "maxMessageBytes", 1000, NULL);
  char text[1002];
  memset(text, 'x', sizeof text);
  text[1000] = '\0';
  struct peer peer = peer_open(port, "/");
  peer_send_message(&peer, text);
  peer_expect_text(&peer, text);
  /* The header alone is enough. */
  peer_send(&peer, "\x81\xfe\x03\xe9\0\0\0\0", 8);
  peer_expect_close(&peer, 1009);
  journal_expect("close:1009:a message is too big");
  peer_close(&peer);
  peer = peer_open(port, "/");
  peer_send_frame(&peer, 0x01, text, 600);
  peer_send_frame(&peer, 0x80, text, 600);
  peer_expect_close(&peer, 1009);
  peer_close(&peer);
  must_stop(server);
}

/* WS-LIMIT-6 */
static void test_too_many_fragments(void **state) {
  int port;
  (void)state;
  int64_t server = serve_with(&port, "maxFragments", 10, NULL);
  struct peer peer = peer_open(port, "/");
  peer_send_frame(&peer, 0x01, "", 0);
  for (int i = 0; i < 8; i++)
    peer_send_frame(&peer, 0x00, "", 0);
  peer_send_frame(&peer, 0x80, "x", 1);
  peer_expect_text(&peer, "x");
  peer_send_frame(&peer, 0x01, "", 0);
  for (int i = 0; i < 10; i++)
    peer_send_frame(&peer, 0x00, "", 0);
  peer_expect_close(&peer, 1008);
  peer_close(&peer);
  must_stop(server);
}

/* WS-LIMIT-8 WS-LIMIT-9 */
static void test_too_many_connections(void **state) {
  int port;
  (void)state;
  int64_t server = serve_with(&port, "maxConnections", 2, NULL);
  struct peer first = peer_open(port, "/");
  struct peer second = peer_open(port, "/");
  assert_int_equal(peer_status(port, "/", ""), 503);
  peer_close(&first);
  journal_expect("close:1006:");
  struct peer third;
  for (int tries = 0;; tries++) {
    /* The refused one may be counted for a moment still. */
    if (peer_status(port, "/", "") == 101)
      break;
    assert_true(tries < 200);
    poll(NULL, 0, 10);
  }
  journal_expect("close:1006:");
  third = peer_open(port, "/");
  peer_close(&second);
  peer_close(&third);
  must_stop(server);
  server = serve_with(&port, "maxConnectionsPerAddress", 1, NULL);
  first = peer_open(port, "/");
  assert_int_equal(peer_status(port, "/", ""), 429);
  peer_close(&first);
  must_stop(server);
}

/* Past a cap by more than are answered: WS-LIMIT-16 */
static void test_far_too_many_connections(void **state) {
  enum { ANSWERED = 256 };
  const char *const limits[] = {"maxConnections", "maxConnectionsPerAddress"};
  static struct peer waiting[ANSWERED];
  char rest[64];
  (void)state;
  for (int i = 0; i < 2; i++) {
    int port;
    int64_t server = serve_with(&port, limits[i], 1, NULL);
    struct peer first = peer_open(port, "/");
    for (int k = 0; k < ANSWERED; k++)
      waiting[k] = peer_connect(port);
    struct peer over = peer_connect(port);
    assert_true(peer_receive(&over, rest, sizeof rest) <= 0);
    peer_close(&over);
    peer_send_message(&first, "still served");
    peer_expect_text(&first, "still served");
    assert_true(peer_is_silent(&waiting[0], 0));
    assert_true(peer_is_silent(&waiting[ANSWERED - 1], 0));
    for (int k = 0; k < ANSWERED; k++)
      peer_close(&waiting[k]);
    /* None of them counts any more. */
    peer_close(&first);
    for (int tries = 0; peer_status(port, "/", "") != 101; tries++) {
      assert_true(tries < 200);
      poll(NULL, 0, 10);
    }
    must_stop(server);
    journal_clear();
  }
}

/* WS-LIMIT-10 */
static void test_too_many_messages(void **state) {
  int port;
  (void)state;
  int64_t server = serve_with(&port, "maxMessagesPerSecond", 5, NULL);
  struct peer peer = peer_open(port, "/");
  for (int i = 0; i < 6; i++)
    peer_send_message(&peer, "x");
  for (int i = 0; i < 5; i++)
    peer_expect_text(&peer, "x");
  peer_expect_close(&peer, 1008);
  journal_expect("close:1008:too many messages in a second");
  peer_close(&peer);
  /* Each second has its own allowance. */
  peer = peer_open(port, "/");
  for (int second = 0; second < 2; second++) {
    for (int i = 0; i < 5; i++)
      peer_send_message(&peer, "x");
    for (int i = 0; i < 5; i++)
      peer_expect_text(&peer, "x");
    poll(NULL, 0, 1100);
  }
  peer_close(&peer);
  must_stop(server);
}

/* However steadily the bytes come: WS-LIMIT-11 */
static void test_a_slow_handshake(void **state) {
  struct timespec start;
  const char *request =
      "GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
  char rest[256];
  int port;
  (void)state;
  int64_t server = serve_with(&port, "handshakeTimeoutMs", 300, NULL);
  struct peer peer = peer_connect(port);
  clock_gettime(CLOCK_MONOTONIC, &start);
  for (const char *p = request; *p; p++) {
    if (send(peer.fd, p, 1, MSG_NOSIGNAL) != 1 || !peer_is_silent(&peer, 10))
      break;
  }
  assert_int_equal(peer_read_all(&peer, rest, sizeof rest), 0);
  assert_in_range((unsigned long)elapsed_ms(&start), 280, 900);
  peer_close(&peer);
  must_stop(server);
}

/* WS-LIMIT-12 */
static void test_idle_peers(void **state) {
  int port;
  (void)state;
  int64_t server = serve_with(&port, "idleTimeoutMs", 400, NULL);
  /* One that answers pings is kept. */
  struct peer peer = peer_open(port, "/");
  for (int i = 0; i < 4; i++) {
    peer_expect_frame(&peer, 0x89);
    peer_send_frame(&peer, 0x8A, peer.frame.payload, peer.frame.size);
  }
  peer_send_message(&peer, "alive");
  peer_expect_text(&peer, "alive");
  /* One that does not is closed. */
  peer_expect_close(&peer, 1001);
  journal_expect("close:1001:idle for too long");
  peer_close(&peer);
  /* One that does not even read is gone. */
  static char text[1000001];
  memset(text, 't', sizeof text - 1);
  peer = peer_open(port, "/");
  for (int i = 0; i < 10; i++) {
    osp_ws_server_broadcast(server, text, &error);
    expect_success(error);
  }
  journal_expect("close:1006:");
  peer_close(&peer);
  must_stop(server);
}

/* Waits for a connect that fails, and with it for longer than the connection may be idle. */
static void *wait_inside(void *cell, const struct osprey_connection *connection, const struct osprey_message *message) {
  struct osprey_options options = {.headers = "", .protocols = "", .timeout_ms = 900};
  char url[64];
  char *problem;
  snprintf(url, sizeof url, "ws://127.0.0.1:%d/", handlers_port);
  osp_ws_connect_with(url, &options, on_message, &problem);
  expect_error_with(problem, "no answer within");
  return echo_message(cell, connection, message);
}

static void *on_wait_inside[] = {(void *)wait_inside};

/* While its handler waits a connection is not read, and so not idle: WS-LIMIT-12 WS-THREAD-4 */
static void test_a_waiting_handler_is_not_idle(void **state) {
  (void)state;
  int silent = listen_for_handlers();
  int port = peer_free_port();
  int64_t server = must_create(port, "/");
  must_limit(server, "idleTimeoutMs", 500);
  osp_ws_server_on_message(server, on_wait_inside, &error);
  expect_success(error);
  must_listen(server);
  struct peer peer = peer_open(port, "/");
  peer_send_message(&peer, "wait");
  peer_expect_text(&peer, "wait");
  peer_close(&peer);
  must_stop(server);
  close(silent);
}

/* A message that takes its time is no silence, wherever its bytes are received: WS-LIMIT-12 */
static void test_a_slow_message_is_not_idle(void **state) {
  enum { SIZE = 200000, PIECE = 10000 };
  static char payload[SIZE + 1];
  int port;
  (void)state;
  int64_t server = serve_with(&port, "idleTimeoutMs", 600, NULL);
  struct peer peer = peer_open(port, "/");
  memset(payload, 's', SIZE);
  peer_send(&peer, "\x81\xff\0\0\0\0\0\x03\x0d\x40\0\0\0\0", 14);
  for (size_t at = 0; at < SIZE; at += PIECE) {
    assert_true(peer_is_silent(&peer, 60));
    peer_send(&peer, payload + at, PIECE);
  }
  peer_expect_frame(&peer, 0x81);
  assert_string_equal((char *)peer.frame.payload, payload);
  peer_close(&peer);
  must_stop(server);
}

/* Pings whose answers nobody reads: WS-LIMIT-7 WS-SEC-11 */
static void test_a_flood_of_pings(void **state) {
  enum { BATCH = 2000, SIZE = 6 + 125, ROUNDS = 200 };
  static char pings[BATCH * SIZE];
  (void)state;
  int port = peer_free_port();
  int64_t server = must_create(port, "/");
  must_limit(server, "maxMessageBytes", 1000);
  must_limit(server, "maxQueuedBytes", 20000);
  osp_ws_server_on_open(server, on_learn_id, &error);
  expect_success(error);
  must_listen(server);
  struct peer peer = peer_open(port, "/");
  for (size_t i = 0; i < sizeof pings; i += SIZE) {
    memset(pings + i, 'p', SIZE);
    memcpy(pings + i, "\x89\xfd\0\0\0\0", 6);
  }
  for (int i = 0; i < ROUNDS; i++) {
    peer_send(&peer, pings, sizeof pings);
    int64_t queued = osp_ws_queued_bytes(latest_id, &error);
    expect_success(error);
    assert_in_range(queued, 0, 20000);
  }
  peer_reset(&peer);
  peer = peer_open(port, "/");
  peer_close(&peer);
  must_stop(server);
}

static void *flood_until_full(void *cell, const struct osprey_connection *connection,
                              const struct osprey_message *message) {
  char *problem = NULL;
  char text[4096];
  struct timespec start;
  (void)cell;
  (void)message;
  memset(text, 'f', sizeof text);
  text[sizeof text - 1] = '\0';
  clock_gettime(CLOCK_MONOTONIC, &start);
  for (int i = 0; !problem && i < 100000; i++)
    osp_ws_send(connection->id, text, &problem);
  char *again;
  int64_t queued = osp_ws_queued_bytes(connection->id, &again);
  journal_write("%s", problem && strstr(problem, "has no room") ? "full" : "never full");
  journal_write("%s", elapsed_ms(&start) < 2000 ? "at once" : "late");
  journal_write("%s", queued > 60000 && queued <= 70000 ? "within the cap" : "beyond the cap");
  if (problem)
    osp_release(problem);
  return result_success();
}

static void *on_flood[] = {(void *)flood_until_full};

/* WS-SEND-4 WS-QUEUED-1 WS-LIMIT-7 */
static void test_a_full_queue_inside_a_handler(void **state) {
  (void)state;
  int port = peer_free_port();
  int64_t server = must_create(port, "/");
  must_limit(server, "maxMessageBytes", 5000);
  must_limit(server, "maxQueuedBytes", 70000);
  osp_ws_server_on_message(server, on_flood, &error);
  expect_success(error);
  must_listen(server);
  struct peer peer = peer_open(port, "/");
  peer_send_message(&peer, "go");
  journal_expect("full");
  journal_expect("at once");
  journal_expect("within the cap");
  peer_close(&peer);
  must_stop(server);
}

/* A receiver that does not read: WS-BROADCAST-4 WS-SEND-6 */
static void test_a_slow_receiver_of_broadcasts(void **state) {
  int port;
  (void)state;
  int64_t server = serve_with(&port, "maxMessageBytes", 65536, "maxQueuedBytes", 65536, NULL);
  struct peer slow = peer_open(port, "/");
  struct peer quick = peer_open(port, "/");
  char text[60001];
  memset(text, 'b', sizeof text);
  text[60000] = '\0';
  bool closed = false;
  for (int i = 0; i < 2000 && !closed; i++) {
    osp_ws_server_broadcast(server, text, &error);
    expect_success(error);
    peer_expect_text(&quick, text);
    closed = osp_ws_server_connections(server, &error) == 1;
  }
  assert_true(closed);
  int code = 0;
  while (peer_read_frame(&slow)) {
    if (slow.frame.head == 0x88)
      code = slow.frame.payload[0] << 8 | slow.frame.payload[1];
  }
  assert_int_equal(code, 1008);
  journal_expect("close:1008:too slow to take what is broadcast");
  char *over = malloc(70000);
  memset(over, 'o', 69999);
  over[69999] = '\0';
  osp_ws_server_broadcast(server, over, &error);
  expect_error(error, "broadcast: the message has 69999 bytes, at most 65536 may be sent on this connection");
  free(over);
  peer_close(&slow);
  peer_close(&quick);
  must_stop(server);
}

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
  int64_t server = serve_with(&port, NULL);
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
  int64_t server = serve_with(&port, NULL);
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

/* Compression only where both want it: WS-LIMIT-13 WS-CONNECTWITH-5 */
static void test_compression(void **state) {
  char url[64];
  char head[1024];
  int port;
  (void)state;
  for (int on = 0; on < 2; on++) {
    int64_t server = serve_with(&port, "compression", on, NULL);
    struct peer peer = peer_connect(port);
    peer_send_text(&peer, "GET / HTTP/1.1\r\n" HEAD PEER_KEY_LINE PEER_VERSION_LINE
                          "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n");
    peer_read_head(&peer, head, sizeof head);
    assert_int_equal(strstr(head, "permessage-deflate") != NULL, on);
    peer_close(&peer);
    snprintf(url, sizeof url, "ws://127.0.0.1:%d/", port);
    for (int wanted = 0; wanted < 2; wanted++) {
      struct osprey_options options = {.headers = "", .protocols = "", .compression = wanted};
      int64_t id = must_connect_with(url, &options, on_message);
      journal_clear();
      for (int i = 0; i < 20; i++) {
        char text[100];
        char line[110];
        snprintf(text, sizeof text, "compress me, compress me, compress me %d", i);
        snprintf(line, sizeof line, "text:%s", text);
        must_send(id, text);
        journal_expect(line);
      }
      osp_ws_send_binary(id, "AAAAAAAAAAAA", &error);
      expect_success(error);
      journal_expect("binary:AAAAAAAAAAAA");
      osp_ws_server_broadcast(server, "to all, to all, to all", &error);
      expect_success(error);
      journal_expect("text:to all, to all, to all");
      must_close(id);
      journal_expect("close:1000:");
    }
    must_stop(server);
    journal_clear();
  }
}

/* Descriptors run out, and come back: WS-SEC-12 */
static void test_descriptors_run_out(void **state) {
  enum { FEW = 64 };
  struct rlimit before;
  int taken[FEW];
  int count = 0;
  int port;
  (void)state;
  int64_t server = serve_with(&port, NULL);
  struct peer first = peer_open(port, "/");
  getrlimit(RLIMIT_NOFILE, &before);
  struct rlimit low = before;
  low.rlim_cur = FEW;
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
  while (count < FEW && (taken[count] = dup(first.fd)) >= 0)
    count++;
  assert_in_range(count, 1, FEW - 1);
  close(taken[--count]); /* the last descriptor there is goes to the peer that waits */
  struct peer waiting = peer_connect(port);
  peer_send_message(&first, "still");
  peer_expect_text(&first, "still");
  while (count > 0)
    close(taken[--count]);
  setrlimit(RLIMIT_NOFILE, &before);
  struct peer last = peer_open(port, "/");
  peer_send_message(&last, "again");
  peer_expect_text(&last, "again");
  peer_close(&waiting);
  peer_close(&first);
  peer_close(&last);
  must_stop(server);
}

enum { SPACES = 3 << 20 };

/* A message of three million spaces, compressed by zlib as far as it goes. */
static void send_spaces(struct peer *peer) {
  z_stream stream = {.zalloc = NULL};
  uint8_t *spaces = malloc(SPACES);
  uint8_t payload[8192];
  memset(spaces, ' ', SPACES);
  assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
  stream.next_in = spaces;
  stream.avail_in = SPACES;
  stream.next_out = payload;
  stream.avail_out = sizeof payload;
  assert_int_equal(deflate(&stream, Z_SYNC_FLUSH), Z_OK);
  peer_send_frame(peer, 0xC1, payload, sizeof payload - stream.avail_out - 4);
  deflateEnd(&stream);
  free(spaces);
}

/* WS-LIMIT-17, and what comes back is sent so that any guard lets it pass: DEFLATE-13 */
static void test_compression_ratio(void **state) {
  static const int ratios[] = {100, 1032};
  (void)state;
  for (int i = 0; i < 2; i++) {
    int port;
    int64_t server =
        serve_with(&port, "compression", 1, "maxMessageBytes", 4 << 20, "maxCompressionRatio", ratios[i], NULL);
    struct peer peer = peer_connect(port);
    peer_shake(&peer, port, "/", "Sec-WebSocket-Extensions: permessage-deflate\r\n");
    send_spaces(&peer);
    if (i == 0) {
      peer_expect_close(&peer, 1009);
    } else {
      peer_expect_frame(&peer, 0x81);
      assert_int_equal(peer.frame.size, SPACES);
    }
    peer_close(&peer);
    must_stop(server);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_a_message_too_big, journal_setup),
      cmocka_unit_test_setup(test_too_many_fragments, journal_setup),
      cmocka_unit_test_setup(test_too_many_connections, journal_setup),
      cmocka_unit_test_setup(test_far_too_many_connections, journal_setup),
      cmocka_unit_test_setup(test_too_many_messages, journal_setup),
      cmocka_unit_test_setup(test_a_slow_handshake, journal_setup),
      cmocka_unit_test_setup(test_idle_peers, journal_setup),
      cmocka_unit_test_setup(test_a_waiting_handler_is_not_idle, journal_setup),
      cmocka_unit_test_setup(test_a_slow_message_is_not_idle, journal_setup),
      cmocka_unit_test_setup(test_a_flood_of_pings, journal_setup),
      cmocka_unit_test_setup(test_a_full_queue_inside_a_handler, journal_setup),
      cmocka_unit_test_setup(test_a_slow_receiver_of_broadcasts, journal_setup),
      cmocka_unit_test_setup(test_origins, journal_setup),
      cmocka_unit_test_setup(test_refusals, journal_setup),
      cmocka_unit_test_setup(test_pings_of_a_peer_that_does_not_read, journal_setup),
      cmocka_unit_test_setup(test_limits_that_are_off, journal_setup),
      cmocka_unit_test_setup(test_split_everywhere, journal_setup),
      cmocka_unit_test_setup(test_compression, journal_setup),
      cmocka_unit_test_setup(test_compression_ratio, journal_setup),
      cmocka_unit_test_setup(test_descriptors_run_out, journal_setup),
  };
  return cmocka_run_group_tests_name("limits", tests, NULL, NULL);
}
