/* A server against raw peers: handlers, records, refusals, closing. */
#include <sys/socket.h>
#include <unistd.h>

#include "osprey/hooks.h"
#include "support/osprey.h"
#include "support/peer.h"
#include "support/test.h"

static char *error;

/* What a handler does besides writing: set by the test before it is called. */
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

/* WS-TYPE-2 WS-TYPE-3 WS-TYPE-4 WS-TYPE-5 WS-TYPE-6 WS-TYPE-8 WS-REMOTE-1 WS-ONMESSAGE-1 WS-CREATE-7 WS-TEXT-6 */
static void test_a_handler_is_told_everything(void **state) {
  char line[128];
  (void)state;
  int port = peer_free_port();
  int64_t server = must_create(port, "/live");
  osp_ws_server_on_message(server, on_message, &error);
  expect_success(error);
  osp_ws_server_on_message(server, on_describe, &error); /* WS-ONMESSAGE-3: replaces */
  expect_success(error);
  must_listen(server);
  struct peer peer = peer_open(port, "/live?room=7&x=%20");
  peer_send_message(&peer, "hello");
  snprintf(line, sizeof line, "ws://127.0.0.1:%d/live?room=7&x=%%20 1 text hello", port);
  journal_expect(line);
  journal_expect("127.0.0.1");
  journal_expect("now");
  peer_send_frame(&peer, 0x82, "\x00\xff\x10", 3);
  snprintf(line, sizeof line, "ws://127.0.0.1:%d/live?room=7&x=%%20 1 binary AP8Q", port);
  journal_expect(line);
  journal_clear();
  peer_send_frame(&peer, 0x82, "", 0);
  snprintf(line, sizeof line, "ws://127.0.0.1:%d/live?room=7&x=%%20 1 binary ", port);
  journal_find(line);
  struct osprey_connection *record = osp_ws_connection(latest_id, &error);
  expect_success(error);
  assert_int_equal(record->tag, 0);
  assert_int_equal(record->id, latest_id);
  assert_true(record->is_connected);
  osp_release(record);
  assert_int_equal(peer_status(port, "/live/", ""), 404);
  assert_int_equal(peer_status(port, "/", ""), 404);
  peer_close(&peer);
  must_stop(server);
}

/* WS-TEXT-1 WS-TEXT-2 WS-TEXT-3 WS-TEXT-6 WS-TEXT-7 WS-SENDBINARY-1 WS-SEND-2 WS-SEND-7 */
static void test_messages_come_back_whole(void **state) {
  int port;
  (void)state;
  int64_t server = must_serve(&port);
  struct peer peer = peer_open(port, "/chat");
  peer_send_message(&peer, "");
  peer_expect_text(&peer, "");
  peer_send_frame(&peer, 0x81, "a\0b\0", 4);
  assert_true(peer_read_frame(&peer));
  assert_int_equal(peer.frame.size, 4);
  assert_memory_equal(peer.frame.payload, "a\0b\0", 4);
  peer_send_frame(&peer, 0x01, "one ", 4);
  peer_send_frame(&peer, 0x89, "ping", 4);
  peer_send_frame(&peer, 0x00, "two ", 4);
  peer_send_frame(&peer, 0x80, "three", 5);
  peer_expect_frame(&peer, 0x8A);
  assert_string_equal((char *)peer.frame.payload, "ping");
  peer_expect_text(&peer, "one two three");
  uint8_t bytes[70000];
  for (size_t i = 0; i < sizeof bytes; i++)
    bytes[i] = (uint8_t)(i * 7);
  peer_send_frame(&peer, 0x82, bytes, sizeof bytes);
  peer_expect_frame(&peer, 0x82);
  assert_int_equal(peer.frame.size, sizeof bytes);
  assert_memory_equal(peer.frame.payload, bytes, sizeof bytes);
  for (int i = 0; i < 500; i++) {
    char text[16];
    snprintf(text, sizeof text, "%d", i);
    peer_send_message(&peer, text);
  }
  for (int i = 0; i < 500; i++) {
    char text[16];
    snprintf(text, sizeof text, "%d", i);
    peer_expect_text(&peer, text);
  }
  size_t size = 1048576;
  char *large = malloc(size + 1);
  memset(large, 'L', size);
  large[size] = '\0';
  peer_send_message(&peer, large);
  peer_expect_text(&peer, large);
  free(large);
  peer_send_frame(&peer, 0x88,
                  "\x03\xe9"
                  "bye",
                  5);
  peer_expect_close(&peer, 1001);
  journal_find("close:1001:bye"); /* WS-ONCLOSE-2 */
  peer_close(&peer);
  must_stop(server);
}

