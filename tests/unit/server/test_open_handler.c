/* Open handlers of servers. */
#include <poll.h>
#include <unistd.h>

#include "osprey/hooks.h"
#include "support/osprey.h"
#include "support/peer.h"
#include "support/test.h"

static char *error;

static _Atomic int64_t latest_server;

static void *admit_or_refuse(void *cell, const struct osprey_connection *connection) {
  char *problem;
  (void)cell;
  latest_id = connection->id;
  char *host = osp_ws_request_header(connection->id, "X-Refuse", &problem);
  bool refused = problem == NULL;
  osp_release(problem ? problem : host);
  return refused ? result_error("as asked") : result_success();
}

static void *on_admit_or_refuse[] = {(void *)admit_or_refuse};

/* WS-PROTOCOL-1 */
static void test_the_protocol_of_a_server_that_has_none(void **state) {
  (void)state;
  int port;
  int64_t server = must_handle(&port, osp_ws_server_on_open, on_admit_or_refuse, NULL);
  struct peer peer = peer_connect(port);
  peer_shake(&peer, port, "/", "Sec-WebSocket-Protocol: a\r\n");
  char *protocol = osp_ws_protocol(latest_id, &error);
  expect_success(error);
  assert_string_equal(protocol, "");
  osp_release(protocol);
  peer_close(&peer);
  must_stop(server);
}

/* The ID is closed although the peer keeps the connection open: WS-ONOPEN-6 */
static void test_the_id_of_a_refused_connection(void **state) {
  char head[512];
  (void)state;
  int port;
  int64_t server = must_handle(&port, osp_ws_server_on_open, on_admit_or_refuse, NULL);
  struct peer peer = peer_connect(port);
  peer_request(&peer, port, "/", "X-Refuse: 1\r\n");
  peer_read_head(&peer, head, sizeof head);
  osp_ws_connection(latest_id, &error);
  expect_error_with(error, "is closed");
  peer_close(&peer);
  must_stop(server);
}

/* Sends more than one write takes, until the queue is full. */
static void *open_and_talk(void *cell, const struct osprey_connection *connection) {
  char *problem;
  char text[20001];
  int sent = 0;
  (void)cell;
  memset(text, 't', sizeof text);
  text[sizeof text - 1] = '\0';
  for (;; sent++) {
    osp_ws_send(connection->id, text, &problem);
    if (problem)
      break;
  }
  journal_write("%d %s", sent, strstr(problem, "has no room") ? "has no room" : problem);
  osp_release(problem);
  return result_success();
}

static void *on_open_and_talk[] = {(void *)open_and_talk};

/* WS-ONOPEN-5 WS-SEND-4 */
static void test_messages_sent_before_the_answer(void **state) {
  (void)state;
  int port;
  int64_t server = must_handle(&port, osp_ws_server_on_open, on_open_and_talk, "maxMessageBytes", 20000,
                               "maxQueuedBytes", 800000, NULL);
  struct peer peer = peer_open(port, "/");
  journal_expect("39 has no room");
  for (int i = 0; i < 39; i++) {
    assert_true(peer_read_frame(&peer));
    assert_int_equal(peer.frame.size, 20000);
  }
  peer_close(&peer);
  must_stop(server);
}

static atomic_bool refusing;

/* Takes longer than the deadline of the handshake. */
static void *open_for_long(void *cell, const struct osprey_connection *connection) {
  struct osprey_options options = {.headers = "", .protocols = "", .timeout_ms = 600};
  char url[64];
  char *problem;
  (void)cell;
  (void)connection;
  snprintf(url, sizeof url, "ws://127.0.0.1:%d/", handlers_port);
  osp_ws_connect_with(url, &options, on_message, &problem);
  expect_error_with(problem, "no answer within");
  journal_write("decided");
  return refusing ? result_error("too late") : result_success();
}

static void *on_open_for_long[] = {(void *)open_for_long};

/* The client is cut off at the deadline, whatever the handler returns later. The close handler is called if the handler
 * admits the client: WS-LIMIT-11 WS-ONCLOSE-1 */
