/* How connections of servers end. */
#include <semaphore.h>
#include <sys/socket.h>
#include <time.h>

#include "conn/handle.h"
#include "osprey/hooks.h"
#include "server/server.h"
#include "support/osprey.h"
#include "support/peer.h"
#include "support/test.h"

static char *error;

static _Atomic int64_t latest_server;

/* Tries every look-up, and a send. */
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
  char *path = osp_ws_request_path(connection->id, &problem);
  journal_write("path %s", problem ? problem : path);
  osp_release(problem ? problem : path);
  char *token = osp_ws_request_query(connection->id, "token", &problem);
  journal_write("token %s", problem ? problem : token);
  osp_release(problem ? problem : token);
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

/* WS-ONCLOSE-4 WS-REQUESTPATH-1 WS-REQUESTQUERY-1 WS-PROTOCOLS-1 WS-PROTOCOL-1 */
static void test_look_ups_in_the_close_handler(void **state) {
  (void)state;
  char head[1024];
  int port = peer_free_port();
  int64_t server = must_create(port, "/");
  osp_ws_server_protocols(server, "chat.v2, chat.v1", &error);
  expect_success(error);
  must_set(osp_ws_server_on_close, server, on_look_up_close);
  must_listen(server);
  struct peer peer = peer_connect(port);
  peer_request(&peer, port, "/?token=a%20b", "Sec-WebSocket-Protocol: other, chat.v1, chat.v2\r\n");
  peer_read_head(&peer, head, sizeof head);
  assert_non_null(strstr(head, "Sec-WebSocket-Protocol: chat.v2\r\n"));
  peer_send_frame(&peer, 0x88, "", 0);
  peer_expect_close(&peer, 0);
  journal_expect("close:1005: 0"); /* WS-ONCLOSE-3 */
  journal_expect("address");
  journal_expect("host");
  journal_expect("path /");
  journal_expect("token a b");
  journal_expect("protocol chat.v2");
  journal_expect("record 0");
  journal_expect("no sends");
  peer_close(&peer);
  must_stop(server);
}

/* Does what the message names, then sends. */
static void *act_on_message(void *cell, const struct osprey_connection *connection,
                            const struct osprey_message *message) {
  char *problem = NULL;
  (void)cell;
  if (strcmp(message->data, "close") == 0)
    osp_ws_close(connection->id, &problem);
  else if (strcmp(message->data, "behind") == 0)
    fall_behind(latest_server), osp_ws_close(connection->id, &problem);
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
  must_set(osp_ws_server_on_message, server, on_act);
  must_set(osp_ws_server_on_close, server, on_close);
  must_listen(server);
  return server;
}

/* WS-KEEPALIVE-2 WS-THREAD-1 */
static void test_keep_alive_inside_a_handler(void **state) {
  int port;
  (void)state;
  int64_t server = serve_actions(&port);
  struct peer peer = peer_open(port, "/");
  peer_send_message(&peer, "keep alive");
  journal_expect("keep alive: keep alive: cannot be called in a handler, which it would block");
  journal_expect("sends");
  peer_expect_text(&peer, "afterwards");
  peer_close(&peer);
  must_stop(server);
}

/* WS-CLOSE-3 WS-CLOSE-5 WS-THREAD-1 WS-SEC-13 */
static void test_closing_inside_a_handler(void **state) {
  int port;
  (void)state;
  int64_t server = serve_actions(&port);
  struct peer peer = peer_open(port, "/");
  peer_send_message(&peer, "close");
  peer_send_message(&peer, "unheard");
  journal_expect("close: done");
  journal_expect("no sends");
  peer_expect_close(&peer, 1000);
  journal_expect("close:1000:");
  peer_close(&peer);
  must_stop(server);
  assert_int_equal(journal_left(), 0);
}

