/* Regression tests for classes of vulnerability that other WebSocket implementations had. Each is named after its
 * class. The classes of the protocol are in ../protocol/test_vulnerabilities.c. Other tests cover these classes:
 *
 *   slow handshake              ../server/test_limits.c, test_a_slow_handshake; test_tls.c,
 *                               test_a_slow_handshake_over_tls; many at once: tests/load/load.py, load_slow
 *   unverified peer             test_tls.c, test_certificates_that_are_refused; ../io/test_tls.c
 *   predictable or reused mask  test_random.c; over runs of a program: tests/conformance/wire.py, note_mask
 *   uninitialised memory sent   tests/conformance/wire.py, which accounts for every byte that arrives
 */
#include <sys/socket.h>
#include <unistd.h>

#include "osprey/hooks.h"
#include "support/osprey.h"
#include "support/peer.h"
#include "support/test.h"

static char *error;

/* When and how a handler ends its own connection or its server. */
enum when { IN_OPEN, IN_MESSAGE, IN_CLOSE, WHENS };
enum what { CLOSE_IT, STOP_IT, CLOSE_AND_STOP_IT, STOP_AND_FAIL, WHATS };

static struct {
  enum when when;
  enum what what;
  int64_t server;
} plan;

static void *act(enum when when, int64_t id) {
  char *problem;
  if (when != plan.when)
    return result_success();
  if (plan.what == CLOSE_IT || plan.what == CLOSE_AND_STOP_IT) {
    osp_ws_close(id, &problem);
    if (problem)
      osp_release(problem);
  }
  if (plan.what != CLOSE_IT) {
    osp_ws_stop_server(plan.server, &problem);
    if (problem)
      osp_release(problem);
  }
  return plan.what == STOP_AND_FAIL ? result_error("enough") : result_success();
}

static void *act_on_open(void *cell, const struct osprey_connection *connection) {
  (void)cell;
  journal_write("open");
  return act(IN_OPEN, connection->id);
}

static void *act_on_message(void *cell, const struct osprey_connection *connection,
                            const struct osprey_message *message) {
  (void)cell;
  (void)message;
  return act(IN_MESSAGE, connection->id);
}

static void *act_on_close(void *cell, const struct osprey_connection *connection, int64_t code, const char *reason) {
  (void)cell;
  (void)code;
  (void)reason;
  void *result = act(IN_CLOSE, connection->id);
  journal_write("close"); /* the test may change the plan from here on */
  return result;
}

static void *on_act_open[] = {(void *)act_on_open};
static void *on_act_message[] = {(void *)act_on_message};
static void *on_act_close[] = {(void *)act_on_close};

/* Use after free when a callback ends its connection (libwebsockets CVE-2025-11677, QEMU CVE-2025-11234). Messages, a
 * fragment and a close frame follow in the same segment, and a second connection ends too: WS-SEC-13 WS-ONCLOSE-1 */
static void test_use_after_free(void **state) {
  static const char frames[] =
      "\x81\x83\0\0\0\0one\x81\x83\0\0\0\0two\x01\x82\0\0\0\0fr\x89\x80\0\0\0\0\x88\x82\0\0\0\0\x03\xe8";
  char bytes[1024];
  char answer[4096];
  (void)state;
  for (int n = 0; n < (int)WHENS * (int)WHATS; n++) {
    int port = peer_free_port();
    plan.when = (enum when)(n / WHATS);
    plan.what = (enum what)(n % WHATS);
    plan.server = must_create(port, "/");
    must_set(osp_ws_server_on_open, plan.server, on_act_open);
    must_set(osp_ws_server_on_message, plan.server, on_act_message);
    must_set(osp_ws_server_on_close, plan.server, on_act_close);
    must_listen(plan.server);
    struct peer other = peer_connect(port);
    if (plan.when != IN_OPEN) {
      peer_shake(&other, port, "/", "");
      journal_expect("open");
    }
    struct peer peer = peer_connect(port);
    size_t size = (size_t)sprintf(bytes, "%s\r\n", PEER_REQUEST("/"));
    memcpy(bytes + size, frames, sizeof frames - 1);
    peer_send(&peer, bytes, size + sizeof frames - 1);
    journal_expect("open");
    bool refused = plan.when == IN_OPEN && plan.what == STOP_AND_FAIL;
    peer_read_all(&peer, answer, sizeof answer);
    assert_int_equal(atoi(answer + 9), refused ? 403 : 101);
    peer_close(&peer);
    peer_close(&other);
    if (!refused)
      journal_expect("close");
    if (plan.when != IN_OPEN)
      journal_expect("close");
    if (plan.what == CLOSE_IT)
      must_stop(plan.server);
    WAIT_UNTIL((osp_ws_server_connections(plan.server, &error), error));
    osp_release(error);
    assert_int_equal(journal_left(), 0);
  }
}