static void test_a_handler_that_passes_the_deadline(void **state) {
  char head[256];
  (void)state;
  int silent = listen_for_handlers();
  int port = peer_free_port();
  int64_t server = must_create(port, "/");
  must_limit(server, "handshakeTimeoutMs", 150);
  must_set(osp_ws_server_on_open, server, on_open_for_long);
  must_set(osp_ws_server_on_close, server, on_close);
  must_listen(server);
  for (int i = 0; i < 2; i++) {
    refusing = i == 1;
    struct peer peer = peer_connect(port);
    peer_request(&peer, port, "/", "");
    assert_int_equal(peer_read_all(&peer, head, sizeof head), 0);
    journal_expect("decided");
    if (!refusing)
      journal_expect("close:1006:");
    peer_close(&peer);
  }
  must_stop(server);
  assert_int_equal(journal_left(), 0);
  close(silent);
}

/* Admits a client with the right token, after a message to it and a broadcast. */
static void *decide_open(void *cell, const struct osprey_connection *connection) {
  char *problem;
  (void)cell;
  latest_id = connection->id;
  journal_write("open %d", connection->is_connected);
  char *token = osp_ws_request_header(connection->id, "X-TOKEN", &problem);
  if (problem) {
    osp_release(problem);
    return result_error("there is no token");
  }
  journal_write("token %s", token);
  bool good = strcmp(token, "one, two") == 0;
  osp_release(token);
  osp_ws_send(connection->id, "first", &problem);
  expect_success(problem);
  osp_ws_server_broadcast(latest_server, "not for you", &problem);
  expect_success(problem);
  osp_ws_send(connection->id, "second", &problem);
  expect_success(problem);
  return good ? result_success() : result_error("a bad token");
}

static void *on_decide[] = {(void *)decide_open};

static int64_t server;
static int port;

static int serve_decisions(void **state) {
  journal_setup(state);
  port = peer_free_port();
  server = latest_server = must_create(port, "/");
  must_set(osp_ws_server_on_open, server, on_decide);
  must_set(osp_ws_server_on_close, server, on_close);
  must_listen(server);
  return 0;
}

static int stop_decisions(void **state) {
  (void)state;
  must_stop(server);
  return 0;
}

/* WS-ONOPEN-1 WS-ONOPEN-3 WS-ONOPEN-4 WS-ONOPEN-6 */
static void test_an_err_refuses(void **state) {
  char sentence[100];
  (void)state;
  assert_int_equal(peer_status(port, "/", ""), 403);
  journal_expect("open 0");
  snprintf(sentence, sizeof sentence, "send: connection %lld is closed", (long long)latest_id);
  osp_ws_send(latest_id, "x", &error);
  expect_error(error, sentence);
  assert_int_equal(peer_status(port, "/", "x-token: three\r\n"), 403);
  journal_expect("open 0");
  journal_expect("token three");
  WAIT_UNTIL(osp_ws_server_connections(server, &error) == 0);
  assert_int_equal(journal_left(), 0);
}

/* Admits the client, whose headers can be read from then on. */
static struct peer be_admitted(void) {
  struct peer peer = peer_connect(port);
  peer_shake(&peer, port, "/", "x-token: one\r\nX-Token: two\r\n");
  journal_expect("open 0");
  journal_expect("token one, two"); /* WS-HEADER-2 */
  return peer;
}

/* What the handler sends arrives, what it broadcasts does not: WS-ONOPEN-2 WS-ONOPEN-5 WS-BROADCAST-5 WS-COUNT-1 */
static void test_success_admits(void **state) {
  (void)state;
  struct peer peer = be_admitted();
  peer_expect_text(&peer, "first");
  peer_expect_text(&peer, "second");
  assert_int_equal(osp_ws_server_connections(server, &error), 1);
  peer_close(&peer);
  journal_expect("close:1006:"); /* WS-ONCLOSE-1 WS-ONCLOSE-3 */
  assert_int_equal(journal_left(), 0);
}

static void test_headers_of_the_handshake(void **state) {
  static const char *const usual[][2] = {
      {"upgrade", "websocket"}, {"Connection", "Upgrade"}, {"sec-websocket-version", "13"}}; /* WS-HEADER-1 */
  char sentence[100];
  (void)state;
  struct peer peer = be_admitted();
  osp_ws_request_header(latest_id, "X-Other", &error);
  snprintf(sentence, sizeof sentence, "request header: the request of connection %lld has no header \"X-Other\"",
           (long long)latest_id);
  expect_error(error, sentence);
  for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
    char *value = osp_ws_request_header(latest_id, usual[i][0], &error);
    expect_success(error);
    assert_string_equal(value, usual[i][1]);
    osp_release(value);
  }
  osp_ws_request_header(latest_id, "Sec-WebSocket-Key", &error); /* WS-HEADER-4 */
  expect_error_with(error, "has no header");
  peer_close(&peer);
}

