/* Message handlers of servers. */
#include <time.h>

#include "osprey/hooks.h"
#include "support/osprey.h"
#include "support/peer.h"
#include "support/test.h"

static char *error;

/* Writes the connection, the message, the peer's address, and whether the timestamp is the present. */
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

/* WS-ONMESSAGE-1 WS-TYPE-8 */
static void test_arguments_of_the_handler(void **state) {
  static const struct {
    uint8_t head;
    const char *payload;
    size_t size;
    const char *written; /* type and data */
  } rows[] = {
      {0x81, "hello", 5, "text hello"},         /* WS-TYPE-2 */
      {0x82, "\x00\xff\x10", 3, "binary AP8Q"}, /* WS-TYPE-3 */
      {0x82, "", 0, "binary "},                 /* WS-TEXT-1 */
  };
  char line[128];
  (void)state;
  int port = peer_free_port();
  int64_t server = must_create(port, "/live");
  must_set(osp_ws_server_on_message, server, on_message);
  must_set(osp_ws_server_on_message, server, on_describe); /* WS-ONMESSAGE-3 */
  must_listen(server);
  struct peer peer = peer_open(port, "/live?room=7&x=%20");
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    peer_send_frame(&peer, rows[i].head, rows[i].payload, rows[i].size);
    snprintf(line, sizeof line, "ws://127.0.0.1:%d/live?room=7&x=%%20 1 %s", port, rows[i].written); /* WS-TYPE-6 */
    journal_expect(line);
    journal_expect("127.0.0.1"); /* WS-REMOTE-1 */
    journal_expect("now");       /* WS-TYPE-4 */
  }
  struct osprey_connection *record = osp_ws_connection(latest_id, &error); /* WS-TYPE-5 */
  expect_success(error);
  assert_int_equal(record->tag, 0);
  assert_int_equal(record->id, latest_id);
  assert_true(record->is_connected);
  osp_release(record);
  assert_int_equal(peer_status(port, "/live/", ""), 404); /* HS-8 */
  assert_int_equal(peer_status(port, "/", ""), 404);
  peer_close(&peer);
  must_stop(server);
}

/* Keeps the data of the first message, and the second message as a whole. */
static const struct osprey_message *kept_message;
static const char *kept_data;

static void *keep_message(void *cell, const struct osprey_connection *connection,
                          const struct osprey_message *message) {
  (void)cell;
  (void)connection;
  if (!kept_data)
    osp_retain((void *)(uintptr_t)(kept_data = message->data));
  else if (!kept_message)
    osp_retain((void *)(uintptr_t)(kept_message = message));
  journal_write("%s %s", message->type, message->data);
  return result_success();
}

static void *on_keep[] = {(void *)keep_message};

/* ABI-13 ABI-17: what a handler keeps does not change with later messages, which others may fill anew. */
static void test_what_the_handler_keeps_stays(void **state) {
  static const char *const texts[] = {"the first", "the second", "the third", "a fourth that is longer", "5", ""};
  char line[128];
  int port = peer_free_port();
  (void)state;
  kept_data = NULL;
  kept_message = NULL;
  int64_t server = must_create(port, "/");
  must_set(osp_ws_server_on_message, server, on_keep);
  must_listen(server);
  struct peer peer = peer_open(port, "/");
  for (size_t i = 0; i < 6; i++) {
    peer_send_message(&peer, texts[i]);
    snprintf(line, sizeof line, "text %s", texts[i]);
    journal_expect(line);
  }
  peer_send_frame(&peer, 0x82, "binary", 6);
  journal_expect("binary YmluYXJ5");
  peer_close(&peer);
  must_stop(server);
  assert_string_equal(kept_data, "the first");
  assert_string_equal(kept_message->data, "the second");
  assert_string_equal(kept_message->type, "text");
  osp_release((void *)(uintptr_t)kept_data);
  osp_release((void *)(uintptr_t)kept_message);
}

/* The handler of this server sends every message back to echoed: WS-SEND-2 WS-SEND-4 */
static int64_t echo_server;
static struct peer echoed;

static int set_up_echo(void **state) {
  int port;
  journal_setup(state);
  echo_server = must_serve(&port);
  echoed = peer_open(port, "/chat");
  return 0;
}

static int tear_down_echo(void **state) {
  (void)state;
  peer_close(&echoed);
  must_stop(echo_server);
  return 0;
}

/* WS-TEXT-1 */
static void test_an_empty_text(void **state) {
  (void)state;
  peer_send_message(&echoed, "");
  peer_expect_text(&echoed, "");
}

