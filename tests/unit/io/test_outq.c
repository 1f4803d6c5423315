#include "io/tcp_stream.h"
#include "io_test.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "io/outq.h"
#include "io/pool.h"
#include "io/stream.h"
#include "io/wait.h"

/* A queue over a TCP stream whose writes are counted. */
struct fixture {
  struct ws_loop *loop;
  struct ws_stream stream;
  struct ws_outq queue;
  int peer;
};

static int writes;
static const struct ws_stream_ops *plain_ops;
static struct ws_stream_ops counting_ops;

static ssize_t counting_writev(struct ws_stream *stream, const struct iovec *parts, int count) {
  writes++;
  return plain_ops->writev(stream, parts, count);
}

static void never_ready(struct ws_loop *loop, struct ws_watch *watch, unsigned events) {
  (void)loop;
  (void)watch;
  (void)events;
}

static int setup(void **state) {
  struct fixture *fixture = calloc(1, sizeof *fixture);
  int fds[2];
  test_tcp_pair(fds);
  fixture->loop = ws_loop_new();
  fixture->peer = fds[1];
  fixture->stream.watch.ready = never_ready;
  ws_tcp_stream_open(&fixture->stream, fds[0]);
  plain_ops = fixture->stream.ops;
  counting_ops = *plain_ops;
  counting_ops.writev = counting_writev;
  fixture->stream.ops = &counting_ops;
  writes = 0;
  *state = fixture;
  return 0;
}

static int teardown(void **state) {
  struct fixture *fixture = *state;
  ws_outq_clear(&fixture->queue, fixture->loop);
  ws_stream_close(fixture->loop, &fixture->stream);
  close(fixture->peer);
  ws_loop_free(fixture->loop);
  free(fixture);
  return 0;
}

static void append(struct fixture *fixture, const void *bytes, size_t n) {
  ws_outq_charge(&fixture->queue, n);
  assert_int_equal(ws_outq_append(&fixture->queue, fixture->loop, bytes, n), 0);
}

static void take(struct fixture *fixture, const void *bytes, size_t n) {
  struct ws_chunk *chunk = ws_chunk_new(n + 2);
  memcpy(chunk->bytes + 1, bytes, n);
  ws_outq_charge(&fixture->queue, n);
  assert_int_equal(ws_outq_take(&fixture->queue, fixture->loop, chunk, 1, n), 0);
}

static int flush(struct fixture *fixture) {
  return ws_outq_flush(&fixture->queue, fixture->loop, &fixture->stream, SIZE_MAX);
}

/* Reads exactly n bytes at the peer's end, and flushes the queue in between. */
static void receive(struct fixture *fixture, uint8_t *bytes, size_t n) {
  int64_t give_up = test_now() + TEST_PATIENCE_MS;
  for (size_t got = 0; got < n;) {
    assert_true(flush(fixture) >= 0);
    ssize_t count = recv(fixture->peer, bytes + got, n - got, 0);
    assert_true(count > 0 || (count < 0 && errno == EAGAIN && test_now() < give_up));
    got += count > 0 ? (size_t)count : 0;
  }
}

static void fill(uint8_t *bytes, size_t size) {
  for (size_t i = 0; i < size; i++)
    bytes[i] = (uint8_t)(i * 2654435761u >> 13);
}

/* An empty queue holds no memory. */
static void test_an_empty_queue_holds_nothing(void **state) {
  struct fixture *fixture = *state;
  assert_true(sizeof(struct ws_outq) <= 16);
  assert_int_equal(flush(fixture), 0);
  assert_int_equal(writes, 0);
  append(fixture, "x", 1);
  append(fixture, "", 0);
  take(fixture, "", 0);
  assert_false(ws_outq_empty(&fixture->queue));
  assert_int_equal(flush(fixture), 0);
  assert_true(ws_outq_empty(&fixture->queue));
  assert_null(fixture->queue.pieces);
  assert_int_equal(ws_outq_bytes(&fixture->queue), 0);
}

