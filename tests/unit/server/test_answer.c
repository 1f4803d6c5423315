/* The answer to a handshake, as the open handler sets it. */
#include <inttypes.h>
#include <signal.h>

#include "osprey/hooks.h"
#include "support/osprey.h"
#include "support/peer.h"
#include "support/program.h"
#include "support/test.h"

static char *error;

static void refuse(int64_t id, int64_t status, const char *reason) {
  char *problem;
  osp_ws_refuse(id, status, reason, &problem);
  if (problem)
    journal_write("%s", problem);
  osp_release(problem);
}

static void add(int64_t id, const char *name, const char *value) {
  char *problem;
  osp_ws_answer_header(id, name, value, &problem);
  if (problem)
    journal_write("%s", problem);
  osp_release(problem);
}

static void send_text(int64_t id, const char *text) {
  char *problem;
  osp_ws_send(id, text, &problem);
  osp_release(problem);
}

/* What the open handler does is the path of the target. */
static void *open_as_asked(void *cell, const struct osprey_connection *connection) {
  const char *what = strrchr(connection->url, '?') + 1;
  int64_t id = connection->id;
  char *problem;
  (void)cell;
  latest_id = id;
  if (strcmp(what, "refuse") == 0) {
    refuse(id, 401, "who are you, \xC3\xB6sprey?");
    add(id, "WWW-Authenticate", "Bearer");
    add(id, "Set-Cookie", "a=1; Path=/");
    add(id, "set-cookie", "b=2");
  } else if (strcmp(what, "twice") == 0) {
    refuse(id, 401, "first");
    refuse(id, 503, "");
    send_text(id, "not sent");
    return result_error("and an Err");
  } else if (strcmp(what, "err") == 0) {
    add(id, "Retry-After", "120");
    return result_error("no");
  } else if (strcmp(what, "closes") == 0) {
    osp_ws_close(id, &problem);
    expect_success(problem);
    refuse(id, 410, "gone");
  } else if (strcmp(what, "admit") == 0) {
    send_text(id, "first");
    add(id, "Set-Cookie", "session=\xC3\xB6; Secure");
    send_text(id, "second");
    add(id, "X-Empty", "");
    send_text(id, "third");
  } else if (strcmp(what, "close") == 0) {
    add(id, "X-One", "1");
    osp_ws_close(id, &problem);
    expect_success(problem);
  } else if (strncmp(what, "status=", 7) == 0) {
    refuse(id, atoi(what + 7), "x");
  }
  return result_success();
}

static void *on_open_as_asked[] = {(void *)open_as_asked};

static int64_t serve_as_asked(int *port) {
  return must_handle(port, osp_ws_server_on_open, on_open_as_asked, NULL);
}

/* Sends a handshake, and reads the answer up to the end of the stream. */
static void answer_to(int port, const char *target, char *answer, size_t room) {
  struct peer peer = peer_connect(port);
  peer_request(&peer, port, target, "");
  peer_read_all(&peer, answer, room);
  peer_close(&peer);
}

/* Removes the Date. */
static void assert_answer(char *answer, const char *expected) {
  char *date = strstr(answer, "Date: ");
  if (date)
    memmove(date, strchr(date, '\n') + 1, strlen(strchr(date, '\n') + 1) + 1);
  assert_string_equal(answer, expected);
}

#define PLAIN "Content-Type: text/plain; charset=utf-8\r\nContent-Length: "

