/* A loop that publishes faster than another takes it. */
#include <pthread.h>
#include <semaphore.h>

#include "osprey/hooks.h"
#include "support/osprey.h"
#include "support/peer.h"
#include "support/test.h"

enum { FLOOD = 24, SIZE = 100000 };

static _Atomic int64_t server;
static _Atomic int published, refused;
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
    if (problem && strlen(message->data) < SIZE)
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

/* Too much from one loop is the Err of its handlers, and not of those of another: WS-BROADCAST-7 */
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
  WAIT_UNTIL(published + refused == FLOOD && refused > 0);
  pthread_join(thread, NULL);
  int from_bob = published;
  peer_send_message(&cy, "from cy");
  WAIT_UNTIL(published > from_bob);
  sem_post(&gate);
  for (int i = 0; i < from_bob; i++)
    peer_expect_text(&ada, flooding);
  peer_expect_text(&ada, "from cy");
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
