/* The log of a program. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "osprey/hooks.h"
#include "support/osprey.h"
#include "support/peer.h"
#include "support/program.h"
#include "support/test.h"

static char *error;

static void *angry_message(void *cell, const struct osprey_connection *connection,
                           const struct osprey_message *message) {
  (void)cell;
  (void)connection;
  (void)message;
  return result_error("angry\nhandler\x1b[31m");
}

static void *on_angry[] = {(void *)angry_message};

static int serve_angry(int port) {
  int64_t server = must_create(port, "/chat");
  must_set(osp_ws_server_on_message, server, on_angry);
  must_listen(server);
  program_say("ready\n");
  osp_ws_keep_alive(&error);
  return 0;
}

/* Serves a page, and asks for it. */
static int ask_for_a_page(int port) {
  char answer[1024];
  int64_t server = must_create(port, "/chat");
  osp_ws_server_page(server, "/page", "text/plain", "page", &error);
  expect_success(error);
  must_listen(server);
  struct peer peer = peer_connect(port);
  peer_send_text(&peer, "GET /page?token=SECRET HTTP/1.1\r\nHost: localhost\r\n\r\n");
  peer_read_all(&peer, answer, sizeof answer);
  peer_close(&peer);
  return 0;
}

/* WS-LOG-2 WS-LOG-3 */
static void test_pages_are_logged(void **state) {
  char log[4096];
  (void)state;
  setenv("OSPREY_WS_LOG", "info", 1);
  struct program program = program_run(ask_for_a_page, peer_free_port());
  unsetenv("OSPREY_WS_LOG");
  assert_int_equal(program_finish(&program, log, sizeof log), 0);
  assert_non_null(strstr(log, " gives 127.0.0.1:"));
  assert_non_null(strstr(log, " the page /page\n"));
  assert_null(strstr(log, "SECRET"));
}

/* Sends requests that are refused for each of their parts, with a secret in every place that can hold one. */
static void be_refused(int port) {
  static const struct {
    const char *target, *host, *headers;
    int status;
  } requests[] = {
      {"/chat?token=SECRET", "localhost", "Sec-WebSocket-Key: SECRET\r\nSec-WebSocket-Version: 13\r\n", 400},
      {"/chat?token=SECRET", "localhost",
       "Sec-WebSocket-Key: U0VDUkVUU0VDUkVUU0VDUg==\r\nSec-WebSocket-Version: 12\r\n", 426},
      {"/chat?token=SECRET", "rebound.example", "Sec-WebSocket-Key: U0VDUkVUU0VDUkVUU0VDUg==\r\n", 403},
      {"/chat?token=SECRET", "user:SECRET@localhost", "", 400},
      {"/chat?token=SECRET", "localhost", "Sec-WebSocket-Protocol: SECRET SECRET\r\n", 400},
      {"/chat?token=SECRET", "localhost", "Content-Length: 6\r\n\r\nSECRET", 400},
      {"/chat?token=SECRET#SECRET", "localhost", "", 400},
      {"SECRET", "localhost", "", 400},
      {"/chat?token=SECRET", "localhost", "Broken SECRET\r\n", 400},
  };
  char request[1024];
  char head[2048];
  for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
    struct peer peer = peer_connect(port);
    snprintf(request, sizeof request,
             "GET %s HTTP/1.1\r\nHost: %s\r\n" PEER_UPGRADE_LINES "Cookie: SECRET\r\n"
             "Authorization: SECRET\r\n%s\r\n",
             requests[i].target, requests[i].host, requests[i].headers);
    peer_send_text(&peer, request);
    peer_read_head(&peer, head, sizeof head);
    if (atoi(head + 9) != requests[i].status)
      fail_msg("%s%s", request, head);
    peer_close(&peer);
  }
}

