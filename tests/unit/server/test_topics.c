/* Topics of a server's connections: who gets what is published. */
#include <inttypes.h>
#include <semaphore.h>

#include "osprey/hooks.h"
#include "support/osprey.h"
#include "support/peer.h"
#include "support/test.h"

static char *error;
static _Atomic int64_t server;

static void must_subscribe(int64_t id, const char *topic) {
  osp_ws_subscribe(id, topic, &error);
  expect_success(error);
}

static void must_unsubscribe(int64_t id, const char *topic) {
  osp_ws_unsubscribe(id, topic, &error);
  expect_success(error);
}

static void must_publish(const char *topic, const char *text) {
  osp_ws_publish(server, topic, text, &error);
  expect_success(error);
}

static int64_t subscribers(const char *topic) {
  int64_t count = osp_ws_subscribers(server, topic, &error);
  expect_success(error);
  return count;
}

/* Does what a message says: "+topic", "-topic", "!topic text" publishes, "?topic text" does so from the sender. Then
 * sends it back. */
static void *do_message(void *cell, const struct osprey_connection *connection, const struct osprey_message *message) {
  char topic[256];
  const char *text = strchr(message->data, ' ');
  char *mine = NULL;
  (void)cell;
  snprintf(topic, sizeof topic, "%.*s", (int)strcspn(message->data, " ") - 1, message->data + 1);
  switch (message->data[0]) {
  case '+':
    osp_ws_subscribe(connection->id, topic, &mine);
    break;
  case '-':
    osp_ws_unsubscribe(connection->id, topic, &mine);
    break;
  case '!':
    osp_ws_publish(server, topic, text + 1, &mine);
    break;
  default:
    osp_ws_publish_from(connection->id, topic, text + 1, &mine);
  }
  assert_null(mine);
  osp_ws_send(connection->id, message->data, &mine);
  assert_null(mine);
  return result_success();
}

static void *on_do[] = {(void *)do_message};

/* Serves do_message, with limits. */
static int serve(const char *limit, int64_t value) {
  int port = peer_free_port();
  server = must_create(port, "/");
  if (limit)
    must_limit(server, limit, value);
  must_set(osp_ws_server_on_open, server, on_learn_id);
  must_set(osp_ws_server_on_message, server, on_do);
  must_set(osp_ws_server_on_close, server, on_close);
  must_listen(server);
  return port;
}

static void must_do(struct peer *peer, const char *what) {
  peer_send_message(peer, what);
  peer_expect_text(peer, what);
}

/* WS-SUBSCRIBE-1 WS-UNSUBSCRIBE-1 WS-PUBLISH-1 WS-PUBLISH-2 WS-PUBLISHFROM-1 WS-SUBSCRIBERS-1 */
static void test_rooms(void **state) {
  (void)state;
  int port = serve(NULL, 0);
  struct peer ada = peer_open(port, "/");
  struct peer bob = peer_open(port, "/");
  struct peer eve = peer_open(port, "/");
  must_do(&ada, "+tea");
  must_do(&ada, "+tea");
  must_do(&ada, "+coffee");
  must_do(&bob, "+tea");
  assert_int_equal(subscribers("tea"), 2);
  assert_int_equal(subscribers("coffee"), 1);
  assert_int_equal(subscribers("milk"), 0);
  peer_send_message(&eve, "!tea water boils");
  peer_expect_text(&ada, "water boils");
  peer_expect_text(&bob, "water boils");
  peer_expect_text(&eve, "!tea water boils");
  peer_send_message(&ada, "?tea mine");
  peer_expect_text(&bob, "mine");
  peer_expect_text(&ada, "?tea mine");
  must_do(&eve, "?coffee ready");
  peer_expect_text(&ada, "ready");
  must_do(&eve, "!milk none hear it");
  must_do(&bob, "-tea");
  must_do(&bob, "-tea");
  must_do(&bob, "-never");
  assert_int_equal(subscribers("tea"), 1);
  must_publish("tea", "cold");
  peer_expect_text(&ada, "cold");
  must_do(&bob, "!milk still none");
  must_do(&eve, "!milk still none");
  peer_close(&ada);
  WAIT_UNTIL(subscribers("tea") == 0);
  assert_int_equal(subscribers("coffee"), 0);
  must_publish("tea", "gone");
  peer_close(&bob);
  peer_close(&eve);
  must_stop(server);
}

