/* One regression test for each class of vulnerability that other implementations had in this layer. The comments name
 * examples. Those that need sockets are in ../conn/test_vulnerabilities.c. */
#include "protocol/subprotocol.h"
#include "support.h"

#include <time.h>

#include "protocol/client_headers.h"
#include "protocol/close_code.h"
#include "protocol/deflate.h"
#include "protocol/server_handshake.h"
#include "protocol/url.h"

static const struct setup server = {.role = WS_ROLE_SERVER};
static const struct setup client = {.role = WS_ROLE_CLIENT};

#define REQUEST                                                                                                        \
  "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"                                         \
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"

static enum ws_refusal decide(const char *text, size_t n) {
  const struct ws_server_handshake_rules rules = {.path = "/"};
  struct ws_server_handshake request;
  struct ws_http_head head;
  ws_http_head_init(&head, WS_HTTP_REQUEST);
  if (ws_http_head_parse(&head, (char *)guard_place(text, n), n) != WS_HTTP_COMPLETE)
    return head.problem;
  return ws_server_handshake_check(&head, &rules, &request);
}

/* A 64-bit length overflows in an addition: libre CVE-2026-50161, gorilla CVE-2020-27813, undici CVE-2026-1528,
 * LibVNCServer CVE-2017-18922, uWebSockets CVE-2020-36406. */
static void test_length_overflow(void **state) {
  (void)state;
  check_play("2^64-1", &server, "\x82\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01\x02\x03\x04zz", 16,
             "fail 1002 a length has its top bit set\n");
  check_play("2^63-1", &server, "\x82\xFF\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01\x02\x03\x04zz", 16,
             "fail 1009 a message is too big\n");
  check_play("2^32", &server, "\x82\xFF\x00\x00\x00\x01\x00\x00\x00\x00\x01\x02\x03\x04zz", 16,
             "fail 1009 a message is too big\n");
  check_play("a sum of 2^63 and more", &client, "\x02\x02zz\x80\x7F\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 14,
             "fail 1009 a message is too big\n");
}

/* No limit on a message: ws CVE-2016-10542, uWebSockets CVE-2016-10544, Qt CVE-2018-21035. */
static void test_message_without_a_cap(void **state) {
  (void)state;
  check_play("1 MiB and a byte", &client, "\x82\x7F\x00\x00\x00\x00\x00\x10\x00\x01", 10,
             "fail 1009 a message is too big\n");
}

/* Small fragments with an unbounded sum: Bandit CVE-2026-42786, undici CVE-2026-9675. */
static void test_unbounded_sum_of_fragments(void **state) {
  const struct setup setup = {.role = WS_ROLE_SERVER, .max_message_bytes = 10000, .max_fragments = 1u << 30};
  char kilobyte[1000];
  uint8_t *bytes = NULL;
  size_t n = 0;
  (void)state;
  memset(kilobyte, 'x', sizeof kilobyte);
  frame_append(&bytes, &n, setup.role, TEXT, kilobyte, sizeof kilobyte);
  for (int i = 0; i < 10; i++)
    frame_append(&bytes, &n, setup.role, CONT, kilobyte, sizeof kilobyte);
  check_play("eleven", &setup, bytes, n, "fail 1009 a message is too big\n");
  free(bytes);
}

/* A flood of tiny or empty fragments: ws CVE-2026-48779, undici CVE-2026-12151. */
static void test_flood_of_empty_fragments(void **state) {
  const struct setup setup = {.role = WS_ROLE_SERVER, .max_fragments = 100000};
  uint8_t *bytes = malloc(2000000);
  size_t n = 0;
  struct record record = {0};
  (void)state;
  for (int i = 0; i <= 100000; i++, n += 6) {
    memcpy(bytes + n, "\x00\x80\x01\x02\x03\x04", 6);
    bytes[n] = i == 0 ? BIN : CONT;
  }
  play(&record, &setup, bytes, n, (struct way){n, n, false, false});
  assert_string_equal(record.log, "fail 1008 a message has too many fragments\n");
  free(bytes);
}

/* A decompression bomb, which must not take the time to inflate it whole: Bandit CVE-2026-39804, undici CVE-2026-1526,
 * websockets CVE-2018-1000518. The memory is bounded by the limit. */