/* A hundred messages of all three kinds go out in one write. */
static void test_what_was_added_goes_out_at_once(void **state) {
  struct fixture *fixture = *state;
  uint8_t sent[4096], received[4096];
  size_t total = 0;
  fill(sent, sizeof sent);
  for (size_t i = 0; i < 100; i++) {
    size_t n = i % 30 + 1;
    if (i % 3 == 0) {
      take(fixture, sent + total, n);
    } else if (i % 3 == 1) {
      append(fixture, sent + total, n);
    } else {
      ws_outq_charge(&fixture->queue, n);
      memcpy(ws_outq_reserve(&fixture->queue, fixture->loop, n + 10), sent + total, n);
      ws_outq_commit(&fixture->queue, fixture->loop, n);
    }
    total += n;
    assert_int_equal(ws_outq_bytes(&fixture->queue), total);
  }
  assert_int_equal(flush(fixture), 0);
  assert_int_equal(writes, 1);
  receive(fixture, received, total);
  assert_memory_equal(sent, received, total);
}

/* Pieces of every size and kind, to a peer that reads a little at a time. */
static void test_order_is_kept_through_partial_writes(void **state) {
  enum { TOTAL = 8000000 };
  static const size_t lengths[] = {1, 200, 4096, 4097, 16000, 16384, 70000, 2, 130, 300000, 90, 3};
  struct fixture *fixture = *state;
  uint8_t *sent = malloc(TOTAL), *received = malloc(TOTAL);
  fill(sent, TOTAL);
  setsockopt(fixture->stream.watch.fd, SOL_SOCKET, SO_SNDBUF, &(int){20000}, sizeof(int));
  size_t out = 0, in = 0;
  int blocked = 0;
  for (unsigned i = 0; in < TOTAL; i++) {
    for (unsigned j = 0; j < i % 50 && out < TOTAL; j++) {
      size_t n = lengths[(i + j * 7) % 12];
      n = n < TOTAL - out ? n : TOTAL - out;
      (i + j) % 3 == 0 ? take(fixture, sent + out, n) : append(fixture, sent + out, n);
      out += n;
    }
    int result = flush(fixture);
    assert_true(result >= 0);
    blocked += result == WS_OUTQ_BLOCKED;
    assert_int_equal(result == WS_OUTQ_BLOCKED, !ws_outq_empty(&fixture->queue));
    ssize_t count = recv(fixture->peer, received + in, TOTAL - in < 50000 ? TOTAL - in : 50000, 0);
    assert_true(count > 0 || errno == EAGAIN);
    in += count > 0 ? (size_t)count : 0;
  }
  assert_true(blocked > 10);
  assert_memory_equal(sent, received, TOTAL);
  assert_int_equal(ws_outq_bytes(&fixture->queue), 0);
  free(sent);
  free(received);
}

static void test_shared_chunk(void **state) {
  enum { QUEUES = 20 };
  struct fixture *fixture = *state;
  struct ws_outq queues[QUEUES] = {0};
  struct ws_chunk *chunk = ws_chunk_new(5);
  memcpy(chunk->bytes, "hello", 5);
  for (int i = 0; i < QUEUES; i++) {
    ws_outq_charge(&queues[i], 5);
    assert_int_equal(ws_outq_take(&queues[i], fixture->loop, ws_chunk_ref(chunk), 0, 5), 0);
    assert_ptr_equal(queues[i].pieces->at[0].chunk, chunk);
  }
  assert_int_equal(atomic_load(&chunk->references), QUEUES + 1);
  ws_chunk_unref(chunk);
  for (int i = 0; i < QUEUES; i++) {
    assert_int_equal(atomic_load(&chunk->references), QUEUES - i);
    if (i % 2)
      assert_int_equal(ws_outq_flush(&queues[i], fixture->loop, &fixture->stream, SIZE_MAX), 0);
    else
      ws_outq_clear(&queues[i], fixture->loop);
  }
  uint8_t received[QUEUES / 2 * 5];
  receive(fixture, received, sizeof received);
  assert_memory_equal(received, "hellohellohello", 15);
}