/* An open handler that subscribes, and publishes to all and to the others. The target of a client that is refused ends
 * with "no". */
static void *join_at_open(void *cell, const struct osprey_connection *connection) {
  char *mine;
  (void)cell;
  latest_id = connection->id;
  osp_ws_subscribe(connection->id, "room", &mine);
  assert_null(mine);
  osp_ws_publish(server, "room", "joins", &mine);
  assert_null(mine);
  osp_ws_publish_from(connection->id, "room", "from the door", &mine);
  assert_null(mine);
  journal_write("subscribers:%" PRId64, osp_ws_subscribers(server, "room", &mine));
  osp_ws_send(connection->id, "welcome", &mine);
  assert_null(mine);
  return strstr(connection->url, "no") ? result_error("not you") : result_success();
}

static void *leave_at_close(void *cell, const struct osprey_connection *connection, int64_t code, const char *reason) {
  char *mine;
  (void)cell;
  (void)code;
  (void)reason;
  osp_ws_publish_from(connection->id, "room", "left", &mine);
  osp_release(mine); /* the server may be stopped */
  osp_ws_unsubscribe(connection->id, "room", &mine);
  assert_null(mine);
  osp_ws_subscribe(connection->id, "room", &mine);
  expect_error_with(mine, "is closed");
  return result_success();
}

/* WS-SUBSCRIBE-2 WS-SUBSCRIBE-4 WS-UNSUBSCRIBE-1 WS-PUBLISHFROM-2 WS-SUBSCRIBERS-1 */
static void test_a_subscription_begins_with_the_101(void **state) {
  static void *on_join[] = {(void *)join_at_open};
  static void *on_leave[] = {(void *)leave_at_close};
  (void)state;
  int port = peer_free_port();
  server = must_create(port, "/");
  must_set(osp_ws_server_on_open, server, on_join);
  must_set(osp_ws_server_on_close, server, on_leave);
  must_listen(server);
  struct peer ada = peer_open(port, "/");
  peer_expect_text(&ada, "welcome");
  journal_expect("subscribers:0");
  WAIT_UNTIL(subscribers("room") == 1);
  struct peer bob = peer_open(port, "/");
  peer_expect_text(&bob, "welcome");
  journal_expect("subscribers:1");
  peer_expect_text(&ada, "joins");
  peer_expect_text(&ada, "from the door");
  WAIT_UNTIL(subscribers("room") == 2);
  assert_int_equal(peer_status(port, "/?no", ""), 403);
  journal_expect("subscribers:2");
  for (int i = 0; i < 2; i++) {
    struct peer *peer = i ? &bob : &ada;
    peer_expect_text(peer, "joins");
    peer_expect_text(peer, "from the door");
  }
  assert_int_equal(subscribers("room"), 2);
  peer_close(&bob);
  peer_expect_text(&ada, "left");
  must_publish("room", "last");
  peer_expect_text(&ada, "last");
  /* Who is refused is known until the refusal is read. */
  WAIT_UNTIL((osp_ws_publish_from(latest_id, "room", "refused", &error), error));
  expect_error_with(error, "publish from: ");
  peer_close(&ada);
  must_stop(server);
}

