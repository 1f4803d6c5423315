/* Streams. Each test of the contract runs over TCP and over TLS. */
#include "io/tcp_stream.h"
#include "io/tls_stream.h"
#include "io_test.h"

#include <netinet/tcp.h>
#include <signal.h>

#include "io/stream.h"
#include "io/tls_context.h"
#include "support/tls_fixture.h"

struct pair {
  struct ws_loop *loop;
  struct ws_stream client;
  struct ws_stream server;
  int client_calls;
  int server_calls;
};

static struct tls_identity authority, localhost;
static struct ws_tls_context *server_context, *client_context;

static int set_up_tls(void **state) {
  (void)state;
  struct ws_why why;
  tls_fixture_issue(&authority, &(struct tls_request){.name = "authority", .to_days = 10, .authority = 1});
  tls_fixture_issue(
      &localhost,
      &(struct tls_request){.name = "localhost", .alternatives = "DNS:localhost", .to_days = 10, .issuer = &authority});
  setenv("SSL_CERT_FILE", authority.certificate_file, 1);
  server_context = ws_tls_context_new_server(localhost.certificate_file, localhost.key_file, &why);
  client_context = ws_tls_context_new_client(&why);
  return server_context && client_context ? 0 : -1;
}

static int tear_down_tls(void **state) {
  (void)state;
  ws_tls_context_unref(server_context);
  ws_tls_context_unref(client_context);
  tls_fixture_free(&authority);
  tls_fixture_free(&localhost);
  tls_fixture_remove();
  return 0;
}

static void client_ready(struct ws_loop *loop, struct ws_watch *watch, unsigned events) {
  (void)loop;
  struct pair *pair = ws_container_of(watch, struct pair, client.watch);
  pair->client_calls += ws_stream_ready(&pair->client, events) != 0;
}

static void server_ready(struct ws_loop *loop, struct ws_watch *watch, unsigned events) {
  (void)loop;
  struct pair *pair = ws_container_of(watch, struct pair, server.watch);
  pair->server_calls += ws_stream_ready(&pair->server, events) != 0;
}

/* Steps both ends in turn. Over loopback each reads at once what the other has sent. */
static void shake_hands(struct ws_stream *one, struct ws_stream *other) {
  int first = WS_STREAM_AGAIN;
  int second = WS_STREAM_AGAIN;
  for (int64_t give_up = test_now() + TEST_PATIENCE_MS; first || second;) {
    first = first ? ws_stream_handshake(one) : 0;
    second = second ? ws_stream_handshake(other) : 0;
    assert_true(first != WS_STREAM_FAILED && second != WS_STREAM_FAILED && test_now() < give_up);
  }
}

static struct pair *pair_new(bool tls) {
  struct pair *pair = calloc(1, sizeof *pair);
  struct ws_why why;
  int fds[2];
  test_tcp_pair(fds);
  pair->loop = ws_loop_new();
  pair->client.watch.ready = client_ready;
  pair->server.watch.ready = server_ready;
  if (tls) {
    assert_int_equal(ws_tls_stream_open_client(&pair->client, fds[0], client_context, "localhost", &why), 0);
    assert_int_equal(ws_tls_stream_open_server(&pair->server, fds[1], server_context, &why), 0);
  } else {
    ws_tcp_stream_open(&pair->client, fds[0]);
    ws_tcp_stream_open(&pair->server, fds[1]);
  }
  shake_hands(&pair->client, &pair->server);
  return pair;
}

static void pair_free(struct pair *pair) {
  ws_stream_close(pair->loop, &pair->client);
  ws_stream_close(pair->loop, &pair->server);
  ws_loop_free(pair->loop);
  free(pair);
}

static int setup_tcp(void **state) {
  *state = pair_new(false);
  return 0;
}

static int setup_tls(void **state) {
  *state = pair_new(true);
  return 0;
}

static int teardown(void **state) {
  pair_free(*state);
  return 0;
}

/* Reads as soon as something has arrived. */
static ssize_t read_soon(struct ws_stream *stream, uint8_t *bytes, size_t size) {
  ssize_t count;
  int64_t give_up = test_now() + TEST_PATIENCE_MS;
  while ((count = ws_stream_read(stream, bytes, size)) == WS_STREAM_AGAIN)
    assert_true(test_now() < give_up);
  return count;
}

static ssize_t write_text(struct ws_stream *stream, const char *text) {
  return ws_stream_writev(stream, &(struct iovec){(void *)text, strlen(text)}, 1);
}

static void test_reading_nothing_and_the_end(void **state) {
  struct pair *pair = *state;
  uint8_t bytes[16];
  assert_int_equal(ws_stream_read(&pair->client, bytes, sizeof bytes), WS_STREAM_AGAIN);
  assert_int_equal(write_text(&pair->server, "end"), 3);
  assert_int_equal(ws_stream_shutdown(&pair->server), 0);
  assert_int_equal(read_soon(&pair->client, bytes, sizeof bytes), 3);
  assert_memory_equal(bytes, "end", 3);
  assert_int_equal(read_soon(&pair->client, bytes, sizeof bytes), 0);
  assert_int_equal(ws_stream_read(&pair->client, bytes, sizeof bytes), 0);
}

