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

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_compression, journal_setup),
      cmocka_unit_test_setup(test_compression_ratio, journal_setup),
  };
  return cmocka_run_group_tests_name("compression", tests, NULL, NULL);
}
