/* Broadcasts whose receivers take longer to write than a turn has time for. */
#include <sys/socket.h>
#include <sys/types.h>
#include <time.h>

#include "support/osprey.h"
#include "support/peer.h"
#include "support/test.h"

enum { RECEIVERS = 60, SIZE = 60000 };

static char *error;
static char text[SIZE + 1];
static _Atomic bool writes_are_slow; /* each takes a millisecond */
static _Atomic int writes_of_a_turn, most_writes;

/* The linker wraps it (--wrap). */
ssize_t __real_send(int fd, const void *bytes, size_t size, int flags);
ssize_t __wrap_send(int fd, const void *bytes, size_t size, int flags);

ssize_t __wrap_send(int fd, const void *bytes, size_t size, int flags) {
  struct timespec start;
  clock_gettime(CLOCK_MONOTONIC, &start);
  if (writes_are_slow && ++writes_of_a_turn > most_writes)
    most_writes = writes_of_a_turn;
  while (writes_are_slow && elapsed_ms(&start) < 1)
    continue;
  return __real_send(fd, bytes, size, flags);
}

/* A timer that is always due runs once in a turn. */
static void *count_turn(void *cell, int64_t timer) {
  (void)cell;
  (void)timer;
  writes_of_a_turn = 0;
  return result_success();
}

static void broadcast_to(int64_t server, struct peer receivers[static RECEIVERS], int times) {
  writes_are_slow = true;
  for (int i = 0; i < times; i++) {
    osp_ws_server_broadcast(server, text, &error);
    expect_success(error);
  }
  for (int i = 0; i < RECEIVERS * times; i++)
    peer_expect_text(&receivers[i / times], text);
  writes_are_slow = false;
}

static int64_t serve_receivers(struct peer receivers[static RECEIVERS]) {
  int port = peer_free_port();
  int64_t server = must_create(port, "/");
  memset(text, 't', SIZE);
  must_limit(server, "maxMessageBytes", SIZE);
  must_limit(server, "maxQueuedBytes", 4 * SIZE);
  must_listen(server);
  for (int i = 0; i < RECEIVERS; i++)
    receivers[i] = peer_open(port, "/");
  return server;
}

static void leave(int64_t server, struct peer receivers[static RECEIVERS]) {
  for (int i = 0; i < RECEIVERS; i++)
    peer_close(&receivers[i]);
  must_stop(server);
}

/* A message is written to a bounded number of its receivers at a time: WS-TIME-9 */
static void test_a_message_for_many(void **state) {
  static void *on_turn[] = {(void *)count_turn};
  struct peer receivers[RECEIVERS];
  (void)state;
  int64_t server = serve_receivers(receivers);
  int64_t timer = osp_ws_every(1, on_turn, &error);
  expect_success(error);
  broadcast_to(server, receivers, 1);
  assert_in_range(most_writes, 1, RECEIVERS / 3);
  osp_ws_cancel(timer, &error);
  expect_success(error);
  leave(server, receivers);
}

/* They are written before their queues are full, however many messages there are: WS-TIME-9 */
static void test_many_messages_for_many(void **state) {
  struct peer receivers[RECEIVERS];
  (void)state;
  int64_t server = serve_receivers(receivers);
  broadcast_to(server, receivers, 20);
  leave(server, receivers);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_a_message_for_many, journal_setup),
      cmocka_unit_test_setup(test_many_messages_for_many, journal_setup),
  };
  return cmocka_run_group_tests_name("receivers", tests, NULL, NULL);
}
