/* Values of connections and servers. */
#include <inttypes.h>

#include "conn/values.h"
#include "osprey/hooks.h"
#include "support/osprey.h"
#include "support/peer.h"
#include "support/test.h"

static char *error;

static void must_keep(int64_t id, const char *key, const char *value) {
  osp_ws_set_value(id, key, value, &error);
  expect_success(error);
}

static void assert_value(int64_t id, const char *key, const char *value) {
  char *found = osp_ws_value(id, key, &error);
  expect_success(error);
  assert_string_equal(found, value);
  osp_release(found);
}

static void expect_none(int64_t id, const char *key, const char *kind) {
  char sentence[128];
  snprintf(sentence, sizeof sentence, "value: %s %" PRId64 " has no value \"%s\"", kind, id, key);
  assert_null(osp_ws_value(id, key, &error));
  expect_error(error, sentence);
}

static int64_t open_client(int port) {
  char url[64];
  snprintf(url, sizeof url, "ws://127.0.0.1:%d/chat", port);
  return must_connect(url);
}

/* WS-SETVALUE-1 WS-VALUE-1 WS-VALUE-2 WS-REMOVEVALUE-1 */
static void test_values_by_key(void **state) {
  int port;
  (void)state;
  int64_t server = must_serve(&port);
  const struct {
    int64_t id;
    const char *kind;
  } owners[] = {{open_client(port), "connection"}, {open_client(port), "connection"}, {server, "server"}};
  for (size_t i = 0; i < sizeof owners / sizeof *owners; i++) {
    char mine[32];
    int64_t id = owners[i].id;
    snprintf(mine, sizeof mine, "number %zu", i);
    expect_none(id, "nick", owners[i].kind);
    must_keep(id, "nick", "");
    assert_value(id, "nick", "");
    must_keep(id, "nick", mine);
    must_keep(id, "nickname", "\xff, any bytes");
  }
  for (size_t i = 0; i < sizeof owners / sizeof *owners; i++) {
    char mine[32];
    snprintf(mine, sizeof mine, "number %zu", i);
    assert_value(owners[i].id, "nick", mine);
    assert_value(owners[i].id, "nickname", "\xff, any bytes");
    osp_ws_remove_value(owners[i].id, "nick", &error);
    expect_success(error);
    expect_none(owners[i].id, "nick", owners[i].kind);
    osp_ws_remove_value(owners[i].id, "nick", &error);
    expect_error_with(error, "remove value: ");
  }
  must_stop(server);
}

/* WS-SETVALUE-3 WS-VALUE-2 */
static void test_misuse(void **state) {
  char key[257];
  char sentence[128];
  int port;
  (void)state;
  int64_t server = must_serve(&port);
  memset(key, 'k', sizeof key - 1);
  key[256] = '\0';
  osp_ws_set_value(server, key, "x", &error);
  expect_error(error, "set value: the key has 256 bytes; it has 1 to 255");
  must_keep(server, key + 1, "x");
  osp_ws_set_value(server, "", "x", &error);
  expect_error(error, "set value: the key has 0 bytes; it has 1 to 255");
  osp_ws_remove_value(server, "", &error);
  expect_error(error, "remove value: the key has 0 bytes; it has 1 to 255");
  int64_t timer = osp_ws_after(60000, on_open, &error);
  expect_success(error);
  snprintf(sentence, sizeof sentence, "value: %" PRId64 " is the ID of a timer, not of a connection or a server",
           timer);
  assert_null(osp_ws_value(timer, "x", &error));
  expect_error(error, sentence);
  osp_ws_set_value(999999, "x", "y", &error);
  expect_error(error, "set value: there is no connection 999999");
  must_stop(server);
  osp_ws_set_value(server, "x", "y", &error);
  expect_error_with(error, "is stopped");
  osp_ws_cancel(timer, &error);
  expect_success(error);
}

static void *read_at_close(void *cell, const struct osprey_connection *connection, int64_t code, const char *reason) {
  char *mine;
  (void)cell;
  (void)code;
  (void)reason;
  osp_ws_set_value(connection->id, "last", "words", &mine);
  assert_null(mine);
  char *nick = osp_ws_value(connection->id, "nick", &mine);
  journal_write("nick:%s", nick ? nick : mine);
  osp_release(nick ? nick : mine);
  return result_success();
}

static void *keep_at_open(void *cell, const struct osprey_connection *connection) {
  char *mine;
  (void)cell;
  osp_ws_set_value(connection->id, "nick", "Ada", &mine);
  assert_null(mine);
  latest_id = connection->id;
  return result_success();
}

