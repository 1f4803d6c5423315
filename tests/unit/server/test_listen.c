/* Where servers listen. */
#include <inttypes.h>

#include "conn/loop_thread.h"
#include "osprey/hooks.h"
#include "support/osprey.h"
#include "support/peer.h"
#include "support/test.h"

static char *error;

static _Atomic int64_t latest_server;

static void *write_remote_address(void *cell, const struct osprey_connection *connection,
                                  const struct osprey_message *message) {
  char *problem;
  (void)cell;
  (void)message;
  char *address = osp_ws_remote_address(connection->id, &problem);
  expect_success(problem);
  journal_write("%s", address);
  osp_release(address);
  return result_success();
}

static void *on_write_remote_address[] = {(void *)write_remote_address};

/* Starts an echo server on the port that the message names. */
static void *serve_more(void *cell, const struct osprey_connection *connection, const struct osprey_message *message) {
  char *problem;
  (void)cell;
  (void)connection;
  latest_server = osp_ws_create_server(atoi(message->data), "127.0.0.1", "/more", &problem);
  expect_success(problem);
  must_set(osp_ws_server_on_message, latest_server, on_echo);
  osp_ws_server_listen(latest_server, &problem);
  expect_success(problem);
  journal_write("listens");
  return result_success();
}

static void *on_serve_more[] = {(void *)serve_more};

/* WS-LISTEN-1 WS-THREAD-1 */
static void test_listening_inside_a_handler(void **state) {
  char text[16];
  (void)state;
  int port;
  int more_port = peer_free_port();
  int64_t server = must_handle(&port, osp_ws_server_on_message, on_serve_more, NULL);
  struct peer peer = peer_open(port, "/");
  snprintf(text, sizeof text, "%d", more_port);
  peer_send_message(&peer, text);
  journal_expect("listens");
  struct peer more = peer_open(more_port, "/more");
  peer_send_message(&more, "served");
  peer_expect_text(&more, "served");
  peer_close(&more);
  peer_close(&peer);
  must_stop(latest_server);
  must_stop(server);
}

/* WS-CREATE-3 */
static void test_addresses(void **state) {
  static const struct {
    const char *address;
    bool v6;
  } rows[] = {{"::1", true}, {"[::1]", true}, {"localhost", false}, {"0.0.0.0", false}, {"::", false}};
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    const char *remote = rows[i].v6 ? "[::1]:" : "127.0.0.1:";
    int port = peer_free_port();
    int64_t server = osp_ws_create_server(port, rows[i].address, "/", &error);
    expect_success(error);
    must_set(osp_ws_server_on_message, server, on_write_remote_address);
    must_listen(server);
    struct peer peer = rows[i].v6 ? peer_connect6(port) : peer_connect(port);
    peer_shake(&peer, port, "/", "");
    peer_send_message(&peer, "x");
    assert_memory_equal(journal_next(), remote, strlen(remote));
    peer_close(&peer);
    must_stop(server);
  }
}

/* WS-CREATE-5 */
static void test_a_port_that_this_program_has(void **state) {
  char sentence[32];
  (void)state;
  int port = peer_free_port();
  int64_t other = must_create(peer_free_port(), "/");
  int64_t holder = must_create(port, "/");
  snprintf(sentence, sizeof sentence, "server %" PRId64, holder);
  osp_ws_create_server(port, "127.0.0.1", "/", &error);
  expect_error_with(error, sentence);
  must_stop(holder);
  must_stop(other);
}

/* A burst of connections, which one thread may accept: WS-THREAD-7 */
static void test_the_threads_share_the_connections(void **state) {
  enum { PEERS = 40 };
  struct peer peers[PEERS];
  int least = PEERS;
  int most = 0;
  (void)state;
  int port;
  int64_t server = must_handle(&port, osp_ws_server_on_message, on_echo, NULL);
  for (int i = 0; i < PEERS; i++)
    peers[i] = peer_connect(port);
  for (int i = 0; i < PEERS; i++)
    peer_shake(&peers[i], port, "/", "");
  unsigned threads = ws_loop_threads_count();
  for (unsigned i = 0; i < threads; i++) {
    int count = ws_loop_thread_at(i)->connections;
    least = count < least ? count : least;
    most = count > most ? count : most;
  }
  /* Threads that accept at the same time may choose the same one. */
  assert_in_range(most - least, 0, threads);
  for (int i = 0; i < PEERS; i++)
    peer_close(&peers[i]);
  must_stop(server);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_listening_inside_a_handler, journal_setup),
      cmocka_unit_test_setup(test_addresses, journal_setup),
      cmocka_unit_test_setup(test_a_port_that_this_program_has, journal_setup),
      cmocka_unit_test_setup(test_the_threads_share_the_connections, journal_setup),
  };
  return cmocka_run_group_tests_name("listen", tests, NULL, NULL);
}