/* WS-REFUSE-1 WS-REFUSE-2 WS-ANSWER-1 */
static void test_refusals(void **state) {
  static const struct {
    const char *target;
    const char *answer;
  } rows[] = {
      {"/?refuse", "HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nWWW-Authenticate: Bearer\r\n"
                   "Set-Cookie: a=1; Path=/\r\nset-cookie: b=2\r\n" PLAIN "22\r\n\r\nwho are you, \xC3\xB6sprey?\n"},
      {"/?twice", "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n" PLAIN "1\r\n\r\n\n"},
      {"/?err", "HTTP/1.1 403 Forbidden\r\nConnection: close\r\nRetry-After: 120\r\n" PLAIN
                "39\r\n\r\nthe server does not accept this client\n"},
      {"/?closes", "HTTP/1.1 410 Gone\r\nConnection: close\r\n" PLAIN "5\r\n\r\ngone\n"},
      {"/?status=400", "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n" PLAIN "2\r\n\r\nx\n"},
      {"/?status=405", "HTTP/1.1 405 Method Not Allowed\r\nAllow: GET\r\nConnection: close\r\n" PLAIN "2\r\n\r\nx\n"},
      {"/?status=499", "HTTP/1.1 499 Refused\r\nConnection: close\r\n" PLAIN "2\r\n\r\nx\n"},
      {"/?status=599", "HTTP/1.1 599 Refused\r\nConnection: close\r\n" PLAIN "2\r\n\r\nx\n"},
  };
  char answer[4096];
  int port;
  (void)state;
  int64_t server = serve_as_asked(&port);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    answer_to(port, rows[i].target, answer, sizeof answer);
    assert_answer(answer, rows[i].answer);
    osp_ws_send(latest_id, "x", &error);
    expect_error_with(error, "is closed");
  }
  must_stop(server);
  assert_int_equal(journal_left(), 0);
}

/* WS-ANSWER-1 WS-ONOPEN-5 */
static void test_headers_of_the_101(void **state) {
  char head[1024];
  int port;
  (void)state;
  int64_t server = serve_as_asked(&port);
  struct peer peer = peer_connect(port);
  peer_request(&peer, port, "/?admit", "");
  peer_read_head(&peer, head, sizeof head);
  assert_string_equal(head, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
                            "Set-Cookie: session=\xC3\xB6; Secure\r\nX-Empty: \r\n\r\n");
  peer_expect_text(&peer, "first");
  peer_expect_text(&peer, "second");
  peer_expect_text(&peer, "third");
  peer_close(&peer);
  peer = peer_connect(port);
  peer_request(&peer, port, "/?close", "");
  peer_read_head(&peer, head, sizeof head);
  assert_non_null(strstr(head, "\r\nX-One: 1\r\n\r\n"));
  peer_expect_close(&peer, 1000);
  peer_close(&peer);
  must_stop(server);
}

/* Messages of many pieces, more than one list holds, wait behind the 101. */
static void *open_and_talk(void *cell, const struct osprey_connection *connection) {
  static char text[5001];
  (void)cell;
  memset(text, 't', sizeof text - 1);
  for (int i = 0; i < 100; i++)
    send_text(connection->id, text);
  add(connection->id, "X-Late", "1");
  return result_success();
}

static void *on_open_and_talk[] = {(void *)open_and_talk};

static void test_a_header_behind_many_messages(void **state) {
  char head[1024];
  int port;
  (void)state;
  int64_t server = must_handle(&port, osp_ws_server_on_open, on_open_and_talk, NULL);
  struct peer peer = peer_connect(port);
  peer_request(&peer, port, "/", "");
  peer_read_head(&peer, head, sizeof head);
  assert_non_null(strstr(head, "\r\nX-Late: 1\r\n\r\n"));
  for (int i = 0; i < 100; i++) {
    assert_true(peer_read_frame(&peer));
    assert_int_equal(peer.frame.size, 5000);
  }
  peer_close(&peer);
  must_stop(server);
}

struct header_row {
  const char *name;
  const char *value;
  const char *problem;
};