static void test_cap(void **state) {
  (void)state;
  struct ws_outq queue = {0};
  assert_true(ws_outq_try_charge(&queue, 1000, 10));
  assert_false(ws_outq_try_charge(&queue, 1, 1000));
  assert_true(ws_outq_try_charge(&queue, 1, 1001));
  assert_false(ws_outq_try_charge(&queue, SIZE_MAX, 1001));
  assert_int_equal(ws_outq_bytes(&queue), 1001);
  ws_outq_discharge(&queue, 1001);
  assert_int_equal(ws_outq_bytes(&queue), 0);
}

static void *charge_often(void *context) {
  struct ws_outq *queue = context;
  intptr_t accepted = 0;
  for (int i = 0; i < 50000; i++)
    accepted += ws_outq_try_charge(queue, 3, 300000);
  return (void *)accepted;
}

/* Four threads charge against one cap. */
static void test_charging_from_many_threads(void **state) {
  (void)state;
  struct ws_outq queue = {0};
  pthread_t threads[4];
  intptr_t accepted = 0;
  for (int i = 0; i < 4; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, charge_often, &queue), 0);
  for (int i = 0; i < 4; i++) {
    void *count;
    pthread_join(threads[i], &count);
    accepted += (intptr_t)count;
  }
  assert_int_equal(accepted, 100000);
  assert_int_equal(ws_outq_bytes(&queue), 300000);
}

static void test_clear(void **state) {
  struct fixture *fixture = *state;
  static uint8_t large[100000];
  append(fixture, "small", 5);
  append(fixture, large, sizeof large);
  take(fixture, "taken", 5);
  ws_outq_charge(&fixture->queue, 7);
  ws_outq_clear(&fixture->queue, fixture->loop);
  ws_outq_clear(&fixture->queue, fixture->loop);
  assert_true(ws_outq_empty(&fixture->queue));
  assert_int_equal(ws_outq_bytes(&fixture->queue), 7);
}

/* The memory comes from the loop's pool and returns to it. */
static void test_memory_is_used_again(void **state) {
  struct fixture *fixture = *state;
  struct ws_pool *pool = ws_loop_pool(fixture->loop);
  append(fixture, "x", 1);
  const void *chunk = fixture->queue.pieces->at[0].chunk;
  assert_int_equal(flush(fixture), 0);
  assert_ptr_equal(pool->chunks.first, chunk);
  int kept = pool->chunks.count;
  append(fixture, "y", 1);
  assert_ptr_equal(fixture->queue.pieces->at[0].chunk, chunk);
  assert_int_equal(pool->chunks.count, kept - 1);
}

/* A partly written list moves down for more entries, and grows. */
static void test_a_long_list_written_in_part(void **state) {
  enum { GROWING = 30, ROUNDS = 80, EACH = 60, SIZE = 9000 };
  struct fixture *fixture = *state;
  uint8_t *bytes = malloc(SIZE);
  uint8_t *got = malloc(SIZE);
  int added = 0, read = 0;
  for (int round = 0; round < ROUNDS; round++) {
    for (int i = 0; i < EACH; i++) {
      memset(bytes, added++, SIZE);
      take(fixture, bytes, SIZE);
    }
    assert_true(flush(fixture) >= 0);
    for (int i = 0; i < (round < GROWING ? EACH / 2 : EACH); i++) {
      receive(fixture, got, SIZE);
      assert_int_equal(got[0], (uint8_t)read);
      assert_int_equal(got[SIZE - 1], (uint8_t)read++);
    }
  }
  for (; read < added; read++) {
    receive(fixture, got, SIZE);
    assert_int_equal(got[0], (uint8_t)read);
    assert_int_equal(got[SIZE - 1], (uint8_t)read);
  }
  assert_true(ws_outq_empty(&fixture->queue));
  free(bytes);
  free(got);
}

/* A size that exceeds the counter of a chunk. */
static void test_a_chunk_too_large(void **state) {
  struct fixture *fixture = *state;
  assert_null(ws_chunk_new((size_t)1 << 33));
  assert_null(ws_outq_reserve(&fixture->queue, fixture->loop, (size_t)1 << 33));
  assert_true(ws_outq_empty(&fixture->queue));
}