/* ---- many requests at once */

enum { NEWCOMERS = 64, SLOW_MS = 100, DEADLINE_MS = 6000, OPENS_IN_A_ROUND = 3, ROUNDS = 9 };

static struct peer established; /* after its first message the loop thread's, until all rounds have passed */
static atomic_bool requests_are_sent;
static _Thread_local size_t opened; /* on this loop */
static size_t opened_at[ROUNDS];
static size_t rounds;

static void *open_slowly(void *cell, const struct osprey_connection *connection) {
  (void)cell;
  (void)connection;
  if (opened++ > 0)
    poll(NULL, 0, SLOW_MS);
  return result_success();
}

/* In its first call it holds the loop until all requests are sent. In each call it counts the open handlers, and sends
 * itself a message, which is ready in the next turn. */
static void *be_quiet(void *cell, const struct osprey_connection *connection, const struct osprey_message *message) {
  (void)cell;
  (void)connection;
  (void)message;
  while (!atomic_load(&requests_are_sent))
    poll(NULL, 0, 1);
  opened_at[rounds++] = opened;
  if (rounds < ROUNDS) {
    peer_send_message(&established, "and again");
    peer_await_delivery(&established);
  } else {
    journal_write("quiet");
  }
  return result_success();
}

static void *on_open_slowly[] = {(void *)open_slowly};
static void *on_be_quiet[] = {(void *)be_quiet};

/* Few of them run before a message of an established connection, and those that wait for longer than their deadline are
 * admitted: WS-TIME-11 */
static void test_many_slow_open_handlers_delay_nobody(void **state) {
  struct peer newcomers[NEWCOMERS];
  static const char request[] = PEER_REQUEST("/");
  char head[512];
  (void)state;
  port = peer_free_port();
  server = osp_ws_create_server(port, "127.0.0.1", "/", &error);
  expect_success(error);
  must_set(osp_ws_server_on_open, server, on_open_slowly);
  must_set(osp_ws_server_on_message, server, on_be_quiet);
  must_limit(server, "handshakeTimeoutMs", DEADLINE_MS);
  must_listen(server);
  established = peer_open(port, "/");
  for (int i = 0; i < NEWCOMERS; i++) {
    newcomers[i] = peer_connect(port);
    peer_send(&newcomers[i], request, 10);
  }
  peer_await_reading(&newcomers[NEWCOMERS - 1]);
  peer_send_message(&established, "hold");
  for (int i = 0; i < NEWCOMERS; i++)
    peer_send_text(&newcomers[i], request + 10), peer_send_text(&newcomers[i], "\r\n");
  atomic_store(&requests_are_sent, true);
  journal_expect("quiet");
  for (size_t i = 2; i < ROUNDS; i++)
    assert_in_range(opened_at[i] - opened_at[i - 1], 0, OPENS_IN_A_ROUND);
  for (int i = 0; i < NEWCOMERS; i++) {
    assert_true(peer_read_head(&newcomers[i], head, sizeof head));
    assert_memory_equal(head, "HTTP/1.1 101", 12);
    peer_close(&newcomers[i]);
  }
  peer_close(&established);
  must_stop(server);
}

#define decision_test(function) cmocka_unit_test_setup_teardown(function, serve_decisions, stop_decisions)

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_the_protocol_of_a_server_that_has_none, journal_setup),
      cmocka_unit_test_setup(test_the_id_of_a_refused_connection, journal_setup),
      cmocka_unit_test_setup(test_messages_sent_before_the_answer, journal_setup),
      cmocka_unit_test_setup(test_a_handler_that_passes_the_deadline, journal_setup),
      cmocka_unit_test_setup(test_many_slow_open_handlers_delay_nobody, journal_setup),
      decision_test(test_an_err_refuses),
      decision_test(test_success_admits),
      decision_test(test_headers_of_the_handshake),
  };
  return cmocka_run_group_tests_name("open handler", tests, NULL, NULL);
}