static const struct header_row bad_headers[] = {
    /* WS-ANSWER-2 */
    {"", "x", "its name is not an HTTP token"},
    {"X Y", "x", "its name is not an HTTP token"},
    {"X:", "x", "its name is not an HTTP token"},
    {"X\r\nY", "x", "its name is not an HTTP token"},
    {"X\xC3\xB6", "x", "its name is not an HTTP token"},
    {"X", "a\r\nSet-Cookie: b", "its value contains a control character"},
    {"X", "a\nb", "its value contains a control character"},
    {"X", "a\rb", "its value contains a control character"},
    {"X", "a\x7F", "its value contains a control character"},
    {"X", "\x01", "its value contains a control character"},
    {"X", "a\xC0\x80", "its value is not UTF-8"},
    {"X", "\xFF", "its value is not UTF-8"},
    /* WS-ANSWER-3 */
    {"upgrade", "h2c", "the handshake itself sets it"},
    {"CONNECTION", "keep-alive", "the handshake itself sets it"},
    {"Keep-Alive", "x", "the handshake itself sets it"},
    {"Proxy-Connection", "x", "the handshake itself sets it"},
    {"Date", "x", "the handshake itself sets it"},
    {"TE", "x", "the handshake itself sets it"},
    {"Trailer", "x", "the handshake itself sets it"},
    {"Transfer-Encoding", "chunked", "the handshake itself sets it"},
    {"Content-Encoding", "br", "the handshake itself sets it"},
    {"content-length", "0", "the handshake itself sets it"},
    {"Content-Type", "text/html", "the handshake itself sets it"},
    {"Sec-WebSocket-Accept", "x", "the handshake itself sets it"},
    {"sec-websocket-protocol", "x", "the handshake itself sets it"},
    {"Sec-WebSocket-Extensions", "permessage-deflate", "the handshake itself sets it"},
    {"Sec-WebSocket-Anything", "x", "the handshake itself sets it"},
};

/* All misuse that a handler can make of its own connection. */
static void *misuse(void *cell, const struct osprey_connection *connection) {
  static char long_text[9000];
  int64_t id = connection->id;
  char *problem;
  (void)cell;
  memset(long_text, 0, sizeof long_text);
  for (size_t i = 0; i < sizeof bad_headers / sizeof *bad_headers; i++) {
    osp_ws_answer_header(id, bad_headers[i].name, bad_headers[i].value, &problem);
    if (!problem || !strstr(problem, bad_headers[i].problem))
      journal_write("%s: %s: %s", bad_headers[i].name, bad_headers[i].value, problem ? problem : "added");
    osp_release(problem);
  }
  refuse(id, 399, "x");
  refuse(id, 600, "x");
  refuse(id, -1, "x");
  refuse(id, 400, "ab\xFF");
  refuse(id, 400, "a\xC0\x80");
  memset(long_text, 'r', 1025);
  refuse(id, 400, long_text);
  /* The bytes are counted to the last: WS-ANSWER-4 */
  if (strstr(connection->url, "?many")) {
    for (int i = 0; i < 33; i++)
      add(id, "Y", "");
  } else {
    memset(long_text, 'v', 8182);
    add(id, "X-Large", long_text);
    long_text[8181] = '\0';
    add(id, "X-Large", long_text);
    add(id, "X", "");
  }
  return result_success();
}

static void *on_misuse[] = {(void *)misuse};

/* WS-REFUSE-3 WS-REFUSE-4 WS-ANSWER-2 WS-ANSWER-3 WS-ANSWER-4 */
static void test_misuse(void **state) {
  static const char *const targets[] = {"/?large", "/?many"};
  char head[16384];
  int port;
  (void)state;
  int64_t server = must_handle(&port, osp_ws_server_on_open, on_misuse, NULL);
  for (int many = 0; many < 2; many++) {
    struct peer peer = peer_connect(port);
    peer_request(&peer, port, targets[many], "");
    peer_read_head(&peer, head, sizeof head);
    assert_int_equal(atoi(head + 9), 101);
    journal_expect("refuse: status 399 is not in 400 to 599");
    journal_expect("refuse: status 600 is not in 400 to 599");
    journal_expect("refuse: status -1 is not in 400 to 599");
    journal_expect("refuse: the reason is not UTF-8: wrong byte at offset 2");
    journal_expect("refuse: the reason is not UTF-8: wrong byte at offset 1");
    journal_expect("refuse: the reason has 1025 bytes, at most 1024 fit");
    for (int i = many; i < 2; i++)
      assert_non_null(strstr(journal_next(), " has at most 32 such headers, of 8192 bytes together"));
    assert_int_equal(journal_left(), 0);
    peer_close(&peer);
  }
  must_stop(server);
}