static void test_reading_after_shutdown(void **state) {
  struct pair *pair = *state;
  uint8_t bytes[16];
  assert_int_equal(ws_stream_shutdown(&pair->client), 0);
  assert_int_equal(read_soon(&pair->server, bytes, sizeof bytes), 0);
  assert_int_equal(write_text(&pair->server, "still"), 5);
  assert_int_equal(read_soon(&pair->client, bytes, sizeof bytes), 5);
}

/* Fills with numbers, so that a byte lost, doubled or misplaced shows. */
static void fill(uint8_t *bytes, size_t size) {
  for (size_t i = 0; i < size; i++)
    bytes[i] = (uint8_t)(i * 2654435761u >> 13);
}

/* Many parts of all sizes, to a peer that reads more slowly than the stream writes. */
static void test_much_data_in_parts(void **state) {
  enum { TOTAL = 3000000 };
  static const size_t lengths[] = {1, 0, 7, 16384, 125, 65536, 3, 0, 40000, 16385, 2, 500};
  struct pair *pair = *state;
  uint8_t *sent = malloc(TOTAL), *received = malloc(TOTAL);
  fill(sent, TOTAL);
  size_t out = 0, in = 0;
  int blocked = 0;
  setsockopt(pair->server.watch.fd, SOL_SOCKET, SO_SNDBUF, &(int){50000}, sizeof(int));
  while (in < TOTAL) {
    struct iovec parts[12];
    size_t offered = 0;
    for (int i = 0; i < 12; i++) {
      size_t length = lengths[i] < TOTAL - out - offered ? lengths[i] : TOTAL - out - offered;
      parts[i] = (struct iovec){sent + out + offered, length};
      offered += length;
    }
    ssize_t written = offered ? ws_stream_writev(&pair->server, parts, 12) : WS_STREAM_AGAIN;
    assert_int_not_equal(written, WS_STREAM_FAILED);
    blocked += written < (ssize_t)offered;
    if (written > 0) {
      out += (size_t)written;
      continue;
    }
    ssize_t count = ws_stream_read(&pair->client, received + in, TOTAL - in < 30000 ? TOTAL - in : 30000);
    assert_true(count > 0 || count == WS_STREAM_AGAIN);
    in += count > 0 ? (size_t)count : 0;
  }
  assert_true(blocked > 0);
  assert_memory_equal(sent, received, TOTAL);
  free(sent);
  free(received);
}

/* When the peer has read, a blocked writer is reported as writable. */
static void test_blocked_writer_is_told(void **state) {
  struct pair *pair = *state;
  static uint8_t bytes[65536];
  while (ws_stream_writev(&pair->server, &(struct iovec){bytes, sizeof bytes}, 1) != WS_STREAM_AGAIN)
    ;
  assert_int_equal(ws_stream_want(pair->loop, &pair->server, WS_WRITE), 0);
  assert_int_equal(ws_loop_turn(pair->loop, 0), 0);
  assert_int_equal(pair->server_calls, 0);
  int64_t give_up = test_now() + TEST_PATIENCE_MS;
  while (pair->server_calls == 0) {
    assert_true(ws_stream_read(&pair->client, bytes, sizeof bytes) != 0 && test_now() < give_up);
    assert_int_equal(ws_loop_turn(pair->loop, 0), 0);
  }
}

static int sigpipes;

static void count_sigpipe(int number) {
  (void)number;
  sigpipes++;
}