static void test_decompression_bomb(void **state) {
  const struct setup setup = {
      .role = WS_ROLE_CLIENT, .max_message_bytes = 100000, .deflate = {15, 15, false, false, false}};
  size_t n;
  uint8_t *bytes = bomb(setup.role, 60u << 20, &n);
  struct record record = {0};
  (void)state;
  assert_true(n < 100000);
  play(&record, &setup, bytes, n, (struct way){n, n, false, false});
  assert_string_equal(record.log, "fail 1009 a message is too big\n");
  free(bytes);
}

/* Negotiated window bits that zlib does not support: undici CVE-2026-2229. */
static void test_bad_window_bits(void **state) {
  static const char *const bits[] = {"0", "1", "7", "8", "16", "31", "255", "-9", "4294967305", "", "015", "1e1"};
  struct ws_deflate_params params;
  char answer[80];
  (void)state;
  for (size_t i = 0; i < COUNT(bits); i++) {
    sprintf(answer, "permessage-deflate; client_max_window_bits=%s", bits[i]);
    assert_int_equal(ws_deflate_agree(&params, ws_slice_of(answer)), WS_DEFLATE_MALFORMED);
    sprintf(answer, "permessage-deflate; server_max_window_bits=%s", bits[i]);
    assert_int_not_equal(ws_deflate_negotiate(&params, ws_slice_of(answer)), WS_DEFLATE_AGREED);
  }
}

/* Unmasked client frames accepted: Bandit GHSA-rhh8-5xw9-c3gm. */
static void test_unmasked_client_frames(void **state) {
  (void)state;
  check_play("text", &server, "\x81\x02hi", 4, "fail 1002 a client's frame is not masked\n");
  check_play("ping", &server, "\x89\x00", 2, "fail 1002 a client's frame is not masked\n");
  check_play("close", &server, "\x88\x02\x03\xE8", 4, "fail 1002 a client's frame is not masked\n");
}

/* An oversized control frame: libsoup CVE-2026-15711. */
static void test_oversized_control_frames(void **state) {
  (void)state;
  check_play("ping", &client, "\x89\x7E\x00\x7E", 4, "fail 1002 a control frame is longer than 125 bytes\n");
  check_play("pong", &client, "\x8A\x7F\x00\x00\x00\x00\x00\x01\x00\x00", 10,
             "fail 1002 a control frame is longer than 125 bytes\n");
  check_play("close", &client, "\x88\x7E\xFF\xFF", 4, "fail 1002 a control frame is longer than 125 bytes\n");
}

/* CR and LF through a URL, a header or a subprotocol: hackney CVE-2026-47072, undici CVE-2026-1527. */
static void test_injection_of_header_lines(void **state) {
  struct ws_url url;
  struct ws_slice wrong;
  (void)state;
  assert_int_equal(ws_url_parse(&url, "ws://a/\r\nX: y", 13), WS_URL_CHARACTER);
  assert_int_equal(ws_url_parse(&url, "ws://a\r\n/", 9), WS_URL_CHARACTER);
  assert_int_equal(ws_client_headers_check("A: b\rX: y", NULL), WS_CLIENT_HEADERS_CHARACTER);
  assert_int_equal(ws_client_headers_check("A: b\r\n\r\nGET / HTTP/1.1", NULL), WS_CLIENT_HEADERS_LINE);
  assert_non_null(ws_subprotocol_check(ws_slice_of("chat\r\nX: y"), &wrong));
  assert_non_null(ws_subprotocol_check(ws_slice_of("chat\nX: y"), &wrong));
}

/* A flood of headers: ws CVE-2024-37890, tungstenite CVE-2023-43669. */
static void test_flood_of_headers(void **state) {
  static char text[100000];
  size_t n = (size_t)sprintf(text, "GET / HTTP/1.1\r\n");
  (void)state;
  while (n < sizeof text - 8)
    n += (size_t)sprintf(text + n, "A:\r\n");
  assert_int_equal(ws_refusal_status(decide(text, n)), 431);
  n = (size_t)sprintf(text, "GET / HTTP/1.1\r\nA: ");
  memset(text + n, 'x', sizeof text - n);
  assert_int_equal(ws_refusal_status(decide(text, sizeof text)), 431);
}