/* Asks as browsers and scanners do, and as a client behind a proxy that removes its Upgrade. */
static void ask_for_pages(int port) {
  static const struct {
    const char *line;
    int status;
  } requests[] = {{"GET /favicon.ico?token=SECRET", 404}, {"POST /chat", 405}, {"GET /chat?token=SECRET", 426}};
  char request[256];
  char head[2048];
  for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
    struct peer peer = peer_connect(port);
    snprintf(request, sizeof request, "%s HTTP/1.1\r\nHost: localhost\r\n\r\n", requests[i].line);
    peer_send_text(&peer, request);
    peer_read_head(&peer, head, sizeof head);
    assert_int_equal(atoi(head + 9), requests[i].status);
    peer_close(&peer);
  }
}

/* Runs a server at this level of OSPREY_WS_LOG through refusals, violations and a failing handler. Stores its log. */
static void converse_and_log(const char *level, char *log, size_t room) {
  char line[64];
  char target[1024];
  int port = peer_free_port();
  if (level)
    setenv("OSPREY_WS_LOG", level, 1);
  else
    unsetenv("OSPREY_WS_LOG");
  struct program program = program_run(serve_angry, port);
  program_read_line(&program, line, sizeof line);
  assert_int_equal(peer_status(port, "/chat?token=SECRET", "Origin: http://evil\r\nCookie: SECRET\r\n"), 403);
  assert_int_equal(peer_status(port, "/chat", "Origin: http://odd?SECRET\r\n"), 403);
  assert_int_equal(peer_status(port, "/chat", "Origin: null\r\n"), 403);
  assert_int_equal(peer_status(port, "http://rebound.example/chat?token=SECRET", ""), 403);
  snprintf(target, sizeof target, "http://127.0.0.1:%d/nowhere?token=SECRET", port);
  assert_int_equal(peer_status(port, target, ""), 404);
  snprintf(target, sizeof target, "/%0200d?token=SECRET", 0);
  assert_int_equal(peer_status(port, target, ""), 404);
  be_refused(port);
  ask_for_pages(port);
  struct peer peer = peer_connect(port);
  peer_shake(&peer, port, "/chat?token=SECRET", "Authorization: SECRET\r\nX-Api-Token: SECRET\r\n");
  peer_send_message(&peer, "SECRET payload");
  peer_expect_close(&peer, 1011);
  peer_close(&peer);
  peer = peer_open(port, "/chat");
  peer_send_frame(&peer, 0x83, "SECRET", 6);
  peer_expect_close(&peer, 1002);
  peer_close(&peer);
  peer = peer_open(port, "/chat");
  peer_send(&peer, "\x82\xFF\0\0\0\0\0\x20\0\0", 10);
  peer_expect_close(&peer, 1009);
  peer_close(&peer);
  peer = peer_open(port, "/chat");
  peer_send_frame(&peer, 0x88, "\x03\xE8SECRET", 8);
  assert_true(peer_read_frame(&peer));
  peer_close(&peer);
  peer = peer_connect(port);
  peer_send(&peer, "\x16\x03\x01\x00\x05SECRET", 11);
  peer_read_head(&peer, target, sizeof target);
  peer_close(&peer);
  program_signal(&program, SIGTERM);
  assert_int_equal(program_finish(&program, log, room), 0);
  assert_null(strstr(log, "SECRET"));
  assert_null(strstr(log, "dGhlIHNhbXBsZSBub25jZQ"));
  assert_null(strstr(log, "U0VDUkVU"));
  assert_null(strstr(log, "connection 0 ")); /* bytes behind a refused request were not read as frames */
}

static int connect_twice(int port) {
  struct osprey_options options = {
      .headers = "Authorization: SECRET\nCookie: SECRET", .protocols = "", .timeout_ms = 5000};
  char url[128];
  snprintf(url, sizeof url, "ws://127.0.0.1:%d/chat?token=SECRET", port);
  int64_t id = osp_ws_connect_with(url, &options, on_angry, &error);
  expect_success(error);
  WAIT_UNTIL((osp_ws_queued_bytes(id, &error), error));
  osp_release(error);
  osp_ws_connect_with(url, &options, on_angry, &error);
  program_say(strstr(error, "SECRET") ? "leaked\n" : "refused\n");
  osp_release(error);
  return 0;
}