/* WS-ONMESSAGE-4: checked, though nobody listens. */
static void test_a_deaf_server_reads_and_checks(void **state) {
  (void)state;
  int port = peer_free_port();
  int64_t server = must_create(port, "/");
  must_listen(server);
  struct peer peer = peer_open(port, "/");
  peer_send_message(&peer, "into the void");
  peer_send_frame(&peer, 0x89, "", 0);
  peer_expect_frame(&peer, 0x8A);
  peer_send_frame(&peer, 0x81, "\xff", 1);
  peer_expect_close(&peer, 1007); /* WS-SEC-9 */
  peer_close(&peer);
  must_stop(server);
}

static void *fail_message(void *cell, const struct osprey_connection *connection,
                          const struct osprey_message *message) {
  (void)cell;
  (void)connection;
  return result_error(message->data);
}

static void *fail_close(void *cell, const struct osprey_connection *connection, int64_t code, const char *reason) {
  (void)cell;
  (void)connection;
  journal_write("close:%d:%s", (int)code, reason);
  return result_error("no matter");
}

static void *on_fail[] = {(void *)fail_message};
static void *on_fail_close[] = {(void *)fail_close};

/* WS-ONMESSAGE-5 WS-ONCLOSE-8 */
static void test_a_failing_handler_closes_with_1011(void **state) {
  (void)state;
  int port = peer_free_port();
  int64_t server = must_create(port, "/");
  osp_ws_server_on_message(server, on_fail, &error);
  expect_success(error);
  osp_ws_server_on_close(server, on_fail_close, &error);
  expect_success(error);
  must_listen(server);
  struct peer peer = peer_open(port, "/");
  peer_send_message(&peer, "do not tell");
  char reason[128];
  assert_int_equal(peer_read_close(&peer, reason, sizeof reason), 1011);
  assert_null(strstr(reason, "tell"));
  peer_close(&peer);
  journal_expect("close:1011:the handler failed");
  must_stop(server);
}

/* Says something, then tries to send long bytes whose base64 is wrong at its end, then goes on. */
static void *send_wrong_base64(void *cell, const struct osprey_connection *connection,
                               const struct osprey_message *message) {
  char *problem;
  char base64[40001];
  (void)cell;
  osp_ws_send(connection->id, "before", &problem);
  expect_success(problem);
  memset(base64, 'A', sizeof base64);
  memcpy(base64 + sizeof base64 - 5, "AA!A", 5);
  osp_ws_send_binary(connection->id, base64, &problem);
  journal_write("%s", problem ? problem : "sent");
  osp_release(problem);
  if (strcmp(message->data, "go on") != 0)
    return result_success();
  base64[20000] = '\0'; /* as text, behind what is in the queue */
  osp_ws_send(connection->id, base64, &problem);
  expect_success(problem);
  return result_success();
}

static void *on_send_wrong_base64[] = {(void *)send_wrong_base64};

