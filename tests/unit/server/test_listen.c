/* Where servers listen. */
#include "osprey/hooks.h"
#include "support/osprey.h"
#include "support/peer.h"
#include "support/test.h"

static char *error;

static _Atomic int64_t latest_server;

static void *describe_message(void *cell, const struct osprey_connection *connection,
                              const struct osprey_message *message) {
  char *problem;
  (void)cell;
  latest_id = connection->id;
  char *address = osp_ws_remote_address(connection->id, &problem);
  journal_write("%s %d %s %s", connection->url, connection->is_connected, message->type, message->data);
  journal_write("%s", strncmp(address, "127.0.0.1:", 10) == 0 ? "127.0.0.1" : address);
  osp_release(address);
  journal_write("%s", llabs(message->timestamp - (int64_t)time(NULL) * 1000) < 5000 ? "now" : "some other time");
  return result_success();
}

static void *on_describe[] = {(void *)describe_message};

/* Makes a server that echoes, and serves it. */
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

/* WS-LISTEN-1 WS-ONMESSAGE-6 */
static void test_listening_inside_a_handler(void **state) {
  char text[16];
  (void)state;
  int port = peer_free_port();
  int more_port = peer_free_port();
  int64_t server = must_create(port, "/");
  must_set(osp_ws_server_on_message, server, on_serve_more);
  must_listen(server);
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

/* IPv6 and names: WS-CREATE-3 */
static void test_addresses(void **state) {
  (void)state;
  const char *addresses[] = {"::1", "[::1]", "localhost", "0.0.0.0", "::"};
  for (int i = 0; i < 5; i++) {
    int port = peer_free_port();
    int64_t server = osp_ws_create_server(port, addresses[i], "/", &error);
    expect_success(error);
    must_set(osp_ws_server_on_message, server, on_describe);
    must_listen(server);
    struct peer peer = i < 2 ? peer_connect6(port) : peer_connect(port);
    peer_shake(&peer, port, "/", "");
    peer_send_message(&peer, "x");
    journal_next();
    const char *address = journal_next();
    assert_int_equal(strncmp(address, i < 2 ? "[::1]:" : "127.0.0.1", 6), 0);
    peer_close(&peer);
    must_stop(server);
    journal_clear();
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_listening_inside_a_handler, journal_setup),
      cmocka_unit_test_setup(test_addresses, journal_setup),
  };
  return cmocka_run_group_tests_name("listen", tests, NULL, NULL);
}
