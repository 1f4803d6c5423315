/* What takes longer than a turn has time for: broadcasts with many receivers, and what many send at once. */
#include <sys/socket.h>
#include <sys/types.h>
#include <time.h>

#include "support/osprey.h"
#include "support/peer.h"
#include "support/test.h"

enum { RECEIVERS = 60, SIZE = 60000 };

static char *error;
static int64_t spread_server;
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

/* Each message of a byte becomes a long one for all. */
static void *spread(void *cell, const struct osprey_connection *from, const struct osprey_message *message) {
  (void)cell;
  (void)from;
  (void)message;
  osp_ws_server_broadcast(spread_server, text, &error);
  return error ? result_error(error) : result_success();
}

/* A sender is read no faster than those who read take what it causes, and one that does not read is waited for no
 * longer than a second: WS-TIME-14 WS-BROADCAST-4 */
static void test_a_sender_waits_for_those_who_read(void **state) {
  enum { READING = 3, MESSAGES = 300 };
  static void *on_spread[] = {(void *)spread};
  struct peer reading[READING];
  int port = peer_free_port();
  (void)state;
  memset(text, 't', SIZE);
  spread_server = must_create(port, "/");
  must_limit(spread_server, "maxMessageBytes", SIZE);
  must_limit(spread_server, "maxQueuedBytes", 8 * SIZE);
  must_set(osp_ws_server_on_message, spread_server, on_spread);
  must_listen(spread_server);
  for (int i = 0; i < READING; i++)
    reading[i] = peer_open(port, "/");
  struct peer deaf = peer_open(port, "/");
  for (int i = 0; i < MESSAGES; i++)
    peer_send_message(&reading[0], "x");
  for (int n = 0; n < MESSAGES * READING; n++)
    peer_expect_text(&reading[n % READING], text);
  for (int i = 0; i < READING; i++)
    peer_close(&reading[i]);
  peer_close(&deaf);
  must_stop(spread_server);
}

static _Atomic bool is_over;

static void *end_wait(void *cell, int64_t timer) {
  (void)cell;
  (void)timer;
  is_over = true;
  return result_success();
}

static void fill(int64_t id, int64_t messages) {
  while (osp_ws_queued_bytes(id, &error) <= (messages - 1) * SIZE)
    must_send(id, text);
}

/* Receivers that have taken nothing for a second hold up no sender, though their queues pass the half one after the
 * other: WS-TIME-14 */
static void test_no_sender_waits_for_the_deaf(void **state) {
  enum { DEAF = 16, QUEUE = 64 };
  static void *on_spread[] = {(void *)spread}, *on_wait[] = {(void *)end_wait};
  struct peer deaf[DEAF];
  int64_t ids[DEAF];
  struct timespec start;
  int port = peer_free_port();
  (void)state;
  memset(text, 't', SIZE);
  spread_server = must_create(port, "/");
  must_limit(spread_server, "maxMessageBytes", SIZE);
  must_limit(spread_server, "maxQueuedBytes", QUEUE * SIZE);
  must_set(osp_ws_server_on_message, spread_server, on_spread);
  must_set(osp_ws_server_on_open, spread_server, on_learn_id);
  must_listen(spread_server);
  for (int i = 0; i < DEAF; i++) {
    latest_id = 0;
    deaf[i] = peer_open(port, "/");
    WAIT_UNTIL(latest_id);
    ids[i] = latest_id;
    fill(ids[i], QUEUE / 2 - i);
  }
  osp_ws_after(1100, on_wait, &error);
  expect_success(error);
  WAIT_UNTIL(is_over);
  for (int i = 0; i < DEAF; i++)
    fill(ids[i], QUEUE / 2 - i); /* the kernel took more */
  struct peer sender = peer_open(port, "/");
  clock_gettime(CLOCK_MONOTONIC, &start);
  for (int i = 0; i < DEAF; i++) {
    peer_send_message(&sender, "x");
    peer_expect_text(&sender, text);
  }
  assert_in_range(elapsed_ms(&start), 0, DEAF * 1000 / 5);
  peer_close(&sender);
  for (int i = 0; i < DEAF; i++)
    peer_close(&deaf[i]);
  must_stop(spread_server);
}

/* ---- what becomes readable at the same moment */

enum { SENDERS = 40, HANDLER_MS = 4 };
static _Atomic int handled, handled_of_a_turn, most_handled;

static void *handle_slowly(void *cell, const struct osprey_connection *from, const struct osprey_message *message) {
  struct timespec start;
  (void)cell;
  (void)from;
  (void)message;
  clock_gettime(CLOCK_MONOTONIC, &start);
  while (elapsed_ms(&start) < HANDLER_MS)
    continue;
  if (++handled_of_a_turn > most_handled)
    most_handled = handled_of_a_turn;
  handled++;
  return result_success();
}

static void *count_handled(void *cell, int64_t timer) {
  (void)cell;
  (void)timer;
  handled_of_a_turn = 0;
  return result_success();
}

/* One message each of many is not handled in one turn: WS-TIME-15 */
static void test_many_that_send_at_once(void **state) {
  static void *on_slow[] = {(void *)handle_slowly}, *on_turn[] = {(void *)count_handled},
              *on_hold[] = {(void *)hold_turn};
  struct peer senders[SENDERS];
  int port = peer_free_port();
  (void)state;
  int64_t server = must_create(port, "/");
  must_set(osp_ws_server_on_message, server, on_slow);
  must_listen(server);
  for (int i = 0; i < SENDERS; i++)
    senders[i] = peer_open(port, "/");
  int64_t timer = osp_ws_every(1, on_turn, &error);
  expect_success(error);
  holds = true;
  is_held = false;
  osp_ws_after(1, on_hold, &error);
  expect_success(error);
  WAIT_UNTIL(is_held);
  for (int i = 0; i < SENDERS; i++)
    peer_send_message(&senders[i], "x");
  holds = false;
  WAIT_UNTIL(handled == SENDERS);
  assert_in_range(most_handled, 1, SENDERS / 3);
  osp_ws_cancel(timer, &error);
  expect_success(error);
  for (int i = 0; i < SENDERS; i++)
    peer_close(&senders[i]);
  must_stop(server);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_a_message_for_many, journal_setup),
      cmocka_unit_test_setup(test_many_messages_for_many, journal_setup),
      cmocka_unit_test_setup(test_many_that_take_again, journal_setup),
      cmocka_unit_test_setup(test_a_sender_waits_for_those_who_read, journal_setup),
      cmocka_unit_test_setup(test_no_sender_waits_for_the_deaf, journal_setup),
      cmocka_unit_test_setup(test_many_that_send_at_once, journal_setup),
  };
  return cmocka_run_group_tests_name("receivers", tests, NULL, NULL);
}
