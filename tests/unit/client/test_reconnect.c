/* Clients that dial again. The tests that fork a program come first: a fork has no loop threads. */
#include <inttypes.h>
#include <sys/socket.h>
#include <unistd.h>

#include "osprey/hooks.h"
#include "support/osprey.h"
#include "support/peer.h"
#include "support/program.h"
#include "support/test.h"
#include "support/tls_fixture.h"

enum { NEVER_MS = INT32_MAX };

static _Thread_local char *error; /* handlers have their own */

/* A client, and the listener that it dials. */
struct staying {
  int listener;
  int port;
  int64_t id;
  struct peer peer;
  char head[4096]; /* of the latest request */
};

static void *hear_reopen(void *cell, const struct osprey_connection *connection) {
  const char *name = closure_context(cell);
  journal_write("reopen:%s%d", name ? name : "", connection->is_connected);
  latest_id = connection->id;
  return result_success();
}

static void *failing_reopen(void *cell, const struct osprey_connection *connection) {
  (void)cell;
  (void)connection;
  journal_write("failing reopen");
  return result_error("not like this");
}

static void *greeting_reopen(void *cell, const struct osprey_connection *connection) {
  (void)cell;
  must_send(connection->id, "subscribe");
  journal_write("greeted");
  return result_success();
}

static void *on_reopen[] = {(void *)hear_reopen, NULL};
static void *on_other_reopen[] = {(void *)hear_reopen, (void *)"other "};
static void *on_failing_reopen[] = {(void *)failing_reopen};
static void *on_greeting_reopen[] = {(void *)greeting_reopen};

static void must_reconnect(int64_t id, int64_t first_ms, int64_t longest_ms, void *handler) {
  osp_ws_reconnect(id, first_ms, longest_ms, handler, &error);
  expect_success(error);
}

static void connect_staying(struct staying *s, const struct osprey_options *options) {
  struct connecting c = {.options = options, .handler = options ? on_message : on_text};
  s->listener = peer_listen(&s->port);
  connecting_start(&c, s->port, "/path?query");
  s->peer = peer_accept(s->listener);
  peer_answer(&s->peer, s->head, sizeof s->head, "");
  s->id = connecting_join(&c);
  expect_success(c.error);
  must_set(osp_ws_on_close, s->id, on_close);
}

/* The peer closes with 1001, as a server that stops. */
static void peer_leaves(struct staying *s) {
  peer_send_plain(&s->peer, 0x88, "\x03\xe9", 2);
  peer_expect_close(&s->peer, 1001);
  peer_close(&s->peer);
  journal_expect("close:1001:");
}

static void peer_returns(struct staying *s) {
  s->peer = peer_accept(s->listener);
  peer_answer(&s->peer, s->head, sizeof s->head, "");
}

/* Connected, lost, and dialing: the peer has the request, but has not answered. */
static void dialing(struct staying *s) {
  connect_staying(s, NULL);
  must_reconnect(s->id, 1, 10, on_reopen);
  peer_leaves(s);
  s->peer = peer_accept(s->listener);
  peer_read_head(&s->peer, s->head, sizeof s->head);
}

static void finish(struct staying *s) {
  must_close(s->id);
  close(s->listener);
}

/* The close of a client whose connection is open: the peer's part of it. */
static void *answer_close(void *context) {
  struct staying *s = context;
  peer_expect_close(&s->peer, 1000);
  peer_close(&s->peer);
  return NULL;
}

static void close_open(struct staying *s) {
  pthread_t thread;
  pthread_create(&thread, NULL, answer_close, s);
  must_close(s->id);
  pthread_join(thread, NULL);
  journal_expect("close:1000:");
  close(s->listener);
}

static void expect_closed(int64_t id) {
  char sentence[80];
  snprintf(sentence, sizeof sentence, "send: connection %" PRId64 " is closed", id);
  osp_ws_send(id, "x", &error);
  expect_error(error, sentence);
}

/* Waits until the client has ended for good. */
static void await_end(int64_t id) {
  char sentence[80];
  bool over = false;
  snprintf(sentence, sizeof sentence, "send: connection %" PRId64 " is closed", id);
  for (int i = 0; i < 4000 && !over; i++) {
    osp_ws_send(id, "x", &error);
    over = error && strcmp(error, sentence) == 0;
    osp_release(error);
    poll(NULL, 0, over ? 0 : 2);
  }
  assert_true(over);
}