/* CR and LF in arguments of builtins (hackney CVE-2026-47072, undici CVE-2026-1527): WS-SEC-8 WS-TEXT-5 */
static void test_injection_of_header_lines(void **state) {
  static const char *const bad[] = {"a\r\nX: y", "a\nX: y", "a\rX: y", "a\r\n\r\nGET / HTTP/1.1", "a\xC0\x80", "a\x7f"};
  char text[256];
  int port;
  (void)state;
  int listener = peer_listen(&port);
  int64_t server = must_create(peer_free_port(), "/");
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    struct osprey_options options = {.headers = "", .protocols = bad[i], .timeout_ms = 2000};
    snprintf(text, sizeof text, "ws://127.0.0.1:%d/%s", port, bad[i]);
    assert_int_equal(osp_ws_connect(text, on_text, &error), 0);
    expect_error_with(error, "connect ");
    snprintf(text, sizeof text, "ws://127.0.0.1:%d/", port);
    assert_int_equal(osp_ws_connect_with(text, &options, on_message, &error), 0);
    expect_error_with(error, "connect ");
    snprintf(text, sizeof text, "/%s", bad[i]);
    assert_int_equal(osp_ws_create_server(8080, "127.0.0.1", text, &error), 0);
    expect_error_with(error, "create server");
    osp_ws_server_protocols(server, bad[i], &error);
    expect_error_with(error, "rotocol");
    snprintf(text, sizeof text, "http://%s", bad[i]);
    osp_ws_server_allow_origin(server, text, &error);
    expect_error_with(error, "origin");
    if (strchr(bad[i], '\n') == NULL) { /* an LF begins the next header, which is checked by itself */
      snprintf(text, sizeof text, "X: %s", bad[i]);
      options = (struct osprey_options){.headers = text, .protocols = "", .timeout_ms = 2000};
      char url[64];
      snprintf(url, sizeof url, "ws://127.0.0.1:%d/", port);
      assert_int_equal(osp_ws_connect_with(url, &options, on_message, &error), 0);
      expect_error_with(error, "header \"X\"");
    }
  }
  struct pollfd watched = {.fd = listener, .events = POLLIN};
  assert_int_equal(poll(&watched, 1, 0), 0); /* no call has connected */
  close(listener);
  must_stop(server);
}

/* What follows a refused request is not read as another (aiohttp CVE-2026-69243, Netty GHSA-4mp9-239f-g9hg):
 * HTTP-2 */
static void test_request_smuggling(void **state) {
  char answer[4096];
  int port;
  (void)state;
  int64_t server = must_serve(&port);
  static const char *const refused[] = {
      PEER_REQUEST("/") "Content-Length: 10\r\n\r\n", PEER_REQUEST("/") "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n", "POST /chat HTTP/1.1\r\nHost: localhost\r\n\r\n"};
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
    struct peer peer = peer_connect(port);
    peer_send_text(&peer, refused[i]);
    peer_send_text(&peer, PEER_REQUEST("/chat") "\r\n");
    peer_read_all(&peer, answer, sizeof answer);
    assert_int_equal(strncmp(answer, "HTTP/1.1 4", 10), 0);
    assert_null(strstr(answer + 10, "HTTP/1.1 "));
    peer_close(&peer);
  }
  assert_int_equal(journal_left(), 0); /* no client was admitted */
  must_stop(server);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_use_after_free, journal_setup),
      cmocka_unit_test_setup(test_injection_of_header_lines, journal_setup),
      cmocka_unit_test_setup(test_request_smuggling, journal_setup),
  };
  return cmocka_run_group_tests_name("vulnerabilities", tests, NULL, NULL);
}