/* An unused reservation has no effect. */
static void test_commit_of_nothing(void **state) {
  struct fixture *fixture = *state;
  assert_non_null(ws_outq_reserve(&fixture->queue, fixture->loop, 100));
  ws_outq_commit(&fixture->queue, fixture->loop, 0);
  assert_true(ws_outq_empty(&fixture->queue));
  append(fixture, "x", 1);
  assert_non_null(ws_outq_reserve(&fixture->queue, fixture->loop, 100000));
  ws_outq_commit(&fixture->queue, fixture->loop, 0);
  assert_int_equal(fixture->queue.pieces->count, 1);
}

static void test_writing_through(void **state) {
  enum { TOTAL = 1 << 20 };
  struct fixture *fixture = *state;
  uint8_t *sent = malloc(TOTAL), *received = malloc(TOTAL + 4);
  fill(sent, TOTAL);
  setsockopt(fixture->stream.watch.fd, SOL_SOCKET, SO_SNDBUF, &(int){20000}, sizeof(int));
  struct iovec parts[] = {{sent, 10}, {sent + 10, 0}, {sent + 10, TOTAL - 10}};
  ws_outq_charge(&fixture->queue, TOTAL);
  assert_int_equal(ws_outq_write(&fixture->queue, fixture->loop, &fixture->stream, parts, 3), WS_OUTQ_BLOCKED);
  size_t left = ws_outq_bytes(&fixture->queue);
  assert_true(left > 0 && left < TOTAL);
  assert_int_equal(fixture->queue.pieces->count, 1);
  assert_int_equal(fixture->queue.pieces->at[0].length, left);

  struct iovec more = {"more", 4};
  ws_outq_charge(&fixture->queue, 4);
  assert_int_equal(ws_outq_write(&fixture->queue, fixture->loop, &fixture->stream, &more, 1), WS_OUTQ_BLOCKED);
  receive(fixture, received, TOTAL + 4);
  assert_memory_equal(sent, received, TOTAL);
  assert_memory_equal(received + TOTAL, "more", 4);
  assert_int_equal(ws_outq_bytes(&fixture->queue), 0);

  ws_outq_charge(&fixture->queue, 4);
  assert_int_equal(ws_outq_write(&fixture->queue, fixture->loop, &fixture->stream, &more, 1), 0);
  assert_true(ws_outq_empty(&fixture->queue));
  free(sent);
  free(received);
}

/* A thread that waits for room for more than half of the queue. */
enum { CAP = 100000, WANTED = 60000, WAIT_MS = 60000 };

struct waiter {
  struct ws_outq *queue;
  pthread_t thread;
  atomic_int looks;
  bool found;
};

static bool has_room(void *context) {
  struct waiter *waiter = context;
  bool found = ws_outq_try_charge(waiter->queue, WANTED, CAP);
  atomic_fetch_add(&waiter->looks, 1);
  return found;
}

static void *wait_for_room(void *context) {
  struct waiter *waiter = context;
  int64_t begun = ws_clock_ms();
  waiter->found = ws_wait_until(begun + WAIT_MS, has_room, waiter) && ws_clock_ms() - begun < WAIT_MS;
  return NULL;
}

/* Charges what leaves no room, and returns once another thread waits for some. */
static void begin_to_wait(struct waiter *waiter, struct fixture *fixture, size_t charged) {
  *waiter = (struct waiter){.queue = &fixture->queue};
  ws_outq_charge(&fixture->queue, charged);
  assert_int_equal(pthread_create(&waiter->thread, NULL, wait_for_room, waiter), 0);
  while (!atomic_load(&waiter->looks))
    sched_yield();
}

static void expect_room(struct waiter *waiter, struct fixture *fixture) {
  assert_int_equal(pthread_join(waiter->thread, NULL), 0);
  assert_true(waiter->found);
  ws_outq_discharge(&fixture->queue, WANTED);
}

