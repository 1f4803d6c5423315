/* permessage-deflate of servers. */
#include <zlib.h>

#include "osprey/hooks.h"
#include "support/osprey.h"
#include "support/peer.h"
#include "support/test.h"

static char *error;

/* Messages are compressed only if both ends allow it: WS-LIMIT-13 WS-CONNECTWITH-5 */
static void test_compression(void **state) {
  char url[64];
  char head[1024];
  int port;
  (void)state;
  for (int on = 0; on < 2; on++) {
    int64_t server = must_serve_with(&port, "compression", on, NULL);
    struct peer peer = peer_connect(port);
    peer_request(&peer, port, "/", "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n");
    peer_read_head(&peer, head, sizeof head);
    assert_int_equal(strstr(head, "permessage-deflate") != NULL, on);
    peer_close(&peer);
    snprintf(url, sizeof url, "ws://127.0.0.1:%d/", port);
    for (int wanted = 0; wanted < 2; wanted++) {
      struct osprey_options options = {.headers = "", .protocols = "", .compression = wanted};
      int64_t id = must_connect_with(url, &options, on_message);
      journal_clear();
      for (int i = 0; i < 20; i++) {
        char text[100];
        char line[110];
        snprintf(text, sizeof text, "compress me, compress me, compress me %d", i);
        snprintf(line, sizeof line, "text:%s", text);
        must_send(id, text);
        journal_expect(line);
      }
      osp_ws_send_binary(id, "AAAAAAAAAAAA", &error);
      expect_success(error);
      journal_expect("binary:AAAAAAAAAAAA");
      osp_ws_server_broadcast(server, "to all, to all, to all", &error);
      expect_success(error);
      journal_expect("text:to all, to all, to all");
      must_close(id);
      journal_expect("close:1000:");
    }
    must_stop(server);
    journal_clear();
  }
}

/* A message is compressed as if it were the first: WS-LIMIT-20 */
static void test_compression_without_a_context(void **state) {
  static const char text[] = "compress me, compress me, compress me";
  char head[1024];
  uint8_t first[sizeof text];
  (void)state;
  for (int on = 1; on <= 2; on++) {
    bool keeps = on == 1;
    int port;
    int64_t server = must_serve_with(&port, "compression", on, NULL);
    struct peer peer = peer_connect(port);
    peer_request(&peer, port, "/", "Sec-WebSocket-Extensions: permessage-deflate\r\n");
    peer_read_head(&peer, head, sizeof head);
    assert_int_equal(strstr(head, "server_no_context_takeover") == NULL, keeps);
    peer_send_message(&peer, text);
    peer_expect_frame(&peer, 0xC1);
    size_t size = peer.frame.size;
    assert_in_range(size, 1, sizeof first);
    memcpy(first, peer.frame.payload, size);
    peer_send_message(&peer, text);
    peer_expect_frame(&peer, 0xC1);
    assert_int_equal(peer.frame.size != size || memcmp(peer.frame.payload, first, size) != 0, keeps);
    peer_close(&peer);
    must_stop(server);
    journal_clear();
  }
}

enum { SPACES = 3 << 20 };

/* Sends a message of three million spaces, compressed as far as zlib can. */
static void send_spaces(struct peer *peer) {
  z_stream stream = {.zalloc = NULL};
  uint8_t *spaces = malloc(SPACES);
  uint8_t payload[8192];
  memset(spaces, ' ', SPACES);
  assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
  stream.next_in = spaces;
  stream.avail_in = SPACES;
  stream.next_out = payload;
  stream.avail_out = sizeof payload;
  assert_int_equal(deflate(&stream, Z_SYNC_FLUSH), Z_OK);
  peer_send_frame(peer, 0xC1, payload, sizeof payload - stream.avail_out - 4);
  deflateEnd(&stream);
  free(spaces);
}

/* The echo is compressed so that no guard refuses it: DEFLATE-7 DEFLATE-13 */
static void test_compression_ratio(void **state) {
  static const int ratios[] = {100, 1032};
  (void)state;
  for (int i = 0; i < 2; i++) {
    int port;
    int64_t server =
        must_serve_with(&port, "compression", 1, "maxMessageBytes", 4 << 20, "maxCompressionRatio", ratios[i], NULL);
    struct peer peer = peer_connect(port);
    peer_shake(&peer, port, "/", "Sec-WebSocket-Extensions: permessage-deflate\r\n");
    send_spaces(&peer);
    if (i == 0) {
      peer_expect_close(&peer, 1009);
    } else {
      peer_expect_frame(&peer, 0x81);
      assert_int_equal(peer.frame.size, SPACES);
    }
    peer_close(&peer);
    must_stop(server);
  }
}

enum { LARGE = 700000, SMALL = 40 };

static _Atomic int64_t broadcaster;
static char *large, *spaces;

static void broadcast(const char *text) {
  char *problem;
  osp_ws_server_broadcast(broadcaster, text, &problem);
  expect_success(problem);
}