/* Nothing of it is sent, and nothing is kept from being sent, with compression or without: WS-SENDBINARY-2 */
static void test_wrong_base64_inside_a_handler(void **state) {
  (void)state;
  for (int compressed = 0; compressed < 2; compressed++) {
    int port = peer_free_port();
    int64_t server = must_create(port, "/");
    must_limit(server, "compression", 1);
    osp_ws_server_on_message(server, on_send_wrong_base64, &error);
    expect_success(error);
    must_listen(server);
    struct peer peer = peer_connect(port);
    peer_shake(&peer, port, "/", compressed ? "Sec-WebSocket-Extensions: permessage-deflate\r\n" : "");
    const char *words[] = {"stop", "go on"};
    for (int i = 0; i < 2; i++) {
      peer_send_message(&peer, words[i]);
      assert_non_null(strstr(journal_next(), "39998"));
      for (int frames = 0; frames < 1 + i; frames++) {
        peer_expect_frame(&peer, compressed ? 0xC1 : 0x81);
        if (!compressed)
          assert_int_equal(peer.frame.size, frames ? 20000 : 6);
      }
    }
    peer_close(&peer);
    must_stop(server);
  }
}

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

/* Of a server that speaks no subprotocol, and of a client that was refused and stays: WS-PROTOCOL-1 WS-ONOPEN-6 */
static void test_what_is_told_from_outside(void **state) {
  char head[512];
  (void)state;
  int port = peer_free_port();
  int64_t server = must_create(port, "/");
  osp_ws_server_on_open(server, on_admit_or_refuse, &error);
  expect_success(error);
  must_listen(server);
  struct peer peer = peer_connect(port);
  peer_shake(&peer, port, "/", "Sec-WebSocket-Protocol: a\r\n");
  char *protocol = osp_ws_protocol(latest_id, &error);
  expect_success(error);
  assert_string_equal(protocol, "");
  osp_release(protocol);
  peer_close(&peer);
  peer = peer_connect(port);
  peer_send_text(&peer, PEER_REQUEST("/") "X-Refuse: 1\r\n\r\n");
  peer_read_head(&peer, head, sizeof head);
  osp_ws_connection(latest_id, &error);
  expect_error_with(error, "is closed");
  peer_close(&peer);
  must_stop(server);
}