/* WS-SETVALUE-2 */
static void test_values_live_until_the_close_handler_has_returned(void **state) {
  static void *on_keep[] = {(void *)keep_at_open};
  static void *on_read[] = {(void *)read_at_close};
  (void)state;
  int port = peer_free_port();
  int64_t server = must_create(port, "/chat");
  must_set(osp_ws_server_on_open, server, on_keep);
  must_set(osp_ws_server_on_close, server, on_read);
  must_listen(server);
  struct peer peer = peer_open(port, "/chat");
  int64_t id = latest_id;
  assert_value(id, "nick", "Ada");
  peer_close(&peer);
  journal_expect("nick:Ada");
  must_stop(server);
  assert_null(osp_ws_value(id, "nick", &error));
  expect_error_with(error, "is closed");
  char *copy;
  assert_int_equal(ws_values_get(id, "nick", &copy), WS_VALUES_MISSING);
}

/* Keeps 2 MiB with its own connection. */
static void *keep_much(void *cell, const struct osprey_connection *connection, const struct osprey_message *message) {
  char *mine;
  (void)cell;
  (void)message;
  char *much = malloc(2 << 20);
  memset(much, 'm', (2 << 20) - 1);
  much[(2 << 20) - 1] = '\0';
  osp_ws_set_value(connection->id, "much", much, &mine);
  assert_null(mine);
  free(much);
  return result_success();
}

/* WS-LIMIT-18 */
static void test_values_count_for_the_memory(void **state) {
  static void *on_keep_much[] = {(void *)keep_much};
  (void)state;
  int port = peer_free_port();
  int64_t server = must_create(port, "/chat");
  must_limit(server, "maxMemoryBytes", 1 << 20);
  must_limit(server, "maxValueBytes", 4 << 20);
  must_set(osp_ws_server_on_message, server, on_keep_much);
  must_listen(server);
  struct peer modest = peer_open(port, "/chat");
  struct peer peer = peer_open(port, "/chat");
  peer_send_message(&peer, "keep");
  peer_expect_close(&peer, 1013);
  peer_close(&peer);
  assert_true(peer_is_silent(&modest, 50));
  peer_close(&modest);
  must_stop(server);
}

/* From another thread than the connection's: WS-SETVALUE-1 */
static void test_values_of_a_servers_connection(void **state) {
  int port;
  (void)state;
  int64_t server = must_handle(&port, osp_ws_server_on_open, on_learn_id, NULL);
  struct peer peer = peer_open(port, "/");
  must_keep(latest_id, "nick", "Ada");
  assert_value(latest_id, "nick", "Ada");
  peer_close(&peer);
  must_stop(server);
}

/* Nothing is kept for an ID that was retired between a look-up and the set: WS-SETVALUE-2 */
static void test_a_retired_id_keeps_nothing(void **state) {
  struct ws_values_change change;
  char *copy;
  (void)state;
  assert_int_equal(ws_values_set(999999, "x", "y", 1000, &change), WS_VALUES_GONE);
  assert_int_equal(ws_values_get(999999, "x", &copy), WS_VALUES_MISSING);
}

/* WS-SETVALUE-4 */
static void test_values_have_a_cap(void **state) {
  char value[1000];
  int kept = 0;
  (void)state;
  int port = peer_free_port();
  int64_t server = must_create(port, "/chat");
  must_limit(server, "maxServerValueBytes", 20000);
  must_listen(server);
  int64_t client = open_client(port);
  memset(value, 'v', sizeof value - 1);
  value[sizeof value - 1] = '\0';
  for (int64_t id = client; id; id = id == client ? server : 0) {
    char key[16];
    int before = kept;
    do {
      snprintf(key, sizeof key, "%d", kept++);
      osp_ws_set_value(id, key, value, &error);
    } while (!error);
    expect_error_with(error, id == server ? "(maxServerValueBytes is 20000)" : "(maxValueBytes is 65536)");
    expect_none(id, key, id == server ? "server" : "connection");
    assert_in_range(kept - before, id == server ? 16 : 55, id == server ? 20 : 66);
    snprintf(key, sizeof key, "%d", before);
    osp_ws_remove_value(id, key, &error); /* makes room */
    expect_success(error);
    must_keep(id, key, value);
  }
  must_stop(server);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_values_by_key, journal_setup),
      cmocka_unit_test_setup(test_misuse, journal_setup),
      cmocka_unit_test_setup(test_values_live_until_the_close_handler_has_returned, journal_setup),
      cmocka_unit_test_setup(test_values_have_a_cap, journal_setup),
      cmocka_unit_test_setup(test_values_count_for_the_memory, journal_setup),
      cmocka_unit_test_setup(test_values_of_a_servers_connection, journal_setup),
      cmocka_unit_test(test_a_retired_id_keeps_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