/* WS-SUBSCRIBE-3 WS-SUBSCRIBE-4 WS-PUBLISH-3 */
static void test_misuse(void **state) {
  char topic[257];
  char sentence[128];
  char url[64];
  (void)state;
  memset(topic, 't', sizeof topic - 1);
  topic[256] = '\0';
  int port = peer_free_port();
  server = must_create(port, "/");
  osp_ws_publish(server, "x", "y", &error);
  snprintf(sentence, sizeof sentence,
           "publish: server %" PRId64 " does not listen yet: call websocketServerListen first", (int64_t)server);
  expect_error(error, sentence);
  assert_int_equal(subscribers("x"), 0);
  must_set(osp_ws_server_on_open, server, on_learn_id);
  must_listen(server);
  snprintf(url, sizeof url, "ws://127.0.0.1:%d/", port);
  int64_t client = must_connect(url);
  int64_t id = latest_id;
  osp_ws_publish(server, topic, "y", &error);
  expect_error(error, "publish: the topic has 256 bytes; it has 1 to 255");
  osp_ws_publish_from(id, "", "y", &error);
  expect_error(error, "publish from: the topic has 0 bytes; it has 1 to 255");
  osp_ws_subscribe(id, "", &error);
  expect_error(error, "subscribe: the topic has 0 bytes; it has 1 to 255");
  osp_ws_unsubscribe(id, "", &error);
  expect_error(error, "unsubscribe: the topic has 0 bytes; it has 1 to 255");
  osp_ws_subscribers(server, "", &error);
  expect_error(error, "subscribers: the topic has 0 bytes; it has 1 to 255");
  must_subscribe(id, topic + 1);
  must_subscribe(id, "\xff, any bytes");
  must_publish(topic + 1, "long");
  journal_expect("text:long");
  osp_ws_publish(server, "x", "\xff", &error);
  expect_error_with(error, "publish: the message is not UTF-8");
  snprintf(sentence, sizeof sentence, " connection %" PRId64 " is a client's: only connections of a server have topics",
           client);
  osp_ws_subscribe(client, "x", &error);
  expect_error_with(error, sentence);
  osp_ws_unsubscribe(client, "x", &error);
  expect_error_with(error, sentence);
  osp_ws_publish_from(client, "x", "y", &error);
  expect_error_with(error, sentence);
  osp_ws_subscribe(server, "x", &error);
  expect_error_with(error, "is the ID of a server, not of a connection");
  osp_ws_publish(client, "x", "y", &error);
  expect_error_with(error, "is the ID of a connection, not of a server");
  osp_ws_subscribers(client, "x", &error);
  expect_error_with(error, "is the ID of a connection, not of a server");
  must_stop(server);
  osp_ws_publish(server, "x", "y", &error);
  expect_error_with(error, "is stopped");
  osp_ws_subscribe(id, "x", &error);
  expect_error_with(error, "is closed");
}

/* WS-SUBSCRIBE-5 */
static void test_topics_have_a_cap(void **state) {
  char topic[16];
  char sentence[128];
  (void)state;
  int port = serve("maxTopics", 3);
  struct peer peer = peer_open(port, "/");
  for (int i = 0; i < 3; i++) {
    snprintf(topic, sizeof topic, "%d", i);
    must_subscribe(latest_id, topic);
  }
  osp_ws_subscribe(latest_id, "more", &error);
  snprintf(sentence, sizeof sentence,
           "subscribe: connection %" PRId64 " has as many topics as it may have (maxTopics is 3)", (int64_t)latest_id);
  expect_error(error, sentence);
  must_subscribe(latest_id, "2");
  must_unsubscribe(latest_id, "1");
  must_subscribe(latest_id, "more");
  peer_close(&peer);
  must_stop(server);
}

static void *close_latest(void *context) {
  (void)context;
  must_publish("room", "before the close");
  must_close(latest_id);
  return NULL;
}

/* What one thread does takes effect in the order of the calls: WS-PUBLISH-4 WS-UNSUBSCRIBE-1 WS-SUBSCRIBE-1 */
static void test_the_order_of_the_calls(void **state) {
  char text[32];
  (void)state;
  int port = serve(NULL, 0);
  struct peer peer = peer_open(port, "/");
  int64_t id = latest_id;
  for (int i = 0; i < 300; i++) {
    must_publish("room", "not subscribed");
    must_subscribe(id, "room");
    snprintf(text, sizeof text, "published %d", i);
    must_publish("room", text);
    must_send(id, "sent");
    osp_ws_server_broadcast(server, "broadcast", &error);
    expect_success(error);
    must_publish("room", "again");
    must_unsubscribe(id, "room");
  }
  must_subscribe(id, "room");
  must_publish("room", "last");
  for (int i = 0; i < 300; i++) {
    snprintf(text, sizeof text, "published %d", i);
    peer_expect_text(&peer, text);
    peer_expect_text(&peer, "sent");
    peer_expect_text(&peer, "broadcast");
    peer_expect_text(&peer, "again");
  }
  peer_expect_text(&peer, "last");
  pthread_t closing;
  pthread_create(&closing, NULL, close_latest, NULL);
  peer_expect_text(&peer, "before the close");
  peer_expect_close(&peer, 1000);
  pthread_join(closing, NULL);
  peer_close(&peer);
  must_stop(server);
}

