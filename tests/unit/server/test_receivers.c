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

/* The linker wraps these (--wrap). */
ssize_t __real_send(int fd, const void *bytes, size_t size, int flags);
ssize_t __wrap_send(int fd, const void *bytes, size_t size, int flags);
ssize_t __real_sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags);

static void count_write(void) {
  struct timespec start;
  clock_gettime(CLOCK_MONOTONIC, &start);
  if (++writes_of_a_turn > most_writes && writes_are_slow)
    most_writes = writes_of_a_turn;
  while (writes_are_slow && elapsed_ms(&start) < 1)
    continue;
}

ssize_t __wrap_send(int fd, const void *bytes, size_t size, int flags) {
  count_write();
  return __real_send(fd, bytes, size, flags);
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags) {
  count_write();
  return __real_sendmsg(fd, message, flags);
}

/* A timer that is always due runs once in a turn. */
static void *count_turn(void *cell, int64_t timer) {
  (void)cell;
  (void)timer;
  writes_of_a_turn = 0;
  return result_success();
}

static void broadcast_to(int64_t server, struct peer receivers[static RECEIVERS], int times) {
  writes_of_a_turn = 0;
  writes_are_slow = true;
  for (int i = 0; i < times; i++) {
    osp_ws_server_broadcast(server, text, &error);
    expect_success(error);
  }
  for (int i = 0; i < RECEIVERS * times; i++)
    peer_expect_text(&receivers[i / times], text);
  writes_are_slow = false;
}

static int64_t serve_receivers(struct peer receivers[static RECEIVERS], int64_t queue) {
  int port = peer_free_port();
  int64_t server = must_create(port, "/");
  memset(text, 't', SIZE);
  must_limit(server, "maxMessageBytes", SIZE);
  must_limit(server, "maxQueuedBytes", queue * SIZE);
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
  int64_t server = serve_receivers(receivers, 4);
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
  int64_t server = serve_receivers(receivers, 4);
  broadcast_to(server, receivers, 20);
  leave(server, receivers);
}

static _Atomic bool holds, is_held;
static _Atomic int turns_since, quiet_turns;

/* Keeps the loop from its next wait. */
static void *hold_turn(void *cell, int64_t timer) {
  (void)cell;
  (void)timer;
  is_held = true;
  while (holds)
    continue;
  return result_success();
}

static void *count_held_turn(void *cell, int64_t timer) {
  turns_since++;
  quiet_turns = writes_of_a_turn ? 0 : quiet_turns + 1;
  return count_turn(cell, timer);
}

/* Long queues, whose sockets all become writable in one turn, are not written in one: WS-TIME-9 */
static void test_many_that_take_again(void **state) {
  enum { QUEUED = 70 };
  static char taken[25 * SIZE]; /* less than what the kernel holds of a connection */
  static void *on_turn[] = {(void *)count_held_turn}, *on_hold[] = {(void *)hold_turn};
  struct peer receivers[RECEIVERS];
  (void)state;
  int64_t server = serve_receivers(receivers, QUEUED);
  for (int i = 0; i < QUEUED; i++) {
    osp_ws_server_broadcast(server, text, &error);
    expect_success(error);
  }
  int64_t timer = osp_ws_every(1, on_turn, &error);
  expect_success(error);
  WAIT_UNTIL(quiet_turns > 2); /* the kernel takes no more */
  holds = true;
  osp_ws_after(1, on_hold, &error);
  expect_success(error);
  WAIT_UNTIL(is_held);
  for (int i = 0; i < RECEIVERS; i++)
    for (size_t n = 0; n < sizeof taken;)
      n += (size_t)peer_receive(&receivers[i], taken, sizeof taken - n);
  most_writes = turns_since = writes_of_a_turn = 0;
  writes_are_slow = true;
  holds = false;
  WAIT_UNTIL(turns_since > 2);
  writes_are_slow = false;
  assert_in_range(most_writes, 1, RECEIVERS / 3);
  osp_ws_cancel(timer, &error);
  expect_success(error);
  leave(server, receivers);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_a_message_for_many, journal_setup),
      cmocka_unit_test_setup(test_many_messages_for_many, journal_setup),
      cmocka_unit_test_setup(test_many_that_take_again, journal_setup),
  };
  return cmocka_run_group_tests_name("receivers", tests, NULL, NULL);
}