/* WS-SEND-5: whatever makes room, who waits for it hears of it. */
static void test_who_waits_for_room_is_told(void **state) {
  struct fixture *fixture = *state;
  struct waiter waiter;
  uint8_t bytes[50000], received[sizeof bytes];
  fill(bytes, sizeof bytes);
  begin_to_wait(&waiter, fixture, sizeof bytes);
  struct iovec part = {bytes, sizeof bytes};
  assert_int_equal(ws_outq_write(&fixture->queue, fixture->loop, &fixture->stream, &part, 1), 0);
  expect_room(&waiter, fixture);
  receive(fixture, received, sizeof received);

  begin_to_wait(&waiter, fixture, sizeof bytes);
  ws_outq_discharge(&fixture->queue, sizeof bytes);
  expect_room(&waiter, fixture);
}

/* A failed stream is reported, and the queue can still be cleared. */
static void test_failed_stream(void **state) {
  struct fixture *fixture = *state;
  shutdown(fixture->stream.watch.fd, SHUT_WR);
  append(fixture, "x", 1);
  assert_int_equal(flush(fixture), -1);
  assert_string_equal(ws_stream_error(&fixture->stream), "Broken pipe");
  ws_outq_clear(&fixture->queue, fixture->loop);
  ws_outq_charge(&fixture->queue, 1);
  assert_int_equal(ws_outq_write(&fixture->queue, fixture->loop, &fixture->stream, &(struct iovec){"x", 1}, 1), -1);
  assert_int_equal(errno, EPIPE);
}

static struct ws_chunk *chunk_of(const char *text) {
  struct ws_chunk *chunk = ws_chunk_new(strlen(text));
  memcpy(chunk->bytes, text, strlen(text));
  return chunk;
}

static void expect_received(struct fixture *fixture, const char *text) {
  char received[64] = "";
  assert_int_equal(recv(fixture->peer, received, sizeof received - 1, 0), strlen(text));
  assert_string_equal(received, text);
}

/* Nothing overtakes an unready piece, and what is ready goes out. */
static void test_unready_pieces(void **state) {
  struct fixture *fixture = *state;
  struct ws_outq *queue = &fixture->queue;
  struct ws_chunk *chunk = chunk_of("unready ");
  append(fixture, "before ", 7);
  ws_outq_charge(queue, 8);
  assert_false(ws_outq_is_unready(queue));
  assert_int_equal(ws_outq_share_unready(queue, fixture->loop, chunk, 0, 8), 0);
  append(fixture, "behind", 6);
  append(fixture, " it", 3);
  assert_int_equal(flush(fixture), WS_OUTQ_UNREADY);
  expect_received(fixture, "before ");
  assert_ptr_equal(ws_outq_unready(queue)->chunk, chunk);
  ws_outq_ready(queue, fixture->loop, chunk_of("final "), 0, 6);
  assert_int_equal(ws_outq_bytes(queue), 6 + 9);
  assert_int_equal(flush(fixture), WS_OUTQ_UNREADY);
  expect_received(fixture, "final ");
  /* A piece that is looked at does not grow. */
  assert_int_equal(ws_outq_unready(queue)->length, 9);
  append(fixture, "!", 1);
  assert_int_equal(ws_outq_unready(queue)->length, 9);
  assert_non_null(ws_outq_reserve(queue, fixture->loop, 10000));
  ws_outq_commit(queue, fixture->loop, 0);
  ws_outq_ready(queue, fixture->loop, NULL, 0, 0);
  assert_true(ws_outq_is_unready(queue));
  ws_outq_ready(queue, fixture->loop, NULL, 0, 0);
  assert_false(ws_outq_is_unready(queue));
  assert_int_equal(flush(fixture), 0);
  expect_received(fixture, "behind it!");
  ws_outq_charge(queue, 8);
  assert_int_equal(ws_outq_share_unready(queue, fixture->loop, chunk, 0, 8), 0);
  ws_outq_clear(queue, fixture->loop);
  assert_int_equal(ws_outq_bytes(queue), 0);
  assert_int_equal(atomic_load(&chunk->references), 1);
  ws_chunk_unref(chunk);
}