/* Super-linear header parsing: ws CVE-2021-32640, websocket-extensions CVE-2020-7662. Heads of the maximum size, of
 * the kinds that made such parsers hang. A thousand of each kind take less than a second; a quadratic parser takes
 * minutes. */
static void test_super_linear_header_parsing(void **state) {
  static const char *const starts[] = {"Sec-WebSocket-Extensions: x; y=\"", "Sec-WebSocket-Protocol: x",
                                       "Connection: x", "Sec-WebSocket-Extensions: x"};
  static const char *const fills[] = {"\\\"", ",a", " ,", ";a"};
  static char text[WS_HTTP_BYTES_MAX];
  (void)state;
  for (size_t kind = 0; kind < COUNT(starts); kind++) {
    struct timespec before, after;
    size_t n = (size_t)sprintf(text, "%s%s", REQUEST, starts[kind]);
    for (size_t i = 0; n < sizeof text - 4; i++)
      text[n++] = fills[kind][i % 2];
    memcpy(text + n, "\r\n\r\n", 4);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
    for (int i = 0; i < 1000; i++)
      assert_int_not_equal(decide(text, sizeof text), WS_REFUSAL_HEAD_TOO_BIG);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
    assert_true(after.tv_sec - before.tv_sec < 20);
  }
}

/* Use after free when a callback ends its connection: libwebsockets CVE-2025-11677, QEMU CVE-2025-11234. More frames
 * and an incomplete message follow the event. The freed session is overwritten; a sanitizer detects use of its
 * buffers. */
static void test_callback_frees_its_connection(void **state) {
  uint8_t *bytes = NULL;
  size_t n = 0;
  (void)state;
  frame_append(&bytes, &n, WS_ROLE_SERVER, TEXT, "frag", 4);
  frame_append(&bytes, &n, WS_ROLE_SERVER, PING, "ping", 4);
  frame_append(&bytes, &n, WS_ROLE_SERVER, FIN | CONT, "ment", 4);
  frame_append(&bytes, &n, WS_ROLE_SERVER, CLOSE, "\x03\xE8", 2);
  for (size_t stop = 1; stop <= 3; stop++) {
    for (size_t step = 1; step <= n; step++) {
      struct record record = {.stop_after = stop};
      play(&record, &server, bytes, n, (struct way){step, step, false, false});
      assert_int_equal(record.events, stop);
    }
  }
  free(bytes);
}

/* Predictable or reused masks: curl CVE-2025-10148. The caller passes each key, and that key is used. */
static void test_masks_are_the_callers(void **state) {
  const uint8_t keys[2][4] = {{1, 2, 3, 4}, {5, 6, 7, 8}};
  (void)state;
  for (int i = 0; i < 2; i++) {
    uint8_t header[WS_FRAME_HEADER_MAX];
    size_t n = ws_frame_encode(header, FIN | TEXT, 3, keys[i]);
    assert_memory_equal(header + n - 4, keys[i], 4);
  }
}

/* An endless loop on a malformed frame: curl CVE-2025-5399. Every two first bytes terminate, in both roles. */
static void test_every_start_ends(void **state) {
  (void)state;
  for (unsigned start = 0; start < 1u << 16; start++) {
    for (int role = 0; role < 2; role++) {
      uint8_t bytes[20] = {(uint8_t)(start >> 8), (uint8_t)start, 0x00, 0x7E};
      const struct setup setup = {.role = (enum ws_role)role, .deflate = {15, 15, false, false, false}};
      struct record record = {0};
      play(&record, &setup, bytes, sizeof bytes, (struct way){sizeof bytes, 1, false, false});
    }
  }
}

/* Uninitialised memory sent: ws CVE-2026-45736. Every byte of the output is written, whatever the buffer contained. */
static void test_everything_sent_is_initialised(void **state) {
  (void)state;
  for (unsigned canary = 0; canary <= 0xFF; canary += 0xFF) {
    uint8_t payload[WS_CLOSE_PAYLOAD_MAX];
    char answer[WS_SERVER_HANDSHAKE_MAX];
    memset(payload, (int)canary, sizeof payload);
    assert_int_equal(ws_close_code_encode(payload, 1000, "x", 1), 3);
    assert_memory_equal(payload, "\x03\xE8x", 3);
    memset(answer, (int)canary, sizeof answer);
    size_t n = ws_server_handshake_refuse(answer, WS_REFUSAL_PATH, "");
    assert_int_equal(n, strlen(answer));
  }
}