/* WS-TEXT-2 WS-TEXT-3 */
static void test_a_text_with_nul(void **state) {
  (void)state;
  peer_send_frame(&echoed, 0x81, "a\0b\0", 4);
  assert_true(peer_read_frame(&echoed));
  assert_int_equal(echoed.frame.size, 4);
  assert_memory_equal(echoed.frame.payload, "a\0b\0", 4);
}

/* WS-TEXT-1 */
static void test_a_fragmented_text_with_a_ping_inside(void **state) {
  (void)state;
  peer_send_frame(&echoed, 0x01, "one ", 4);
  peer_send_frame(&echoed, 0x89, "ping", 4);
  peer_send_frame(&echoed, 0x00, "two ", 4);
  peer_send_frame(&echoed, 0x80, "three", 5);
  peer_expect_frame(&echoed, 0x8A);
  assert_string_equal((char *)echoed.frame.payload, "ping");
  peer_expect_text(&echoed, "one two three");
}

/* WS-SENDBINARY-1 */
static void test_a_binary_message(void **state) {
  uint8_t bytes[70000];
  (void)state;
  for (size_t i = 0; i < sizeof bytes; i++)
    bytes[i] = (uint8_t)(i * 7);
  peer_send_frame(&echoed, 0x82, bytes, sizeof bytes);
  peer_expect_frame(&echoed, 0x82);
  assert_int_equal(echoed.frame.size, sizeof bytes);
  assert_memory_equal(echoed.frame.payload, bytes, sizeof bytes);
}

/* WS-TEXT-1 */
static void test_the_order_of_messages(void **state) {
  enum { MESSAGES = 500 };
  char text[16];
  (void)state;
  for (int i = 0; i < MESSAGES; i++) {
    snprintf(text, sizeof text, "%d", i);
    peer_send_message(&echoed, text);
  }
  for (int i = 0; i < MESSAGES; i++) {
    snprintf(text, sizeof text, "%d", i);
    peer_expect_text(&echoed, text);
  }
}

static void test_a_text_of_the_default_cap(void **state) {
  enum { SIZE = 1048576 };
  (void)state;
  char *large = malloc(SIZE + 1);
  assert_non_null(large);
  memset(large, 'L', SIZE);
  large[SIZE] = '\0';
  peer_send_message(&echoed, large);
  peer_expect_text(&echoed, large);
  free(large);
}

/* WS-ONCLOSE-2 */
static void test_a_close_with_a_reason(void **state) {
  (void)state;
  peer_send_frame(&echoed, 0x88,
                  "\x03\xe9"
                  "bye",
                  5);
  peer_expect_close(&echoed, 1001);
  journal_find("close:1001:bye");
}

