/* Peers that do not read. */
#include <sys/socket.h>

#include "osprey/hooks.h"
#include "support/osprey.h"
#include "support/peer.h"
#include "support/test.h"

static char *error;

/* A flood of pings from a peer that reads no pong, under the default limits: WS-LIMIT-15 */
static void test_pings_of_a_peer_that_does_not_read(void **state) {
  enum { FRAME = 6 + 125, FRAMES = 1000, ROUNDS = 200 };
  static uint8_t pings[FRAMES * FRAME];
  int room = 4096;
  (void)state;
  int port;
  int64_t server = must_handle(&port, osp_ws_server_on_open, on_learn_id, NULL);
  struct peer peer = peer_open(port, "/");
  assert_int_equal(setsockopt(peer.fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room), 0);
  for (int i = 0; i < FRAMES; i++)
    memcpy(pings + (size_t)i * FRAME, "\x89\xFD\1\2\3\4", 6);
  for (int i = 0; i < ROUNDS; i++) {
    peer_send(&peer, pings, sizeof pings);
    assert_in_range((unsigned long)osp_ws_queued_bytes(latest_id, &error), 0, 128 * 1024);
    expect_success(error);
  }
  peer_reset(&peer);
  must_stop(server);
}

/* The same with a small maxQueuedBytes: WS-LIMIT-7 WS-SEC-11 */
static void test_a_flood_of_pings(void **state) {
  enum { BATCH = 2000, SIZE = 6 + 125, ROUNDS = 200 };
  static char pings[BATCH * SIZE];
  (void)state;
  int port;
  int64_t server =
      must_handle(&port, osp_ws_server_on_open, on_learn_id, "maxMessageBytes", 1000, "maxQueuedBytes", 20000, NULL);
  struct peer peer = peer_open(port, "/");
  for (size_t i = 0; i < sizeof pings; i += SIZE) {
    memset(pings + i, 'p', SIZE);
    memcpy(pings + i, "\x89\xfd\0\0\0\0", 6);
  }
  for (int i = 0; i < ROUNDS; i++) {
    peer_send(&peer, pings, sizeof pings);
    int64_t queued = osp_ws_queued_bytes(latest_id, &error);
    expect_success(error);
    assert_in_range(queued, 0, 20000);
  }
  peer_reset(&peer);
  peer = peer_open(port, "/");
  peer_close(&peer);
  must_stop(server);
}

/* Sends until the queue is full; writes whether that was an error at once, and within the cap. */
static void *flood_until_full(void *cell, const struct osprey_connection *connection,
                              const struct osprey_message *message) {
  char *problem = NULL;
  char text[4096];
  struct timespec start;
  (void)cell;
  (void)message;
  memset(text, 'f', sizeof text);
  text[sizeof text - 1] = '\0';
  clock_gettime(CLOCK_MONOTONIC, &start);
  for (int i = 0; !problem && i < 100000; i++)
    osp_ws_send(connection->id, text, &problem);
  char *again;
  int64_t queued = osp_ws_queued_bytes(connection->id, &again);
  journal_write("%s", problem && strstr(problem, "has no room") ? "full" : "never full");
  journal_write("%s", elapsed_ms(&start) < 2000 ? "at once" : "late");
  journal_write("%s", queued > 60000 && queued <= 70000 ? "within the cap" : "beyond the cap");
  if (problem)
    osp_release(problem);
  return result_success();
}

static void *on_flood[] = {(void *)flood_until_full};

/* WS-SEND-4 WS-QUEUED-1 WS-LIMIT-7 */
static void test_a_full_queue_inside_a_handler(void **state) {
  (void)state;
  int port;
  int64_t server =
      must_handle(&port, osp_ws_server_on_message, on_flood, "maxMessageBytes", 5000, "maxQueuedBytes", 70000, NULL);
  struct peer peer = peer_open(port, "/");
  peer_send_message(&peer, "go");
  journal_expect("full");
  journal_expect("at once");
  journal_expect("within the cap");
  peer_close(&peer);
  must_stop(server);
}

/* A receiver that does not read is closed, and does not delay the others: WS-BROADCAST-4 WS-SEND-6 */
static void test_a_slow_receiver_of_broadcasts(void **state) {
  int port;
  (void)state;
  int64_t server = must_serve_with(&port, "maxMessageBytes", 65536, "maxQueuedBytes", 65536, NULL);
  struct peer slow = peer_open(port, "/");
  struct peer quick = peer_open(port, "/");
  char text[60001];
  memset(text, 'b', sizeof text);
  text[60000] = '\0';
  bool closed = false;
  for (int i = 0; i < 2000 && !closed; i++) {
    osp_ws_server_broadcast(server, text, &error);
    expect_success(error);
    peer_expect_text(&quick, text);
    closed = osp_ws_server_connections(server, &error) == 1;
  }
  assert_true(closed);
  int code = 0;
  while (peer_read_frame(&slow)) {
    if (slow.frame.head == 0x88)
      code = slow.frame.payload[0] << 8 | slow.frame.payload[1];
  }
  assert_int_equal(code, 1008);
  journal_expect("close:1008:too slow to take what is broadcast");
  char *over = malloc(70000);
  memset(over, 'o', 69999);
  over[69999] = '\0';
  osp_ws_server_broadcast(server, over, &error);
  expect_error(error, "broadcast: the message has 69999 bytes, at most 65536 may be sent on this connection");
  free(over);
  peer_close(&slow);
  peer_close(&quick);
  must_stop(server);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_pings_of_a_peer_that_does_not_read, journal_setup),
      cmocka_unit_test_setup(test_a_flood_of_pings, journal_setup),
      cmocka_unit_test_setup(test_a_full_queue_inside_a_handler, journal_setup),
      cmocka_unit_test_setup(test_a_slow_receiver_of_broadcasts, journal_setup),
  };
  return cmocka_run_group_tests_name("queue", tests, NULL, NULL);
}
