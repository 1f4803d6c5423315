/* Requests that connections share. */
#include "server/request.h"
#include "support/peer.h"
#include "support/test.h"

static struct ws_request *request_of(struct ws_requests *requests, const char *more) {
  static char bytes[2000];
  struct ws_http_head head;
  struct ws_server_rules rules = {.path = "/chat"};
  struct ws_server_request request;
  size_t n = (size_t)snprintf(bytes, sizeof bytes, "%s%s\r\n", PEER_REQUEST("/chat"), more);
  ws_http_head_init(&head, WS_HTTP_REQUEST);
  assert_int_equal(ws_http_head_parse(&head, bytes, n), WS_HTTP_COMPLETE);
  assert_int_equal(ws_server_check(&head, &rules, &request), WS_REFUSAL_NONE);
  return ws_requests_get(requests, &head, &request);
}

/* WS-HEADER-1 WS-HEADER-2 WS-HEADER-3 WS-TYPE-6 */
static void test_requests(void **state) {
  struct ws_requests requests;
  char text[64];
  (void)state;
  ws_requests_init(&requests);
  struct ws_request *a = request_of(&requests, "User-Agent: x\r\n");
  struct ws_request *b = request_of(&requests, "User-Agent: x\r\n");
  struct ws_request *c = request_of(&requests, "User-Agent: y\r\n");
  struct ws_request *d = request_of(&requests, "Cookie: 1\r\nX: a\r\nx: b\r\n");
  struct ws_request *e = request_of(&requests, "Cookie: 1\r\nX: a\r\nx: b\r\n");
  assert_ptr_equal(a, b);
  assert_ptr_not_equal(a, c);
  assert_ptr_not_equal(d, e); /* personal: not shared */
  ws_request_url(a, true, text, sizeof text);
  assert_string_equal(text, "wss://localhost/chat");
  assert_int_equal(ws_request_header(d, "x", text, sizeof text), 4);
  assert_memory_equal(text, "a, b", 4);
  assert_int_equal(ws_request_header(d, "x", text, 2), 4); /* less room: the size all the same */
  assert_int_equal(ws_request_header(d, "UPGRADE", text, sizeof text), 9);
  assert_memory_equal(text, "websocket", 9);
  assert_int_equal(ws_request_header(d, "Sec-WebSocket-Key", text, sizeof text), -1);
  assert_int_equal(ws_request_header(d, "y", text, sizeof text), -1);
  struct ws_request *all[] = {a, b, c, d, e, NULL};
  for (int i = 0; i < 6; i++)
    ws_request_unref(all[i]);
  ws_requests_deinit(&requests);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_requests),
  };
  return cmocka_run_group_tests_name("request", tests, NULL, NULL);
}
