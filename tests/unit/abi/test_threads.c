/* Builtins called by several threads at once. */
#include <sys/socket.h>
#include <unistd.h>

#include "io/loop.h"
#include "osprey/hooks.h"
#include "support/osprey.h"
#include "support/peer.h"
#include "support/test.h"

enum { THREADS = 4, ROUNDS = 300 };

struct sender {
  pthread_t thread;
  int64_t id;
  int64_t server;
  int number;
  _Atomic int *failures;
};

static void *send_many(void *context) {
  struct sender *sender = context;
  char text[2000];
  char *error;
  for (int i = 0; i < ROUNDS; i++) {
    int n = snprintf(text, sizeof text, "%d %d ", sender->number, i);
    memset(text + n, 'a' + sender->number, (size_t)(i * 5));
    text[n + i * 5] = '\0';
    osp_ws_send(sender->id, text, &error);
    if (error) {
      atomic_fetch_add(sender->failures, 1);
      osp_release(error);
    }
  }
  return NULL;
}

/* Each message arrives whole, and those of a thread in order: WS-THREAD-1 WS-THREAD-3 WS-SEND-1
 * WS-BROADCAST-6 */
static void test_senders_do_not_mix(void **state) {
  struct sender senders[THREADS];
  int next[THREADS] = {0};
  _Atomic int failures = 0;
  char *error;
  (void)state;
  int port;
  int64_t server = must_handle(&port, osp_ws_server_on_open, on_learn_id, NULL);
  struct peer peer = peer_open(port, "/");
  for (int i = 0; i < THREADS; i++) {
    senders[i] = (struct sender){.id = latest_id, .number = i, .failures = &failures};
    pthread_create(&senders[i].thread, NULL, send_many, &senders[i]);
  }
  for (int n = 0; n < THREADS * ROUNDS; n++) {
    assert_true(peer_read_frame(&peer));
    int number = -1;
    int round = -1;
    int used = 0;
    assert_int_equal(sscanf((char *)peer.frame.payload, "%d %d %n", &number, &round, &used), 2);
    assert_in_range(number, 0, THREADS - 1);
    assert_int_equal(round, next[number]++);
    assert_int_equal(peer.frame.size, (size_t)(used + round * 5));
    for (size_t i = (size_t)used; i < peer.frame.size; i++)
      assert_int_equal(peer.frame.payload[i], 'a' + number);
  }
  for (int i = 0; i < THREADS; i++)
    pthread_join(senders[i].thread, NULL);
  assert_int_equal(failures, 0);
  for (int i = 0; i < 50; i++) {
    osp_ws_server_broadcast(server, "broadcast", &error);
    expect_success(error);
    must_send(latest_id, "send");
  }
  for (int i = 0; i < 50; i++) {
    peer_expect_text(&peer, "broadcast");
    peer_expect_text(&peer, "send");
  }
  peer_close(&peer);
  must_stop(server);
}

/* A sender waits 5 seconds for room in a full queue. Once there is room, sends succeed: WS-SEND-5 */
static void test_a_full_queue_waits(void **state) {
  struct timespec start;
  char text[4000];
  char *error = NULL;
  (void)state;
  int port;
  int64_t server =
      must_handle(&port, osp_ws_server_on_open, on_learn_id, "maxMessageBytes", 4096, "maxQueuedBytes", 8192, NULL);
  struct peer peer = peer_open(port, "/");
  memset(text, 't', sizeof text);
  text[sizeof text - 1] = '\0';
  int sent = 0;
  clock_gettime(CLOCK_MONOTONIC, &start);
  for (;; sent++) {
    osp_ws_send(latest_id, text, &error);
    if (error)
      break;
    assert_true(sent < 100000);
  }
  expect_error_with(error, "has no room");
  assert_in_range((unsigned long)elapsed_ms(&start), 4000, 7999);
  for (int i = 0; i < sent; i++)
    peer_expect_text(&peer, text);
  must_send(latest_id, "room again");
  peer_expect_text(&peer, "room again");
  peer_close(&peer);
  must_stop(server);
}

static _Atomic bool stop_storm;
static atomic_int storming; /* threads that have made a round */

static void *storm(void *context) {
  struct sender *sender = context;
  char *error;
  for (int round = 0; !stop_storm; round++) {
    if (round == 1)
      storming++;
    osp_ws_send(sender->id, "storm", &error);
    if (error)
      osp_release(error);
    osp_ws_server_broadcast(sender->server, "all", &error);
    if (error)
      osp_release(error);
    void *record = osp_ws_connection(sender->id, &error);
    osp_release(error ? error : record);
    void *address = osp_ws_remote_address(sender->id, &error);
    osp_release(error ? error : address);
    void *header = osp_ws_request_header(sender->id, "Host", &error);
    osp_release(error ? error : header);
    void *path = osp_ws_request_path(sender->id, &error);
    osp_release(error ? error : path);
    void *parameter = osp_ws_request_query(sender->id, "x", &error);
    osp_release(error ? error : parameter);
    osp_ws_queued_bytes(sender->id, &error);
    if (error)
      osp_release(error);
    osp_ws_server_connections(sender->server, &error);
    if (error)
      osp_release(error);
  }
  return NULL;
}