enum { TALKERS = 8, SAYS = 200 };

static sem_t gate;

/* "hold" holds the loop until the gate opens, then publishes, sends, unsubscribes and closes. */
static void *hold(void *cell, const struct osprey_connection *connection, const struct osprey_message *message) {
  char *mine;
  if (strcmp(message->data, "hold") != 0)
    return do_message(cell, connection, message);
  journal_write("holds");
  sem_wait(&gate);
  osp_ws_publish(server, "room", "first", &mine);
  assert_null(mine);
  osp_ws_send(connection->id, "sent", &mine);
  assert_null(mine);
  osp_ws_server_broadcast(server, "broadcast", &mine);
  assert_null(mine);
  osp_ws_publish_from(connection->id, "room", "to the others", &mine);
  assert_null(mine);
  osp_ws_publish(server, "room", "second", &mine);
  assert_null(mine);
  osp_ws_unsubscribe(connection->id, "room", &mine);
  assert_null(mine);
  osp_ws_publish(server, "room", "third", &mine);
  assert_null(mine);
  osp_ws_send(connection->id, "last", &mine);
  assert_null(mine);
  osp_ws_close(connection->id, &mine);
  assert_null(mine);
  return result_success();
}

/* Holds its loop until the gate opens. Then "leave" unsubscribes, and "say" publishes. */
static void *hold_and_obey(void *cell, const struct osprey_connection *connection,
                           const struct osprey_message *message) {
  char *mine = NULL;
  (void)cell;
  journal_write("holds");
  sem_wait(&gate);
  if (strcmp(message->data, "leave") == 0)
    osp_ws_unsubscribe(connection->id, "room", &mine);
  else
    osp_ws_publish(server, "room", "said", &mine);
  assert_null(mine);
  osp_ws_send(connection->id, message->data, &mine);
  assert_null(mine);
  return result_success();
}

/* Another thread changes a subscription while a handler of the connection runs, which acts before the change has
 * reached its loop: WS-SUBSCRIBE-1 WS-UNSUBSCRIBE-1 */
static void test_changes_that_wait_for_the_loop(void **state) {
  static void *on_hold[] = {(void *)hold_and_obey};
  (void)state;
  int port = peer_free_port();
  server = must_create(port, "/");
  must_set(osp_ws_server_on_message, server, on_hold);
  must_set(osp_ws_server_on_open, server, on_learn_id);
  must_listen(server);
  sem_init(&gate, 0, 0);
  struct peer peer = peer_open(port, "/");

  peer_send_message(&peer, "leave");
  journal_expect("holds");
  must_subscribe(latest_id, "room");
  assert_int_equal(subscribers("room"), 1);
  sem_post(&gate);
  peer_expect_text(&peer, "leave");
  assert_int_equal(subscribers("room"), 0);
  must_publish("room", "to nobody");

  must_subscribe(latest_id, "room");
  must_publish("room", "to one");
  peer_expect_text(&peer, "to one");
  peer_send_message(&peer, "say");
  journal_expect("holds");
  must_unsubscribe(latest_id, "room");
  sem_post(&gate);
  peer_expect_text(&peer, "say");
  peer_close(&peer);
  must_stop(server);
  sem_destroy(&gate);
}

