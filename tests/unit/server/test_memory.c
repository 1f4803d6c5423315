/* maxMemoryBytes of servers with several loops. */
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/osprey.h"
#include "support/peer.h"
#include "support/test.h"

enum {
  MIB = 1 << 20,
  MOST = 16 * MIB, /* maxMemoryBytes */
  SMALL = 200000,
  EACH = 36,    /* peers on each of two loops */
  OTHERS = 288, /* room for those on further loops */
  ROUND_MS = 20 /* usually enough for the loops to agree; they have ten times as long before it counts */
};

static struct peer first[EACH], second[EACH], others[OTHERS];
static int other_count;
static sem_t gate;

/* "loop": replies with the number of the loop's thread. "hold": waits at the gate. All else is only acknowledged. */
static void *on_their_loop(void *cell, const struct osprey_connection *from, const struct osprey_message *message) {
  static _Atomic int loops;
  static _Thread_local int loop;
  char text[16] = "whole";
  (void)cell;
  loop = loop ? loop : ++loops;
  if (strcmp(message->data, "loop") == 0)
    snprintf(text, sizeof text, "%d", loop);
  if (strcmp(message->data, "hold") == 0) {
    journal_write("holds");
    sem_wait(&gate);
  }
  must_send(from->id, text);
  return result_success();
}

static int loop_of(struct peer *peer) {
  peer_send_message(peer, "loop");
  peer_expect_frame(peer, 0x81);
  return atoi((char *)peer->frame.payload);
}

/* Serves, and opens so many peers on each of two loops. */
static int64_t serve(void) {
  static void *handler[] = {(void *)on_their_loop};
  int counts[2] = {0}, loops[2] = {0}, port;
  int64_t server = must_handle(&port, osp_ws_server_on_message, handler, "maxMemoryBytes", MOST, "maxMessageBytes",
                               MOST, "maxValueBytes", 4 * MIB, "idleTimeoutMs", 0, NULL);
  other_count = 0;
  sem_init(&gate, 0, 0);
  while (counts[0] < EACH || counts[1] < EACH) {
    struct peer peer = peer_open(port, "/");
    int loop = loop_of(&peer);
    int which = loops[0] == 0 || loops[0] == loop ? 0 : loops[1] == 0 || loops[1] == loop ? 1 : 2;
    if (which < 2 && counts[which] < EACH) {
      loops[which] = loop;
      (which ? second : first)[counts[which]++] = peer;
    } else {
      assert_in_range(other_count, 0, OTHERS - 1);
      others[other_count++] = peer;
    }
  }
  return server;
}

static void close_others(void) {
  while (other_count > 0)
    peer_close(&others[--other_count]);
}

static void leave(int64_t server) {
  for (int i = 0; i < EACH; i++) {
    peer_close(&first[i]);
    peer_close(&second[i]);
  }
  close_others();
  must_stop(server);
  sem_destroy(&gate);
}

/* Makes the server hold a message of so many bytes, which lacks its last. */
static void hold(struct peer *peer, uint32_t bytes) {
  static char text[MOST];
  uint8_t head[14] = {
      0x81, 0xFF, 0, 0, 0, 0, (uint8_t)(bytes >> 24), (uint8_t)(bytes >> 16), (uint8_t)(bytes >> 8), (uint8_t)bytes};
  memset(text, 'x', sizeof text);
  peer_send(peer, head, sizeof head);
  peer_send(peer, text, bytes - 1);
  peer_await_reading(peer);
}

/* The server has not closed it: what it holds becomes a message. */
static void finish(struct peer *peer) {
  peer_send(peer, "x", 1);
  peer_expect_text(peer, "whole");
}

/* Whatever holds the most is on one loop, and the limit is found exceeded on the other: WS-LIMIT-18 */
static void test_the_largest_is_on_another_loop(void **state) {
  int smalls = 0;
  (void)state;
  int64_t server = serve();
  hold(&first[0], 14 * MIB);
  while (smalls < EACH && peer_is_silent(&first[0], ROUND_MS))
    hold(&second[smalls++], SMALL);
  peer_expect_close(&first[0], 1013);
  assert_in_range(smalls, 2, EACH);
  for (int i = 0; i < smalls; i++)
    finish(&second[i]);
  leave(server);
}

/* Holds a little more on both loops in turn, until the server closes the one that holds the most. */
static void tip(struct peer *heaviest, int *smalls) {
  while (*smalls < 2 * EACH && peer_is_silent(heaviest, ROUND_MS)) {
    hold(&(*smalls % 2 ? second : first)[*smalls / 2], SMALL);
    ++*smalls;
  }
  peer_expect_close(heaviest, 1013);
}

/* The largest go in their order, on whichever loop they are: WS-LIMIT-18 */
static void test_the_largest_are_on_both_loops(void **state) {
  enum { LARGE = 4, FROM = 2 * LARGE };
  int smalls = FROM;
  (void)state;
  int64_t server = serve();
  hold(&first[0], 6 * MIB);
  hold(&second[0], 5 * MIB);
  hold(&first[1], 4 * MIB);
  tip(&first[0], &smalls);
  hold(&second[1], 3 * MIB);
  hold(&first[2], 2 * MIB);
  tip(&second[0], &smalls);
  hold(&second[2], 3 * MIB);
  hold(&first[3], MIB);
  tip(&first[1], &smalls);
  for (int i = FROM; i < smalls; i++)
    finish(&(i % 2 ? second : first)[i / 2]);
  finish(&second[1]);
  finish(&first[2]);
  finish(&second[2]);
  finish(&first[3]);
  leave(server);
}

