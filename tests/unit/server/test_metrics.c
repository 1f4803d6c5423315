/* The metrics of a server. */
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <sys/socket.h>
#include <unistd.h>

#include "osprey/hooks.h"
#include "support/osprey.h"
#include "support/peer.h"
#include "support/test.h"

#define HOST "Host: localhost\r\n"
#define GET "GET /metrics HTTP/1.1\r\n" HOST

static char *error;

/* A server with metrics at "/", whose handlers are `set` on it. It listens. */
static int64_t serve(int *port, void *handler, const char *limit, int64_t value) {
  *port = peer_free_port();
  int64_t server = must_create(*port, "/chat");
  must_set(osp_ws_server_on_message, server, handler);
  must_set(osp_ws_server_on_open, server, on_learn_id);
  must_set(osp_ws_server_on_close, server, on_close);
  osp_ws_server_metrics(server, "/metrics", &error);
  expect_success(error);
  osp_ws_server_page(server, "/", "text/plain", "page", &error);
  expect_success(error);
  if (limit)
    must_limit(server, limit, value);
  must_listen(server);
  return server;
}

static void ask(int port, const char *request, char *answer, size_t room) {
  struct peer peer = peer_connect(port);
  peer_send_text(&peer, request);
  size_t size = peer_read_all(&peer, answer, room);
  assert_int_equal(peer_receive(&peer, answer + size, 1), 0);
  peer_close(&peer);
}

/* The value of a metric, with its labels; -1: there is no such line. */
static double metric(int port, const char *name) {
  char answer[16384], line[128];
  ask(port, GET "\r\n", answer, sizeof answer);
  assert_memory_equal(answer, "HTTP/1.1 200 OK\r\n", 17);
  snprintf(line, sizeof line, "\nosprey_ws_%s ", name);
  const char *at = strstr(answer, line);
  return at ? atof(at + strlen(line)) : -1;
}

static void expect_metric(int port, const char *name, double value) {
  double found = metric(port, name);
  if (found < value || found > value)
    fail_msg("%s is %f, not %f", name, found, value);
}

/* WS-METRICS-1 */
static void test_what_is_counted(void **state) {
  int port;
  (void)state;
  int64_t server = serve(&port, on_echo, NULL, 0);
  expect_metric(port, "open_connections", 0);
  expect_metric(port, "accepted_total", 0);
  expect_metric(port, "refused_total{status=\"404\"}", -1);
  expect_metric(port, "messages_total{direction=\"sent\"}", 0);
  struct peer one = peer_open(port, "/chat");
  struct peer two = peer_open(port, "/chat");
  int64_t id = latest_id;
  peer_send_message(&one, "hello");
  peer_expect_text(&one, "hello");
  peer_send_message(&two, "");
  peer_expect_text(&two, "");
  expect_metric(port, "open_connections", 2);
  expect_metric(port, "accepted_total", 2);
  expect_metric(port, "messages_total{direction=\"received\"}", 2);
  expect_metric(port, "message_bytes_total{direction=\"received\"}", 5);
  expect_metric(port, "messages_total{direction=\"sent\"}", 2);
  expect_metric(port, "message_bytes_total{direction=\"sent\"}", 5);
  osp_ws_server_broadcast(server, "to both", &error);
  expect_success(error);
  peer_expect_text(&one, "to both");
  peer_expect_text(&two, "to both");
  must_send(id, "from another thread");
  peer_expect_text(&two, "from another thread");
  expect_metric(port, "messages_total{direction=\"sent\"}", 5);
  expect_metric(port, "message_bytes_total{direction=\"sent\"}", 5 + 2 * 7 + 19);
  expect_metric(port, "queued_bytes", 0);
  assert_true(metric(port, "held_bytes") > 0);

  assert_int_equal(peer_status(port, "/nowhere", ""), 404);
  assert_int_equal(peer_status(port, "/chat", "Origin: https://evil.example\r\n"), 403);
  assert_int_equal(peer_status(port, "/chat", "Origin: https://evil.example\r\n"), 403);
  expect_metric(port, "refused_total{status=\"404\"}", 1);
  expect_metric(port, "refused_total{status=\"403\"}", 2);
  expect_metric(port, "accepted_total", 2);

  peer_send_frame(&one, 0x88, "\x03\xe8", 2);
  peer_expect_frame(&one, 0x88);
  peer_expect_end(&one);
  peer_close(&one);
  journal_expect("close:1000:");
  peer_send_frame(&two, 0x88, "\x0f\xa1", 2);
  peer_expect_frame(&two, 0x88);
  peer_expect_end(&two);
  peer_close(&two);
  journal_expect("close:4001:");
  expect_metric(port, "closed_total{code=\"1000\"}", 1);
  expect_metric(port, "closed_total{code=\"4xxx\"}", 1);
  expect_metric(port, "closed_total{code=\"3xxx\"}", -1);
  expect_metric(port, "open_connections", 0);
  must_stop(server);
}