/* WS-CLOSE-5 WS-CLOSE-1 */
static void test_closing_behind_messages_of_the_same_handler(void **state) {
  static const char two[] = "\x81\x86\0\0\0\0behind\x81\x87\0\0\0\0unheard";
  int port;
  (void)state;
  int64_t server = serve_actions(&port);
  struct peer peer = peer_open(port, "/");
  peer_send(&peer, two, sizeof two - 1);
  journal_expect("behind: done");
  journal_expect("no sends");
  peer_expect_text(&peer, "elsewhere");
  peer_expect_text(&peer, "here");
  peer_expect_close(&peer, 1000);
  journal_expect("close:1000:");
  peer_close(&peer);
  must_stop(server);
  assert_int_equal(journal_left(), 0);
}

/* WS-CLOSEWITH-1 */
static void test_closing_with_a_code_inside_a_handler(void **state) {
  char reason[64];
  int port;
  (void)state;
  int64_t server = serve_actions(&port);
  struct peer peer = peer_open(port, "/");
  peer_send_message(&peer, "close with");
  journal_expect("close with: done");
  journal_expect("no sends");
  assert_int_equal(peer_read_close(&peer, reason, sizeof reason), 4001);
  assert_string_equal(reason, "go away");
  peer_close(&peer);
  journal_expect("close:1006:");
  must_stop(server);
}

/* WS-STOP-4 WS-SEC-13 */
static void test_stopping_inside_a_handler(void **state) {
  int port;
  (void)state;
  int64_t server = serve_actions(&port);
  struct peer peer = peer_open(port, "/");
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

/* Peers close or reset before, within and after the handshake, and with unread output: WS-SEC-11 */
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
  atomic_bool waiting, go;
  char text[20001];
} crowd;

/* Sends to all the others a message that is large enough to be written at once. */
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
  atomic_store(&crowd.waiting, true);
  WAIT_UNTIL(atomic_load(&crowd.go));
  tell_the_crowd(connection->id);
  return result_success();
}

static void *on_join[] = {(void *)join_the_crowd};
static void *on_leave[] = {(void *)leave_the_crowd};
static void *on_wait[] = {(void *)wait_for_the_crowd};

/* All peers but one vanish while a handler runs, and each close handler sends to the others, which finds them lost:
 * WS-ONCLOSE-9 WS-ONCLOSE-1 */
static void test_a_crowd_that_vanishes(void **state) {
  struct peer peers[CROWD];
  (void)state;
  memset(crowd.text, 'x', sizeof crowd.text - 1);
  int port = peer_free_port();
  int64_t server = must_create(port, "/");
  must_set(osp_ws_server_on_open, server, on_join);
  must_set(osp_ws_server_on_message, server, on_wait);
  must_set(osp_ws_server_on_close, server, on_leave);
  must_listen(server);
  for (int i = 0; i < CROWD; i++)
    peers[i] = peer_open(port, "/");
  peer_send_message(&peers[0], "go");
  WAIT_UNTIL(atomic_load(&crowd.waiting));
  for (int i = 1; i < CROWD; i++)
    peer_reset(&peers[i]);
  atomic_store(&crowd.go, true);
  WAIT_UNTIL(atomic_load(&crowd.closed) == CROWD - 1);
  assert_in_range((unsigned long)atomic_load(&crowd.deepest), 1, 10);
  peer_close(&peers[0]);
  WAIT_UNTIL(atomic_load(&crowd.closed) == CROWD);
  must_stop(server);
}

/* After 5 seconds without a close frame from the peer, the connection is cut off: WS-CLOSE-2 WS-STOP-3 */
static void test_a_peer_that_does_not_answer_the_close(void **state) {
  struct timespec before;
  int port;
  (void)state;
  int64_t server = must_serve(&port);
  struct peer peer = peer_open(port, "/chat");
  journal_expect("open");
  clock_gettime(CLOCK_MONOTONIC, &before);
  must_stop(server);
  assert_in_range((unsigned long)elapsed_ms(&before), 4000, 6999);
  journal_expect("close:1006:");
  assert_int_equal(peer_read_close(&peer, NULL, 0), 1001);
  peer_close(&peer);
}

