/* What connections have only while they are in use. OSPREY_MEM_REPORT is set, so that osp_mem_live() counts. */
#include <poll.h>

#include "conn/handle.h"
#include "osprey/osprey_mem.h"
#include "server/server.h"
#include "support/osprey.h"
#include "support/peer.h"
#include "support/test.h"
#include "support/tls_fixture.h"

/* The least that a connection over TLS is charged with while it keeps its buffers, and the most while it sleeps. */
enum { PEERS = 50, PATIENCE_MS = 20000, KEEPS = 56 * 1024, SLEEPS = 28 * 1024 };

static char *error;

static int64_t no_more_than(int64_t most, int64_t (*count)(void)) {
  int64_t now = count();
  for (int ms = 0; now > most && ms < PATIENCE_MS; ms += 20) {
    poll(NULL, 0, 20);
    now = count();
  }
  return now;
}

static void echo_each(struct peer *peers) {
  for (int i = 0; i < PEERS; i++) {
    peer_send_message(&peers[i], "hello");
    peer_expect_frame(&peers[i], 0x81);
  }
}

/* WS-LIMIT-21: the records of handlers. */
static void test_records_of_silent_connections(void **state) {
  struct peer peers[PEERS];
  int port;
  (void)state;
  int64_t server = must_handle(&port, osp_ws_server_on_message, on_echo, NULL);
  for (int i = 0; i < PEERS; i++)
    peers[i] = peer_open(port, "/");
  int64_t asleep = osp_mem_live();
  for (int round = 0; round < 3; round++) {
    echo_each(peers);
    assert_true(osp_mem_live() >= asleep + PEERS);
    /* A message, and what a thread keeps for the next one. */
    assert_true(no_more_than(asleep + PEERS / 2, osp_mem_live) <= asleep + PEERS / 2);
  }
  /* Some end while they are awake. */
  echo_each(peers);
  for (int i = 0; i < PEERS; i++)
    peer_close(&peers[i]);
  must_stop(server);
}

static struct ws_server *secure;

static int64_t held(void) {
  return atomic_load(&secure->budget.held);
}

/* WS-LIMIT-18 WS-LIMIT-21: the buffers of TLS count while they are kept. */
static void test_buffers_of_silent_connections(void **state) {
  struct tls_identity identity;
  char url[64];
  (void)state;
  tls_fixture_issue(&identity, &(struct tls_request){.name = "local", .alternatives = "DNS:localhost", .to_days = 10});
  setenv("SSL_CERT_FILE", identity.certificate_file, 1);
  int port = peer_free_port();
  int64_t server =
      osp_ws_create_secure_server(port, "127.0.0.1", "/", identity.certificate_file, identity.key_file, &error);
  expect_success(error);
  must_set(osp_ws_server_on_message, server, on_echo);
  must_listen(server);
  enum ws_handle_state alive;
  secure = ws_handle_pin(WS_HANDLE_SERVER, server, &alive);
  snprintf(url, sizeof url, "wss://localhost:%d/", port);
  int64_t id = must_connect(url);
  for (int round = 0; round < 3; round++) {
    must_send(id, "hello");
    journal_expect("text:hello");
    for (int ms = 0; held() < KEEPS && ms < PATIENCE_MS; ms++)
      poll(NULL, 0, 1);
    assert_true(held() >= KEEPS);
    assert_true(no_more_than(SLEEPS, held) <= SLEEPS);
  }
  must_close(id);
  ws_handle_unpin(server);
  must_stop(server);
  tls_fixture_free(&identity);
  tls_fixture_remove();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_records_of_silent_connections, journal_setup),
      cmocka_unit_test_setup(test_buffers_of_silent_connections, journal_setup),
  };
  return cmocka_run_group_tests_name("awake", tests, NULL, NULL);
}
