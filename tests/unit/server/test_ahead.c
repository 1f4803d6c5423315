/* A loop that publishes faster than another takes it. */
#include <pthread.h>
#include <semaphore.h>

#include "support/osprey.h"
#include "support/peer.h"
#include "support/test.h"

enum { FLOOD = 24, SIZE = 100000, ROUND_TRIPS = 200 };

static _Atomic int64_t server;
static _Atomic int published;
static sem_t gate;

/* "+" subscribes, "hold" waits for the gate, "." is sent back; anything else is published. */
static void *obey(void *cell, const struct osprey_connection *connection, const struct osprey_message *message) {
  char *problem = NULL;
  (void)cell;
  if (strcmp(message->data, "+") == 0) {
    osp_ws_subscribe(connection->id, "room", &problem);
    journal_write("joins");
  } else if (strcmp(message->data, "hold") == 0) {
    journal_write("holds");
    sem_wait(&gate);
  } else if (strcmp(message->data, ".") == 0) {
    osp_ws_send(connection->id, ".", &problem);
  } else {
    osp_ws_publish(server, "room", message->data, &problem);
    published++;
  }
  expect_success(problem);
  return result_success();
}

static char flooding[SIZE + 1];

static void *flood(void *context) {
  for (int i = 0; i < FLOOD; i++)
    peer_send_message(context, flooding);
  return NULL;
}

/* The one who publishes too much waits, and nobody's publish is an Err: WS-BROADCAST-7 */
static void test_a_flood_waits(void **state) {
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
  WAIT_UNTIL(published >= 5);
  peer_send_message(&cy, "from cy");
  for (int i = 0; i < ROUND_TRIPS; i++) {
    peer_send_message(&cy, ".");
    peer_expect_text(&cy, ".");
  }
  assert_in_range(published, 6, FLOOD);
  sem_post(&gate);
  for (int bobs = 0, others = 0; bobs < FLOOD || others < 1;) {
    assert_true(peer_read_frame(&ada));
    bobs += ada.frame.size == SIZE;
    others += ada.frame.size == strlen("from cy");
  }
  pthread_join(thread, NULL);
  peer_close(&ada);
  peer_close(&bob);
  peer_close(&cy);
  must_stop(server);
  sem_destroy(&gate);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_a_flood_waits, journal_setup),
  };
  return cmocka_run_group_tests_name("ahead", tests, NULL, NULL);
}
