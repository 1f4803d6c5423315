/* HTTP heads that arrive in pieces. */
#include "conn/head_reader.h"
#include "support/peer.h"
#include "support/test.h"

/* Every piece is zeroed where it arrived: WS-SEC-3 */
static void test_a_head_in_pieces(void **state) {
  (void)state;
  for (size_t piece = 1; piece < 200; piece += 7) {
    char bytes[2000];
    struct ws_http_head scratch;
    struct ws_http_head *head = NULL;
    struct ws_head_reader *reader = NULL;
    size_t n = (size_t)snprintf(bytes, sizeof bytes, "%s\r\nrest", PEER_REQUEST("/chat"));
    size_t at = 0;
    size_t used = 0;
    int outcome = WS_HTTP_PARTIAL;
    while (outcome == WS_HTTP_PARTIAL) {
      size_t size = piece < n - at ? piece : n - at;
      outcome = ws_head_reader_feed(&reader, &scratch, WS_HTTP_REQUEST, (uint8_t *)bytes + at, size, &head, &used);
      if (outcome == WS_HTTP_PARTIAL)
        assert_int_equal(bytes[at] | bytes[at + size - 1], 0);
      at += outcome == WS_HTTP_PARTIAL ? size : used;
    }
    assert_int_equal(outcome, WS_HTTP_COMPLETE);
    assert_int_equal(at, n - 4);
    assert_int_equal(head->field_count, 5);
    ws_head_reader_wipe(&reader, (uint8_t *)bytes + at - used, used);
    assert_null(reader);
    assert_int_equal(bytes[at - 1], 0);
  }
}

static void test_a_head_that_is_too_long(void **state) {
  struct ws_http_head scratch;
  struct ws_http_head *head;
  struct ws_head_reader *reader = NULL;
  size_t used;
  (void)state;
  char *big = calloc(1, 40000);
  assert_non_null(big);
  memset(big, 'x', 39999);
  memcpy(big, "GET / HTTP/1.1\r\nX: ", 19);
  assert_int_equal(ws_head_reader_feed(&reader, &scratch, WS_HTTP_REQUEST, (uint8_t *)big, 5000, &head, &used),
                   WS_HTTP_PARTIAL);
  assert_int_equal(ws_head_reader_feed(&reader, &scratch, WS_HTTP_REQUEST, (uint8_t *)big + 5000, 30000, &head, &used),
                   WS_HTTP_PROBLEM);
  ws_head_reader_wipe(&reader, NULL, 0);
  free(big);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_head_in_pieces),
      cmocka_unit_test(test_a_head_that_is_too_long),
  };
  return cmocka_run_group_tests_name("head reader", tests, NULL, NULL);
}