/* WS-REFUSE-1 WS-ANSWER-1 WS-REFUSE-2 */
static _Atomic int64_t latest_server;

static void *refuse_behind(void *cell, const struct osprey_connection *connection) {
  (void)cell;
  fall_behind(latest_server);
  refuse(connection->id, 401, "x");
  add(connection->id, "X-Behind", "1");
  return result_success();
}

static void *on_refuse_behind[] = {(void *)refuse_behind};

static void test_refusing_behind_broadcasts(void **state) {
  char answer[1024];
  int port;
  (void)state;
  latest_server = must_handle(&port, osp_ws_server_on_open, on_refuse_behind, NULL);
  answer_to(port, "/", answer, sizeof answer);
  assert_answer(answer, "HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nX-Behind: 1\r\n" PLAIN "2\r\n\r\nx\n");
  must_stop(latest_server);
  assert_int_equal(journal_left(), 0);
}

/* WS-REFUSE-5 WS-ANSWER-5 */
static void *refuse_late(void *cell, const struct osprey_connection *connection, const struct osprey_message *message) {
  (void)cell;
  (void)message;
  refuse(connection->id, 400, "x");
  add(connection->id, "X", "x");
  return result_success();
}

static void *on_refuse_late[] = {(void *)refuse_late};

static void expect_not_opening(int64_t id) {
  char line[128];
  snprintf(line, sizeof line, "refuse: the open handler of connection %" PRId64 " does not run: call this in it", id);
  journal_expect(line);
  snprintf(line, sizeof line, "answer header: the open handler of connection %" PRId64 " does not run: call this in it",
           id);
  journal_expect(line);
}

static void test_outside_the_open_handler(void **state) {
  char url[64];
  char line[64];
  int port = peer_free_port();
  (void)state;
  int64_t server = must_create(port, "/");
  must_set(osp_ws_server_on_open, server, on_learn_id);
  must_set(osp_ws_server_on_message, server, on_refuse_late);
  must_listen(server);
  snprintf(url, sizeof url, "ws://127.0.0.1:%d/", port);
  int64_t client = must_connect(url);
  refuse(client, 400, "x");
  add(client, "X", "x");
  expect_not_opening(client);
  refuse(latest_id, 400, "x");
  add(latest_id, "X", "x");
  expect_not_opening(latest_id);
  must_send(client, "now inside");
  expect_not_opening(latest_id);
  refuse(server, 400, "x");
  snprintf(line, sizeof line, "refuse: %" PRId64 " is the ID of a server, not of a connection", server);
  journal_expect(line);
  add(999999, "X", "x");
  journal_expect("answer header: there is no connection 999999");
  must_close(client);
  refuse(client, 400, "x");
  snprintf(line, sizeof line, "refuse: connection %" PRId64 " is closed", client);
  journal_expect(line);
  must_stop(server);
}

/* A client's connection has no open handler of a server: WS-REFUSE-5 */
static void *refuse_in_a_client(void *cell, const struct osprey_connection *connection,
                                const struct osprey_message *message) {
  (void)cell;
  (void)message;
  refuse(connection->id, 400, "x");
  add(connection->id, "X", "x");
  return result_success();
}

static void test_inside_a_handler_of_a_client(void **state) {
  static void *on_refuse_in_a_client[] = {(void *)refuse_in_a_client};
  struct osprey_options options = {.headers = "", .protocols = ""};
  char url[64];
  int port;
  (void)state;
  int64_t server = must_handle(&port, osp_ws_server_on_message, on_echo, NULL);
  snprintf(url, sizeof url, "ws://127.0.0.1:%d/", port);
  int64_t client = must_connect_with(url, &options, on_refuse_in_a_client);
  must_send(client, "back to its handler");
  expect_not_opening(client);
  must_stop(server);
}