/* What another loop has published comes first, though it still waits for this loop: WS-PUBLISH-5 WS-PUBLISH-4 */
static void test_a_loop_that_is_behind(void **state) {
  static void *on_hold[] = {(void *)hold};
  const char *loops = getenv("OSPREY_WS_LOOPS");
  (void)state;
  if (!loops || atoi(loops) < 2)
    skip();
  int port = peer_free_port();
  server = must_create(port, "/");
  must_set(osp_ws_server_on_message, server, on_hold);
  must_listen(server);
  sem_init(&gate, 0, 0);
  struct peer ada = peer_open(port, "/");
  must_do(&ada, "+room");
  peer_send_message(&ada, "hold");
  journal_expect("holds");
  struct peer bob = peer_open(port, "/"); /* another loop accepts it */
  must_do(&bob, "+room");
  peer_send_message(&bob, "!room before");
  peer_expect_text(&bob, "before");
  peer_expect_text(&bob, "!room before");
  sem_post(&gate);
  const char *adas[] = {"before", "first", "sent", "broadcast", "second", "last"};
  for (size_t i = 0; i < sizeof adas / sizeof *adas; i++)
    peer_expect_text(&ada, adas[i]);
  peer_expect_close(&ada, 1000);
  const char *bobs[] = {"first", "broadcast", "to the others", "second", "third"};
  for (size_t i = 0; i < sizeof bobs / sizeof *bobs; i++)
    peer_expect_text(&bob, bobs[i]);
  peer_close(&ada);
  peer_close(&bob);
  must_stop(server);
  sem_destroy(&gate);
}

/* Reads what is published and what is sent back. `heard` gets who has published, of all. */
static void hear_all(struct peer *peer, char own, char *heard) {
  int before = 0;
  int published = 0;
  while (published < TALKERS * SAYS || before > 0) {
    assert_true(peer_read_frame(peer));
    const char *text = (const char *)peer->frame.payload;
    if (text[0] == '!') {
      assert_int_equal(before--, 1); /* follows what it had published */
    } else {
      heard[published++] = text[0];
      before += text[0] == own;
    }
  }
}

/* All talk at once, on all loops: WS-PUBLISH-5 WS-PUBLISH-4 */
static void test_one_order_for_all(void **state) {
  static char first[TALKERS * SAYS];
  static char heard[TALKERS * SAYS];
  struct peer peers[TALKERS];
  char text[32];
  (void)state;
  int port = serve(NULL, 0);
  for (int i = 0; i < TALKERS; i++) {
    peers[i] = peer_open(port, "/");
    must_do(&peers[i], "+room");
  }
  for (int n = 0; n < SAYS; n++) {
    for (int i = 0; i < TALKERS; i++) {
      snprintf(text, sizeof text, "!room %c", 'a' + i);
      peer_send_message(&peers[i], text);
    }
  }
  for (int i = 0; i < TALKERS; i++) {
    hear_all(&peers[i], (char)('a' + i), i ? heard : first);
    if (i)
      assert_memory_equal(first, heard, sizeof first);
    peer_close(&peers[i]);
  }
  must_stop(server);
}

/* WS-PUBLISH-3 */
static void test_a_slow_subscriber_is_closed(void **state) {
  enum { SIZE = 1 << 19 };
  static char much[SIZE + 1];
  (void)state;
  memset(much, 'm', SIZE);
  int port = serve("maxQueuedBytes", 1 << 20);
  struct peer slow = peer_open(port, "/");
  must_do(&slow, "+room");
  struct peer other = peer_open(port, "/");
  must_do(&other, "+room");
  for (int i = 0; i < 40 && subscribers("room") == 2; i++) {
    must_publish("room", much);
    peer_expect_text(&other, much);
  }
  WAIT_UNTIL(subscribers("room") == 1);
  peer_close(&slow);
  journal_expect("close:1008:too slow to take what is broadcast");
  peer_close(&other);
  must_stop(server);
}

/* Receivers with a compression context and receivers without share what is published: WS-PUBLISH-1 */
static void test_compressed(void **state) {
  const struct osprey_options compressed = {.headers = "", .protocols = "", .compression = true};
  char url[64];
  char text[128];
  (void)state;
  int port = serve("compression", 1);
  snprintf(url, sizeof url, "ws://127.0.0.1:%d/", port);
  must_connect_with(url, &compressed, on_message);
  must_subscribe(latest_id, "room");
  struct peer plain = peer_open(port, "/");
  must_subscribe(latest_id, "room");
  for (int i = 0; i < 50; i++) {
    snprintf(text, sizeof text, "the same text, over and over, number %d", i);
    must_publish("room", text);
    peer_expect_text(&plain, text);
  }
  for (int i = 0; i < 50; i++) {
    snprintf(text, sizeof text, "text:the same text, over and over, number %d", i);
    journal_expect(text);
  }
  peer_close(&plain);
  must_stop(server);
}