/* Sends in many ways while a broadcast waits to be compressed, then closes. */
static void *send_behind_broadcasts(void *cell, const struct osprey_connection *connection,
                                    const struct osprey_message *message) {
  char *problem;
  char text[64];
  (void)cell;
  (void)message;
  broadcast(large);
  int64_t queued = osp_ws_queued_bytes(connection->id, &problem);
  journal_write("queued %d", (int)queued);
  osp_ws_send(connection->id, "sent behind it, sent behind it", &problem);
  expect_success(problem);
  osp_ws_send_binary(connection->id, "AAAAAAAAAAAA", &problem);
  expect_success(problem);
  broadcast(spaces);
  for (int i = 0; i < SMALL; i++) {
    snprintf(text, sizeof text, "small %d, small %d", i, i);
    broadcast(text);
  }
  broadcast("");
  broadcast(large);
  osp_ws_send(connection->id, large, &problem);
  expect_success(problem);
  osp_ws_close(connection->id, &problem);
  expect_success(problem);
  return result_success();
}

static void *on_send_behind_broadcasts[] = {(void *)send_behind_broadcasts};

/* The message that was read, with the context of those before, must be these n bytes, compressed or not. */
static void check_inflated(z_stream *context, const struct peer *peer, const void *expected, size_t n) {
  uint8_t tail[4] = {0, 0, 0xFF, 0xFF};
  uint8_t *bytes = malloc(n + 1);
  context->next_out = bytes;
  context->avail_out = (uInt)n + 1;
  context->next_in = peer->frame.payload;
  context->avail_in = (uInt)peer->frame.size;
  if (peer->frame.head & 0x40) {
    inflate(context, Z_SYNC_FLUSH);
    assert_int_equal(context->avail_in, 0);
    context->next_in = tail;
    context->avail_in = sizeof tail;
    inflate(context, Z_SYNC_FLUSH);
    assert_int_equal(context->avail_out, 1);
  } else {
    assert_int_equal(peer->frame.size, n);
    memcpy(bytes, peer->frame.payload, n);
  }
  assert_memory_equal(bytes, expected, n);
  free(bytes);
}

static void expect_inflated_bytes(z_stream *context, struct peer *peer, uint8_t head, const void *expected, size_t n) {
  peer_expect_frame(peer, head);
  check_inflated(context, peer, expected, n);
}

static void expect_inflated(z_stream *context, struct peer *peer, uint8_t head, const char *expected) {
  expect_inflated_bytes(context, peer, head, expected, strlen(expected));
}

/* The texts of this test. `large` is letters in no order, `spaces` is what DEFLATE-13 sends uncompressed. */
static void make_texts(void) {
  uint32_t random = 1;
  large = calloc(1, LARGE + 1);
  for (int i = 0; i < LARGE; i++) {
    random = random * 1664525 + 1013904223;
    large[i] = (char)('a' + (random >> 24) % 16);
  }
  spaces = calloc(1, SPACES + 1);
  memset(spaces, ' ', SPACES);
}

/* What is sent behind a broadcast stays behind it, and is compressed in that order: DEFLATE-12 DEFLATE-15 WS-QUEUED-2
 * WS-BROADCAST-6 */
static void test_broadcast_with_a_context(void **state) {
  char text[64];
  (void)state;
  int port = peer_free_port();
  make_texts();
  broadcaster = must_create(port, "/");
  must_limit(broadcaster, "compression", 1);
  must_set(osp_ws_server_on_message, broadcaster, on_send_behind_broadcasts);
  must_set(osp_ws_server_on_close, broadcaster, on_close);
  must_listen(broadcaster);
  struct peer peer = peer_connect(port);
  peer_shake(&peer, port, "/", "Sec-WebSocket-Extensions: permessage-deflate\r\n");
  z_stream context = {.zalloc = NULL};
  assert_int_equal(inflateInit2(&context, -15), Z_OK);
  peer_send_message(&peer, "go");
  snprintf(text, sizeof text, "queued %d", 10 + LARGE);
  journal_expect(text);
  expect_inflated(&context, &peer, 0xC1, large);
  expect_inflated(&context, &peer, 0xC1, "sent behind it, sent behind it");
  expect_inflated_bytes(&context, &peer, 0xC2, "\0\0\0\0\0\0\0\0", 9);
  expect_inflated(&context, &peer, 0x81, spaces);
  for (int i = 0; i < SMALL; i++) {
    snprintf(text, sizeof text, "small %d, small %d", i, i);
    expect_inflated(&context, &peer, 0xC1, text);
  }
  expect_inflated(&context, &peer, 0xC1, "");
  expect_inflated(&context, &peer, 0xC1, large);
  expect_inflated(&context, &peer, 0xC1, large);
  peer_expect_close(&peer, 1000);
  journal_expect("close:1000:");
  inflateEnd(&context);
  peer_close(&peer);
  must_stop(broadcaster);
}

/* ---- full queues */

enum { IN_ALL = 6 };