/* ---- programs */

static int waiting_program(int port) {
  (void)port;
  struct staying s;
  connect_staying(&s, NULL);
  must_reconnect(s.id, NEVER_MS, NEVER_MS, on_reopen);
  peer_leaves(&s);
  return 0;
}

static int dialing_program(int port) {
  (void)port;
  struct staying s;
  dialing(&s);
  return 0;
}

/* Asked to stay by nobody, but it might still be. */
static int parked_program(int port) {
  (void)port;
  struct staying s;
  connect_staying(&s, NULL);
  peer_leaves(&s);
  return 0;
}

static void *reconnect_at_the_end(void *cell, const struct osprey_connection *connection, int64_t code,
                                  const char *reason) {
  (void)cell;
  (void)code;
  (void)reason;
  osp_ws_reconnect(connection->id, 1, 1, on_reopen, &error);
  program_say(error ? error : "it stays");
  osp_release(error);
  return result_success();
}

static int late_program(int port) {
  static void *on_reconnect_at_the_end[] = {(void *)reconnect_at_the_end};
  char url[64];
  must_serve_on(port);
  snprintf(url, sizeof url, "ws://127.0.0.1:%d/chat", port);
  must_set(osp_ws_on_close, must_connect(url), on_reconnect_at_the_end);
  return 0;
}

/* WS-RECONNECT-13 */
static void test_reconnecting_at_the_end_of_the_program(void **state) {
  char log[4096];
  (void)state;
  struct program program = program_run(late_program, peer_free_port());
  program_expect_line(&program, "reconnect: the program is ending");
  assert_int_equal(program_finish(&program, log, sizeof log), 0);
}

/* WS-RECONNECT-13 */
static void test_the_end_of_the_program(void **state) {
  int (*const bodies[])(int) = {waiting_program, dialing_program, parked_program};
  char log[4096];
  struct timespec before;
  (void)state;
  setenv("OSPREY_WS_LOG", "warn", 1);
  for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
    clock_gettime(CLOCK_MONOTONIC, &before);
    struct program program = program_run(bodies[i], 0);
    assert_int_equal(program_finish(&program, log, sizeof log), 0);
    assert_true(elapsed_ms(&before) < 4000);
    assert_string_equal(log, "");
  }
}

/* One end for good after the other: each has its line. */
static int program_of_final_ends(int port) {
  static const char *const answers[] = {"HTTP/1.1 401 Unauthorized\r\n\r\nwho are you?\n",
                                        "HTTP/1.1 403 Forbidden\r\n\r\n", "HTTP/1.1 404 Not Found\r\n\r\n"};
  (void)port;
  for (size_t i = 0; i < 3; i++) {
    struct staying s;
    dialing(&s);
    peer_send_text(&s.peer, answers[i]);
    shutdown(s.peer.fd, SHUT_WR);
    await_end(s.id);
    peer_close(&s.peer);
    close(s.listener);
  }
  static const struct {
    uint8_t head;
    const char *payload;
    int code;
  } violations[] = {{0x83, "", 1002}, {0x82, "binary", 1003}, {0x81, "\xff", 1007}};
  for (size_t i = 0; i < 3; i++) {
    struct staying s;
    connect_staying(&s, NULL);
    must_reconnect(s.id, 1, 10, on_reopen);
    peer_send_plain(&s.peer, violations[i].head, violations[i].payload, strlen(violations[i].payload));
    peer_expect_close(&s.peer, violations[i].code);
    peer_close(&s.peer);
    await_end(s.id);
    close(s.listener);
  }
  return 0;
}

/* WS-RECONNECT-8 */
static void test_final_ends_are_logged(void **state) {
  static const char *const lines[] = {
      "is not dialed again: connect ws://127.0.0.1:", "handshake refused: HTTP 401 Unauthorized: who are you?",
      "handshake refused: HTTP 403 Forbidden",        "handshake refused: HTTP 404 Not Found",
      "is not dialed again: it was closed with 1002", "is not dialed again: it was closed with 1003",
      "is not dialed again: it was closed with 1007",
  };
  char log[8192];
  (void)state;
  setenv("OSPREY_WS_LOG", "warn", 1);
  struct program program = program_run(program_of_final_ends, 0);
  assert_int_equal(program_finish(&program, log, sizeof log), 0);
  for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
    if (!strstr(log, lines[i]))
      fail_msg("\"%s\" is missing in:\n%s", lines[i], log);
  }
  assert_null(strstr(log, "query"));
}

