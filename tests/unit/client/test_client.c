/* Clients of servers that share no code with the runtime. */
#include <sys/socket.h>
#include <unistd.h>

#include "osprey/hooks.h"
#include "support/osprey.h"
#include "support/peer.h"
#include "support/test.h"

static char *error;

/* Connects a client to a peer of the test's. Returns the client's ID. */
static int64_t connected(struct peer *peer, const struct osprey_options *options, void *handler) {
  struct connecting c = {.options = options, .handler = handler};
  char head[4096];
  int port;
  int listener = peer_listen(&port);
  connecting_start(&c, port, "/path?query");
  *peer = peer_accept(listener);
  peer_answer(peer, head, sizeof head, "");
  connecting_join(&c);
  expect_success(c.error);
  close(listener);
  return c.id;
}

static void *describe_message(void *cell, const struct osprey_connection *connection,
                              const struct osprey_message *message) {
  (void)cell;
  latest_id = connection->id;
  journal_write("%s %d %s %s", strchr(connection->url + 5, '/'), connection->is_connected, message->type,
                message->data);
  return result_success();
}

static void *on_describe[] = {(void *)describe_message};

/* WS-CONNECTWITH-2 WS-CONNECTWITH-4 WS-SEC-6 */
static void test_the_request(void **state) {
  char head[4096];
  char line[64];
  int port;
  (void)state;
  int listener = peer_listen(&port);
  struct osprey_options options = {
      .headers = "Authorization: Bearer x\nX-Two: 2", .protocols = "chat.v2, chat.v1", .compression = true};
  struct connecting c = {.options = &options, .handler = on_message};
  connecting_start(&c, port, "/p?q=1");
  struct peer peer = peer_accept(listener);
  peer_answer(&peer, head, sizeof head, "Sec-WebSocket-Protocol: chat.v1\r\n");
  int64_t id = connecting_join(&c);
  expect_success(c.error);
  assert_int_equal(strncmp(head, "GET /p?q=1 HTTP/1.1\r\n", 21), 0);
  snprintf(line, sizeof line, "\r\nHost: 127.0.0.1:%d\r\n", port);
  assert_non_null(strstr(head, line));
  assert_non_null(strstr(head, "\r\nAuthorization: Bearer x\r\n"));
  assert_non_null(strstr(head, "\r\nX-Two: 2\r\n"));
  assert_non_null(strstr(head, "\r\nSec-WebSocket-Version: 13\r\n"));
  assert_non_null(strstr(head, "chat.v2, chat.v1"));
  assert_non_null(strstr(head, "permessage-deflate"));
  char *protocol = osp_ws_protocol(id, &error);
  expect_success(error);
  assert_string_equal(protocol, "chat.v1");
  osp_release(protocol);
  must_send(id, "masked");
  assert_true(peer_read_frame(&peer));
  assert_true(peer.frame.masked);
  assert_string_equal((char *)peer.frame.payload, "masked");
  peer_close(&peer);
  close(listener);
}

/* WS-CONNECTWITH-1 WS-TYPE-7 WS-CONNECT-2 WS-CONNECT-12 */
static void test_messages(void **state) {
  struct osprey_options options = {.headers = "", .protocols = ""};
  struct peer peer;
  (void)state;
  int64_t id = connected(&peer, &options, on_describe);
  peer_send_plain(&peer, 0x81, "text", 4);
  journal_expect("/path?query 1 text text");
  peer_send_plain(&peer, 0x82, "\1\2\3", 3);
  journal_expect("/path?query 1 binary AQID");
  assert_int_equal(latest_id, id);
  char *address = osp_ws_remote_address(id, &error);
  expect_success(error);
  assert_int_equal(strncmp(address, "127.0.0.1:", 10), 0);
  osp_release(address);
  char *protocol = osp_ws_protocol(id, &error);
  assert_string_equal(protocol, "");
  osp_release(protocol);
  osp_ws_send_binary(id, "AP8=", &error);
  expect_success(error);
  peer_expect_frame(&peer, 0x82);
  assert_memory_equal(peer.frame.payload, "\0\xff", 2);
  peer_send_plain(&peer, 0x88, "\x03\xe8", 2);
  peer_expect_close(&peer, 1000);
  peer_close(&peer);
}