static bool one_has_ended(struct peer *peers, int n) {
  bool any = false;
  for (int i = 0; i < n; i++)
    any = any || !peer_is_silent(&peers[i], 0);
  return any;
}

/* Keeps the loop of the first peers. */
static void hold_the_loop(void) {
  peer_send_message(&first[1], "hold");
  journal_expect("holds");
}

/* Holds a little more on the second loop, until it closes a peer from that number on. Returns how many hold it. */
static int hold_until_one_ends(int smalls, int from) {
  while (smalls < EACH && !one_has_ended(&second[from], smalls - from)) {
    hold(&second[smalls++], SMALL);
    usleep(ROUND_MS * 1000);
  }
  return smalls;
}

/* A loop that is kept by a handler cannot close the largest. The others close their own that hold more than the average
 * once an eighth more is held, and all once it is a quarter: WS-LIMIT-18 */
static void test_a_loop_that_is_kept(void **state) {
  int smalls = 1;
  (void)state;
  int64_t server = serve();
  close_others(); /* the average is of those that are left */
  hold(&first[0], 14 * MIB);
  hold_the_loop();
  hold(&second[0], 2 * MIB);
  smalls = hold_until_one_ends(smalls, 0);
  peer_expect_close(&second[0], 1013);
  assert_in_range(smalls - 1, 2 * MIB / SMALL - 2, 2 * MIB / SMALL + 2);
  smalls = hold_until_one_ends(smalls, 1);
  assert_in_range(smalls - 1, 6 * MIB / SMALL - 2, 6 * MIB / SMALL + 2);
  assert_true(one_has_ended(&second[1], smalls - 1));
  assert_true(peer_is_silent(&first[0], 0));
  sem_post(&gate);
  peer_expect_close(&first[0], 1013);
  leave(server);
}

/* A value of the server takes what two connections hold: the largest of one loop goes, then that of the other. */
static void let_two_go(struct peer *one, struct peer *other) {
  enum { LARGE = 9, STEP = 20000, VALUE = 1400000 };
  static char value[VALUE + 1];
  uint32_t size = 5 * SMALL;
  char *error;
  int64_t server = serve();
  for (int i = 0; i < LARGE; i++, size -= 2 * STEP) {
    hold(&one[i], size);
    hold(&other[i], size - STEP);
  }
  for (int i = LARGE; i < LARGE + 8; i++)
    hold(&other[i], SMALL);
  assert_false(one_has_ended(one, EACH) || one_has_ended(other, EACH));
  memset(value, 'v', VALUE);
  osp_ws_set_value(server, "much", value, &error);
  expect_success(error);
  /* In one read, which finds the limit exceeded once. */
  peer_send_frame(&other[EACH - 1], 0x01, value, SMALL / 10);
  peer_expect_close(&one[0], 1013);
  peer_expect_close(&other[0], 1013);
  for (int i = 1; i < LARGE; i++)
    finish(&one[i]);
  for (int i = 1; i < LARGE + 8; i++)
    finish(&other[i]);
  peer_send_frame(&other[EACH - 1], 0x80, "", 0);
  peer_expect_text(&other[EACH - 1], "whole");
  leave(server);
}

/* No more go than need be, in whichever order the loops are asked: WS-LIMIT-18 */
static void test_two_go_at_once(void **state) {
  (void)state;
  let_two_go(first, second);
  let_two_go(second, first);
}

static void *stop(void *server) {
  must_stop(*(int64_t *)server);
  return NULL;
}

/* The server stops while its loops look for the largest: WS-LIMIT-18 WS-STOP-1 */
static void test_a_stop_meanwhile(void **state) {
  struct timespec start;
  pthread_t stopper;
  (void)state;
  int64_t server = serve();
  hold(&first[0], 15 * MIB);
  hold_the_loop();
  for (int i = 0; i < 2 * MIB / SMALL; i++)
    hold(&second[i], SMALL);
  assert_false(one_has_ended(second, EACH));
  clock_gettime(CLOCK_MONOTONIC, &start);
  pthread_create(&stopper, NULL, stop, &server);
  peer_expect_close(&second[EACH - 1], 1001);
  for (int i = 0; i < EACH; i++)
    peer_close(&second[i]);
  sem_post(&gate);
  for (int i = 0; i < EACH; i++)
    peer_close(&first[i]);
  close_others();
  pthread_join(stopper, NULL);
  assert_in_range((unsigned long)elapsed_ms(&start), 0, 3000); /* the stop would wait for longer in vain */
  sem_destroy(&gate);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_the_largest_is_on_another_loop, journal_setup),
      cmocka_unit_test_setup(test_the_largest_are_on_both_loops, journal_setup),
      cmocka_unit_test_setup(test_a_loop_that_is_kept, journal_setup),
      cmocka_unit_test_setup(test_two_go_at_once, journal_setup),
      cmocka_unit_test_setup(test_a_stop_meanwhile, journal_setup),
  };
  setenv("OSPREY_WS_LOOPS", "2", 0);
  return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