/* A message over the client's limit, which another client may have sent, ends the connection and not the client:
 * WS-RECONNECT-8 */
static void test_a_message_that_is_too_long(void **state) {
  struct osprey_options options = {.headers = "", .protocols = "", .max_message_bytes = 10};
  struct staying s;
  (void)state;
  connect_staying(&s, &options);
  must_reconnect(s.id, 1, 10, on_reopen);
  peer_send_plain(&s.peer, 0x81, "over ten...", 11);
  peer_expect_close(&s.peer, 1009);
  peer_close(&s.peer);
  journal_expect("close:1009:a message is too big");
  peer_returns(&s);
  journal_expect("reopen:1");
  peer_leaves(&s);
  finish(&s);
}

static struct tls_identity authority, good, stranger;

static int64_t serve_secure(int port, const struct tls_identity *identity) {
  int64_t server =
      osp_ws_create_secure_server(port, "127.0.0.1", "/", identity->certificate_file, identity->key_file, &error);
  expect_success(error);
  must_listen(server);
  return server;
}

/* A server that is restarted, the second time with a certificate that the client does not trust. */
static int program_with_a_bad_certificate(int port) {
  struct connecting c = {0};
  setenv("SSL_CERT_FILE", authority.certificate_file, 1);
  port = peer_free_port();
  int64_t server = serve_secure(port, &good);
  connecting_start_secure(&c, port, "/");
  connecting_join(&c);
  expect_success(c.error);
  must_reconnect(c.id, 1, 10, on_reopen);
  must_stop(server);
  server = serve_secure(port, &good);
  journal_expect("reopen:1");
  must_stop(server);
  serve_secure(port, &stranger);
  await_end(c.id);
  return 0;
}

/* WS-RECONNECT-8 */
static void test_a_certificate_that_is_not_accepted(void **state) {
  char log[4096];
  (void)state;
  tls_fixture_issue(&authority,
                    &(struct tls_request){.name = "authority", .to_days = 10, .from_days = -1, .authority = 1});
  tls_fixture_issue(
      &good, &(struct tls_request){
                 .name = "good", .alternatives = "IP:127.0.0.1", .from_days = -1, .to_days = 10, .issuer = &authority});
  tls_fixture_issue(&stranger, &(struct tls_request){
                                   .name = "stranger", .alternatives = "IP:127.0.0.1", .from_days = -1, .to_days = 10});
  struct program program = program_run(program_with_a_bad_certificate, 0);
  int status = program_finish(&program, log, sizeof log);
  if (status != 0)
    fail_msg("%s", log);
  assert_non_null(strstr(log, "is not dialed again: connect wss://127.0.0.1:"));
  assert_non_null(strstr(log, "the certificate of 127.0.0.1 is not trusted"));
  tls_fixture_free(&authority);
  tls_fixture_free(&good);
  tls_fixture_free(&stranger);
  tls_fixture_remove();
}

/* ---- coming back */