/* A budget counts a shared chunk once; each queue knows its part. */
static void test_a_new_beginning(void **state) {
  struct fixture *fixture = *state;
  char text[64];
  append(fixture, "head.", 5);
  for (int behind = 0; behind < 2; behind++) {
    struct ws_chunk *chunk = ws_chunk_new(9);
    memcpy(chunk->bytes, "new head.", 9);
    chunk->secret = 1;
    assert_int_equal(ws_outq_replace(&fixture->queue, fixture->loop, behind ? 9 : 5, chunk), 0);
    assert_int_equal(ws_outq_bytes(&fixture->queue), behind ? 13 : 9);
    if (!behind)
      append(fixture, "more", 4);
  }
  assert_int_equal(ws_outq_flush(&fixture->queue, fixture->loop, &fixture->stream, SIZE_MAX), 0);
  assert_int_equal(recv(fixture->peer, text, sizeof text, 0), 13);
  assert_memory_equal(text, "new head.more", 13);
  assert_int_equal(ws_outq_bytes(&fixture->queue), 0);
}

/* A chunk that is written in part is held whole: WS-LIMIT-18 */
static void test_what_a_written_part_holds(void **state) {
  struct fixture *fixture = *state;
  struct ws_chunk *chunk = ws_chunk_new(100000);
  assert_non_null(chunk);
  memset(chunk->bytes, 'x', 100000);
  ws_outq_charge(&fixture->queue, 100000);
  assert_int_equal(ws_outq_take(&fixture->queue, fixture->loop, chunk, 0, 100000), 0);
  assert_int_equal(ws_outq_flush(&fixture->queue, fixture->loop, &fixture->stream, 1000), WS_OUTQ_BLOCKED);
  assert_in_range(ws_outq_bytes(&fixture->queue), 1, 99999);
  assert_int_equal(ws_outq_held(&fixture->queue), sizeof *chunk + 100000);
  ws_outq_clear(&fixture->queue, fixture->loop);
}

/* What many queues share at the front hides nothing that one alone has behind it: WS-LIMIT-19 */
static void test_own_part_behind_shared(void **state) {
  enum { OTHERS = 9, SHARED = 40, OWN = 40 };
  struct fixture *fixture = *state;
  struct ws_outq *queue = &fixture->queue, others[OTHERS] = {{0}};
  _Atomic int64_t budget = 0;
  for (int i = 0; i < SHARED + OWN; i++) {
    struct ws_chunk *chunk = ws_chunk_new(1000);
    assert_non_null(chunk);
    ws_chunk_count(chunk, &budget);
    ws_outq_charge(queue, 1000);
    assert_int_equal(ws_outq_share(queue, fixture->loop, chunk, 0, 1000), 0);
    for (int j = 0; i < SHARED && j < OTHERS; j++) {
      ws_outq_charge(&others[j], 1000);
      assert_int_equal(ws_outq_share(&others[j], fixture->loop, chunk, 0, 1000), 0);
    }
    ws_chunk_unref(chunk);
  }
  assert_in_range(ws_outq_shared_part(queue), OWN * 1000 + SHARED * 1000 / (OTHERS + 1),
                  OWN * 1000 + SHARED * 1000 / 2);
  for (int j = 0; j < OTHERS; j++)
    ws_outq_clear(&others[j], fixture->loop);
  ws_outq_clear(queue, fixture->loop);
}

/* Small pieces between shared ones have a chunk each, which counts whole: WS-LIMIT-18 */
static void test_small_pieces_between_shared(void **state) {
  enum { ROUNDS = 2000, SHARED = 600, CHUNK = sizeof(struct ws_chunk) + 256, LIST = 100 };
  struct fixture *fixture = *state;
  struct ws_outq *queue = &fixture->queue;
  _Atomic int64_t budget = 0;
  for (int i = 0; i < ROUNDS; i++) {
    struct ws_chunk *chunk = ws_chunk_new(SHARED);
    ws_chunk_count(chunk, &budget);
    append(fixture, "ok", 2);
    ws_outq_charge(queue, SHARED);
    assert_int_equal(ws_outq_share(queue, fixture->loop, chunk, 0, SHARED), 0);
    ws_chunk_unref(chunk);
  }
  assert_in_range(ws_outq_held(queue), ROUNDS * CHUNK, ROUNDS * (CHUNK + LIST));
  ws_outq_clear(queue, fixture->loop);
  assert_int_equal(ws_outq_held(queue), 0);
}

