/* Limits of servers. */
#include <errno.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "osprey/hooks.h"
#include "support/osprey.h"
#include "support/peer.h"
#include "support/test.h"

static char *error;

/* 0 means no limit: WS-LIMIT-9 WS-LIMIT-10 WS-LIMIT-12 */
static void test_limits_that_are_off(void **state) {
  int port;
  struct peer peers[3];
  (void)state;
  int64_t server =
      must_serve_with(&port, "maxConnectionsPerAddress", 0, "maxMessagesPerSecond", 0, "idleTimeoutMs", 0, NULL);
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

/* WS-LIMIT-1 MSG-7 */
static void test_a_message_too_big(void **state) {
  int port;
  (void)state;
  int64_t server = must_serve_with(&port, "maxMessageBytes", 1000, NULL);
  char text[1002];
  memset(text, 'x', sizeof text);
  text[1000] = '\0';
  struct peer peer = peer_open(port, "/");
  peer_send_message(&peer, text);
  peer_expect_text(&peer, text);
  /* The frame header is enough. */
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

/* MSG-8 */
static void test_too_many_fragments(void **state) {
  int port;
  (void)state;
  int64_t server = must_serve_with(&port, "maxFragments", 10, NULL);
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
  int64_t server = must_serve_with(&port, "maxConnections", 2, NULL);
  struct peer first = peer_open(port, "/");
  struct peer second = peer_open(port, "/");
  assert_int_equal(peer_status(port, "/", ""), 503);
  peer_close(&first);
  journal_expect("close:1006:");
  WAIT_UNTIL(peer_status(port, "/", "") == 101); /* the refused connection counts until it has ended */
  journal_expect("close:1006:");
  peer_close(&second);
  must_stop(server);
  server = must_serve_with(&port, "maxConnectionsPerAddress", 1, NULL);
  first = peer_open(port, "/");
  assert_int_equal(peer_status(port, "/", ""), 429);
  peer_close(&first);
  must_stop(server);
}

static size_t count_ended(const struct peer *peers, size_t n) {
  size_t ended = 0;
  for (size_t i = 0; i < n; i++) {
    char byte;
    ssize_t got = recv(peers[i].fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    ended += got == 0 || (got < 0 && errno != EAGAIN);
  }
  return ended;
}

/* Only 256 connections past a cap are answered: WS-LIMIT-16 */
static void test_far_too_many_connections(void **state) {
  enum { ANSWERED = 256 };
  const char *const limits[] = {"maxConnections", "maxConnectionsPerAddress"};
  static struct peer waiting[ANSWERED + 1]; /* several loops accept them in any order */
  (void)state;
  for (int i = 0; i < 2; i++) {
    int port;
    int64_t server = must_serve_with(&port, limits[i], 1, NULL);
    struct peer first = peer_open(port, "/");
    for (int k = 0; k <= ANSWERED; k++)
      waiting[k] = peer_connect_tolerant(port);
    WAIT_UNTIL(count_ended(waiting, ANSWERED + 1) == 1);
    peer_send_message(&first, "still served");
    peer_expect_text(&first, "still served");
    assert_int_equal(count_ended(waiting, ANSWERED + 1), 1);
    for (int k = 0; k <= ANSWERED; k++)
      peer_close(&waiting[k]);
    peer_close(&first);
    WAIT_UNTIL(peer_status(port, "/", "") == 101); /* once none of them counts */
    must_stop(server);
    journal_clear();
  }
}

/* WS-LIMIT-10 */
static void test_too_many_messages(void **state) {
  int port;
  (void)state;
  int64_t server = must_serve_with(&port, "maxMessagesPerSecond", 5, NULL);
  struct peer peer = peer_open(port, "/");
  for (int i = 0; i < 6; i++)
    peer_send_message(&peer, "x");
  for (int i = 0; i < 5; i++)
    peer_expect_text(&peer, "x");
  peer_expect_close(&peer, 1008);
  journal_expect("close:1008:too many messages in a second");
  peer_close(&peer);
  /* Each second has an allowance of its own. */
  peer = peer_open(port, "/");
  for (int second = 0; second < 2; second++) {
    for (int i = 0; i < 5; i++)
      peer_send_message(&peer, "x");
    for (int i = 0; i < 5; i++)
      peer_expect_text(&peer, "x");
    assert_true(peer_is_silent(&peer, 1100)); /* the clock is the event */
  }
  peer_close(&peer);
  must_stop(server);
}

/* The deadline holds although bytes keep arriving: WS-LIMIT-11 */
static void test_a_slow_handshake(void **state) {
  struct timespec start;
  const char *request =
      "GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
  char rest[256];
  int port;
  (void)state;
  int64_t server = must_serve_with(&port, "handshakeTimeoutMs", 300, NULL);
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
  int64_t server = must_serve_with(&port, "idleTimeoutMs", 400, NULL);
  /* A peer that answers pings is kept. */
  struct peer peer = peer_open(port, "/");
  for (int i = 0; i < 4; i++) {
    peer_expect_frame(&peer, 0x89);
    peer_send_frame(&peer, 0x8A, peer.frame.payload, peer.frame.size);
  }
  peer_send_message(&peer, "alive");
  peer_expect_text(&peer, "alive");
  /* A peer that does not is closed. */
  peer_expect_close(&peer, 1001);
  journal_expect("close:1001:idle for too long");
  peer_close(&peer);
  /* A peer that does not read either is dropped. */
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

/* Waits for a connect that fails only after the idle timeout of the calling connection. */
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

/* A connection is not read while its handler waits, and does not count as idle: WS-LIMIT-12 WS-THREAD-4 */
static void test_a_handler_that_waits_is_not_idle(void **state) {
  (void)state;
  int silent = listen_for_handlers();
  int port = peer_free_port();
  int64_t server = must_create(port, "/");
  must_limit(server, "idleTimeoutMs", 500);
  must_set(osp_ws_server_on_message, server, on_wait_inside);
  must_listen(server);
  struct peer peer = peer_open(port, "/");
  peer_send_message(&peer, "wait");
  peer_expect_text(&peer, "wait");
  peer_close(&peer);
  must_stop(server);
  close(silent);
}

/* A connection that receives a long message slowly is not idle: WS-LIMIT-12 */
static void test_a_slow_message_is_not_idle(void **state) {
  enum { SIZE = 200000, PIECE = 10000 };
  static char payload[SIZE + 1];
  int port;
  (void)state;
  int64_t server = must_serve_with(&port, "idleTimeoutMs", 600, NULL);
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

/* WS-SEC-15 */
static void test_descriptors_for_all_connections(void **state) {
  enum { CONNECTIONS = 3000 };
  struct rlimit before, after;
  (void)state;
  getrlimit(RLIMIT_NOFILE, &before);
  struct rlimit low = {.rlim_cur = 256, .rlim_max = before.rlim_max};
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
  int64_t server = must_create(peer_free_port(), "/");
  must_limit(server, "maxConnections", CONNECTIONS);
  must_listen(server);
  getrlimit(RLIMIT_NOFILE, &after);
  assert_true(after.rlim_cur >= CONNECTIONS + 1024 || after.rlim_cur == before.rlim_max);
  must_stop(server);
  setrlimit(RLIMIT_NOFILE, &before);
}

/* The process runs out of descriptors, and has some again: WS-SEC-12 */
static void test_descriptors_run_out(void **state) {
  enum { FEW = 64 };
  struct rlimit before;
  int taken[FEW];
  int count = 0;
  int port;
  (void)state;
  int64_t server = must_serve_with(&port, NULL);
  struct peer first = peer_open(port, "/");
  getrlimit(RLIMIT_NOFILE, &before);
  struct rlimit low = before;
  low.rlim_cur = FEW;
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
  while (count < FEW && (taken[count] = dup(first.fd)) >= 0)
    count++;
  assert_in_range(count, 1, FEW - 1);
  close(taken[--count]); /* the last free descriptor is the waiting peer's */
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

/* Heads in progress count, and the largest holders go: WS-LIMIT-18 */
static void test_heads_beyond_the_memory(void **state) {
  enum { PEERS = 80 };
  struct peer peers[PEERS];
  int port, dropped = 0;
  (void)state;
  int64_t server = must_serve_with(&port, "maxMemoryBytes", 1 << 20, "handshakeTimeoutMs", 600000, NULL);
  for (int i = 0; i < PEERS; i++) {
    peers[i] = peer_connect_tolerant(port);
    peer_send_text(&peers[i], "GET / HTTP/1.1\r\n");
    peer_await_reading(&peers[i]);
  }
  struct peer last = peer_open(port, "/");
  for (int i = 0; i < PEERS; i++) {
    dropped += !peer_is_silent(&peers[i], 0);
    peer_close(&peers[i]);
  }
  assert_in_range(dropped, 10, PEERS - 20);
  peer_close(&last);
  must_stop(server);
}

/* Requests that are kept for look-ups count, in headers that browsers share too: WS-LIMIT-18 */
static void test_requests_beyond_the_memory(void **state) {
  enum { PEERS = 80, LONG = 7000 };
  static const char *const names[][2] = {{"Cookie", "Cookie"}, {"User-Agent", "Pragma"}};
  struct peer peers[PEERS];
  char headers[2 * LONG + 64];
  (void)state;
  for (size_t row = 0; row < sizeof names / sizeof *names; row++) {
    int port, dropped = 0;
    int64_t server = must_serve_with(&port, "maxMemoryBytes", 1 << 20, NULL);
    struct peer small = peer_open(port, "/");
    for (int i = 0; i < PEERS; i++) {
      snprintf(headers, sizeof headers, "%s: %0*d\r\n%s: %0*d\r\n", names[row][0], LONG, i, names[row][1], LONG, i);
      peers[i] = peer_connect(port);
      peer_shake(&peers[i], port, "/", headers);
    }
    peer_send_message(&small, "not me");
    peer_expect_text(&small, "not me");
    for (int i = 0; i < PEERS; i++) {
      dropped += !peer_is_silent(&peers[i], 0);
      peer_close(&peers[i]);
    }
    assert_in_range(dropped, 1, PEERS / 2);
    peer_close(&small);
    must_stop(server);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_limits_that_are_off, journal_setup),
      cmocka_unit_test_setup(test_a_message_too_big, journal_setup),
      cmocka_unit_test_setup(test_too_many_fragments, journal_setup),
      cmocka_unit_test_setup(test_too_many_connections, journal_setup),
      cmocka_unit_test_setup(test_far_too_many_connections, journal_setup),
      cmocka_unit_test_setup(test_too_many_messages, journal_setup),
      cmocka_unit_test_setup(test_a_slow_handshake, journal_setup),
      cmocka_unit_test_setup(test_idle_peers, journal_setup),
      cmocka_unit_test_setup(test_a_handler_that_waits_is_not_idle, journal_setup),
      cmocka_unit_test_setup(test_a_slow_message_is_not_idle, journal_setup),
      cmocka_unit_test_setup(test_heads_beyond_the_memory, journal_setup),
      cmocka_unit_test_setup(test_requests_beyond_the_memory, journal_setup),
      cmocka_unit_test_setup(test_descriptors_for_all_connections, journal_setup),
      cmocka_unit_test_setup(test_descriptors_run_out, journal_setup),
  };
  return cmocka_run_group_tests_name("limits", tests, NULL, NULL);
}