/* All builtins on a connection and a server that are being closed: WS-SEC-13 */
static void test_closing_under_use(void **state) {
  char url[64];
  char *error;
  (void)state;
  for (int round = 0; round < 30; round++) {
    struct sender senders[THREADS];
    int port;
    int64_t server = must_serve(&port);
    snprintf(url, sizeof url, "ws://127.0.0.1:%d/chat", port);
    int64_t id = must_connect(url);
    stop_storm = false;
    storming = 0;
    for (int i = 0; i < THREADS; i++) {
      senders[i] = (struct sender){.id = i % 2 ? id : id - 2, .server = server};
      pthread_create(&senders[i].thread, NULL, storm, &senders[i]);
    }
    WAIT_UNTIL(atomic_load(&storming) == THREADS);
    if (round % 3 == 0) {
      osp_ws_close(id, &error);
      if (error)
        osp_release(error);
    }
    if (round % 3 == 1)
      must_stop(server);
    stop_storm = true;
    for (int i = 0; i < THREADS; i++)
      pthread_join(senders[i].thread, NULL);
    if (round % 3 != 1)
      must_stop(server);
    journal_clear();
  }
}

static void *open_and_close(void *context) {
  char *error;
  for (int i = 0; i < 100; i++) {
    int64_t id = osp_ws_connect(context, on_text, &error);
    expect_success(error);
    osp_ws_send(id, "x", &error);
    expect_success(error);
    osp_ws_close(id, &error);
    expect_success(error);
  }
  return NULL;
}

/* WS-THREAD-1 WS-ID-5 */
static void test_connecting_from_many_threads(void **state) {
  pthread_t threads[THREADS];
  char url[64];
  int port;
  (void)state;
  int64_t server = must_serve(&port);
  snprintf(url, sizeof url, "ws://127.0.0.1:%d/chat", port);
  for (int i = 0; i < THREADS; i++)
    pthread_create(&threads[i], NULL, open_and_close, url);
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  must_stop(server);
  int opens = 0;
  int closes = 0;
  while (journal_left()) {
    const char *line = journal_next();
    opens += strcmp(line, "open") == 0;
    closes += strcmp(line, "close:1000:") == 0;
  }
  assert_int_equal(opens, 100 * THREADS);
  assert_int_equal(closes, 100 * THREADS); /* WS-ONCLOSE-1 */
}

static _Atomic int handlers_running;
static _Atomic int handlers_overlapped;

static void *count_running(void *cell, const struct osprey_connection *connection,
                           const struct osprey_message *message) {
  char *error;
  (void)cell;
  if (atomic_fetch_add(&handlers_running, 1) > 0)
    atomic_fetch_add(&handlers_overlapped, 1);
  osp_ws_send(connection->id, message->data, &error);
  if (error)
    osp_release(error);
  atomic_fetch_sub(&handlers_running, 1);
  return result_success();
}

static void *on_count[] = {(void *)count_running};

/* On one loop handlers do not overlap; on several, messages of a connection stay in order: WS-THREAD-2 WS-THREAD-3 */
static void test_handlers_run_one_at_a_time(void **state) {
  char *error;
  struct peer peers[8];
  const char *loops = getenv("OSPREY_WS_LOOPS");
  (void)state;
  int port;
  int64_t server = must_handle(&port, osp_ws_server_on_message, on_count, NULL);
  for (int i = 0; i < 8; i++)
    peers[i] = peer_open(port, "/");
  for (int n = 0; n < 200; n++) {
    char text[16];
    snprintf(text, sizeof text, "%d", n);
    for (int i = 0; i < 8; i++)
      peer_send_message(&peers[i], text);
  }
  for (int n = 0; n < 200; n++) {
    char text[16];
    snprintf(text, sizeof text, "%d", n);
    for (int i = 0; i < 8; i++)
      peer_expect_text(&peers[i], text);
  }
  if (!loops)
    assert_int_equal(handlers_overlapped, 0);
  osp_ws_server_broadcast(server, "to every loop", &error);
  expect_success(error);
  for (int i = 0; i < 8; i++) {
    peer_expect_text(&peers[i], "to every loop");
    peer_close(&peers[i]);
  }
  must_stop(server);
}

/* ---- a sender that is stopped just before it posts its message */