/* WS-METRICS-1 WS-METRICS-3 WS-CREATE-5 */
static void test_a_listen_that_fails_first(void **state) {
  char answer[16384];
  const int on = 1;
  (void)state;
  int port = peer_free_port();
  int64_t server = must_create(port, "/chat");
  osp_ws_server_metrics(server, "/metrics", &error);
  expect_success(error);
  osp_ws_server_metrics(server, "/more", &error);
  expect_success(error);
  int other = socket(AF_INET, SOCK_STREAM, 0);
  setsockopt(other, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  assert_int_equal(bind(other, (struct sockaddr *)&at, sizeof at), 0);
  assert_int_equal(listen(other, 1), 0);
  osp_ws_server_listen(server, &error);
  expect_error_with(error, "Address already in use");
  close(other);
  must_listen(server);
  ask(port, "GET /more HTTP/1.1\r\n" HOST "\r\n", answer, sizeof answer);
  assert_memory_equal(answer, "HTTP/1.1 200 OK\r\n", 17);
  must_stop(server);
}

static void *doze(void *cell, const struct osprey_connection *connection, const struct osprey_message *message) {
  poll(NULL, 0, 60);
  return echo_message(cell, connection, message);
}

/* WS-METRICS-1 */
static void test_the_time_of_handlers(void **state) {
  static void *on_doze[] = {(void *)doze};
  int port;
  (void)state;
  int64_t server = serve(&port, on_doze, NULL, 0);
  struct peer peer = peer_open(port, "/chat");
  assert_true(metric(port, "handler_seconds_total") < 0.05);
  peer_send_message(&peer, "x");
  peer_expect_text(&peer, "x");
  double seconds = metric(port, "handler_seconds_total");
  assert_true(seconds >= 0.05 && seconds < 30);
  peer_close(&peer);
  must_stop(server);
}

static void *flood(void *cell, const struct osprey_connection *connection, const struct osprey_message *message) {
  char *mine;
  (void)cell;
  (void)message;
  char *much = malloc((12 << 20) + 1);
  memset(much, 'm', 12 << 20);
  much[12 << 20] = '\0';
  osp_ws_send(connection->id, much, &mine);
  assert_null(mine);
  free(much);
  return result_success();
}

/* The queue of another loop thread is counted too: WS-METRICS-1 */
static void test_what_waits_for_a_receiver(void **state) {
  static void *on_flood[] = {(void *)flood};
  int port;
  (void)state;
  int64_t server = serve(&port, on_flood, "maxMemoryBytes", 64 << 20);
  struct peer peer = peer_connect(port);
  int size = 4096;
  assert_int_equal(setsockopt(peer.fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size), 0);
  peer_shake(&peer, port, "/chat", "");
  peer_send_message(&peer, "x");
  WAIT_UNTIL(metric(port, "queued_bytes") > 1 << 20);
  for (int i = 0; i < 8; i++) {
    assert_true(metric(port, "queued_bytes") > 1 << 20);
    assert_true(metric(port, "held_bytes") > 1 << 20);
  }
  peer_close(&peer);
  WAIT_UNTIL(metric(port, "queued_bytes") < 1);
  must_stop(server);
}

static void *flood_twice(void *cell, const struct osprey_connection *connection, const struct osprey_message *message) {
  osp_release(flood(cell, connection, message));
  return flood(cell, connection, message);
}

/* Once a receiver has taken all, nothing is held for it: WS-LIMIT-18 */
static void test_what_a_receiver_has_taken(void **state) {
  enum { SIZE = 12 << 20 };
  static void *on_flood[] = {(void *)flood_twice};
  char bytes[65536];
  int port;
  (void)state;
  int64_t server = serve(&port, on_flood, "maxQueuedBytes", 4 * SIZE);
  struct peer peer = peer_open(port, "/chat");
  peer_send_message(&peer, "x");
  WAIT_UNTIL(metric(port, "held_bytes") > SIZE / 8);
  for (size_t taken = 0; taken < 2 * SIZE;) {
    long n = peer_receive(&peer, bytes, sizeof bytes);
    assert_true(n > 0);
    taken += (size_t)n;
  }
  WAIT_UNTIL(metric(port, "held_bytes") < SIZE / 8);
  peer_close(&peer);
  must_stop(server);
}

/* WS-METRICS-2 WS-METRICS-3 */
static void test_who_is_answered(void **state) {
  static const char *const forwarding[] = {"X-Forwarded-For: 127.0.0.1", "forwarded: for=127.0.0.1", "Via: 1.1 proxy",
                                           "X-Real-IP: 127.0.0.1"};
  char answer[16384], request[256];
  int port;
  (void)state;
  int64_t server = serve(&port, on_echo, NULL, 0);
  for (size_t i = 0; i < sizeof forwarding / sizeof *forwarding; i++) {
    snprintf(request, sizeof request, GET "%s\r\n\r\n", forwarding[i]);
    ask(port, request, answer, sizeof answer);
    assert_memory_equal(answer, "HTTP/1.1 403 ", 13);
    /* A page is for everybody. */
    snprintf(request, sizeof request, "GET / HTTP/1.1\r\n" HOST "%s\r\n\r\n", forwarding[i]);
    ask(port, request, answer, sizeof answer);
    assert_memory_equal(answer, "HTTP/1.1 200 ", 13);
  }
  ask(port, "HEAD /metrics HTTP/1.1\r\n" HOST "If-None-Match: *\r\n\r\n", answer, sizeof answer);
  assert_memory_equal(answer, "HTTP/1.1 200 OK\r\n", 17);
  assert_non_null(strstr(answer, "\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
  assert_non_null(strstr(answer, "\r\nCache-Control: no-store\r\n"));
  assert_null(strstr(answer, "ETag"));
  assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
  ask(port, "POST /metrics HTTP/1.1\r\n" HOST "\r\n", answer, sizeof answer);
  assert_memory_equal(answer, "HTTP/1.1 405 ", 13);
  assert_int_equal(peer_status(port, "/metrics", ""), 404);
  must_stop(server);
}

/* The address of a network interface of this machine that is no loopback; false: there is none. */
static bool own_address(char *text, size_t room);

/* A peer with another address than a loopback one: WS-METRICS-2 */
static void test_a_peer_elsewhere(void **state) {
  char address[64], answer[4096];
  (void)state;
  if (!own_address(address, sizeof address))
    skip();
  int port = peer_free_port();
  int64_t server = osp_ws_create_server(port, address, "/chat", &error);
  expect_success(error);
  osp_ws_server_metrics(server, "/metrics", &error);
  expect_success(error);
  must_listen(server);
  struct peer peer = {.fd = socket(AF_INET, SOCK_STREAM, 0)};
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  assert_int_equal(inet_pton(AF_INET, address, &to.sin_addr), 1);
  assert_int_equal(connect(peer.fd, (struct sockaddr *)&to, sizeof to), 0);
  peer_send_text(&peer, GET "\r\n");
  peer_read_all(&peer, answer, sizeof answer);
  assert_memory_equal(answer, "HTTP/1.1 403 ", 13);
  peer_close(&peer);
  must_stop(server);
}

static bool own_address(char *text, size_t room) {
  struct ifaddrs *all;
  bool found = false;
  if (getifaddrs(&all))
    return false;
  for (struct ifaddrs *one = all; one && !found; one = one->ifa_next) {
    if (!one->ifa_addr || one->ifa_addr->sa_family != AF_INET)
      continue;
    const struct sockaddr_in *address = (const struct sockaddr_in *)(const void *)one->ifa_addr;
    found = ntohl(address->sin_addr.s_addr) >> 24 != 127 &&
            inet_ntop(AF_INET, &address->sin_addr, text, (socklen_t)room) != NULL;
  }
  freeifaddrs(all);
  return found;
}

/* Metrics are asked for while handlers hold the other loop threads, and the client goes away meanwhile. */
static void test_clients_that_do_not_wait(void **state) {
  static void *on_doze[] = {(void *)doze};
  enum { COUNT = 8 };
  struct peer peers[COUNT];
  int port;
  (void)state;
  int64_t server = serve(&port, on_doze, "handshakeTimeoutMs", 20);
  for (int i = 0; i < COUNT; i++) {
    peers[i] = peer_open(port, "/chat");
    peer_send_message(&peers[i], "x");
  }
  for (int i = 0; i < 4 * COUNT; i++) {
    struct peer peer = peer_connect_tolerant(port);
    peer_send_text(&peer, GET "\r\n" GET "\r\n");
    if (i % 2)
      peer_reset(&peer);
    else
      peer_close(&peer);
  }
  for (int i = 0; i < COUNT; i++) {
    peer_expect_text(&peers[i], "x");
    peer_close(&peers[i]);
  }
  must_stop(server);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_what_is_counted, journal_setup),
      cmocka_unit_test_setup(test_a_listen_that_fails_first, journal_setup),
      cmocka_unit_test_setup(test_the_time_of_handlers, journal_setup),
      cmocka_unit_test_setup(test_what_waits_for_a_receiver, journal_setup),
      cmocka_unit_test_setup(test_what_a_receiver_has_taken, journal_setup),
      cmocka_unit_test_setup(test_who_is_answered, journal_setup),
      cmocka_unit_test_setup(test_a_peer_elsewhere, journal_setup),
      cmocka_unit_test_setup(test_clients_that_do_not_wait, journal_setup),
  };
  return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