/* Reads and checks what it discards: WS-ONMESSAGE-4 */
static void test_a_server_without_the_handler(void **state) {
  (void)state;
  int port = peer_free_port();
  int64_t server = must_create(port, "/");
  must_listen(server);
  struct peer peer = peer_open(port, "/");
  peer_send_message(&peer, "into the void");
  peer_send_frame(&peer, 0x89, "", 0);
  peer_expect_frame(&peer, 0x8A);
  peer_send_frame(&peer, 0x81, "\xff", 1);
  peer_expect_close(&peer, 1007); /* UTF8-2 */
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
static void test_an_err_closes_with_1011(void **state) {
  (void)state;
  int port = peer_free_port();
  int64_t server = must_create(port, "/");
  must_set(osp_ws_server_on_message, server, on_fail);
  must_set(osp_ws_server_on_close, server, on_fail_close);
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

/* Sends a text, then long base64 that is wrong at its end, then, if the message is "go on", a text behind both. */
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
  base64[20000] = '\0';
  osp_ws_send(connection->id, base64, &problem);
  expect_success(problem);
  return result_success();
}

static void *on_send_wrong_base64[] = {(void *)send_wrong_base64};

/* Sends nothing, and lets the messages before and after pass, with or without compression: WS-SENDBINARY-2 */
static void test_wrong_base64(void **state) {
  (void)state;
  for (int compressed = 0; compressed < 2; compressed++) {
    int port;
    int64_t server = must_handle(&port, osp_ws_server_on_message, on_send_wrong_base64, "compression", 1, NULL);
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

static _Atomic int64_t latest_server;

/* Broadcasts until its own connection, whose peer does not read, is closed for it; then returns an Err as well. */
static void *broadcast_too_much(void *cell, const struct osprey_connection *connection,
                                const struct osprey_message *message) {
  static char text[20001];
  char *problem;
  (void)cell;
  (void)message;
  memset(text, 't', sizeof text - 1);
  for (;;) {
    osp_ws_server_broadcast(latest_server, text, &problem);
    if (problem) /* another loop is behind: WS-BROADCAST-7 */
      osp_release(problem);
    struct osprey_connection *now = osp_ws_connection(connection->id, &problem);
    bool open = !problem && now->is_connected;
    osp_release(problem ? problem : (void *)now);
    if (!open)
      return result_error("that was too much");
  }
}

static void *on_broadcast_too_much[] = {(void *)broadcast_too_much};

/* The close handler is given the first of two causes: WS-BROADCAST-4 WS-ONMESSAGE-5 WS-ONCLOSE-2 */
static void test_an_err_on_a_closed_connection(void **state) {
  (void)state;
  int port = peer_free_port();
  int64_t server = latest_server = must_create(port, "/");
  must_limit(server, "maxMessageBytes", 20000);
  must_limit(server, "maxQueuedBytes", 50000);
  must_set(osp_ws_server_on_message, server, on_broadcast_too_much);
  must_set(osp_ws_server_on_close, server, on_close);
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

/* A connection is closed in the middle of a message. Its rest is ignored: WS-BROADCAST-4 */
static void test_the_rest_of_a_message_after_a_close(void **state) {
  static char text[20001];
  uint8_t begun[8 + 1000] = {0x81, 0xFE, 0xEA, 0x60};
  (void)state;
  memset(text, 't', sizeof text - 1);
  int port = peer_free_port();
  int64_t server = must_create(port, "/");
  must_limit(server, "maxMessageBytes", 60000);
  must_limit(server, "maxQueuedBytes", 70000);
  must_set(osp_ws_server_on_message, server, on_message);
  must_set(osp_ws_server_on_close, server, on_close);
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

static void *send_three(void *id) {
  char *problem;
  for (int i = 0; i < 3; i++) {
    osp_ws_send(*(int64_t *)id, "told to be queued", &problem);
    osp_release(problem);
  }
  return NULL;
}

static void *let_send_and_reply(void *cell, const struct osprey_connection *connection,
                                const struct osprey_message *message) {
  pthread_t sender;
  char *problem;
  int64_t id = connection->id;
  (void)cell;
  (void)message;
  pthread_create(&sender, NULL, send_three, &id);
  pthread_join(sender, NULL);
  for (int i = 0; i < 2; i++) {
    osp_ws_send(id, "sent after that", &problem);
    osp_release(problem);
  }
  return result_success();
}

/* WS-SEND-1: what other threads have queued goes before what a handler sends then. */
static void test_a_reply_behind_the_messages_of_a_thread(void **state) {
  static void *on_replying[] = {(void *)let_send_and_reply};
  int port;
  (void)state;
  int64_t server = must_handle(&port, osp_ws_server_on_message, on_replying, NULL);
  struct peer peer = peer_open(port, "/");
  peer_send_message(&peer, "go");
  for (int i = 0; i < 3; i++)
    peer_expect_text(&peer, "told to be queued");
  for (int i = 0; i < 2; i++)
    peer_expect_text(&peer, "sent after that");
  peer_close(&peer);
  must_stop(server);
}

static void *let_send_and_close(void *cell, const struct osprey_connection *connection,
                                const struct osprey_message *message) {
  pthread_t sender;
  char *problem;
  int64_t id = connection->id;
  (void)cell;
  (void)message;
  pthread_create(&sender, NULL, send_three, &id);
  pthread_join(sender, NULL);
  osp_ws_close(id, &problem);
  osp_release(problem);
  osp_ws_send(id, "too late", &problem);
  void *result = problem ? result_success() : result_error("a send after the close is a Success");
  osp_release(problem);
  return result;
}

/* WS-CLOSE-1: what other threads have queued goes before the close frame of a handler. */
static void test_a_close_behind_the_messages_of_a_thread(void **state) {
  static void *on_closing[] = {(void *)let_send_and_close};
  (void)state;
  int port = peer_free_port();
  int64_t server = must_create(port, "/");
  must_set(osp_ws_server_on_message, server, on_closing);
  must_set(osp_ws_server_on_close, server, on_close);
  must_listen(server);
  struct peer peer = peer_open(port, "/");
  peer_send_message(&peer, "go");
  for (int i = 0; i < 3; i++)
    peer_expect_text(&peer, "told to be queued");
  peer_expect_close(&peer, 1000);
  journal_expect("close:1000:");
  peer_close(&peer);
  must_stop(server);
}

static int64_t broadcaster;

static void *broadcast_three(void *context) {
  char *problem;
  (void)context;
  for (int i = 0; i < 3; i++) {
    osp_ws_server_broadcast(broadcaster, "told to all", &problem);
    osp_release(problem);
  }
  return NULL;
}

static void *let_broadcast_and_end(void *cell, const struct osprey_connection *connection,
                                   const struct osprey_message *message) {
  pthread_t sender;
  char *problem;
  (void)cell;
  pthread_create(&sender, NULL, broadcast_three, NULL);
  pthread_join(sender, NULL);
  if (strcmp(message->data, "stop") == 0)
    osp_ws_stop_server(broadcaster, &problem);
  else
    osp_ws_close(connection->id, &problem);
  osp_release(problem);
  return result_success();
}

static void expect_broadcasts_before_the_close(const char *how, int code) {
  static void *on_ending[] = {(void *)let_broadcast_and_end};
  int port = peer_free_port();
  broadcaster = must_create(port, "/");
  must_set(osp_ws_server_on_message, broadcaster, on_ending);
  must_listen(broadcaster);
  struct peer peer = peer_open(port, "/");
  peer_send_message(&peer, how);
  for (int i = 0; i < 3; i++)
    peer_expect_text(&peer, "told to all");
  peer_expect_close(&peer, code);
  peer_close(&peer);
}

/* What another thread has broadcast goes before the close frame of a handler: WS-BROADCAST-8 */
static void test_a_close_behind_the_broadcasts_of_a_thread(void **state) {
  (void)state;
  expect_broadcasts_before_the_close("close", 1000);
  must_stop(broadcaster);
  expect_broadcasts_before_the_close("stop", 1001);
}

static void *stop_broadcaster(void *problem) {
  osp_ws_stop_server(broadcaster, problem);
  return NULL;
}

/* Holds the loop while one thread stops the server and another sends. */
static void *let_stop_and_send(void *cell, const struct osprey_connection *connection,
                               const struct osprey_message *message) {
  static pthread_t stopper;
  static char *stop_problem;
  pthread_t sender;
  char *problem;
  bool stopped = false;
  int64_t id = connection->id;
  (void)cell;
  (void)message;
  pthread_create(&stopper, NULL, stop_broadcaster, &stop_problem);
  pthread_detach(stopper);
  while (!stopped) {
    osp_ws_server_listen(broadcaster, &problem);
    stopped = strstr(problem, "stopped") != NULL;
    osp_release(problem);
    sched_yield();
  }
  pthread_create(&sender, NULL, send_three, &id);
  pthread_join(sender, NULL);
  return result_success();
}

/* WS-STOP-2: a send after the stop that is a Success, because a handler holds the loop, goes before the close frame. */
static void test_a_stop_behind_the_messages_of_a_thread(void **state) {
  static void *on_stopping[] = {(void *)let_stop_and_send};
  (void)state;
  int port = peer_free_port();
  broadcaster = must_create(port, "/");
  must_set(osp_ws_server_on_message, broadcaster, on_stopping);
  must_set(osp_ws_server_on_close, broadcaster, on_close);
  must_listen(broadcaster);
  struct peer peer = peer_open(port, "/");
  peer_send_message(&peer, "go");
  for (int i = 0; i < 3; i++)
    peer_expect_text(&peer, "told to be queued");
  peer_expect_close(&peer, 1001);
  peer_close(&peer);
  journal_expect("close:1001:");
}

#define echo_test(function) cmocka_unit_test_setup_teardown(function, set_up_echo, tear_down_echo)

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_arguments_of_the_handler, journal_setup),
      cmocka_unit_test_setup(test_what_the_handler_keeps_stays, journal_setup),
      echo_test(test_an_empty_text),
      echo_test(test_a_text_with_nul),
      echo_test(test_a_fragmented_text_with_a_ping_inside),
      echo_test(test_a_binary_message),
      echo_test(test_the_order_of_messages),
      echo_test(test_a_text_of_the_default_cap),
      echo_test(test_a_close_with_a_reason),
      cmocka_unit_test_setup(test_a_server_without_the_handler, journal_setup),
      cmocka_unit_test_setup(test_an_err_closes_with_1011, journal_setup),
      cmocka_unit_test_setup(test_wrong_base64, journal_setup),
      cmocka_unit_test_setup(test_an_err_on_a_closed_connection, journal_setup),
      cmocka_unit_test_setup(test_the_rest_of_a_message_after_a_close, journal_setup),
      cmocka_unit_test_setup(test_a_reply_behind_the_messages_of_a_thread, journal_setup),
      cmocka_unit_test_setup(test_a_close_behind_the_messages_of_a_thread, journal_setup),
      cmocka_unit_test_setup(test_a_close_behind_the_broadcasts_of_a_thread, journal_setup),
      cmocka_unit_test_setup(test_a_stop_behind_the_messages_of_a_thread, journal_setup),
  };
  return cmocka_run_group_tests_name("message handler", tests, NULL, NULL);
}