/* Request smuggling by a body of the upgrade request, or by lax parsing: aiohttp CVE-2026-69243, Netty
 * GHSA-4mp9-239f-g9hg. */
static void test_request_smuggling(void **state) {
  static const char *const tails[] = {
      "Content-Length: 10\r\n\r\n",
      "Transfer-Encoding: chunked\r\n\r\n",
      "Transfer-Encoding : chunked\r\n\r\n",
      "Content-Length: 0\r\nContent-Length: 5\r\n\r\n",
      "Content-Length: +0\r\n\r\n",
      "Transfer-Encoding:\vchunked\r\n\r\n",
      "X: y\nTransfer-Encoding: chunked\r\n\r\n",
      "X: y\rTransfer-Encoding: chunked\r\n\r\n",
      "X: y\r\n Transfer-Encoding: chunked\r\n\r\n",
      "Transfer-Encoding\r\n: chunked\r\n\r\n",
  };
  char text[1024];
  (void)state;
  for (size_t i = 0; i < COUNT(tails); i++) {
    size_t n = (size_t)sprintf(text, "%s%s", REQUEST, tails[i]);
    assert_int_equal(ws_refusal_status(decide(text, n)), 400);
  }
  memcpy(text, REQUEST "X: \0\r\n\r\n", sizeof REQUEST "X: \0\r\n\r\n");
  assert_int_equal(decide(text, sizeof REQUEST "X: \0\r\n\r\n" - 1), WS_REFUSAL_CONTROL_CHARACTER);
}

/* Cross-site WebSocket hijacking, loopback included: Cline CVE-2026-44211, MCP SDK CVE-2026-59950. */
static void test_cross_site_hijacking(void **state) {
  static const char *const origins[] = {"https://evil.example", "null", "http://a.evil.example", "file://",
                                        "http://a:81"};
  const struct ws_server_handshake_rules local = {.path = "/", .loopback = true};
  struct ws_server_handshake request;
  struct ws_http_head head;
  char text[1024];
  (void)state;
  for (size_t i = 0; i < COUNT(origins); i++) {
    size_t n = (size_t)sprintf(text, "%sOrigin: %s\r\n\r\n", REQUEST, origins[i]);
    assert_int_equal(decide(text, n), WS_REFUSAL_ORIGIN);
  }
  /* DNS rebinding: the attacker's name resolves to 127.0.0.1, so Origin and Host agree. */
  size_t n = (size_t)sprintf(text, "%sOrigin: http://a\r\n\r\n", REQUEST);
  ws_http_head_init(&head, WS_HTTP_REQUEST);
  assert_int_equal(ws_http_head_parse(&head, text, n), WS_HTTP_COMPLETE);
  assert_int_equal(ws_server_handshake_check(&head, &local, &request), WS_REFUSAL_HOST_NOT_LOOPBACK);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_length_overflow),
      cmocka_unit_test(test_message_without_a_cap),
      cmocka_unit_test(test_unbounded_sum_of_fragments),
      cmocka_unit_test(test_flood_of_empty_fragments),
      cmocka_unit_test(test_decompression_bomb),
      cmocka_unit_test(test_bad_window_bits),
      cmocka_unit_test(test_unmasked_client_frames),
      cmocka_unit_test(test_oversized_control_frames),
      cmocka_unit_test(test_injection_of_header_lines),
      cmocka_unit_test(test_flood_of_headers),
      cmocka_unit_test(test_super_linear_header_parsing),
      cmocka_unit_test(test_callback_frees_its_connection),
      cmocka_unit_test(test_masks_are_the_callers),
      cmocka_unit_test(test_every_start_ends),
      cmocka_unit_test(test_everything_sent_is_initialised),
      cmocka_unit_test(test_request_smuggling),
      cmocka_unit_test(test_cross_site_hijacking),
  };

  return cmocka_run_group_tests_name("vulnerabilities", tests, NULL, NULL);
}