/* The log of a client holds no secret: WS-LOG-2 WS-LOG-3 */
static void test_the_log_of_a_client(void **state) {
  char log[16384];
  char head[4096];
  char line[64];
  int port;
  (void)state;
  int listener = peer_listen(&port);
  setenv("OSPREY_WS_LOG", "debug", 1);
  struct program program = program_run(connect_twice, port);
  struct peer peer = peer_accept(listener);
  peer_answer(&peer, head, sizeof head, "Set-Cookie: SECRET\r\n");
  const char *key = strstr(head, "Sec-WebSocket-Key: ");
  assert_non_null(key);
  peer_send_plain(&peer, 0x81, "SECRET payload", 14);
  peer_expect_close(&peer, 1011);
  peer_close(&peer);
  peer = peer_accept(listener);
  char second[4096];
  peer_read_head(&peer, second, sizeof second);
  peer_send_text(&peer, "HTTP/1.1 403 Forbidden\r\nSet-Cookie: SECRET\r\n\r\n");
  shutdown(peer.fd, SHUT_WR);
  program_expect_line(&program, "refused");
  peer_close(&peer);
  assert_int_equal(program_finish(&program, log, sizeof log), 0);
  unsetenv("OSPREY_WS_LOG");
  close(listener);
  snprintf(line, sizeof line, " to ws://127.0.0.1:%d/chat?… is open\n", port);
  assert_non_null(strstr(log, line));
  assert_non_null(strstr(log, " has ended with 1011\n"));
  assert_null(strstr(log, "SECRET"));
  snprintf(line, sizeof line, "%.22s", key + 19);
  assert_null(strstr(log, line));
}

/* Every level is also searched for secrets: WS-LOG-2 WS-LOG-3 */
static void assert_log(const char *level, const char *const *present, const char *absent) {
  char log[16384];
  converse_and_log(level, log, sizeof log);
  unsetenv("OSPREY_WS_LOG");
  for (; *present; present++) {
    if (!strstr(log, *present))
      fail_msg("the log at level %s lacks \"%s\": %s", level ? level : "(none)", *present, log);
  }
  if (absent)
    assert_null(strstr(log, absent));
  else
    assert_string_equal(log, "");
}

/* WS-LOG-1 */
static void test_levels_that_log_nothing(void **state) {
  static const char *const nothing[] = {NULL};
  (void)state;
  assert_log("off", nothing, NULL);
  assert_log("error", nothing, NULL);
}

/* WS-ORIGIN-9 */
static const char *const warnings[] = {
    "Z websocket warn: server 2 refuses 127.0.0.1:",
    " with 403: the origin is not allowed: http://evil (websocketServerAllowOrigin admits it)\n",
    " with 403: the origin is not allowed: null (websocketServerAllowOrigin admits it with \"*\")\n",
    " with 403: the Host header does not name this machine: rebound.example (websocketServerAllowHost admits it)\n",
    /* No advice for an origin that cannot be allowed. */
    " with 403: the origin is not allowed: it is not of the form scheme://host:port\n",
    " with 404: nothing is served at this path: /nowhere\n",
    "the message handler failed: angry\\x0ahandler\\x1b[31m\n", /* WS-LOG-4 */
    ") was closed with 1002: a reserved opcode\n",
    ") was closed with 1009: a message is too big (maxMessageBytes is 1048576)\n",
    ": this is TLS, and the server is one of ws://\n",
    " with 426: the Upgrade header does not ask for websocket\n", /* WS-LOG-8 */
    NULL,
};

/* WS-LOG-1 */
static void test_the_level_warn_is_the_default(void **state) {
  static const char *const levels[] = {NULL, "warn", ""};
  (void)state;
  for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
    assert_log(levels[i], warnings, " info: ");
    assert_log(levels[i], warnings, "nonsense");
    assert_log(levels[i], warnings, "favicon"); /* WS-LOG-8 */
    assert_log(levels[i], warnings, " with 405: ");
  }
}

/* WS-LOG-1 */
static void test_an_unknown_level_is_logged(void **state) {
  static const char *const lines[] = {"nonsense", NULL};
  (void)state;
  assert_log("nonsense", warnings, " info: ");
  assert_log("nonsense", lines, " info: ");
}

