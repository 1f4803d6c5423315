/* Every allocation and every system call of the I/O layer fails in turn during a conversation: a server and a client in
 * one loop echo much data, over TCP and over TLS. Each conversation completes or fails, and neither leaks nor hangs:
 * FAULT-2. Built with the option fault_injection only. */
#include "io/tcp_stream.h"
#include "io/tls_stream.h"
#include "io_test.h"

#include "base/fault.h"
#include "io/dial.h"
#include "io/listener.h"
#include "io/outq.h"
#include "io/stream.h"
#include "io/tls_context.h"
#include "support/tls_fixture.h"

enum { AMOUNT = 400000, STEP = 30000 };

struct end {
  struct ws_stream stream;
  struct ws_outq queue;
  bool open;
  bool shaken;
  bool client;
  size_t sent;
  size_t received;
};

struct talk {
  struct ws_loop *loop;
  struct ws_bound bound;
  struct ws_listener listener;
  struct ws_tls_context *server_context;
  struct ws_tls_context *client_context;
  struct ws_dial *dial;
  struct end client;
  struct end server;
  bool tls;
  bool failed;
  bool completed;
};

static struct talk talk;
static struct tls_identity authority, localhost;

static void fail_talk(void) {
  talk.failed = true;
}

/* The client queues the rest of its data, one part in each call, alternately as copies and as chunks. */
static int add_more(struct ws_loop *loop, struct end *end) {
  static const uint8_t bytes[STEP];
  while (end->client && end->sent < AMOUNT && ws_outq_bytes(&end->queue) < 2 * STEP) {
    size_t n = STEP < AMOUNT - end->sent ? STEP : AMOUNT - end->sent;
    size_t before = ws_outq_bytes(&end->queue);
    struct ws_chunk *chunk = end->sent / STEP % 2 ? ws_chunk_new(n) : NULL;
    if (end->sent / STEP % 2 && !chunk)
      return -1;
    if (chunk)
      memset(chunk->bytes, 0, n);
    ws_outq_charge(&end->queue, n);
    if (chunk ? ws_outq_take(&end->queue, loop, chunk, 0, n) : ws_outq_append(&end->queue, loop, bytes, n)) {
      ws_chunk_unref(chunk);
      ws_outq_discharge(&end->queue, n);
      assert_int_equal(ws_outq_bytes(&end->queue), before);
      return -1;
    }
    end->sent += n;
  }
  return 0;
}

static int write_out(struct ws_loop *loop, struct end *end) {
  int result;
  do {
    if (add_more(loop, end) || (result = ws_outq_flush(&end->queue, loop, &end->stream, SIZE_MAX)) < 0)
      return -1;
  } while (result == 0 && end->client && end->sent < AMOUNT);
  return ws_stream_want(loop, &end->stream, WS_READ | (result == WS_OUTQ_BLOCKED ? WS_WRITE : 0u));
}

/* The server echoes what it receives, straight from the receive buffer if nothing is queued. */
static int handle(struct ws_loop *loop, struct end *end, uint8_t *bytes, size_t n) {
  end->received += n;
  if (end->client)
    return 0;
  ws_outq_charge(&end->queue, n);
  return ws_outq_write(&end->queue, loop, &end->stream, &(struct iovec){bytes, n}, 1) < 0 ? -1 : 0;
}

static int read_in(struct ws_loop *loop, struct end *end) {
  uint8_t *buffer = ws_loop_buffer_acquire(loop);
  if (!buffer)
    return -1;
  ssize_t count;
  int result = 0;
  do {
    count = ws_stream_read(&end->stream, buffer, WS_LOOP_BUFFER_SIZE);
    if (count > 0)
      result = handle(loop, end, buffer, (size_t)count);
  } while (result == 0 && count > 0 && ws_stream_pending(&end->stream));
  ws_loop_buffer_release(loop, buffer);
  if (count == 0 || count == WS_STREAM_FAILED)
    return -1;
  return result;
}

static int end_step(struct ws_loop *loop, struct end *end) {
  if (!end->shaken) {
    int result = ws_stream_handshake(&end->stream);
    if (result == WS_STREAM_AGAIN)
      return ws_stream_want(loop, &end->stream, WS_READ | WS_WRITE);
    if (result != 0)
      return -1;
    end->shaken = true;
  }
  if (read_in(loop, end) || write_out(loop, end))
    return -1;
  if (end->client && end->received == AMOUNT) {
    talk.completed = true;
    (void)ws_stream_shutdown(&end->stream);
  }
  return 0;
}

static void end_ready(struct ws_loop *loop, struct ws_watch *watch, unsigned events) {
  struct end *end = ws_container_of(watch, struct end, stream.watch);
  if (ws_stream_ready(&end->stream, events) && end_step(loop, end))
    fail_talk();
}

static void end_open(struct end *end, int fd, bool client) {
  struct ws_why why;
  int result = 0;
  end->client = client;
  end->stream.watch.ready = end_ready;
  if (!talk.tls)
    ws_tcp_stream_open(&end->stream, fd);
  else if (client)
    result = ws_tls_stream_open_client(&end->stream, fd, talk.client_context, "localhost", &why);
  else
    result = ws_tls_stream_open_server(&end->stream, fd, talk.server_context, &why);
  if (result) {
    close(fd);
    fail_talk();
    return;
  }
  end->open = true;
  if (end_step(talk.loop, end))
    fail_talk();
}

