/* Stopping while a loop starts to listen, nested connects, and requests of unusual form. */
#include <sched.h>
#include <unistd.h>

#include "osprey/hooks.h"
#include "support/osprey.h"
#include "support/peer.h"
#include "support/test.h"

static char *error;

/* Blocks its loop until the server that the message names listens, then stops that server: this loop has not yet begun
 * to accept for it. */
static void *stop_while_it_starts(void *cell, const struct osprey_connection *connection,
                                  const struct osprey_message *message) {
  int64_t server = atoll(message->data);
  char *problem;
  (void)cell;
  (void)connection;
  journal_write("busy");
  for (;;) {
    osp_ws_server_broadcast(server, "listening?", &problem);
    if (!problem)
      break;
    osp_release(problem);
    sched_yield();
  }
  osp_ws_stop_server(server, &problem);
  journal_write("%s", problem ? problem : "stopped");
  if (problem)
    osp_release(problem);
  return result_success();
}

static void *on_stop_while_it_starts[] = {(void *)stop_while_it_starts};

/* The server is not freed while a loop has yet to listen, and leaves no descriptor open: WS-LISTEN-4 WS-SEC-13 */
static void test_stopping_before_a_loop_listens(void **state) {
  char text[64];
  (void)state;
  int port;
  int64_t server = must_handle(&port, osp_ws_server_on_message, on_stop_while_it_starts, NULL);
  struct peer peer = peer_open(port, "/");
  int before = count_descriptors();
  for (int round = 0; round < 20; round++) {
    int victim_port = peer_free_port();
    int64_t victim = must_create(victim_port, "/");
    snprintf(text, sizeof text, "%lld", (long long)victim);
    peer_send_message(&peer, text);
    journal_expect("busy");
    osp_ws_server_listen(victim, &error);
    snprintf(text, sizeof text, "listen: server %lld is stopped", (long long)victim);
    expect_error(error, text);
    journal_expect("stopped");
    WAIT_UNTIL(count_descriptors() == before);
    must_stop(must_create(victim_port, "/")); /* WS-CREATE-8 */
  }
  peer_close(&peer);
  must_stop(server);
}

/* Connects to a server that never answers, with the message as the timeout in ms. Connects again if that was long. */
static void *connect_to_silence(void *cell, const struct osprey_connection *connection,
                                const struct osprey_message *message) {
  struct osprey_options options = {.headers = "", .protocols = "", .timeout_ms = atoll(message->data)};
  char url[64];
  char *problem;
  (void)cell;
  (void)connection;
  journal_write("begin %s", message->data);
  snprintf(url, sizeof url, "ws://127.0.0.1:%d/", handlers_port);
  osp_ws_connect_with(url, &options, on_message, &problem);
  journal_write("%s %s", message->data, strstr(problem, "no answer within") ? "waited" : problem);
  osp_release(problem);
  if (options.timeout_ms < 60000)
    return result_success();
  osp_ws_connect_with(url, &options, on_message, &problem);
  journal_write("%s", strstr(problem, "ran out") ? "no time left" : problem);
  osp_release(problem);
  return result_success();
}

static void *on_connect_to_silence[] = {(void *)connect_to_silence};

/* The outer connect returns by its own deadline: WS-THREAD-6 WS-CONNECT-9 */
static void test_inner_connects_do_not_outlast_outer_ones(void **state) {
  (void)state;
  if (getenv("OSPREY_WS_LOOPS"))
    skip(); /* connects on different loops do not nest */
  int silent = listen_for_handlers();
  int port;
  int64_t server = must_handle(&port, osp_ws_server_on_message, on_connect_to_silence, NULL);
  struct peer outer = peer_open(port, "/");
  struct peer inner = peer_open(port, "/");
  struct peer innermost = peer_open(port, "/");
  peer_send_message(&outer, "2000");
  journal_expect("begin 2000");
  peer_send_message(&inner, "60000");
  journal_expect("begin 60000");
  peer_send_message(&innermost, "500"); /* less than the outer deadline leaves */
  journal_expect("begin 500");
  journal_expect("500 waited");
  peer_send_message(&innermost, "70000");
  journal_expect("begin 70000");
  journal_expect("70000 waited");
  journal_expect("no time left");
  journal_expect("60000 waited");
  journal_expect("no time left");
  journal_expect("2000 waited");
  peer_close(&outer);
  peer_close(&inner);
  peer_close(&innermost);
  must_stop(server);
  close(silent);
}