/* WS-RECONNECT-1 WS-RECONNECT-5 WS-CLIENTCLOSE-1 WS-TYPE-8 */
static void test_a_client_comes_back_under_its_id(void **state) {
  struct osprey_options options = {.headers = "Authorization: Bearer x", .protocols = "", .compression = true};
  struct staying s;
  (void)state;
  connect_staying(&s, &options);
  must_reconnect(s.id, 1, 10, on_reopen);
  assert_int_equal(journal_left(), 0); /* not for the first connection */
  for (int i = 0; i < 3; i++) {
    peer_leaves(&s);
    s.peer = peer_accept(s.listener);
    char answer[1024];
    char key[32];
    peer_read_head(&s.peer, s.head, sizeof s.head);
    assert_int_equal(strncmp(s.head, "GET /path?query HTTP/1.1\r\n", 26), 0);
    assert_non_null(strstr(s.head, "\r\nAuthorization: Bearer x\r\n"));
    assert_non_null(strstr(s.head, "permessage-deflate"));
    peer_accept_key(s.head, key);
    /* A message right behind the 101 waits for the open handler. */
    int n = snprintf(answer, sizeof answer,
                     "HTTP/1.1 101 Switching Protocols\r\n" PEER_UPGRADE_LINES "Sec-WebSocket-Accept: %s\r\n\r\n"
                     "\x81\x05"
                     "hello",
                     key);
    peer_send(&s.peer, answer, (size_t)n);
    journal_expect("reopen:1");
    journal_expect("text:hello");
    assert_int_equal(latest_id, s.id);
    must_send(s.id, "from the program");
    peer_expect_text(&s.peer, "from the program");
    struct osprey_connection *record = osp_ws_connection(s.id, &error);
    expect_success(error);
    assert_true(record->is_connected);
    assert_int_equal(record->id, s.id);
    assert_non_null(strstr(record->url, "/path?query"));
    osp_release(record);
    char *address = osp_ws_remote_address(s.id, &error);
    expect_success(error);
    osp_release(address);
  }
  close_open(&s);
  expect_closed(s.id);
  assert_int_equal(journal_left(), 0);
}

/* Lost by a reset, refused by the port, and accepted by whoever listens there later: WS-RECONNECT-1 */
static void test_a_server_that_is_started_again(void **state) {
  char url[64];
  (void)state;
  int port = peer_free_port();
  int64_t server = must_serve_on(port);
  snprintf(url, sizeof url, "ws://localhost:%d/chat", port);
  int64_t id = must_connect(url);
  must_reconnect(id, 20, 100, on_reopen);
  journal_find("open");
  for (int i = 0; i < 2; i++) {
    must_stop(server);
    poll(NULL, 0, 100); /* some attempts fail */
    server = must_serve_on(port);
    journal_find("open");
    journal_find("reopen:1");
    must_send(id, "again");
    journal_find("text:again");
  }
  must_close(id);
  must_stop(server);
}

/* What the open handler sends is the first: WS-RECONNECT-5 */
static void test_the_open_handler_sends(void **state) {
  struct staying s;
  (void)state;
  connect_staying(&s, NULL);
  must_reconnect(s.id, 1, 1, on_greeting_reopen);
  peer_leaves(&s);
  peer_returns(&s);
  peer_expect_text(&s.peer, "subscribe");
  journal_expect("greeted");
  close_open(&s);
}

/* WS-RECONNECT-5 */
static void test_an_err_of_the_open_handler(void **state) {
  struct staying s;
  (void)state;
  connect_staying(&s, NULL);
  must_reconnect(s.id, 1, 1, on_failing_reopen);
  peer_leaves(&s);
  for (int i = 0; i < 2; i++) {
    peer_returns(&s);
    journal_expect("failing reopen");
    peer_expect_close(&s.peer, 1011);
    peer_close(&s.peer);
    journal_expect("close:1011:the handler failed");
  }
  must_reconnect(s.id, 1, 1, on_reopen);
  peer_returns(&s);
  char first_line[32];
  snprintf(first_line, sizeof first_line, "%s", journal_next());
  if (strcmp(first_line, "failing reopen") == 0) { /* the call was posted beside this attempt */
    peer_expect_close(&s.peer, 1011);
    peer_close(&s.peer);
    journal_expect("close:1011:the handler failed");
    peer_returns(&s);
    journal_expect("reopen:1");
  }
  close_open(&s);
}

