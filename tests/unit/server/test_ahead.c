/* A loop that publishes faster than another takes it. */
#include <pthread.h>
#include <semaphore.h>

#include "osprey/hooks.h"
#include "support/osprey.h"
#include "support/peer.h"
#include "support/test.h"

enum { FLOOD = 24, SIZE = 100000, AHEAD = 3, AHEAD_MAX = 5 };

static _Atomic int64_t server;
static _Atomic int published, refused;
static _Atomic bool others;
static sem_t gate;

/* "+" subscribes, "hold" waits for the gate; anything else is published. */
static void *obey(void *cell, const struct osprey_connection *connection, const struct osprey_message *message) {
  char *problem = NULL;
  (void)cell;
  if (strcmp(message->data, "+") == 0) {
    osp_ws_subscribe(connection->id, "room", &problem);
    journal_write("joins");
  } else if (strcmp(message->data, "hold") == 0) {
    journal_write("holds");
    sem_wait(&gate);
  } else {
    osp_ws_publish(server, "room", message->data, &problem);
    *(problem ? &refused : &published) += 1;
    others |= !problem && strlen(message->data) < SIZE;
    if (problem)
      journal_write("%s", problem);
  }
  osp_release(problem);
  return result_success();
}

static char flooding[SIZE + 1];

static void *flood(void *context) {
  for (int i = 0; i < FLOOD; i++)
    peer_send_message(context, flooding);
  return NULL;
}

/* A flood on one loop waits for the loop that it is ahead of, and nobody else does: WS-TIME-12 WS-BROADCAST-7 */
static void test_a_flood_of_one_loop(void **state) {
  static void *on_obey[] = {(void *)obey};
  pthread_t thread;
  (void)state;
  memset(flooding, 'x', SIZE);
  sem_init(&gate, 0, 0);
  int port = peer_free_port();
  server = must_create(port, "/");
  must_limit(server, "maxQueuedBytes", 2 << 20);
  must_limit(server, "maxMessageBytes", 1 << 20);
  must_set(osp_ws_server_on_message, server, on_obey);
  must_listen(server);
  struct peer ada = peer_open(port, "/");
  peer_send_message(&ada, "+");
  journal_expect("joins");
  peer_send_message(&ada, "hold");
  journal_expect("holds");
  struct peer bob = peer_open(port, "/"); /* other loops accept it and the next */
  struct peer cy = peer_open(port, "/");
  pthread_create(&thread, NULL, flood, &bob);
  WAIT_UNTIL(published >= AHEAD);
  peer_send_message(&cy, "from cy");
  WAIT_UNTIL(others);
  assert_in_range(published, AHEAD + 1, AHEAD_MAX + 1);
  sem_post(&gate);
  pthread_join(thread, NULL);
  int floods = 0;
  for (int i = 0; i < FLOOD + 1; i++) {
    peer_expect_frame(&ada, 0x81);
    floods += ada.frame.size == SIZE;
  }
  assert_int_equal(floods, FLOOD);
  assert_int_equal(refused, 0);
  peer_close(&ada);
  peer_close(&bob);
  peer_close(&cy);
  must_stop(server);
  sem_destroy(&gate);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_a_flood_of_one_loop, journal_setup),
  };
  return cmocka_run_group_tests_name("ahead", tests, NULL, NULL);
}