/* One more connect than may wait on a loop is an error at once: WS-THREAD-6 */
static void test_connects_nested_too_deep(void **state) {
  enum { DEPTH = 32 };
  struct peer peers[DEPTH + 1];
  struct peer far[DEPTH];
  (void)state;
  if (getenv("OSPREY_WS_LOOPS"))
    skip(); /* connects on different loops do not nest */
  int silent = listen_for_handlers();
  int port;
  int64_t server = must_handle(&port, osp_ws_server_on_message, on_connect_to_silence, NULL);
  for (int i = 0; i <= DEPTH; i++) {
    peers[i] = peer_open(port, "/");
    peer_send_message(&peers[i], "50000");
    journal_expect("begin 50000");
    if (i < DEPTH)
      far[i] = peer_accept(silent);
  }
  assert_non_null(strstr(journal_next(), "32 handlers are already waiting for a connect"));
  for (int i = 0; i < DEPTH; i++)
    peer_close(&far[i]);
  for (int i = 0; i < DEPTH; i++)
    assert_memory_equal(journal_next(), "50000 connect ws://", 19);
  for (int i = 0; i <= DEPTH; i++)
    peer_close(&peers[i]);
  must_stop(server);
  close(silent);
}

/* Writes the URL, some headers and the path. */
static void *write_request(void *cell, const struct osprey_connection *connection) {
  static const char *const names[] = {"Connection", "Upgrade", "X-Empty", "Sec-WebSocket-Version"};
  char *problem;
  (void)cell;
  journal_write("%s", connection->url);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    char *value = osp_ws_request_header(connection->id, names[i], &problem);
    journal_write("%s: <%s>", names[i], problem ? problem : value);
    osp_release(problem ? problem : value);
  }
  char *path = osp_ws_request_path(connection->id, &problem);
  journal_write("path <%s>", problem ? problem : path);
  osp_release(problem ? problem : path);
  return result_success();
}

static void *on_write_request[] = {(void *)write_request};

/* Repeated headers, an empty one, and a target in absolute form: WS-HEADER-2 WS-TYPE-6
 * WS-REQUESTPATH-1 */
static void test_requests_of_unusual_form(void **state) {
  char request[1024];
  char head[1024];
  (void)state;
  int port = peer_free_port();
  int64_t server = must_create(port, "/chat");
  must_set(osp_ws_server_on_open, server, on_write_request);
  must_listen(server);
  snprintf(request, sizeof request,
           "GET http://localhost:%d/chat?a=b HTTP/1.1\r\nConnection: keep-alive\r\nConnection: Upgrade\r\n"
           "Host: localhost:%d\r\nUpgrade: other/1\r\nUpgrade: websocket\r\nX-Empty:\r\n"
           "Connection: Upgrade\r\n" PEER_KEY_LINE PEER_VERSION_LINE "\r\n",
           port, port);
  struct peer peer = peer_connect(port);
  peer_send_text(&peer, request);
  peer_read_head(&peer, head, sizeof head);
  assert_int_equal(atoi(head + 9), 101);
  snprintf(head, sizeof head, "ws://localhost:%d/chat?a=b", port);
  journal_expect(head);
  journal_expect("Connection: <keep-alive, Upgrade, Upgrade>");
  journal_expect("Upgrade: <other/1, websocket>");
  journal_expect("X-Empty: <>");
  journal_expect("Sec-WebSocket-Version: <13>");
  journal_expect("path </chat>");
  peer_close(&peer);
  must_stop(server);
}

/* Only http and https are schemes of an origin: WS-ORIGIN-2 WS-ORIGIN-3 */
static void test_schemes_of_origins(void **state) {
  char origin[64];
  (void)state;
  int port = peer_free_port();
  int64_t server = must_create(port, "/");
  must_listen(server);
  const char *const schemes[] = {"http", "https", "", "javascript", "moz-extension"};
  for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
    snprintf(origin, sizeof origin, "Origin: %s://127.0.0.1:%d\r\n", schemes[i], port);
    assert_int_equal(peer_status(port, "/", origin), i < 2 ? 101 : 403);
  }
  must_stop(server);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_stopping_before_a_loop_listens, journal_setup),
      cmocka_unit_test_setup(test_inner_connects_do_not_outlast_outer_ones, journal_setup),
      cmocka_unit_test_setup(test_connects_nested_too_deep, journal_setup),
      cmocka_unit_test_setup(test_requests_of_unusual_form, journal_setup),
      cmocka_unit_test_setup(test_schemes_of_origins, journal_setup),
  };
  return cmocka_run_group_tests_name("races", tests, NULL, NULL);
}