/* WS-RECONNECT-6 WS-RECONNECT-7 */
static void test_while_it_dials(void **state) {
  char sentence[96];
  struct staying s;
  (void)state;
  dialing(&s);
  snprintf(sentence, sizeof sentence, "send: connection %" PRId64 " is lost, and is reconnecting", s.id);
  osp_ws_send(s.id, "x", &error);
  expect_error(error, sentence);
  osp_ws_send_binary(s.id, "AAAA", &error);
  expect_error_with(error, "is reconnecting");
  osp_ws_queued_bytes(s.id, &error);
  expect_error_with(error, "queued bytes: ");
  osp_ws_remote_address(s.id, &error);
  expect_error_with(error, "is reconnecting");
  osp_ws_protocol(s.id, &error);
  expect_error_with(error, "is reconnecting");
  osp_ws_request_header(s.id, "Host", &error);
  expect_error_with(error, "is reconnecting");
  osp_ws_request_path(s.id, &error);
  expect_error_with(error, "is reconnecting");
  struct osprey_connection *record = osp_ws_connection(s.id, &error);
  expect_success(error);
  assert_false(record->is_connected);
  osp_release(record);
  osp_ws_set_value(s.id, "name", "Ada", &error);
  expect_success(error);
  peer_send_text(&s.peer, "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n");
  peer_close(&s.peer);
  peer_returns(&s);
  journal_expect("reopen:1");
  char *name = osp_ws_value(s.id, "name", &error);
  expect_success(error);
  assert_string_equal(name, "Ada");
  osp_release(name);
  close_open(&s);
  osp_ws_value(s.id, "name", &error);
  expect_error_with(error, "is closed");
}

/* WS-CLOSE-4 WS-RECONNECT-8 */
static void test_closing_while_it_dials_or_waits(void **state) {
  (void)state;
  for (int waits = 0; waits < 2; waits++) {
    struct staying s;
    if (waits) {
      connect_staying(&s, NULL);
      must_reconnect(s.id, NEVER_MS, NEVER_MS, on_reopen);
      peer_leaves(&s);
    } else {
      dialing(&s);
    }
    finish(&s);
    expect_closed(s.id);
    osp_ws_close(s.id, &error);
    expect_error_with(error, "is closed");
    osp_ws_reconnect(s.id, 1, 1, on_reopen, &error);
    expect_error_with(error, "is closed");
    assert_int_equal(journal_left(), 0);
    if (!waits) {
      peer_expect_end(&s.peer);
      peer_close(&s.peer);
    }
  }
}

static void *close_in_handler(void *cell, const struct osprey_connection *connection, int64_t code,
                              const char *reason) {
  (void)cell;
  (void)reason;
  journal_write("closing after %d", (int)code);
  must_close(connection->id);
  osp_ws_close(connection->id, &error);
  expect_error_with(error, "is closed");
  return result_success();
}

static void *reconnect_in_handler(void *cell, const struct osprey_connection *connection, int64_t code,
                                  const char *reason) {
  (void)cell;
  (void)reason;
  journal_write("reconnecting after %d", (int)code);
  must_reconnect(connection->id, 1, 1, on_reopen);
  must_set(osp_ws_on_close, connection->id, on_close);
  return result_success();
}

static void *on_close_in_handler[] = {(void *)close_in_handler};
static void *on_reconnect_in_handler[] = {(void *)reconnect_in_handler};

/* WS-RECONNECT-11 WS-CLOSE-4 WS-SEC-13 */
static void test_inside_a_close_handler(void **state) {
  struct staying s;
  (void)state;
  connect_staying(&s, NULL);
  must_set(osp_ws_on_close, s.id, on_reconnect_in_handler);
  peer_send_plain(&s.peer, 0x88, "\x03\xe8", 2);
  peer_expect_close(&s.peer, 1000);
  peer_close(&s.peer);
  journal_expect("reconnecting after 1000");
  peer_returns(&s);
  journal_expect("reopen:1");
  must_set(osp_ws_on_close, s.id, on_close_in_handler);
  peer_reset(&s.peer);
  journal_expect("closing after 1006");
  await_end(s.id);
  assert_int_equal(journal_left(), 0);
  close(s.listener);
}

/* WS-RECONNECT-11 WS-CLIENTCLOSE-2 */
static void test_called_late(void **state) {
  (void)state;
  for (int heard = 0; heard < 2; heard++) {
    struct connecting c = {0};
    struct staying s;
    s.listener = peer_listen(&s.port);
    connecting_start(&c, s.port, "/");
    s.peer = peer_accept(s.listener);
    peer_answer(&s.peer, s.head, sizeof s.head, "");
    s.id = connecting_join(&c);
    expect_success(c.error);
    peer_send_plain(&s.peer, 0x88, "\x03\xe9", 2);
    peer_expect_close(&s.peer, 1001);
    peer_close(&s.peer);
    await_end(s.id);
    if (heard) {
      must_set(osp_ws_on_close, s.id, on_close);
      journal_expect("close:1001:");
      WAIT_UNTIL((osp_ws_on_close(s.id, on_close, &error), error)); /* once the end of the turn has come */
      expect_error_with(error, "is closed");
    }
    must_reconnect(s.id, 1, 1, on_reopen);
    peer_returns(&s);
    journal_expect("reopen:1");
    if (!heard) {
      must_set(osp_ws_on_close, s.id, on_close);
      journal_expect("close:1001:");
    }
    peer_leaves(&s);
    peer_returns(&s);
    journal_expect("reopen:1");
    close_open(&s);
  }
}