/* Makes a server that echoes, and serves it. */
static void *serve_more(void *cell, const struct osprey_connection *connection, const struct osprey_message *message) {
  char *problem;
  (void)cell;
  (void)connection;
  latest_server = osp_ws_create_server(atoi(message->data), "127.0.0.1", "/more", &problem);
  expect_success(problem);
  osp_ws_server_on_message(latest_server, on_echo, &problem);
  expect_success(problem);
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
  osp_ws_server_on_message(server, on_serve_more, &error);
  expect_success(error);
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

/* Sends more than goes out at once, until there is no room. */
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
static void test_talking_before_the_handshake_is_answered(void **state) {
  (void)state;
  int port = peer_free_port();
  int64_t server = must_create(port, "/");
  must_limit(server, "maxMessageBytes", 20000);
  must_limit(server, "maxQueuedBytes", 800000);
  osp_ws_server_on_open(server, on_open_and_talk, &error);
  expect_success(error);
  must_listen(server);
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

/* Takes longer than the handshake may. */
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

/* An open handler that waits for something else past the handshake's deadline finds its client cut off, whatever it then says; the
 * close handler of one that it admits is told. WS-LIMIT-11 WS-ONCLOSE-1 WS-ONCLOSE-6 */
static void test_an_open_handler_that_takes_too_long(void **state) {
  char head[256];
  (void)state;
  int silent = listen_for_handlers();
  int port = peer_free_port();
  int64_t server = must_create(port, "/");
  must_limit(server, "handshakeTimeoutMs", 150);
  osp_ws_server_on_open(server, on_open_for_long, &error);
  expect_success(error);
  osp_ws_server_on_close(server, on_close, &error);
  expect_success(error);
  must_listen(server);
  for (int i = 0; i < 2; i++) {
    refusing = i == 1;
    struct peer peer = peer_connect(port);
    peer_send_text(&peer, PEER_REQUEST("/") "\r\n");
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

/* Broadcasts until its own connection, which does not read, is closed for it, then fails as well. */
static void *broadcast_too_much(void *cell, const struct osprey_connection *connection,
                                const struct osprey_message *message) {
  static char text[20001];
  char *problem;
  (void)cell;
  (void)message;
  memset(text, 't', sizeof text - 1);
  for (;;) {
    osp_ws_server_broadcast(latest_server, text, &problem);
    if (problem) /* another loop has yet to keep up: WS-BROADCAST-7 */
      osp_release(problem);
    struct osprey_connection *now = osp_ws_connection(connection->id, &problem);
    bool open = !problem && now->is_connected;
    osp_release(problem ? problem : (void *)now);
    if (!open)
      return result_error("that was too much");
  }
}

static void *on_broadcast_too_much[] = {(void *)broadcast_too_much};

/* What closed it first is told: WS-BROADCAST-4 WS-ONMESSAGE-5 WS-ONCLOSE-2 */
static void test_failing_twice(void **state) {
  (void)state;
  int port = peer_free_port();
  int64_t server = latest_server = must_create(port, "/");
  must_limit(server, "maxMessageBytes", 20000);
  must_limit(server, "maxQueuedBytes", 50000);
  osp_ws_server_on_message(server, on_broadcast_too_much, &error);
  expect_success(error);
  osp_ws_server_on_close(server, on_close, &error);
  expect_success(error);
  must_listen(server);
  struct peer peer = peer_open(port, "/");
  peer_send_frame(&peer, 0x01, "begins", 6);
  peer_send_frame(&peer, 0x80, "ends", 4);
  do {
    assert_true(peer_read_frame(&peer));
  } while (peer.frame.head != 0x88);
  assert_memory_equal(peer.frame.payload, "\x03\xf0", 2);
  peer_close(&peer);
  journal_expect("close:1008:too slow to take what is broadcast");
  must_stop(server);
  assert_int_equal(journal_left(), 0);
}

/* Closed in the middle of a message of the peer's, whose rest comes: it counts for nothing. WS-BROADCAST-4 */
static void test_the_rest_of_a_message_of_a_closed_connection(void **state) {
  static char text[20001];
  uint8_t begun[8 + 1000] = {0x81, 0xFE, 0xEA, 0x60};
  (void)state;
  memset(text, 't', sizeof text - 1);
  int port = peer_free_port();
  int64_t server = must_create(port, "/");
  must_limit(server, "maxMessageBytes", 60000);
  must_limit(server, "maxQueuedBytes", 70000);
  osp_ws_server_on_message(server, on_message, &error);
  expect_success(error);
  osp_ws_server_on_close(server, on_close, &error);
  expect_success(error);
  must_listen(server);
  struct peer peer = peer_open(port, "/");
  peer_send(&peer, begun, sizeof begun);
  do {
    osp_ws_server_broadcast(server, text, &error);
    expect_success(error);
  } while (osp_ws_server_connections(server, &error) > 0);
  memset(begun, 0, sizeof begun);
  for (int i = 0; i < 59; i++)
    peer_send(&peer, begun + 8, 1000);
  do {
    assert_true(peer_read_frame(&peer));
  } while (peer.frame.head != 0x88);
  peer_close(&peer);
  journal_expect("close:1008:too slow to take what is broadcast");
  must_stop(server);
  assert_int_equal(journal_left(), 0);
}

/* ---- opening */

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

/* WS-ONOPEN-1 WS-ONOPEN-2 WS-ONOPEN-3 WS-ONOPEN-4 WS-ONOPEN-5 WS-ONOPEN-6 WS-ONCLOSE-1 WS-ONCLOSE-6 WS-HEADER-1 WS-HEADER-2
 * WS-BROADCAST-5 WS-COUNT-1 */
static void test_the_open_handler_decides(void **state) {
  char sentence[100];
  (void)state;
  int port = peer_free_port();
  int64_t server = latest_server = must_create(port, "/");
  osp_ws_server_on_open(server, on_decide, &error);
  expect_success(error);
  osp_ws_server_on_close(server, on_close, &error);
  expect_success(error);
  must_listen(server);

  assert_int_equal(peer_status(port, "/", ""), 403);
  journal_expect("open 0");
  snprintf(sentence, sizeof sentence, "send: connection %lld is closed", (long long)latest_id);
  osp_ws_send(latest_id, "x", &error);
  expect_error(error, sentence);
  assert_int_equal(peer_status(port, "/", "x-token: three\r\n"), 403);
  journal_expect("open 0");
  journal_expect("token three");
  WAIT_UNTIL(osp_ws_server_connections(server, &error) == 0);

  struct peer peer = peer_connect(port);
  peer_shake(&peer, port, "/", "x-token: one\r\nX-Token: two\r\n");
  journal_expect("open 0");
  journal_expect("token one, two");
  peer_expect_text(&peer, "first");
  peer_expect_text(&peer, "second");
  assert_int_equal(osp_ws_server_connections(server, &error), 1);
  osp_ws_request_header(latest_id, "X-Other", &error);
  snprintf(sentence, sizeof sentence, "request header: the request of connection %lld has no header \"X-Other\"",
           (long long)latest_id);
  expect_error(error, sentence);
  const char *usual[][2] = {{"upgrade", "websocket"}, {"Connection", "Upgrade"}, {"sec-websocket-version", "13"}};
  for (int i = 0; i < 3; i++) {
    char *value = osp_ws_request_header(latest_id, usual[i][0], &error);
    expect_success(error);
    assert_string_equal(value, usual[i][1]);
    osp_release(value);
  }
  osp_ws_request_header(latest_id, "Sec-WebSocket-Key", &error); /* WS-HEADER-4 */
  expect_error_with(error, "has no header");
  peer_close(&peer);
  journal_expect("close:1006:"); /* WS-ONCLOSE-3 */
  assert_int_equal(journal_left(), 0);
  must_stop(server);
}

/* ---- closing */

static void *look_up_close(void *cell, const struct osprey_connection *connection, int64_t code, const char *reason) {
  char *problem;
  (void)cell;
  journal_write("close:%d:%s %d", (int)code, reason, connection->is_connected);
  char *address = osp_ws_remote_address(connection->id, &problem);
  journal_write("%s", problem ? problem : "address");
  osp_release(problem ? problem : address);
  char *host = osp_ws_request_header(connection->id, "Host", &problem);
  journal_write("%s", problem ? problem : "host");
  osp_release(problem ? problem : host);
  char *protocol = osp_ws_protocol(connection->id, &problem);
  journal_write("protocol %s", problem ? problem : protocol);
  osp_release(problem ? problem : protocol);
  struct osprey_connection *record = osp_ws_connection(connection->id, &problem);
  journal_write("record %d", problem ? -1 : record->is_connected);
  osp_release(problem ? (void *)problem : (void *)record);
  osp_ws_send(connection->id, "x", &problem);
  journal_write("%s", problem && strstr(problem, "is closed") ? "no sends" : "sends");
  if (problem)
    osp_release(problem);
  return result_success();
}

static void *on_look_up_close[] = {(void *)look_up_close};

/* WS-ONCLOSE-4 WS-PROTOCOLS-1 WS-PROTOCOL-1 */
static void test_look_ups_in_the_close_handler(void **state) {
  (void)state;
  char head[1024];
  int port = peer_free_port();
  int64_t server = must_create(port, "/");
  osp_ws_server_protocols(server, "chat.v2, chat.v1", &error);
  expect_success(error);
  osp_ws_server_on_close(server, on_look_up_close, &error);
  expect_success(error);
  must_listen(server);
  struct peer peer = peer_connect(port);
  peer_send_text(&peer, PEER_REQUEST("/") "Sec-WebSocket-Protocol: other, chat.v1, chat.v2\r\n\r\n");
  peer_read_head(&peer, head, sizeof head);
  assert_non_null(strstr(head, "Sec-WebSocket-Protocol: chat.v2\r\n"));
  peer_send_frame(&peer, 0x88, "", 0);
  peer_expect_close(&peer, 0);
  journal_expect("close:1005: 0"); /* WS-ONCLOSE-3 */
  journal_expect("address");
  journal_expect("host");
  journal_expect("protocol chat.v2");
  journal_expect("record 0");
  journal_expect("no sends");
  peer_close(&peer);
  must_stop(server);
}

static void *act_on_message(void *cell, const struct osprey_connection *connection,
                            const struct osprey_message *message) {
  char *problem = NULL;
  (void)cell;
  if (strcmp(message->data, "close") == 0)
    osp_ws_close(connection->id, &problem);
  else if (strcmp(message->data, "close with") == 0)
    osp_ws_close_with(connection->id, 4001, "go away", &problem);
  else if (strcmp(message->data, "stop") == 0)
    osp_ws_stop_server(latest_server, &problem);
  else if (strcmp(message->data, "keep alive") == 0)
    osp_ws_keep_alive(&problem);
  journal_write("%s: %s", message->data, problem ? problem : "done");
  if (problem)
    osp_release(problem);
  osp_ws_send(connection->id, "afterwards", &problem);
  journal_write("%s", problem ? "no sends" : "sends");
  if (problem)
    osp_release(problem);
  return result_success();
}

static void *on_act[] = {(void *)act_on_message};

static int64_t serve_actions(int *port) {
  *port = peer_free_port();
  int64_t server = latest_server = must_create(*port, "/");
  osp_ws_server_on_message(server, on_act, &error);
  expect_success(error);
  osp_ws_server_on_close(server, on_close, &error);
  expect_success(error);
  must_listen(server);
  return server;
}

/* WS-CLOSE-3 WS-CLOSE-5 WS-CLOSE-6 WS-CLOSEWITH-1 WS-KEEPALIVE-2 WS-ONMESSAGE-6 WS-STOP-4 WS-SEC-13 */
static void test_closing_inside_handlers(void **state) {
  int port;
  (void)state;
  int64_t server = serve_actions(&port);
  struct peer peer = peer_open(port, "/");
  peer_send_message(&peer, "keep alive");
  journal_expect("keep alive: keep alive: cannot be called in a handler, which it would block");
  journal_expect("sends");
  peer_expect_text(&peer, "afterwards");
  peer_send_message(&peer, "close");
  peer_send_message(&peer, "unheard");
  journal_expect("close: done");
  journal_expect("no sends");
  peer_expect_close(&peer, 1000);
  journal_expect("close:1000:");
  peer_close(&peer);
  peer = peer_open(port, "/");
  peer_send_message(&peer, "close with");
  journal_expect("close with: done");
  journal_expect("no sends");
  char reason[64];
  assert_int_equal(peer_read_close(&peer, reason, sizeof reason), 4001);
  assert_string_equal(reason, "go away");
  peer_close(&peer);
  journal_expect("close:1006:");
  peer = peer_open(port, "/");
  struct peer other = peer_open(port, "/");
  peer_send_message(&peer, "stop");
  journal_expect("stop: done");
  journal_expect("no sends");
  peer_expect_close(&peer, 1001);
  peer_expect_close(&other, 1001);
  journal_expect("close:1001:");
  journal_expect("close:1001:");
  peer_close(&peer);
  peer_close(&other);
  WAIT_UNTIL((osp_ws_server_connections(server, &error), error));
  expect_error_with(error, "is stopped");
}

/* WS-CLOSE-7 */
static void test_nothing_follows_the_close_frame(void **state) {
  int port;
  (void)state;
  int64_t server = serve_actions(&port);
  struct peer peer = peer_open(port, "/");
  peer_send_message(&peer, "close");
  journal_expect("close: done");
  journal_expect("no sends");
  assert_int_equal(peer_read_close(&peer, NULL, 0), 1000);
  peer_send_frame(&peer, 0x89, "late", 4);
  peer_send_message(&peer, "late");
  peer_send_frame(&peer, 0x88, "\x03\xe8", 2);
  assert_false(peer_read_frame(&peer));
  journal_expect("close:1000:");
  peer_close(&peer);
  must_stop(server);
}

/* Peers that vanish in every way: WS-SEC-11 */
static void test_peers_that_vanish(void **state) {
  int port;
  (void)state;
  int64_t server = must_serve(&port);
  for (int i = 0; i < 20; i++) {
    struct peer peer = peer_connect(port);
    if (i % 4 == 1)
      peer_send_text(&peer, "GET /chat HT");
    if (i % 4 >= 2) {
      peer_shake(&peer, port, "/chat", "");
      journal_expect("open");
      peer_send(&peer, "\x81\xfe", 2);
    }
    if (i % 2)
      peer_reset(&peer);
    else
      peer_close(&peer);
    if (i % 4 >= 2)
      journal_expect("close:1006:");
  }
  struct peer peer = peer_open(port, "/chat");
  for (int i = 0; i < 1000; i++)
    peer_send_message(&peer, "unread");
  peer_reset(&peer);
  peer = peer_open(port, "/chat");
  peer_send_message(&peer, "still here");
  peer_expect_text(&peer, "still here");
  peer_close(&peer);
  must_stop(server);
}

enum { CROWD = 60 };

static struct {
  _Atomic int64_t ids[CROWD];
  atomic_int opened, closed, deepest;
  atomic_bool go;
  char text[20001];
} crowd;

/* Tells all the others, with a message that is written at once. */
static void tell_the_crowd(int64_t id) {
  char *problem;
  for (int i = 0; i < CROWD; i++) {
    if (crowd.ids[i] == id)
      continue;
    osp_ws_send(crowd.ids[i], crowd.text, &problem);
    if (problem)
      osp_release(problem);
  }
}

static void *join_the_crowd(void *cell, const struct osprey_connection *connection) {
  (void)cell;
  crowd.ids[atomic_fetch_add(&crowd.opened, 1)] = connection->id;
  return result_success();
}

static void *leave_the_crowd(void *cell, const struct osprey_connection *connection, int64_t code, const char *reason) {
  static _Thread_local int depth;
  int deepest = atomic_load(&crowd.deepest);
  (void)cell;
  (void)code;
  (void)reason;
  depth++;
  while (depth > deepest && !atomic_compare_exchange_weak(&crowd.deepest, &deepest, depth))
    ;
  tell_the_crowd(connection->id);
  depth--;
  atomic_fetch_add(&crowd.closed, 1);
  return result_success();
}

static void *wait_for_the_crowd(void *cell, const struct osprey_connection *connection,
                                const struct osprey_message *message) {
  (void)cell;
  (void)message;
  WAIT_UNTIL(atomic_load(&crowd.go));
  tell_the_crowd(connection->id);
  return result_success();
}

static void *on_join[] = {(void *)join_the_crowd};
static void *on_leave[] = {(void *)leave_the_crowd};
static void *on_wait[] = {(void *)wait_for_the_crowd};

/* Everybody leaves while a handler runs, and each one's close handler tells the others: WS-ONCLOSE-9 WS-ONCLOSE-1 */
static void test_a_crowd_that_vanishes(void **state) {
  struct peer peers[CROWD];
  (void)state;
  memset(crowd.text, 'x', sizeof crowd.text - 1);
  int port = peer_free_port();
  int64_t server = must_create(port, "/");
  osp_ws_server_on_open(server, on_join, &error);
  expect_success(error);
  osp_ws_server_on_message(server, on_wait, &error);
  expect_success(error);
  osp_ws_server_on_close(server, on_leave, &error);
  expect_success(error);
  must_listen(server);
  for (int i = 0; i < CROWD; i++)
    peers[i] = peer_open(port, "/");
  peer_send_message(&peers[0], "go");
  poll(NULL, 0, 50);
  for (int i = 1; i < CROWD; i++)
    peer_reset(&peers[i]);
  atomic_store(&crowd.go, true);
  WAIT_UNTIL(atomic_load(&crowd.closed) == CROWD - 1);
  assert_in_range((unsigned long)atomic_load(&crowd.deepest), 1, 10);
  peer_close(&peers[0]);
  WAIT_UNTIL(atomic_load(&crowd.closed) == CROWD);
  must_stop(server);
}

/* A peer that never answers the close frame is cut off: WS-CLOSE-2 WS-STOP-3 */
static void test_a_peer_that_does_not_say_goodbye(void **state) {
  struct timespec before;
  struct timespec after;
  int port;
  (void)state;
  int64_t server = must_serve(&port);
  struct peer peer = peer_open(port, "/chat");
  journal_expect("open");
  clock_gettime(CLOCK_MONOTONIC, &before);
  must_stop(server);
  clock_gettime(CLOCK_MONOTONIC, &after);
  assert_in_range((unsigned long)(after.tv_sec - before.tv_sec), 4, 6);
  journal_expect("close:1006:");
  assert_int_equal(peer_read_close(&peer, NULL, 0), 1001);
  peer_close(&peer);
}

/* Peers that were refused, failed or said goodbye to, and stay: each is let go after a little while. WS-SEC-11 */
static void test_peers_that_stay(void **state) {
  enum { STAYING = 3 };
  struct peer peers[STAYING];
  char rest[2048];
  int port;
  (void)state;
  int64_t server = must_serve(&port);
  int before = count_descriptors();
  peers[0] = peer_connect(port);
  peer_send_text(&peers[0], "GET /nowhere HTTP/1.1\r\n\r\n");
  peers[1] = peer_open(port, "/chat");
  peer_send_frame(&peers[1], 0x83, "", 0);
  peers[2] = peer_open(port, "/chat");
  peer_send_frame(&peers[2], 0x88, "\x03\xe8", 2);
  for (int i = 0; i < STAYING; i++)
    peer_read_all(&peers[i], rest, sizeof rest); /* up to the server's end, which does not wait */
  WAIT_UNTIL(count_descriptors() == before + STAYING);
  for (int i = 0; i < STAYING; i++)
    peer_close(&peers[i]);
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
    osp_ws_server_on_message(server, on_describe, &error);
    expect_success(error);
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
      cmocka_unit_test_setup(test_a_handler_is_told_everything, journal_setup),
      cmocka_unit_test_setup(test_messages_come_back_whole, journal_setup),
      cmocka_unit_test_setup(test_a_deaf_server_reads_and_checks, journal_setup),
      cmocka_unit_test_setup(test_a_failing_handler_closes_with_1011, journal_setup),
      cmocka_unit_test_setup(test_wrong_base64_inside_a_handler, journal_setup),
      cmocka_unit_test_setup(test_what_is_told_from_outside, journal_setup),
      cmocka_unit_test_setup(test_listening_inside_a_handler, journal_setup),
      cmocka_unit_test_setup(test_talking_before_the_handshake_is_answered, journal_setup),
      cmocka_unit_test_setup(test_an_open_handler_that_takes_too_long, journal_setup),
      cmocka_unit_test_setup(test_failing_twice, journal_setup),
      cmocka_unit_test_setup(test_the_rest_of_a_message_of_a_closed_connection, journal_setup),
      cmocka_unit_test_setup(test_the_open_handler_decides, journal_setup),
      cmocka_unit_test_setup(test_look_ups_in_the_close_handler, journal_setup),
      cmocka_unit_test_setup(test_closing_inside_handlers, journal_setup),
      cmocka_unit_test_setup(test_nothing_follows_the_close_frame, journal_setup),
      cmocka_unit_test_setup(test_peers_that_vanish, journal_setup),
      cmocka_unit_test_setup(test_a_crowd_that_vanishes, journal_setup),
      cmocka_unit_test_setup(test_a_peer_that_does_not_say_goodbye, journal_setup),
      cmocka_unit_test_setup(test_peers_that_stay, journal_setup),
      cmocka_unit_test_setup(test_addresses, journal_setup),
  };
  return cmocka_run_group_tests_name("server", tests, NULL, NULL);
}
