/* A handler blocks its loop thread, the only one, while other threads use connections of that loop. */
#include <semaphore.h>
#include <unistd.h>

#include "osprey/hooks.h"
#include "support/osprey.h"
#include "support/peer.h"
#include "support/test.h"

static char *error;
static sem_t may_go;
static _Atomic int64_t victim; /* the holding handler closes this connection before it returns; 0: none */

/* Blocks until may_go if the message is "hold", and echoes any other. */
static void *hold_or_echo(void *cell, const struct osprey_connection *connection,
                          const struct osprey_message *message) {
  char *problem;
  if (strcmp(message->data, "hold") != 0)
    return echo_message(cell, connection, message);
  journal_write("held");
  sem_wait(&may_go);
  if (victim) {
    osp_ws_close(victim, &problem);
    expect_success(problem);
  }
  return result_success();
}

/* Blocks until may_go, then closes its connection. */
static void *hold_and_close(void *cell, const struct osprey_connection *connection,
                            const struct osprey_message *message) {
  char *problem;
  (void)cell;
  (void)message;
  journal_write("held");
  sem_wait(&may_go);
  osp_ws_close_with(connection->id, 4000, "enough", &problem);
  expect_success(problem);
  return result_success();
}

static void *on_hold_and_close[] = {(void *)hold_and_close};

/* Blocks until may_go, then waits for a connect that fails: the loop reads what has arrived inside this handler. */
static void *hold_and_connect(void *cell, const struct osprey_connection *connection,
                              const struct osprey_message *message) {
  struct osprey_options options = {.headers = "", .protocols = "", .timeout_ms = 300};
  char url[64];
  char *problem;
  osp_release(hold_or_echo(cell, connection, message));
  snprintf(url, sizeof url, "ws://127.0.0.1:%d/", handlers_port);
  osp_ws_connect_with(url, &options, on_message, &problem);
  expect_error_with(problem, "no answer within");
  return result_success();
}

static void *on_hold_and_connect[] = {(void *)hold_and_connect};
static void *on_hold_or_echo[] = {(void *)hold_or_echo};

static int port;
static int64_t server;
static struct peer holder;

static int set_up(void **state) {
  (void)state;
  journal_clear();
  victim = 0;
  sem_init(&may_go, 0, 0);
  port = peer_free_port();
  server = must_create(port, "/");
  must_limit(server, "maxMessageBytes", 4096);
  must_limit(server, "maxQueuedBytes", 8192);
  must_set(osp_ws_server_on_message, server, on_hold_or_echo);
  must_set(osp_ws_server_on_open, server, on_learn_id);
  must_listen(server);
  holder = peer_open(port, "/");
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  peer_close(&holder);
  must_stop(server);
  sem_destroy(&may_go);
  return 0;
}

static void hold(void) {
  peer_send_message(&holder, "hold");
  journal_expect("held");
}

/* Unblocks the loop, and returns when it has handled everything that was posted to it. */
static void let_go(void) {
  sem_post(&may_go);
  peer_send_message(&holder, "gone");
  peer_expect_text(&holder, "gone");
}

/* The calling thread's own deadline ends a connect that the loop never starts: WS-CONNECT-9 */
static void test_a_connect_that_never_starts(void **state) {
  struct osprey_options options = {.headers = "", .protocols = "", .timeout_ms = 100};
  char url[64];
  char sentence[160];
  (void)state;
  int silent = listen_for_handlers();
  hold();
  snprintf(url, sizeof url, "ws://127.0.0.1:%d/", handlers_port);
  osp_ws_connect_with(url, &options, on_message, &error);
  snprintf(sentence, sizeof sentence, "connect %s: no answer within 100 ms, a handler keeps the loop from going on",
           url);
  expect_error(error, sentence);
  let_go();
  close(silent);
}

/* The loop reads the server's answer after the connect has failed: it closes the connection and calls no handler:
 * WS-CONNECT-9 */
static void test_a_connect_that_succeeds_too_late(void **state) {
  struct osprey_options options = {.headers = "", .protocols = "", .timeout_ms = 2000};
  struct connecting c = {.options = &options, .handler = on_message};
  char head[4096];
  int far_port;
  (void)state;
  int listener = peer_listen(&far_port);
  connecting_start(&c, far_port, "/");
  struct peer far = peer_accept(listener);
  struct pollfd request = {.fd = far.fd, .events = POLLIN};
  assert_int_equal(poll(&request, 1, 8000), 1);
  hold();
  peer_answer(&far, head, sizeof head, "");
  connecting_join(&c);
  expect_error_with(c.error, "a handler keeps the loop from going on");
  sem_post(&may_go);
  peer_expect_close(&far, 1001);
  assert_int_equal(journal_left(), 0);
  peer_close(&far);
  close(listener);
}

/* Of two close handlers that are set after the end, one is called: WS-CLIENTCLOSE-1 WS-CLIENTCLOSE-2 */
static void test_two_close_handlers_too_late(void **state) {
  char url[64];
  (void)state;
  snprintf(url, sizeof url, "ws://127.0.0.1:%d/", port);
  int64_t id = must_connect(url);
  must_close(id);
  hold();
  for (int i = 0; i < 2; i++) {
    must_set(osp_ws_on_close, id, on_close);
  }
  let_go();
  journal_expect("close:1000:");
  assert_int_equal(journal_left(), 0);
}

static char *sending_error;

/* Sends `count` numbers, or fewer if a send fails. */
static void *send_numbers(void *context) {
  const int *count = context;
  char text[16];
  for (int i = 0; i < *count; i++) {
    snprintf(text, sizeof text, "%d", i);
    osp_ws_send(latest_id, text, &sending_error);
    if (sending_error)
      break;
  }
  return NULL;
}