/* Subscribes its own connection to many topics. */
static void *subscribe_much(void *cell, const struct osprey_connection *connection,
                            const struct osprey_message *message) {
  char topic[128];
  char *mine;
  (void)cell;
  (void)message;
  for (int i = 0; i < 20000; i++) {
    snprintf(topic, sizeof topic, "topic %d", i);
    osp_ws_subscribe(connection->id, topic, &mine);
    assert_null(mine);
  }
  return result_success();
}

/* WS-LIMIT-18 */
static void test_topics_count_for_the_memory(void **state) {
  static void *on_much[] = {(void *)subscribe_much};
  (void)state;
  int port = peer_free_port();
  server = must_create(port, "/");
  must_limit(server, "maxMemoryBytes", 1 << 20);
  must_limit(server, "maxTopics", 65536);
  must_set(osp_ws_server_on_message, server, on_much);
  must_listen(server);
  struct peer modest = peer_open(port, "/");
  struct peer greedy = peer_open(port, "/");
  peer_send_message(&greedy, "more");
  peer_expect_close(&greedy, 1013);
  peer_close(&greedy);
  WAIT_UNTIL(subscribers("topic 19999") == 0);
  assert_true(peer_is_silent(&modest, 50));
  peer_close(&modest);
  must_stop(server);
}

/* Subscribes whoever came last, publishes, and unsubscribes, whatever comes of it. */
static void *churn(void *context) {
  const char *topics[] = {"tea", "coffee", "milk"};
  char *mine[4];
  for (int i = *(int *)context; i < 400; i++) {
    int64_t id = latest_id;
    osp_ws_subscribe(id, topics[i % 3], &mine[0]);
    osp_ws_publish(server, topics[(i + 1) % 3], "churn", &mine[1]);
    osp_ws_publish_from(id, topics[i % 3], "churn", &mine[2]);
    osp_ws_unsubscribe(id, topics[(i / 2) % 3], &mine[3]);
    for (int k = 0; k < 4; k++)
      osp_release(mine[k]);
  }
  return NULL;
}

/* Connections come and go while other threads change their topics: WS-THREAD-1 */
static void test_churn(void **state) {
  int numbers[3] = {0, 1, 2};
  pthread_t threads[3];
  (void)state;
  int port = serve(NULL, 0);
  struct peer steady = peer_open(port, "/");
  for (int i = 0; i < 3; i++)
    pthread_create(&threads[i], NULL, churn, &numbers[i]);
  for (int i = 0; i < 40; i++) {
    struct peer peer = peer_open(port, "/");
    peer_send_message(&peer, "+tea");
    peer_send_message(&peer, "!tea hello");
    peer_send_message(&peer, "-tea");
    if (i % 2)
      peer_expect_frame(&peer, 0x81);
    if (i % 3)
      peer_reset(&peer);
    else
      peer_close(&peer);
  }
  for (int i = 0; i < 3; i++)
    pthread_join(threads[i], NULL);
  peer_send_message(&steady, "-over");
  do
    assert_true(peer_read_frame(&steady));
  while (strcmp((char *)steady.frame.payload, "-over") != 0);
  peer_close(&steady);
  WAIT_UNTIL(subscribers("tea") == 0);
  must_stop(server);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_rooms, journal_setup),
      cmocka_unit_test_setup(test_a_subscription_begins_with_the_101, journal_setup),
      cmocka_unit_test_setup(test_misuse, journal_setup),
      cmocka_unit_test_setup(test_topics_have_a_cap, journal_setup),
      cmocka_unit_test_setup(test_the_order_of_the_calls, journal_setup),
      cmocka_unit_test_setup(test_changes_that_wait_for_the_loop, journal_setup),
      cmocka_unit_test_setup(test_a_loop_that_is_behind, journal_setup),
      cmocka_unit_test_setup(test_one_order_for_all, journal_setup),
      cmocka_unit_test_setup(test_a_slow_subscriber_is_closed, journal_setup),
      cmocka_unit_test_setup(test_compressed, journal_setup),
      cmocka_unit_test_setup(test_topics_count_for_the_memory, journal_setup),
      cmocka_unit_test_setup(test_churn, journal_setup),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