static void test_writing_to_a_peer_that_is_gone(void **state) {
  struct pair *pair = *state;
  void (*before)(int) = signal(SIGPIPE, count_sigpipe);
  sigpipes = 0;
  struct linger at_once = {.l_onoff = 1};
  setsockopt(pair->client.watch.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  ws_stream_close(pair->loop, &pair->client);
  ssize_t written;
  int64_t give_up = test_now() + TEST_PATIENCE_MS;
  while ((written = write_text(&pair->server, "hello?")) != WS_STREAM_FAILED)
    assert_true(test_now() < give_up);
  const char *why = ws_stream_error(&pair->server);
  assert_true(strcmp(why, "Connection reset by peer") == 0 || strcmp(why, "Broken pipe") == 0);
  assert_int_equal(sigpipes, 0);
  signal(SIGPIPE, before);
}

static void test_closing(void **state) {
  struct pair *pair = *state;
  int fd = pair->client.watch.fd;
  assert_int_equal(ws_stream_want(pair->loop, &pair->client, WS_READ | WS_WRITE), 0);
  ws_stream_close(pair->loop, &pair->client);
  ws_stream_close(pair->loop, &pair->client);
  assert_false(test_fd_is_open(fd));
  assert_null(pair->client.ops);
  assert_int_equal(ws_loop_turn(pair->loop, 0), 0);
  assert_int_equal(pair->client_calls, 0);
}

/* Readiness and ws_stream_pending suffice to read everything, with buffers of any size. */
static void test_no_byte_is_left_behind(void **state) {
  enum { TOTAL = 100000 };
  struct pair *pair = *state;
  uint8_t *sent = malloc(TOTAL), *received = malloc(TOTAL);
  fill(sent, TOTAL);
  size_t out = 0, in = 0;
  assert_int_equal(ws_stream_want(pair->loop, &pair->client, WS_READ), 0);
  for (size_t size = 1; in < TOTAL; size = size % 977 + 1) {
    if (out < TOTAL && in == out) {
      ssize_t written = ws_stream_writev(&pair->server, &(struct iovec){sent + out, TOTAL - out}, 1);
      assert_true(written > 0);
      out += (size_t)written;
    }
    int calls = pair->client_calls;
    if (!ws_stream_pending(&pair->client))
      turn_until(pair->loop, pair->client_calls > calls);
    ssize_t count = ws_stream_read(&pair->client, received + in, size < TOTAL - in ? size : TOTAL - in);
    assert_true(count > 0 || count == WS_STREAM_AGAIN);
    in += count > 0 ? (size_t)count : 0;
  }
  assert_memory_equal(sent, received, TOTAL);
  free(sent);
  free(received);
}

/* The size that stream.h states. */
static void test_size(void **state) {
  (void)state;
  assert_true(sizeof(struct ws_stream) <= 32);
}

/* A read from a peer that is gone fails too. */
static void test_reading_from_a_peer_that_is_gone(void **state) {
  struct pair *pair = *state;
  uint8_t bytes[16];
  struct linger at_once = {.l_onoff = 1};
  setsockopt(pair->client.watch.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  ws_stream_close(pair->loop, &pair->client);
  ssize_t count = read_soon(&pair->server, bytes, sizeof bytes);
  assert_int_equal(count, WS_STREAM_FAILED);
  assert_string_equal(ws_stream_error(&pair->server), "Connection reset by peer");
}

#define both(function)                                                                                                 \
  {#function " (tcp)", function, setup_tcp, teardown, NULL}, {                                                         \
#function " (tls)", function, setup_tls, teardown, NULL                                                            \
  }

/* A stream that is closed, and a descriptor that is none: nothing waits for the peer. */
static void test_nothing_is_unacked_without_a_socket(void **state) {
  struct ws_stream stream = {0};
  uint32_t mark = 0;
  (void)state;
  assert_false(ws_stream_has_unread(&stream));
  assert_int_equal(ws_stream_unacked(&stream), 0);
  assert_false(ws_stream_acked_since(&stream, &mark));
  ws_tcp_stream_open(&stream, -1);
  assert_false(ws_stream_has_unread(&stream));
  assert_int_equal(ws_stream_unacked(&stream), 0);
  assert_false(ws_stream_acked_since(&stream, &mark));
}

/* PLAT-4 */
static void test_what_is_acked_moves_the_mark(void **state) {
  if (getenv("MESON_EXE_WRAPPER"))
    skip(); /* QEMU does not pass TCP_INFO on */
  struct pair *pair = *state;
  uint8_t bytes[4];
  uint32_t mark = 0;
  assert_false(ws_stream_acked_since(&pair->client, &mark));
  assert_int_not_equal(mark, 0);
  uint32_t begun = mark;
  assert_false(ws_stream_acked_since(&pair->client, &mark));
  assert_int_equal(mark, begun);
#ifdef OSPREY_WS_POSIX
  mark = 1000; /* as if these were not acknowledged: TCP of this machine acknowledges at once */
#endif
  assert_int_equal(ws_stream_writev(&pair->client, &(struct iovec){(void *)"four", 4}, 1), 4);
  assert_int_equal(read_soon(&pair->server, bytes, sizeof bytes), 4);
  turn_until(pair->loop, ws_stream_acked_since(&pair->client, &mark));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      both(test_reading_nothing_and_the_end),
      cmocka_unit_test_setup_teardown(test_what_is_acked_moves_the_mark, setup_tcp, teardown),
      both(test_reading_after_shutdown),
      both(test_much_data_in_parts),
      both(test_blocked_writer_is_told),
      both(test_writing_to_a_peer_that_is_gone),
      both(test_reading_from_a_peer_that_is_gone),
      both(test_closing),
      both(test_no_byte_is_left_behind),
      cmocka_unit_test(test_size),
      cmocka_unit_test(test_nothing_is_unacked_without_a_socket),
  };
  return cmocka_run_group_tests(tests, set_up_tls, tear_down_tls);
}