/* A sender on another thread waits while the queue is full, and loses nothing: WS-SEND-1 WS-SEND-5 */
static void test_a_sender_waits_for_the_loop(void **state) {
  int count = 3000; /* far more than the queue holds */
  char text[16];
  pthread_t thread;
  (void)state;
  struct peer peer = peer_open(port, "/");
  hold();
  pthread_create(&thread, NULL, send_numbers, &count);
  WAIT_UNTIL(osp_ws_queued_bytes(latest_id, &error) > 8192 - 8);
  sem_post(&may_go);
  for (int i = 0; i < count; i++) {
    snprintf(text, sizeof text, "%d", i);
    peer_expect_text(&peer, text);
  }
  pthread_join(thread, NULL);
  expect_success(sending_error);
  peer_close(&peer);
}

/* A sender that waits for room gets an error when the connection is closed: WS-SEND-3 WS-SEND-5 */
static void test_a_close_ends_the_wait_of_a_sender(void **state) {
  int count = 1000000;
  pthread_t thread;
  (void)state;
  struct peer peer = peer_open(port, "/");
  hold();
  victim = latest_id;
  pthread_create(&thread, NULL, send_numbers, &count);
  WAIT_UNTIL(osp_ws_queued_bytes(victim, &error) > 8192 - 8);
  sem_post(&may_go);
  pthread_join(thread, NULL);
  expect_error_with(sending_error, "clos");
  peer_expect_close(&peer, 1000);
  peer_close(&peer);
}

/* WS-BROADCAST-7 */
static void test_broadcasts_wait_for_the_loop(void **state) {
  char text[3801];
  char sentence[100];
  (void)state;
  memset(text, 'b', sizeof text - 1);
  text[sizeof text - 1] = '\0';
  hold();
  for (int i = 0; i < 3; i++) {
    osp_ws_server_broadcast(server, text, &error);
    expect_success(error);
  }
  osp_ws_server_broadcast(server, text, &error); /* waits its full 5 seconds */
  snprintf(sentence, sizeof sentence, "broadcast: server %lld has too many broadcasts pending", (long long)server);
  expect_error_with(error, sentence);
  sem_post(&may_go);
  for (int i = 0; i < 3; i++)
    peer_expect_text(&holder, text);
}

static bool is_stopped(int64_t id) {
  osp_ws_server_listen(id, &error);
  bool stopped = strstr(error, "is stopped");
  osp_release(error);
  return stopped;
}

/* Another thread has begun to stop the server when the loop, which has yet to stop it, reads a handshake: WS-STOP-8 */
static void test_a_handshake_while_the_server_stops(void **state) {
  char head[1024];
  pthread_t stopper;
  (void)state;
  int silent = listen_for_handlers();
  int stopping_port = peer_free_port();
  int64_t stopping = must_create(stopping_port, "/");
  must_set(osp_ws_server_on_message, stopping, on_hold_and_connect);
  must_listen(stopping);
  struct peer first = peer_open(stopping_port, "/");
  struct peer second = peer_connect(stopping_port);
  peer_send_text(&second, "GET / HTTP/1.1\r\nHost: localhost\r\n" PEER_UPGRADE_LINES);
  struct peer third = peer_open(stopping_port, "/"); /* accepted after the second: the second is accepted, too */
  peer_send_message(&first, "hold");
  journal_expect("held");
  peer_send_text(&second, PEER_KEY_LINE PEER_VERSION_LINE "\r\n");
  pthread_create(&stopper, NULL, (void *(*)(void *))(void (*)(void))must_stop, (void *)(intptr_t)stopping);
  WAIT_UNTIL(is_stopped(stopping));
  sem_post(&may_go);
  peer_read_head(&second, head, sizeof head);
  assert_memory_equal(head, "HTTP/1.1 503 ", 13);
  peer_expect_close(&third, 1001);
  peer_expect_close(&first, 1001);
  pthread_join(stopper, NULL);
  peer_close(&first);
  peer_close(&second);
  peer_close(&third);
  close(silent);
}

/* The peer's 5 seconds for the close handshake begin when the close frame is queued, and not at the start of a turn
 * that a handler has made long: WS-CLOSE-2 */
static void test_a_close_after_a_long_handler(void **state) {
  enum { LONGER_THAN_THE_CLOSE_DEADLINE_MS = 5500 };
  (void)state;
  int other_port = peer_free_port();
  int64_t other = must_create(other_port, "/");
  must_set(osp_ws_server_on_message, other, on_hold_and_close);
  must_set(osp_ws_server_on_close, other, on_close);
  must_listen(other);
  struct peer peer = peer_open(other_port, "/");
  peer_send_message(&peer, "hold");
  journal_expect("held");
  poll(NULL, 0, LONGER_THAN_THE_CLOSE_DEADLINE_MS); /* the clock is the event */
  sem_post(&may_go);
  for (int i = 0; i < 3; i++) { /* the loop takes turns before the peer answers */
    peer_send_message(&holder, "and on");
    peer_expect_text(&holder, "and on");
  }
  peer_expect_frame(&peer, 0x88);
  peer_send_frame(&peer, 0x88, "\x0f\xa0", 2);
  journal_expect("close:4000:");
  peer_close(&peer);
  must_stop(other);
}

int main(void) {
#define held(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      held(test_a_connect_that_never_starts),        held(test_a_connect_that_succeeds_too_late),
      held(test_two_close_handlers_too_late),        held(test_a_sender_waits_for_the_loop),
      held(test_a_close_ends_the_wait_of_a_sender),  held(test_broadcasts_wait_for_the_loop),
      held(test_a_handshake_while_the_server_stops), held(test_a_close_after_a_long_handler),
  };
  return cmocka_run_group_tests_name("backpressure", tests, NULL, NULL);
}