static _Thread_local bool stops_before_post;
static _Atomic bool stopped_before_post, may_post;
static atomic_int posts;

void __real_ws_loop_post(struct ws_loop *loop, struct ws_task *task);
void __wrap_ws_loop_post(struct ws_loop *loop, struct ws_task *task);

void __wrap_ws_loop_post(struct ws_loop *loop, struct ws_task *task) {
  if (stops_before_post) {
    stopped_before_post = true;
    while (!may_post)
      poll(NULL, 0, 1);
  }
  posts++;
  __real_ws_loop_post(loop, task);
}

static void *send_and_stop(void *context) {
  stops_before_post = true;
  must_send(*(int64_t *)context, "on its way");
  return NULL;
}

static void *close_it(void *context) {
  must_close(*(int64_t *)context);
  return NULL;
}

static bool is_connected(int64_t id) {
  char *error;
  struct osprey_connection *record = osp_ws_connection(id, &error);
  expect_success(error);
  bool connected = record->is_connected;
  osp_release(record);
  return connected;
}

/* Returns once the close has begun. */
static void close_behind_a_sender(pthread_t *sender, pthread_t *closer, int64_t *id) {
  stopped_before_post = false;
  may_post = false;
  pthread_create(sender, NULL, send_and_stop, id);
  WAIT_UNTIL(stopped_before_post);
  pthread_create(closer, NULL, close_it, id);
  WAIT_UNTIL(!is_connected(*id));
}

/* The loop rests while the close waits: WS-CLOSE-8 */
static void test_a_close_waits_for_a_sender(void **state) {
  pthread_t sender, closer;
  int port;
  (void)state;
  int64_t server = must_handle(&port, osp_ws_server_on_open, on_learn_id, NULL);
  struct peer peer = peer_open(port, "/");
  int64_t id = latest_id;
  close_behind_a_sender(&sender, &closer, &id);
  int before = posts;
  assert_true(peer_is_silent(&peer, 100));
  assert_in_range(posts - before, 0, 2);
  may_post = true;
  peer_expect_text(&peer, "on its way");
  peer_expect_close(&peer, 1000);
  pthread_join(sender, NULL);
  pthread_join(closer, NULL);
  peer_close(&peer);
  must_stop(server);
}

/* The peer is gone before the sender goes on: WS-CLOSE-8 WS-SEC-13 */
static void test_a_connection_ends_while_a_close_waits(void **state) {
  pthread_t sender, closer;
  int port;
  (void)state;
  int64_t server = must_handle(&port, osp_ws_server_on_open, on_learn_id, NULL);
  struct peer peer = peer_open(port, "/");
  int64_t id = latest_id;
  close_behind_a_sender(&sender, &closer, &id);
  peer_reset(&peer);
  pthread_join(closer, NULL);
  may_post = true;
  pthread_join(sender, NULL);
  must_stop(server);
}

/* The peer closes, or violates the protocol, while this end's close waits for a sender. Its close frame is answered at
 * once, and neither the message nor a second close frame follows: WS-CLOSE-7 WS-CLOSE-8 */
static void test_a_peer_acts_while_a_close_waits(void **state) {
  static const uint8_t heads[] = {0x88, 0x83};
  static const int codes[] = {4000, 1002};
  (void)state;
  for (int i = 0; i < 2; i++) {
    pthread_t sender, closer;
    int port;
    int64_t server = must_handle(&port, osp_ws_server_on_open, on_learn_id, NULL);
    struct peer peer = peer_open(port, "/");
    int64_t id = latest_id;
    close_behind_a_sender(&sender, &closer, &id);
    peer_send_frame(&peer, heads[i], "\x0f\xa0", 2);
    peer_expect_frame(&peer, 0x88);
    assert_int_equal(peer.frame.payload[0] << 8 | peer.frame.payload[1], codes[i]);
    may_post = true;
    peer_expect_end(&peer);
    pthread_join(sender, NULL);
    pthread_join(closer, NULL);
    peer_close(&peer);
    must_stop(server);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_senders_do_not_mix, journal_setup),
      cmocka_unit_test_setup(test_a_full_queue_waits, journal_setup),
      cmocka_unit_test_setup(test_closing_under_use, journal_setup),
      cmocka_unit_test_setup(test_connecting_from_many_threads, journal_setup),
      cmocka_unit_test_setup(test_handlers_run_one_at_a_time, journal_setup),
      cmocka_unit_test_setup(test_a_close_waits_for_a_sender, journal_setup),
      cmocka_unit_test_setup(test_a_connection_ends_while_a_close_waits, journal_setup),
      cmocka_unit_test_setup(test_a_peer_acts_while_a_close_waits, journal_setup),
  };
  return cmocka_run_group_tests_name("threads", tests, NULL, NULL);
}