/* WS-RECONNECT-12: not after its own close, nor after what will not change. */
static void test_called_late_in_vain(void **state) {
  struct staying s;
  (void)state;
  connect_staying(&s, NULL);
  close_open(&s);
  osp_ws_reconnect(s.id, 1, 1, on_reopen, &error);
  expect_error_with(error, "is closed");
  connect_staying(&s, NULL);
  peer_send_plain(&s.peer, 0x83, "", 0);
  peer_expect_close(&s.peer, 1002);
  peer_close(&s.peer);
  await_end(s.id);
  WAIT_UNTIL((osp_ws_reconnect(s.id, 1, 1, on_reopen, &error), error)); /* until its close handler has returned */
  expect_error_with(error, "is closed");
  close(s.listener);
}

static void *must_close_it(void *context) {
  must_close(*(int64_t *)context);
  return NULL;
}

/* The peer has not answered the close yet: WS-RECONNECT-12 */
static void test_called_while_it_closes(void **state) {
  struct staying s;
  pthread_t thread;
  (void)state;
  connect_staying(&s, NULL);
  pthread_create(&thread, NULL, must_close_it, &s.id);
  peer_expect_frame(&s.peer, 0x88);
  osp_ws_reconnect(s.id, 1, 1, on_reopen, &error);
  expect_error_with(error, "is closing");
  peer_send_plain(&s.peer, 0x88, "\x03\xe8", 2);
  peer_expect_end(&s.peer);
  peer_close(&s.peer);
  pthread_join(thread, NULL);
  journal_expect("close:1000:");
  close(s.listener);
}

/* Of many, the last 256 of a loop thread may still be asked: WS-RECONNECT-11 */
static void test_the_oldest_cannot_be_asked(void **state) {
  enum { MANY = 300 };
  static int64_t ids[MANY];
  char url[64];
  int port;
  (void)state;
  int64_t server = must_serve(&port);
  snprintf(url, sizeof url, "ws://127.0.0.1:%d/chat", port);
  for (int i = 0; i < MANY; i++)
    ids[i] = must_connect(url);
  must_stop(server);
  int kept = 0;
  for (int i = 0; i < MANY; i++) {
    await_end(ids[i]);
    osp_ws_reconnect(ids[i], NEVER_MS, NEVER_MS, on_reopen, &error);
    kept += !error;
    osp_release(error);
  }
  const char *loops = getenv("OSPREY_WS_LOOPS");
  assert_int_equal(kept, loops && strcmp(loops, "1") != 0 ? MANY : 256);
  for (int i = 0; i < MANY; i++) {
    osp_ws_close(ids[i], &error);
    osp_release(error);
  }
}

/* The peer's complaint is no violation of its own; nor is a 1011 of this end: WS-RECONNECT-1 */
static void test_other_codes_are_not_final(void **state) {
  struct staying s;
  (void)state;
  connect_staying(&s, NULL);
  must_reconnect(s.id, 1, 1, on_reopen);
  peer_send_plain(&s.peer, 0x88, "\x03\xea", 2);
  peer_expect_close(&s.peer, 1002);
  peer_close(&s.peer);
  journal_expect("close:1002:");
  peer_returns(&s);
  journal_expect("reopen:1");
  close_open(&s);
}