/* Peers that keep the TCP connection open after a refusal, a violation or a close are dropped: WS-SEC-11 */
static void test_peers_that_linger(void **state) {
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
    peer_read_all(&peers[i], rest, sizeof rest); /* the server ends its side at once */
  WAIT_UNTIL(count_descriptors() == before + STAYING);
  for (int i = 0; i < STAYING; i++)
    peer_close(&peers[i]);
  must_stop(server);
}

/* Neither a peer that was refused nor one that failed has more time than closeTimeoutMs: WS-CLOSE-2 */
static void test_a_short_deadline(void **state) {
  enum { SIZE = 1 << 20 };
  static char much[SIZE + 1];
  char head[1024];
  int port;
  (void)state;
  memset(much, 'm', SIZE);
  int64_t server = must_serve_with(&port, "closeTimeoutMs", (int64_t)300, NULL);
  struct peer refused = peer_connect(port);
  peer_request(&refused, port, "/nowhere", "");
  peer_read_head(&refused, head, sizeof head);
  struct peer failed = peer_open(port, "/");
  for (int i = 0; i < 12; i++) {
    osp_ws_server_broadcast(server, much, &error);
    expect_success(error);
  }
  peer_send_frame(&failed, 0x83, "", 0);
  journal_expect("close:1002:a reserved opcode");
  refused.tolerant = true;
  while (peer_receive(&refused, head, sizeof head) > 0)
    continue;
  peer_close(&refused);
  peer_close(&failed);
  must_stop(server);
}

/* Peers end their side before they have read what is queued: WS-CLOSE-9 */
static void test_peers_that_end_their_side(void **state) {
  enum { SIZE = 1 << 20, COUNT = 12, FRAME = 10 + SIZE, CLOSE_FRAME = 4 };
  static char much[SIZE + 1], rest[COUNT * FRAME + 4096];
  int port;
  (void)state;
  memset(much, 'm', SIZE);
  int64_t server = must_serve_with(&port, "closeTimeoutMs", (int64_t)2000, NULL);
  enum ws_handle_state ignored;
  struct ws_server *inside = ws_handle_pin(WS_HANDLE_SERVER, server, &ignored);
  assert_non_null(inside);
  for (int how = 0; how < 3; how++) {
    struct peer peer = peer_open(port, "/");
    for (int i = 0; i < COUNT; i++) {
      osp_ws_server_broadcast(server, much, &error);
      expect_success(error);
    }
    if (how == 1) { /* a peer's close does not wait for what is posted */
      WAIT_UNTIL(atomic_load(&inside->broadcasting) == 0);
      peer_send_frame(&peer, 0x88, "\x03\xe8", 2);
    }
    shutdown(peer.fd, SHUT_WR);
    if (how < 2)
      assert_int_equal(peer_read_all(&peer, rest, sizeof rest), COUNT * FRAME + CLOSE_FRAME);
    journal_expect(how == 1 ? "close:1000:" : "close:1006:");
    peer_close(&peer);
  }
  ws_server_unpin(inside);
  must_stop(server);
}

static sem_t held, gate;

/* Holds the loop until it is released; notes any other message. */
static void *hold(void *cell, const struct osprey_connection *connection, const struct osprey_message *message) {
  (void)cell;
  (void)connection;
  if (strcmp(message->data, "hold") != 0) {
    journal_write("heard: %s", message->data);
    return result_success();
  }
  sem_post(&held);
  sem_wait(&gate);
  return result_success();
}

/* A server whose message handlers hold the loop. */
static int64_t serve_held(int port) {
  static void *on_hold[] = {(void *)hold};
  sem_init(&held, 0, 0);
  sem_init(&gate, 0, 0);
  int64_t server = must_create(port, "/");
  must_set(osp_ws_server_on_message, server, on_hold);
  return server;
}

/* A close returns although the handler of another connection keeps the loop, and no message is heard from then on, not
 * even one that the loop has seen before: that of the first handler lets both messages come in one turn.
 * WS-CLOSE-2 WS-CLOSE-5 */