static void *captured_text(void *cell, const char *text) {
  journal_write("%s%s", (char *)closure_context(cell), text);
  return result_success();
}

/* A closure on the heap lives as long as its connection: WS-CONNECT-12 */
static void test_a_captured_handler(void **state) {
  struct peer peer;
  (void)state;
  void *cell = closure_new((void *)captured_text, "captured ");
  int64_t id = connected(&peer, NULL, cell);
  osp_release(cell);
  peer_send_plain(&peer, 0x81, "text", 4);
  journal_expect("captured text");
  void *close_cell = closure_new((void *)hear_close, NULL);
  must_set(osp_ws_on_close, id, close_cell);
  osp_release(close_cell);
  peer_send_plain(&peer, 0x88, "\x03\xe8", 2);
  peer_expect_close(&peer, 1000);
  journal_expect("close:1000:");
  peer_close(&peer);
}

static void test_violations(void **state) {
  static const struct {
    uint8_t head;
    bool masked;
    const char *payload;
    int code;
  } rows[] = {
      {0x82, false, "binary", 1003},  /* WS-CONNECT-10 */
      {0x81, true, "masked", 1002},   /* FRAME-4 */
      {0x81, false, "ab\xC3(", 1007}, /* WS-ONMESSAGE-5 */
  };
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct peer peer;
    connected(&peer, NULL, NULL);
    (rows[i].masked ? peer_send_frame : peer_send_plain)(&peer, rows[i].head, rows[i].payload, strlen(rows[i].payload));
    peer_expect_close(&peer, rows[i].code);
    peer_close(&peer);
  }
}

static void *failing_text(void *cell, const char *text) {
  (void)cell;
  return result_error(text);
}

static void *on_failing[] = {(void *)failing_text};

/* WS-ONMESSAGE-5 */
static void test_an_err_closes_with_1011(void **state) {
  struct peer peer;
  (void)state;
  connected(&peer, NULL, on_failing);
  peer_send_plain(&peer, 0x81, "no", 2);
  peer_expect_close(&peer, 1011);
  peer_close(&peer);
}

/* WS-CONNECTWITH-6 */
static void test_the_message_cap(void **state) {
  struct osprey_options options = {.headers = "", .protocols = "", .max_message_bytes = 10};
  struct peer peer;
  (void)state;
  int64_t id = connected(&peer, &options, on_message);
  must_set(osp_ws_on_close, id, on_close);
  peer_send_plain(&peer, 0x81, "exactly 10", 10);
  journal_expect("text:exactly 10");
  peer_send_plain(&peer, 0x81, "over ten...", 11);
  peer_expect_close(&peer, 1009);
  journal_expect("close:1009:a message is too big");
  peer_close(&peer);
}

/* Connects to a server that sends this answer. The error must have this part. */
static void refused(const char *answer, const char *part) {
  struct connecting c = {0};
  char head[4096];
  int port;
  int listener = peer_listen(&port);
  connecting_start(&c, port, "/chat");
  struct peer peer = peer_accept(listener);
  peer_read_head(&peer, head, sizeof head);
  peer_send_text(&peer, answer);
  shutdown(peer.fd, SHUT_WR);
  assert_int_equal(connecting_join(&c), 0);
  snprintf(head, sizeof head, "connect ws://127.0.0.1:%d/chat: %s", port, part);
  expect_error_with(c.error, head);
  peer_close(&peer);
  close(listener);
}