/* The handlers of two connections are on the stack, and each sets its own answer. */
static void *open_nested(void *cell, const struct osprey_connection *connection) {
  char url[64];
  char *problem;
  bool outer = strstr(connection->url, "?outer") != NULL;
  (void)cell;
  if (outer) {
    snprintf(url, sizeof url, "ws://127.0.0.1:%d/?inner", handlers_port);
    osp_ws_connect(url, on_text, &problem);
    journal_write("%s", problem ? strstr(problem, "HTTP") : "open");
    osp_release(problem);
  }
  if (strstr(connection->url, "?before")) {
    latest_id = connection->id;
    return result_success();
  }
  if (!outer)
    refuse(latest_id, 400, "not the one that opens");
  add(connection->id, "X-Which", outer ? "outer" : "inner");
  refuse(connection->id, outer ? 402 : 404, outer ? "outer" : "inner");
  return result_success();
}

static void *on_open_nested[] = {(void *)open_nested};

/* WS-REFUSE-5 WS-ANSWER-5 */
static void test_nested_open_handlers(void **state) {
  char answer[1024], line[128];
  int port = peer_free_port();
  (void)state;
  int64_t server = must_create(port, "/");
  must_set(osp_ws_server_on_open, server, on_open_nested);
  handlers_port = port;
  must_listen(server);
  struct peer peer = peer_open(port, "/?before");
  answer_to(port, "/?outer", answer, sizeof answer);
  snprintf(line, sizeof line, "refuse: the open handler of connection %" PRId64 " does not run: call this in it",
           (int64_t)latest_id);
  journal_expect(line);
  journal_expect("HTTP 404 Not Found: inner");
  assert_answer(answer,
                "HTTP/1.1 402 Payment Required\r\nConnection: close\r\nX-Which: outer\r\n" PLAIN "6\r\n\r\nouter\n");
  peer_close(&peer);
  must_stop(server);
}

static int serve_until_stopped(int port) {
  int64_t server = must_create(port, "/");
  must_set(osp_ws_server_on_open, server, on_open_as_asked);
  must_listen(server);
  program_say("ready\n");
  osp_ws_keep_alive(&error);
  expect_success(error);
  return 0;
}

static void expect_line_end(const char *log, const char *end) {
  if (!strstr(log, end))
    fail_msg("no line of the log ends in \"%s\": %s", end, log);
}

/* WS-REFUSE-6 */
static void test_the_log_of_refusals(void **state) {
  char line[64];
  char log[4096];
  int port = peer_free_port();
  (void)state;
  setenv("OSPREY_WS_LOG", "warn", 1);
  struct program program = program_run(serve_until_stopped, port);
  program_read_line(&program, line, sizeof line);
  assert_int_equal(peer_status(port, "/?refuse", ""), 401);
  assert_int_equal(peer_status(port, "/?twice", ""), 503);
  assert_int_equal(peer_status(port, "/?err", ""), 403);
  program_signal(&program, SIGTERM);
  assert_int_equal(program_finish(&program, log, sizeof log), 0);
  expect_line_end(log, " with 401: who are you, \xC3\xB6sprey?\n");
  expect_line_end(log, " with 503: : and an Err\n");
  expect_line_end(log, " with 403: the server does not accept this client: no\n");
  assert_null(strstr(log, "a=1"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_the_log_of_refusals, journal_setup), /* forks: before any loop runs */
      cmocka_unit_test_setup(test_refusals, journal_setup),
      cmocka_unit_test_setup(test_headers_of_the_101, journal_setup),
      cmocka_unit_test_setup(test_a_header_behind_many_messages, journal_setup),
      cmocka_unit_test_setup(test_refusing_behind_broadcasts, journal_setup),
      cmocka_unit_test_setup(test_misuse, journal_setup),
      cmocka_unit_test_setup(test_outside_the_open_handler, journal_setup),
      cmocka_unit_test_setup(test_inside_a_handler_of_a_client, journal_setup),
      cmocka_unit_test_setup(test_nested_open_handlers, journal_setup),
  };
  return cmocka_run_group_tests_name("answer", tests, NULL, NULL);
}