static void accepted(struct ws_listener *listener, int fd, const struct ws_address *peer) {
  (void)listener;
  (void)peer;
  if (talk.server.open)
    close(fd);
  else
    end_open(&talk.server, fd, false);
}

static void troubled(struct ws_listener *listener, const char *why) {
  (void)listener;
  assert_non_null(why);
}

static const struct ws_listener_events events = {accepted, troubled};

static void dialled(void *context, int fd, const struct ws_why *why) {
  (void)context;
  talk.dial = NULL;
  if (fd >= 0) {
    end_open(&talk.client, fd, true);
    return;
  }
  assert_true(strlen(why->text) > 0);
  fail_talk();
}

/* Runs the steps that can fail. Returns -1 and sets `why` after a failure. */
static int talk_start(struct ws_why *why) {
  if (talk.tls) {
    talk.server_context = ws_tls_context_new_server(localhost.certificate_file, localhost.key_file, why);
    talk.client_context = talk.server_context ? ws_tls_context_new_client(why) : NULL;
    if (!talk.client_context)
      return -1;
  }
  talk.loop = ws_loop_new();
  if (!talk.loop)
    return ws_why_set(why, "%s", ws_why_errno(errno));
  struct ws_addresses addresses;
  (void)ws_resolver_resolve("bad name", 80, 10000, &addresses, &(struct ws_why){""});
  if (ws_bound_open(&talk.bound, "localhost", 0, 10000, why) || ws_bound_listen(&talk.bound, why) ||
      ws_listener_start(&talk.listener, talk.loop, &talk.bound, false, &events, why))
    return -1;
  talk.dial =
      ws_dial_start(talk.loop, "localhost", ws_address_port(&talk.bound.addresses[0]), 10000, dialled, NULL, why);
  return talk.dial ? 0 : -1;
}

static void end_close(struct end *end) {
  if (!end->open)
    return;
  ws_outq_clear(&end->queue, talk.loop);
  assert_int_equal(ws_outq_bytes(&end->queue), 0);
  ws_stream_close(talk.loop, &end->stream);
}

static void talk_end(void) {
  if (talk.dial)
    ws_dial_cancel(talk.dial);
  end_close(&talk.client);
  end_close(&talk.server);
  ws_listener_stop(&talk.listener);
  ws_bound_close(&talk.bound);
  ws_tls_context_unref(talk.server_context);
  ws_tls_context_unref(talk.client_context);
  ws_loop_free(talk.loop);
}

/* Runs a conversation in which the nth call fails. Starts again if the port that the kernel has chosen for one address
 * of localhost is in use on the other. */
static void talk_with_fault(bool tls, long nth) {
  struct ws_why why = {""};
  talk = (struct talk){.tls = tls};
  ws_fault_arm(nth);
  while (talk_start(&why)) {
    assert_true(strlen(why.text) > 0);
    if (ws_fault_count() >= nth || !strstr(why.text, "Address already in use")) {
      fail_talk();
      break;
    }
    talk_end();
    talk = (struct talk){.tls = tls};
    ws_fault_arm(nth);
  }
  int64_t give_up = test_now() + TEST_PATIENCE_MS;
  while (!talk.failed && !talk.completed) {
    if (ws_loop_turn(talk.loop, 100))
      fail_talk();
    if (test_now() > give_up)
      fail_msg("hangs where call %ld fails", nth);
  }
  talk_end();
}

/* Fails each call in turn, until a conversation has fewer. */
static void fail_each_call(bool tls) {
  talk_with_fault(tls, 0);
  assert_true(talk.completed);
  int lowest = test_lowest_free_fd();
  long completed = 0;
  long nth = 1;
  for (;; nth++) {
    talk_with_fault(tls, nth);
    assert_int_equal(test_lowest_free_fd(), lowest);
    if (ws_fault_count() < nth)
      break;
    completed += talk.completed;
  }
  assert_true(talk.completed);
  print_message("%ld calls made to fail, %ld conversations completed nevertheless\n", nth - 1, completed);
  assert_true(nth > 50);
  assert_true(completed < nth - 1);
}

/* FAULT-2 */
static void test_tcp(void **state) {
  (void)state;
  fail_each_call(false);
}

static void test_tls(void **state) {
  (void)state;
  fail_each_call(true);
}

static int set_up(void **state) {
  (void)state;
  tls_fixture_issue(&authority, &(struct tls_request){.name = "authority", .to_days = 10, .authority = 1});
  tls_fixture_issue(
      &localhost,
      &(struct tls_request){.name = "localhost", .alternatives = "DNS:localhost", .to_days = 10, .issuer = &authority});
  setenv("SSL_CERT_FILE", authority.certificate_file, 1);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  tls_fixture_free(&authority);
  tls_fixture_free(&localhost);
  tls_fixture_remove();
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_tcp),
      cmocka_unit_test(test_tls),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