/* The error names the reason: WS-CONNECT-7 WS-CONNECT-8 */
static void test_refusals(void **state) {
  (void)state;
  refused("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "handshake refused: HTTP 404 Not Found");
  refused("HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n", "handshake refused: HTTP 302 Found");
  refused("HTTP/1.1 101 OK\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n", "");
  refused("HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n", "");
  refused("HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n", "");
  refused(
      "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 30\r\nContent-Length: 25\r\n\r\nthe server\x01is full\r\nmore",
      "handshake refused: HTTP 503 Service Unavailable (Retry-After: 30): the server?is full");
  refused("HTTP/1.1 400 Bad Request\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nno id\r\n0\r\n\r\n",
          "handshake refused: HTTP 400 Bad Request: no id");
  refused("HTTP/1.1 400 Bad Request\r\nTransfer-Encoding: chunked\r\n\r\n5", "handshake refused: HTTP 400 Bad Request");
  refused("HTTP/1.1 400 Bad Request\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b",
          "handshake refused: HTTP 400 Bad Request");
  refused("HTTP/1.1 400 Bad Request\r\n\r\n0123456789012345678901234567890123456789012345678901234567890123456789"
          "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789\n",
          "handshake refused: HTTP 400 Bad Request: 0123456789");
  refused("HTTP/1.1 502 Bad Gateway\r\n\r\n<html>\n<head>", "handshake refused: HTTP 502 Bad Gateway");
  refused("SSH-2.0-OpenSSH\r\n\r\n", "");
  refused("", "the connection was closed during the handshake (does the server want wss://?)");
}

/* The rest of the body comes later than the head: WS-CONNECT-7 */
static void test_a_refusal_in_pieces(void **state) {
  struct connecting c = {0};
  char head[4096];
  int port;
  (void)state;
  int listener = peer_listen(&port);
  connecting_start(&c, port, "/");
  struct peer peer = peer_accept(listener);
  peer_read_head(&peer, head, sizeof head);
  peer_send_text(&peer, "HTTP/1.1 503 Busy\r\n\r\nno ");
  peer_await_reading(&peer);
  peer_send_text(&peer, "room\nmore");
  assert_int_equal(connecting_join(&c), 0);
  expect_error_with(c.error, "handshake refused: HTTP 503 Busy: no room");
  peer_close(&peer);
  close(listener);
}

/* WS-CONNECT-14 */
static void test_interim_responses(void **state) {
  static const char interim[] = "HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n";
  (void)state;
  for (int count = 8; count <= 9; count++) {
    struct connecting c = {0};
    char head[4096];
    int port;
    int listener = peer_listen(&port);
    connecting_start(&c, port, "/");
    struct peer peer = peer_accept(listener);
    for (int i = 0; i < count; i++) {
      peer_send_text(&peer, interim);
      if (i == 0)
        peer_await_reading(&peer); /* the others may come with the next */
    }
    if (count == 8)
      peer_answer(&peer, head, sizeof head, "");
    else
      shutdown(peer.fd, SHUT_WR);
    assert_int_equal(connecting_join(&c) != 0, count == 8);
    if (count == 9)
      expect_error_with(c.error, "the server sent more than 8 interim responses (HTTP 1xx)");
    peer_close(&peer);
    close(listener);
  }
}

/* The server chooses what was not offered: WS-CONNECTWITH-4 WS-CONNECT-8 */
static void test_bad_choices(void **state) {
  const char *headers[] = {"Sec-WebSocket-Protocol: other\r\n", "Sec-WebSocket-Extensions: permessage-deflate\r\n"};
  (void)state;
  for (int i = 0; i < 2; i++) {
    struct osprey_options options = {.headers = "", .protocols = "mine"};
    struct connecting c = {.options = &options, .handler = on_message};
    char head[4096];
    int port;
    int listener = peer_listen(&port);
    connecting_start(&c, port, "/");
    struct peer peer = peer_accept(listener);
    peer_answer(&peer, head, sizeof head, headers[i]);
    assert_int_equal(connecting_join(&c), 0);
    expect_error_with(c.error, "Sec-WebSocket-");
    peer_close(&peer);
    close(listener);
  }
}

/* WS-CONNECT-9 WS-CONNECTWITH-7 */
static void test_a_server_that_does_not_answer(void **state) {
  struct osprey_options options = {.headers = "", .protocols = "", .timeout_ms = 300};
  struct connecting c = {.options = &options, .handler = on_message};
  struct timespec before;
  char sentence[128];
  int port;
  (void)state;
  int listener = peer_listen(&port);
  clock_gettime(CLOCK_MONOTONIC, &before);
  connecting_start(&c, port, "/?secret");
  connecting_join(&c);
  snprintf(sentence, sizeof sentence,
           "connect ws://127.0.0.1:%d/?…: no answer within 300 ms, during the WebSocket handshake", port);
  expect_error(c.error, sentence);
  assert_in_range((unsigned long)elapsed_ms(&before), 290, 1200);
  close(listener);
}

/* The body of a refusal is awaited up to the deadline, and what came of it is reported: WS-CONNECT-7 WS-CONNECT-9 */
static void test_a_refusal_near_the_deadline(void **state) {
  struct osprey_options options = {.headers = "", .protocols = "", .timeout_ms = 450};
  struct connecting c = {.options = &options, .handler = on_message};
  char text[4096];
  int port;
  (void)state;
  int listener = peer_listen(&port);
  connecting_start(&c, port, "/");
  struct peer peer = peer_accept(listener);
  peer_read_head(&peer, text, sizeof text);
  peer_send_text(&peer, "HTTP/1.1 503 Service Unavailable\r\n\r\nthe server is full");
  connecting_join(&c);
  snprintf(text, sizeof text,
           "connect ws://127.0.0.1:%d/: handshake refused: HTTP 503 Service Unavailable: the server is full", port);
  expect_error(c.error, text);
  peer_close(&peer);
  close(listener);
}

static _Atomic bool may_return;

static void *hold_the_loop(void *cell, const struct osprey_connection *connection,
                           const struct osprey_message *message) {
  journal_write("holds");
  while (!may_return)
    poll(NULL, 0, 1);
  return echo_message(cell, connection, message);
}

/* The deadline of a connect is the program's: that a handler held its loop is no excuse. WS-CONNECT-9 WS-TIME-2 */
static void test_a_deadline_that_passes_behind_a_handler(void **state) {
  static void *on_hold[] = {(void *)hold_the_loop};
  struct osprey_options options = {.headers = "", .protocols = "", .timeout_ms = 300};
  struct connecting c = {.options = &options, .handler = on_message};
  char head[4096];
  int port, serving;
  (void)state;
  may_return = false;
  int64_t server = must_handle(&serving, osp_ws_server_on_message, on_hold, NULL);
  struct peer holder = peer_open(serving, "/");
  int listener = peer_listen(&port);
  connecting_start(&c, port, "/");
  struct peer peer = peer_accept(listener);
  peer_read_head(&peer, head, sizeof head);
  peer_send_message(&holder, "hold");
  journal_expect("holds");
  assert_int_equal(connecting_join(&c), 0);
  expect_error_with(c.error, "no answer within 300 ms");
  may_return = true;
  peer_expect_text(&holder, "hold");
  peer_expect_end(&peer);
  peer_close(&peer);
  peer_close(&holder);
  close(listener);
  must_stop(server);
}

static void *failing_close(void *cell, const struct osprey_connection *connection, int64_t code, const char *reason) {
  (void)cell;
  (void)connection;
  journal_write("failing %d %s", (int)code, reason);
  return result_error("no matter");
}

static void *on_failing_close[] = {(void *)failing_close};

/* WS-CLIENTCLOSE-1 */
static void test_the_close_handler(void **state) {
  struct peer peer;
  (void)state;
  int64_t id = connected(&peer, NULL, NULL);
  must_set(osp_ws_on_close, id, on_close);
  peer_send_plain(&peer, 0x88,
                  "\x0f\xa1"
                  "enough",
                  8);
  peer_expect_close(&peer, 4001);
  journal_expect("close:4001:enough");
  peer_close(&peer);
}

/* The first close handler of a connection that has ended is called, a later one is an error: WS-CLIENTCLOSE-2 */
static void test_a_close_handler_after_the_end(void **state) {
  struct peer peer;
  (void)state;
  int64_t id = connected(&peer, NULL, NULL);
  peer_send_plain(&peer, 0x88,
                  "\x0f\xa2"
                  "late",
                  6);
  peer_expect_close(&peer, 4002);
  peer_close(&peer);
  WAIT_UNTIL((osp_ws_send(id, "x", &error), error));
  osp_release(error);
  must_set(osp_ws_on_close, id, on_close);
  journal_expect("close:4002:late");
  WAIT_UNTIL((osp_ws_on_close(id, on_close, &error), error));
  expect_error_with(error, "is closed");
  assert_int_equal(journal_left(), 0);
}

/* WS-CLIENTCLOSE-1 */
static void test_the_close_handler_after_a_reset(void **state) {
  struct peer peer;
  (void)state;
  int64_t id = connected(&peer, NULL, NULL);
  must_set(osp_ws_on_close, id, on_close);
  peer_reset(&peer);
  journal_expect("close:1006:");
}

/* Sets its connection's close handler twice: the second replaces the first. */
static void *set_close_handler(void *cell, const struct osprey_connection *connection,
                               const struct osprey_message *message) {
  (void)cell;
  must_set(osp_ws_on_close, connection->id, on_failing_close);
  must_set(osp_ws_on_close, connection->id, on_close);
  journal_write("%s", message->data);
  return result_success();
}

static void *on_set_close_handler[] = {(void *)set_close_handler};

/* WS-CLIENTCLOSE-1 */
static void test_a_close_handler_set_inside_a_handler(void **state) {
  struct osprey_options options = {.headers = "", .protocols = ""};
  struct peer peer;
  (void)state;
  connected(&peer, &options, on_set_close_handler);
  peer_send_plain(&peer, 0x81, "set", 3);
  journal_expect("set");
  peer_send_plain(&peer, 0x88, "\x03\xe8", 2);
  peer_expect_close(&peer, 1000);
  journal_expect("close:1000:");
  assert_int_equal(journal_left(), 0);
  peer_close(&peer);
}

/* WS-CONNECTWITH-8 */
static void test_keep_alive(void **state) {
  struct osprey_options options = {.headers = "", .protocols = "", .keep_alive_ms = 150};
  struct peer peer;
  (void)state;
  int64_t id = connected(&peer, &options, on_message);
  must_set(osp_ws_on_close, id, on_close);
  for (int i = 0; i < 3; i++) {
    peer_expect_frame(&peer, 0x89);
    peer_send_plain(&peer, 0x8A, peer.frame.payload, peer.frame.size);
  }
  peer_expect_close(&peer, 1001);
  journal_expect("close:1001:idle for too long");
  peer_close(&peer);
}

static void *connect_inside(void *cell, const struct osprey_connection *connection,
                            const struct osprey_message *message) {
  char url[64];
  char *problem;
  (void)cell;
  journal_write("begin %s", message->data);
  snprintf(url, sizeof url, "ws://127.0.0.1:%d/chat", handlers_port);
  int64_t id = osp_ws_connect(url, on_text, &problem);
  expect_success(problem);
  osp_ws_send(id, "from inside", &problem);
  expect_success(problem);
  osp_ws_close(id, &problem);
  expect_success(problem);
  osp_ws_send(connection->id, message->data, &problem);
  expect_success(problem);
  journal_write("end %s", message->data);
  return result_success();
}

static void *on_connect_inside[] = {(void *)connect_inside};

/* The calling connection's messages wait, those of others do not: WS-THREAD-4 */
static void test_connecting_inside_a_handler(void **state) {
  (void)state;
  char head[4096];
  int listener = listen_for_handlers();
  int port;
  int64_t server = must_handle(&port, osp_ws_server_on_message, on_connect_inside, NULL);
  struct peer peer = peer_open(port, "/");
  struct peer other = peer_open(port, "/");
  peer_send_message(&peer, "1");
  journal_expect("begin 1");
  struct peer inner = peer_accept(listener);
  peer_send_message(&peer, "2");
  poll(NULL, 0, 50);                   /* a fault would show within this time: the absence of a line is no event */
  assert_int_equal(journal_left(), 0); /* the second message waits for the first */
  peer_send_frame(&other, 0x89, "alive", 5);
  peer_expect_frame(&other, 0x8A); /* the loop serves others */
  peer_answer(&inner, head, sizeof head, "");
  journal_expect("end 1");
  peer_expect_text(&inner, "from inside");
  peer_expect_close(&inner, 1000);
  peer_close(&inner);
  journal_expect("begin 2");
  inner = peer_accept(listener);
  peer_answer(&inner, head, sizeof head, "");
  journal_expect("end 2");
  peer_expect_text(&peer, "1");
  peer_expect_text(&peer, "2");
  peer_close(&inner);
  peer_close(&peer);
  peer_close(&other);
  must_stop(server);
  close(listener);
}

static void *close_caller(void *cell, const struct osprey_connection *connection,
                          const struct osprey_message *message) {
  char url[64];
  char *problem;
  (void)cell;
  (void)message;
  (void)connection;
  snprintf(url, sizeof url, "ws://127.0.0.1:%d/chat", handlers_port);
  journal_write("begin");
  osp_ws_connect(url, on_text, &problem);
  journal_write("%s", problem ? "failed" : "connected");
  if (problem)
    osp_release(problem);
  return result_success();
}

static void *on_close_caller[] = {(void *)close_caller};

/* The calling connection or its server ends while its handler waits for a connect: WS-SEC-13 */
static void test_ending_inside_an_inner_turn(void **state) {
  (void)state;
  char head[4096];
  int listener = listen_for_handlers();
  for (int stop = 0; stop < 2; stop++) {
    int port = peer_free_port();
    int64_t server = must_create(port, "/");
    must_set(osp_ws_server_on_message, server, on_close_caller);
    must_set(osp_ws_server_on_close, server, on_close);
    must_listen(server);
    struct peer peer = peer_open(port, "/");
    peer_send_message(&peer, "go");
    journal_expect("begin");
    struct peer inner = peer_accept(listener);
    if (stop) {
      pthread_t stopper;
      pthread_create(&stopper, NULL, (void *(*)(void *))(void (*)(void))must_stop, (void *)(intptr_t)server);
      assert_int_equal(peer_read_close(&peer, NULL, 0), 1001);
      peer_close(&peer);
      peer_answer(&inner, head, sizeof head, "");
      pthread_join(stopper, NULL);
    } else {
      peer_send_message(&peer, "not heard");
      peer_reset(&peer);
      osp_ws_server_broadcast(server, "to all", &error); /* finds the connection lost: loopback resets at once */
      expect_success(error);
      peer_answer(&inner, head, sizeof head, "");
    }
    journal_expect("connected");
    journal_expect("close:1006:");
    if (!stop)
      must_stop(server);
    peer_close(&inner);
  }
  close(listener);
}

/* URL-1 */
static void test_urls(void **state) {
  const char *forms[] = {"ws://127.0.0.1:%d",     "ws://127.0.0.1:%d/", "ws://localhost:%d/",
                         "ws://LOCALHOST:%d?a=b", "ws://[::1]:%d/?q=1", "WS://127.0.0.1:%d/"};
  char url[64];
  (void)state;
  int port = peer_free_port();
  int64_t server = osp_ws_create_server(port, "::", "/", &error);
  expect_success(error);
  must_set(osp_ws_server_on_message, server, on_echo);
  must_listen(server);
  for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
    _Pragma("GCC diagnostic ignored \"-Wformat-nonliteral\"") snprintf(url, sizeof url, forms[i], port);
    int64_t id = must_connect(url);
    must_send(id, url);
    assert_string_equal(journal_next() + 5, url);
    must_close(id);
  }
  must_stop(server);
}