/* WS-RECONNECT-4 */
static void test_retry_after_is_honoured(void **state) {
  struct timespec before;
  struct staying s;
  (void)state;
  dialing(&s);
  clock_gettime(CLOCK_MONOTONIC, &before);
  peer_send_text(&s.peer, "HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n");
  peer_close(&s.peer);
  peer_returns(&s);
  assert_true(elapsed_ms(&before) >= 1000);
  journal_expect("reopen:1");
  /* it counts once */
  clock_gettime(CLOCK_MONOTONIC, &before);
  peer_leaves(&s);
  peer_returns(&s);
  journal_expect("reopen:1");
  assert_true(elapsed_ms(&before) < 1000);
  close_open(&s);
}

/* WS-RECONNECT-10 */
static void test_a_second_call_replaces(void **state) {
  struct staying s;
  (void)state;
  connect_staying(&s, NULL);
  must_reconnect(s.id, NEVER_MS, NEVER_MS, on_reopen);
  must_reconnect(s.id, 1, 1, on_other_reopen);
  peer_leaves(&s);
  peer_returns(&s);
  journal_expect("reopen:other 1");
  close_open(&s);
}

static void *replacing_reopen(void *cell, const struct osprey_connection *connection) {
  char *name = closure_context(cell);
  void *next = closure_new((void *)hear_reopen, (void *)"next ");
  must_reconnect(connection->id, 1, 1, next);
  osp_release(next);
  journal_write("replaced by %s", name);
  return result_success();
}

/* A handler that sets another is alive until it returns: WS-RECONNECT-10 WS-CONNECT-12 */
static void test_a_handler_replaces_itself(void **state) {
  struct staying s;
  (void)state;
  connect_staying(&s, NULL);
  void *handler = closure_new((void *)replacing_reopen, (void *)"itself");
  must_reconnect(s.id, 1, 1, handler);
  osp_release(handler);
  peer_leaves(&s);
  peer_returns(&s);
  journal_expect("replaced by itself");
  peer_leaves(&s);
  peer_returns(&s);
  journal_expect("reopen:next 1");
  close_open(&s);
}

/* ---- misuse */

/* WS-RECONNECT-9 WS-RECONNECT-12 WS-ID-3 WS-ID-4 */
static void test_misuse(void **state) {
  static const int64_t wrong[][2] = {{0, 10}, {-1, 10}, {2147483648, 2147483648}, {10, 9}, {10, 2147483648}};
  static const char *const sentences[] = {
      "reconnect: firstDelayMs is 1 to 2147483647, not 0",
      "reconnect: firstDelayMs is 1 to 2147483647, not -1",
      "reconnect: firstDelayMs is 1 to 2147483647, not 2147483648",
      "reconnect: longestDelayMs is 10 to 2147483647, not 9",
      "reconnect: longestDelayMs is 10 to 2147483647, not 2147483648",
  };
  int port;
  char url[64];
  char sentence[128];
  (void)state;
  int64_t server = must_handle(&port, osp_ws_server_on_open, on_learn_id, NULL);
  snprintf(url, sizeof url, "ws://127.0.0.1:%d/", port);
  int64_t id = must_connect(url);
  for (size_t i = 0; i < 5; i++) {
    osp_ws_reconnect(id, wrong[i][0], wrong[i][1], on_reopen, &error);
    expect_error(error, sentences[i]);
  }
  osp_ws_reconnect(server, 1, 1, on_reopen, &error);
  expect_error_with(error, "is the ID of a server, not of a connection");
  osp_ws_reconnect(999999999, 1, 1, on_reopen, &error);
  expect_error(error, "reconnect: there is no connection 999999999");
  snprintf(sentence, sizeof sentence,
           "reconnect: connection %" PRId64 " belongs to a server: only a client dials again", (int64_t)latest_id);
  osp_ws_reconnect(latest_id, 1, 1, on_reopen, &error);
  expect_error(error, sentence);
  must_close(id);
  must_stop(server);
}

/* The number of a later connection's own handle is no ID: WS-ID-3 */
static void test_handles_of_later_connections(void **state) {
  struct staying s;
  (void)state;
  connect_staying(&s, NULL);
  must_reconnect(s.id, 1, 1, on_reopen);
  peer_leaves(&s);
  peer_returns(&s);
  journal_expect("reopen:1");
  for (int64_t id = s.id + 2; id < s.id + 20; id += 2) {
    osp_ws_send(id, "x", &error);
    expect_error_with(error, "send: there is no connection ");
  }
  close_open(&s);
}

/* ---- many threads */

