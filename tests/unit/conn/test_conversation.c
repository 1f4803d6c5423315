/* Client and server in one process, and each with a peer. */
#include "conn/conn.h"
#include "conn/handle.h"
#include "osprey/hooks.h"
#include "support/osprey.h"
#include "support/peer.h"
#include "support/test.h"

static const char *url_of(int port) {
  static char url[64];
  snprintf(url, sizeof url, "ws://127.0.0.1:%d/chat", port);
  return url;
}

static void test_client_and_server_converse(void **state) {
  int port;
  (void)state;
  int64_t server = must_serve(&port);          /* WS-CREATE-1 WS-LISTEN-1 WS-LISTEN-2 */
  int64_t client = must_connect(url_of(port)); /* WS-CONNECT-1 */
  journal_expect("open");
  must_send(client, "hello");   /* WS-SEND-1 */
  journal_expect("text:hello"); /* WS-ONMESSAGE-1 WS-CONNECT-2 */
  must_close(client);           /* WS-CLOSE-1 */
  journal_expect("close:1000:");
  must_stop(server); /* WS-STOP-1 */
}

/* WS-BROADCAST-1 WS-BROADCAST-2 WS-CREATE-8 */
static void test_broadcast_reaches_every_client(void **state) {
  char *error;
  int port;
  (void)state;
  int64_t server = must_serve(&port);
  osp_ws_server_broadcast(server, "nobody", &error);
  expect_success(error);
  struct peer peers[5];
  for (int i = 0; i < 5; i++) {
    peers[i] = peer_open(port, "/chat?x=1");
    journal_expect("open");
  }
  osp_ws_server_broadcast(server, "everybody", &error);
  expect_success(error);
  for (int i = 0; i < 5; i++) {
    peer_expect_text(&peers[i], "everybody");
    peer_send_frame(&peers[i], 0x88, "\x03\xe8", 2);
    peer_expect_close(&peers[i], 1000);
    peer_close(&peers[i]);
    journal_expect("close:1000:");
  }
  must_stop(server);
}

/* Sends the message back, and writes whether the connection keeps a deflate context. */
static void *echo_and_look(void *cell, const struct osprey_connection *connection,
                           const struct osprey_message *message) {
  char *error;
  (void)cell;
  osp_ws_send(connection->id, message->data, &error);
  expect_success(error);
  const struct ws_conn *conn = ws_handle_owned(WS_HANDLE_CONNECTION, connection->id, ws_loop_thread_current()->index);
  journal_write("%s", conn->compressor ? "a context" : "no context");
  return result_success();
}

static void *on_echo_and_look[] = {(void *)echo_and_look};

/* DEFLATE-10, for output */
static void test_no_context_is_held_where_none_is_kept(void **state) {
  static const char *const offers[] = {"permessage-deflate", "permessage-deflate; server_no_context_takeover"};
  (void)state;
  int port = peer_free_port();
  int64_t server = must_create(port, "/chat");
  must_limit(server, "compression", 1);
  must_set(osp_ws_server_on_message, server, on_echo_and_look);
  must_listen(server);
  for (int i = 0; i < 2; i++) {
    char headers[128];
    struct peer peer = peer_connect(port);
    snprintf(headers, sizeof headers, "Sec-WebSocket-Extensions: %s\r\n", offers[i]);
    peer_shake(&peer, port, "/chat", headers);
    for (int round = 0; round < 2; round++) {
      peer_send_message(&peer, "hello");
      journal_expect(i ? "no context" : "a context");
      peer_expect_frame(&peer, 0xC1);
    }
    peer_close(&peer);
  }
  must_stop(server);
}

/* WS-STOP-2 WS-STOP-3 WS-ONCLOSE-1 */
static void test_stop_closes_with_1001(void **state) {
  int port;
  (void)state;
  int64_t server = must_serve(&port);
  int64_t client = must_connect(url_of(port));
  journal_expect("open");
  must_set(osp_ws_on_close, client, on_close);
  must_stop(server);
  journal_expect("close:1001:");
  journal_expect("close:1001:");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_client_and_server_converse, journal_setup),
      cmocka_unit_test_setup(test_broadcast_reaches_every_client, journal_setup),
      cmocka_unit_test_setup(test_no_context_is_held_where_none_is_kept, journal_setup),
      cmocka_unit_test_setup(test_stop_closes_with_1001, journal_setup),
  };
  return cmocka_run_group_tests_name("conversation", tests, NULL, NULL);
}