static bool send_binary_fails_with(int64_t id, const char *sentence) {
  osp_ws_send_binary(id, "", &error);
  bool fails = error && strcmp(error, sentence) == 0;
  osp_release(error);
  return fails;
}

/* WS-SENDBINARY-3 WS-CONNECTION-1 */
static void test_binary_and_records_of_a_connection(void **state) {
  struct peer peer;
  char sentence[128];
  (void)state;
  int64_t id = connected(&peer, NULL, NULL);
  struct osprey_connection *record = osp_ws_connection(id, &error);
  expect_success(error);
  assert_int_equal(record->id, id);
  assert_true(record->is_connected);
  assert_int_equal(strncmp(record->url, "ws://127.0.0.1:", 15), 0);
  osp_release(record);
  size_t size = 16777216 / 3 * 4 + 8;
  char *base64 = malloc(size + 1);
  assert_non_null(base64);
  memset(base64, 'A', size);
  base64[size] = '\0';
  osp_ws_send_binary(id, base64, &error);
  expect_error_with(error, "at most 16777216 may be sent on this connection");
  free(base64);
  peer_send_plain(&peer, 0x88, "\x03\xe8", 2);
  peer_expect_close(&peer, 1000);
  peer_close(&peer);
  snprintf(sentence, sizeof sentence, "send binary: connection %lld is closed", (long long)id);
  WAIT_UNTIL(send_binary_fails_with(id, sentence));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_the_request, journal_setup),
      cmocka_unit_test_setup(test_messages, journal_setup),
      cmocka_unit_test_setup(test_a_captured_handler, journal_setup),
      cmocka_unit_test_setup(test_violations, journal_setup),
      cmocka_unit_test_setup(test_an_err_closes_with_1011, journal_setup),
      cmocka_unit_test_setup(test_the_message_cap, journal_setup),
      cmocka_unit_test_setup(test_refusals, journal_setup),
      cmocka_unit_test_setup(test_a_refusal_in_pieces, journal_setup),
      cmocka_unit_test_setup(test_interim_responses, journal_setup),
      cmocka_unit_test_setup(test_a_deadline_that_passes_behind_a_handler, journal_setup),
      cmocka_unit_test_setup(test_bad_choices, journal_setup),
      cmocka_unit_test_setup(test_a_server_that_does_not_answer, journal_setup),
      cmocka_unit_test_setup(test_a_refusal_near_the_deadline, journal_setup),
      cmocka_unit_test_setup(test_the_close_handler, journal_setup),
      cmocka_unit_test_setup(test_a_close_handler_after_the_end, journal_setup),
      cmocka_unit_test_setup(test_the_close_handler_after_a_reset, journal_setup),
      cmocka_unit_test_setup(test_a_close_handler_set_inside_a_handler, journal_setup),
      cmocka_unit_test_setup(test_keep_alive, journal_setup),
      cmocka_unit_test_setup(test_connecting_inside_a_handler, journal_setup),
      cmocka_unit_test_setup(test_ending_inside_an_inner_turn, journal_setup),
      cmocka_unit_test_setup(test_urls, journal_setup),
      cmocka_unit_test_setup(test_binary_and_records_of_a_connection, journal_setup),
  };
  return cmocka_run_group_tests_name("client", tests, NULL, NULL);
}