static _Atomic bool hammering;

/* Uses the ID, not faster than the loop takes what is posted to it. An Err is as good as a Success here. */
static void *hammer(void *context) {
  int64_t id = *(int64_t *)context;
  char *mine;
  while (hammering) {
    osp_ws_send(id, "hammer", &mine);
    osp_release(mine);
    void *record = osp_ws_connection(id, &mine);
    osp_release(mine ? mine : record);
    osp_ws_queued_bytes(id, &mine);
    osp_release(mine);
    osp_ws_set_value(id, "key", "value", &mine);
    osp_release(mine);
    osp_ws_reconnect(id, 1, 3, on_reopen, &mine);
    osp_release(mine);
    osp_ws_on_close(id, on_close, &mine);
    osp_release(mine);
    poll(NULL, 0, 1);
  }
  return NULL;
}

static void *drain(void *context) {
  struct peer *peer = context;
  while (peer_read_frame(peer) && peer->frame.head != 0x88)
    continue;
  return NULL;
}

/* WS-THREAD-1 */
static void test_threads_use_a_client_that_comes_and_goes(void **state) {
  enum { THREADS = 3, ROUNDS = 20 };
  pthread_t threads[THREADS];
  struct staying s;
  (void)state;
  connect_staying(&s, NULL);
  must_reconnect(s.id, 1, 3, on_reopen);
  hammering = true;
  for (int i = 0; i < THREADS; i++)
    pthread_create(&threads[i], NULL, hammer, &s.id);
  for (int i = 0; i < ROUNDS; i++) {
    s.peer.tolerant = true;
    peer_send_plain(&s.peer, 0x88, "\x03\xe9", 2);
    drain(&s.peer);
    peer_close(&s.peer);
    journal_find("close:1001:");
    s.peer = peer_accept_tolerant(s.listener);
    peer_answer(&s.peer, s.head, sizeof s.head, "");
    journal_find("reopen:1");
  }
  pthread_t drainer;
  pthread_create(&drainer, NULL, drain, &s.peer);
  must_close(s.id);
  hammering = false;
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  pthread_join(drainer, NULL);
  peer_close(&s.peer);
  close(s.listener);
  expect_closed(s.id);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_the_end_of_the_program, journal_setup),
      cmocka_unit_test_setup(test_reconnecting_at_the_end_of_the_program, journal_setup),
      cmocka_unit_test_setup(test_final_ends_are_logged, journal_setup),
      cmocka_unit_test_setup(test_a_certificate_that_is_not_accepted, journal_setup),
      cmocka_unit_test_setup(test_a_message_that_is_too_long, journal_setup),
      cmocka_unit_test_setup(test_a_client_comes_back_under_its_id, journal_setup),
      cmocka_unit_test_setup(test_a_server_that_is_started_again, journal_setup),
      cmocka_unit_test_setup(test_the_open_handler_sends, journal_setup),
      cmocka_unit_test_setup(test_an_err_of_the_open_handler, journal_setup),
      cmocka_unit_test_setup(test_while_it_dials, journal_setup),
      cmocka_unit_test_setup(test_closing_while_it_dials_or_waits, journal_setup),
      cmocka_unit_test_setup(test_inside_a_close_handler, journal_setup),
      cmocka_unit_test_setup(test_called_late, journal_setup),
      cmocka_unit_test_setup(test_called_late_in_vain, journal_setup),
      cmocka_unit_test_setup(test_called_while_it_closes, journal_setup),
      cmocka_unit_test_setup(test_the_oldest_cannot_be_asked, journal_setup),
      cmocka_unit_test_setup(test_other_codes_are_not_final, journal_setup),
      cmocka_unit_test_setup(test_retry_after_is_honoured, journal_setup),
      cmocka_unit_test_setup(test_a_second_call_replaces, journal_setup),
      cmocka_unit_test_setup(test_a_handler_replaces_itself, journal_setup),
      cmocka_unit_test_setup(test_misuse, journal_setup),
      cmocka_unit_test_setup(test_handles_of_later_connections, journal_setup),
      cmocka_unit_test_setup(test_threads_use_a_client_that_comes_and_goes, journal_setup),
  };
  return cmocka_run_group_tests_name("reconnect", tests, NULL, NULL);
}