static void test_a_close_behind_a_handler_that_holds_the_loop(void **state) {
  int port = peer_free_port();
  (void)state;
  if (getenv("OSPREY_WS_LOOPS"))
    skip();
  int64_t server = serve_held(port);
  must_set(osp_ws_server_on_open, server, on_learn_id);
  must_listen(server);
  struct peer first = peer_open(port, "/");
  struct peer holding = peer_open(port, "/");
  struct peer closed = peer_open(port, "/");
  peer_send_message(&first, "hold");
  sem_wait(&held);
  peer_send_message(&holding, "hold");
  peer_send_message(&closed, "too late");
  sem_post(&gate);
  sem_wait(&held);
  osp_ws_close(latest_id, &error);
  expect_success(error);
  sem_post(&gate);
  peer_expect_close(&closed, 1000);
  peer_close(&closed);
  peer_close(&holding);
  peer_close(&first);
  must_stop(server);
  assert_int_equal(journal_left(), 0);
}

static _Atomic int ends, ends_of_a_turn, most_ends;

/* A timer that is always due runs once in a turn. */
static void *count_turn(void *cell, int64_t timer) {
  (void)cell;
  (void)timer;
  ends_of_a_turn = 0;
  return result_success();
}

static void *end_slowly(void *cell, const struct osprey_connection *connection, int64_t code, const char *reason) {
  struct timespec start;
  (void)cell;
  (void)connection;
  (void)code;
  (void)reason;
  if (++ends_of_a_turn > most_ends)
    most_ends = ends_of_a_turn;
  ends++;
  clock_gettime(CLOCK_MONOTONIC, &start);
  while (elapsed_ms(&start) < 3)
    continue;
  return result_success();
}

/* Many end at once, and their close handlers are slow: WS-TIME-13 */
static void test_ends_are_taken_in_turns(void **state) {
  static void *on_turn[] = {(void *)count_turn}, *on_end[] = {(void *)end_slowly};
  struct peer peers[CROWD];
  int port = peer_free_port();
  (void)state;
  if (getenv("OSPREY_WS_LOOPS"))
    skip();
  int64_t server = serve_held(port);
  must_set(osp_ws_server_on_close, server, on_end);
  must_listen(server);
  for (int i = 0; i < CROWD; i++)
    peers[i] = peer_open(port, "/");
  int64_t timer = osp_ws_every(1, on_turn, &error);
  expect_success(error);
  peer_send_message(&peers[0], "hold");
  sem_wait(&held);
  for (int i = 0; i < CROWD; i++)
    i % 2 ? peer_reset(&peers[i]) : peer_close(&peers[i]);
  sem_post(&gate);
  WAIT_UNTIL(ends == CROWD);
  assert_in_range(most_ends, 1, CROWD / 4);
  osp_ws_cancel(timer, &error);
  expect_success(error);
  must_stop(server);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_look_ups_in_the_close_handler, journal_setup),
      cmocka_unit_test_setup(test_keep_alive_inside_a_handler, journal_setup),
      cmocka_unit_test_setup(test_closing_inside_a_handler, journal_setup),
      cmocka_unit_test_setup(test_closing_behind_messages_of_the_same_handler, journal_setup),
      cmocka_unit_test_setup(test_closing_with_a_code_inside_a_handler, journal_setup),
      cmocka_unit_test_setup(test_stopping_inside_a_handler, journal_setup),
      cmocka_unit_test_setup(test_nothing_follows_the_close_frame, journal_setup),
      cmocka_unit_test_setup(test_peers_that_vanish, journal_setup),
      cmocka_unit_test_setup(test_a_crowd_that_vanishes, journal_setup),
      cmocka_unit_test_setup(test_a_peer_that_does_not_answer_the_close, journal_setup),
      cmocka_unit_test_setup(test_peers_that_linger, journal_setup),
      cmocka_unit_test_setup(test_a_short_deadline, journal_setup),
      cmocka_unit_test_setup(test_peers_that_end_their_side, journal_setup),
      cmocka_unit_test_setup(test_a_close_behind_a_handler_that_holds_the_loop, journal_setup),
      cmocka_unit_test_setup(test_ends_are_taken_in_turns, journal_setup),
  };
  return cmocka_run_group_tests_name("close", tests, NULL, NULL);
}