static void *fill_queue(void *cell, int64_t timer) {
  (void)cell;
  (void)timer;
  for (int i = 1; i < IN_ALL; i++)
    broadcast(large);
  return result_success();
}

static void *on_fill[] = {(void *)fill_queue};

/* The first is on its way through the deflater when the others fill the queue. */
static void *begin_to_fill(void *cell, const struct osprey_connection *connection,
                           const struct osprey_message *message) {
  char *problem;
  (void)cell;
  (void)connection;
  (void)message;
  broadcast(large);
  osp_ws_after(1, on_fill, &problem);
  expect_success(problem);
  return result_success();
}

/* What waits in a full queue to be compressed is sent as it is: WS-TIME-8 */
static void test_broadcasts_to_a_full_queue(void **state) {
  static void *on_begin[] = {(void *)begin_to_fill};
  int plain = 0, port = peer_free_port();
  (void)state;
  broadcaster = must_create(port, "/");
  must_limit(broadcaster, "compression", 1);
  must_limit(broadcaster, "maxQueuedBytes", 3 * LARGE + 100);
  must_set(osp_ws_server_on_message, broadcaster, on_begin);
  must_listen(broadcaster);
  struct peer peer = peer_connect(port);
  peer_shake(&peer, port, "/", "Sec-WebSocket-Extensions: permessage-deflate\r\n");
  z_stream context = {.zalloc = NULL};
  assert_int_equal(inflateInit2(&context, -15), Z_OK);
  peer_send_message(&peer, "go");
  for (int i = 0; i < IN_ALL; i++) {
    assert_true(peer_read_frame(&peer));
    check_inflated(&context, &peer, large, LARGE);
    plain += !(peer.frame.head & 0x40);
  }
  assert_in_range(plain, 1, IN_ALL - 1);
  inflateEnd(&context);
  peer_close(&peer);
  must_stop(broadcaster);
}

/* Broadcasts to a receiver that does not read, which then goes away, or reads and finds all of them: DEFLATE-15 */
static void test_broadcast_to_a_blocked_receiver(void **state) {
  (void)state;
  for (int reads = 0; reads < 2; reads++) {
    int port;
    int64_t server = must_serve_with(&port, "compression", 1, NULL);
    struct peer peer = peer_connect(port);
    peer_shake(&peer, port, "/", "Sec-WebSocket-Extensions: permessage-deflate\r\n");
    z_stream context = {.zalloc = NULL};
    assert_int_equal(inflateInit2(&context, -15), Z_OK);
    for (int i = 0; i < 20; i++) {
      osp_ws_server_broadcast(server, large, &error);
      expect_success(error);
    }
    for (int i = 0; i < 20 && reads; i++)
      expect_inflated(&context, &peer, 0xC1, large);
    inflateEnd(&context);
    if (reads)
      peer_close(&peer);
    else
      peer_reset(&peer);
    journal_expect("close:1006:");
    must_stop(server);
  }
  free(large);
  free(spaces);
}

/* All windows but the largest share one compressed frame, which each of them can read: DEFLATE-9 DEFLATE-12 */
static void test_broadcast_to_all_windows(void **state) {
  enum { LEAST = 9, MOST = 15 };
  struct peer peers[MOST + 1];
  int port;
  (void)state;
  make_texts();
  int64_t server = must_serve_with(&port, "compression", 1, NULL);
  for (int bits = LEAST; bits <= MOST; bits++) {
    char offer[160];
    snprintf(offer, sizeof offer,
             "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; server_max_window_bits=%d\r\n",
             bits);
    peers[bits] = peer_connect(port);
    peer_shake(&peers[bits], port, "/", offer);
  }
  osp_ws_server_broadcast(server, large, &error);
  expect_success(error);
  for (int bits = LEAST; bits <= MOST; bits++) {
    z_stream context = {.zalloc = NULL};
    assert_int_equal(inflateInit2(&context, -bits), Z_OK);
    expect_inflated(&context, &peers[bits], 0xC1, large);
    inflateEnd(&context);
    const struct peer *first = &peers[LEAST];
    bool alike = peers[bits].frame.size == first->frame.size &&
                 memcmp(peers[bits].frame.payload, first->frame.payload, first->frame.size) == 0;
    assert_int_equal(alike, bits < MOST);
  }
  for (int bits = LEAST; bits <= MOST; bits++)
    peer_close(&peers[bits]);
  must_stop(server);
  free(large);
  free(spaces);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_compression, journal_setup),
      cmocka_unit_test_setup(test_compression_without_a_context, journal_setup),
      cmocka_unit_test_setup(test_compression_ratio, journal_setup),
      cmocka_unit_test_setup(test_broadcast_with_a_context, journal_setup),
      cmocka_unit_test_setup(test_broadcasts_to_a_full_queue, journal_setup),
      cmocka_unit_test_setup(test_broadcast_to_a_blocked_receiver, journal_setup),
      cmocka_unit_test_setup(test_broadcast_to_all_windows, journal_setup),
  };
  return cmocka_run_group_tests_name("compression", tests, NULL, NULL);
}