static void test_the_level_info(void **state) {
  static const char *const lines[] = {
      " info: server 2 listens on ws://127.0.0.1:", " is open: 127.0.0.1:", " has ended with 1011\n",
      " info: server 2 has stopped\n",
      /* WS-LOG-8 */
      " with 404: nothing is served at this path: /favicon.ico\n", " with 405: the method is not GET\n", NULL};
  (void)state;
  assert_log("info", lines, " debug: ");
}

static void test_the_level_debug(void **state) {
  static const char *const lines[] = {": sends a close frame with 1002\n", ": the peer closes with 1000\n", NULL};
  (void)state;
  assert_log("debug", lines, "nonsense");
}

static int serve_until_stopped(int port) {
  must_serve_on(port);
  program_say("ready\n");
  osp_ws_keep_alive(&error);
  expect_success(error);
  return 0;
}

/* The server writes lines that nobody reads, and serves. */
static void expect_service(int port) {
  char path[501];
  memset(path, 'a', sizeof path - 1);
  path[0] = '/';
  path[500] = '\0';
  for (int i = 0; i < 60; i++)
    assert_int_equal(peer_status(port, path, ""), 404);
  struct peer peer = peer_open(port, "/chat");
  peer_send_message(&peer, "still here");
  peer_expect_text(&peer, "still here");
  peer_close(&peer);
}

/* WS-LOG-5 */
static void test_a_log_that_nobody_reads(void **state) {
  char log[16384];
  (void)state;
  for (int closed = 0; closed < 2; closed++) {
    int port;
    struct program program = program_serve(serve_until_stopped, &port);
    if (closed)
      program.err = dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), program.err);
    else
      assert_true(fcntl(program.err, F_SETPIPE_SZ, 8192) >= 8192);
    expect_service(port);
    if (!closed) {
      assert_true(read(program.err, log, sizeof log) > 0);
      assert_int_equal(peer_status(port, "/nowhere", ""), 404);
    }
    program_signal(&program, SIGTERM);
    assert_int_equal(program_finish(&program, log, sizeof log), 0);
    if (!closed) {
      assert_non_null(strstr(log, " lines were dropped because the log was not read\n"));
      assert_non_null(strstr(log, " with 404: nothing is served at this path: /nowhere\n"));
    }
  }
}

/* Standard error of a terminal that shows nothing, as of a connection that hangs. */
static int serve_on_a_terminal(int port) {
  int terminal = posix_openpt(O_RDWR | O_NOCTTY);
  assert_int_equal(grantpt(terminal), 0);
  assert_int_equal(unlockpt(terminal), 0);
  assert_int_equal(dup2(open(ptsname(terminal), O_RDWR | O_NOCTTY), STDERR_FILENO), STDERR_FILENO);
  return serve_until_stopped(port);
}

static int serve_on_a_socket(int port) {
  int ends[2];
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &(int){4096}, sizeof(int));
  assert_int_equal(dup2(ends[0], STDERR_FILENO), STDERR_FILENO);
  return serve_until_stopped(port);
}

/* A line that there is only a part of the room for is dropped too: WS-LOG-5 */
static void test_other_logs_that_nobody_reads(void **state) {
  static int (*const serve[])(int port) = {serve_on_a_terminal, serve_on_a_socket};
  char log[1024];
  (void)state;
  for (size_t i = 0; i < sizeof serve / sizeof *serve; i++) {
    int port;
    struct program program = program_serve(serve[i], &port);
    expect_service(port);
    program_signal(&program, SIGTERM);
    assert_int_equal(program_finish(&program, log, sizeof log), 0);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_levels_that_log_nothing),
      cmocka_unit_test(test_the_level_warn_is_the_default),
      cmocka_unit_test(test_an_unknown_level_is_logged),
      cmocka_unit_test(test_the_level_info),
      cmocka_unit_test(test_pages_are_logged),
      cmocka_unit_test(test_the_level_debug),
      cmocka_unit_test(test_the_log_of_a_client),
      cmocka_unit_test(test_a_log_that_nobody_reads),
      cmocka_unit_test(test_other_logs_that_nobody_reads),
  };
  return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