static void test_counted_chunk(void **state) {
  struct fixture *fixture = *state;
  struct ws_outq *queue = &fixture->queue;
  struct ws_outq other = {0};
  _Atomic int64_t budget = 0;
  struct ws_chunk *chunk = chunk_of("0123456789");
  ws_chunk_count(chunk, &budget);
  int64_t counted = atomic_load(&budget);
  assert_int_equal(counted, sizeof *chunk + 10);
  append(fixture, "own", 3);
  ws_outq_charge(queue, 10);
  ws_outq_charge(&other, 10);
  assert_int_equal(ws_outq_share(queue, fixture->loop, chunk, 0, 10), 0);
  assert_int_equal(ws_outq_share_unready(&other, fixture->loop, chunk, 0, 10), 0);
  ws_chunk_unref(chunk);
  assert_in_range(ws_outq_held(queue), sizeof *chunk + 3, WS_POOL_CHUNK_SIZE);
  assert_int_equal(ws_outq_shared(queue), 10);
  assert_int_equal(ws_outq_shared_part(queue), 5);
  ws_outq_unready(&other);
  ws_outq_ready(&other, fixture->loop, chunk_of("packed"), 0, 6);
  assert_int_equal(ws_outq_shared(&other), 0);
  assert_int_equal(ws_outq_held(&other), sizeof *chunk + 6);
  assert_int_equal(ws_outq_shared_part(queue), 10);
  assert_int_equal(atomic_load(&budget), counted);
  assert_int_equal(flush(fixture), 0);
  assert_int_equal(ws_outq_shared_part(queue), 0);
  assert_int_equal(atomic_load(&budget), 0);
  ws_outq_clear(&other, fixture->loop);
}

/* A flush with a bound stops there, within a piece or between two, and a later one goes on. */
static void test_a_bounded_flush(void **state) {
  struct fixture *fixture = *state;
  struct ws_outq *queue = &fixture->queue;
  uint8_t bytes[9000], got[9000];
  fill(bytes, sizeof bytes);
  append(fixture, bytes, 1000);
  take(fixture, bytes + 1000, 5000);
  append(fixture, bytes + 6000, 3000);
  static const size_t steps[] = {500, 500, 2000, 4000, 2000};
  size_t done = 0;
  for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
    int outcome = ws_outq_flush(queue, fixture->loop, &fixture->stream, steps[i]);
    done += steps[i];
    assert_int_equal(outcome, done == sizeof bytes ? 0 : WS_OUTQ_BLOCKED);
    assert_int_equal(ws_outq_bytes(queue), sizeof bytes - done);
  }
  for (size_t n = 0; n < sizeof got;)
    n += (size_t)recv(fixture->peer, got + n, sizeof got - n, 0);
  assert_memory_equal(got, bytes, sizeof bytes);
}

#define outq_test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      outq_test(test_an_empty_queue_holds_nothing),
      outq_test(test_what_was_added_goes_out_at_once),
      outq_test(test_order_is_kept_through_partial_writes),
      outq_test(test_shared_chunk),
      outq_test(test_cap),
      outq_test(test_charging_from_many_threads),
      outq_test(test_clear),
      outq_test(test_memory_is_used_again),
      outq_test(test_commit_of_nothing),
      outq_test(test_a_long_list_written_in_part),
      outq_test(test_a_chunk_too_large),
      outq_test(test_writing_through),
      outq_test(test_who_waits_for_room_is_told),
      outq_test(test_failed_stream),
      outq_test(test_unready_pieces),
      outq_test(test_a_new_beginning),
      outq_test(test_what_a_written_part_holds),
      outq_test(test_own_part_behind_shared),
      outq_test(test_small_pieces_between_shared),
      outq_test(test_counted_chunk),
      outq_test(test_a_bounded_flush),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
