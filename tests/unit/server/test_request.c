/* Requests that connections share. */
#include "server/request.h"
#include "support/peer.h"
#include "support/test.h"

static struct ws_requests requests;

static int set_up(void **state) {
  (void)state;
  ws_requests_init(&requests);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  ws_requests_deinit(&requests);
  return 0;
}

/* Parses a request with further header lines, and keeps it. */
static struct ws_request *request_to(const char *target, const char *headers) {
  static char bytes[2000];
  struct ws_http_head head;
  struct ws_server_handshake_rules rules = {.path = "/chat", .protocols = "v1"};
  struct ws_server_handshake request;
  size_t n = (size_t)snprintf(bytes, sizeof bytes, PEER_REQUEST("%s") "%s\r\n", target, headers);
  ws_http_head_init(&head, WS_HTTP_REQUEST);
  assert_int_equal(ws_http_head_parse(&head, bytes, n), WS_HTTP_COMPLETE);
  assert_int_equal(ws_server_handshake_check(&head, &rules, &request), WS_REFUSAL_NONE);
  return ws_requests_get(&requests, &head, &request);
}

static struct ws_request *request_with(const char *headers) {
  return request_to("/chat", headers);
}

static void test_equal_requests_without_personal_headers_are_shared(void **state) {
  (void)state;
  struct ws_request *first = request_with("User-Agent: x\r\n");
  struct ws_request *equal = request_with("User-Agent: x\r\n");
  struct ws_request *different = request_with("User-Agent: y\r\n");
  struct ws_request *personal = request_with("Cookie: 1\r\n");
  struct ws_request *same_person = request_with("Cookie: 1\r\n");
  assert_ptr_equal(first, equal);
  assert_ptr_not_equal(first, different);
  assert_ptr_not_equal(personal, same_person);
  struct ws_request *all[] = {first, equal, different, personal, same_person, NULL};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    ws_request_unref(all[i]);
}

/* The chosen subprotocol is no secret, any other text may be one. */
static void test_requests_with_a_subprotocol(void **state) {
  (void)state;
  struct ws_request *first = request_with("Sec-WebSocket-Protocol: v1\r\n");
  struct ws_request *equal = request_with("Sec-WebSocket-Protocol: v1\r\n");
  struct ws_request *secret = request_with("Sec-WebSocket-Protocol: v1, token\r\n");
  struct ws_request *same_secret = request_with("Sec-WebSocket-Protocol: v1, token\r\n");
  assert_ptr_equal(first, equal);
  assert_ptr_not_equal(secret, same_secret);
  struct ws_request *all[] = {first, equal, secret, same_secret};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    ws_request_unref(all[i]);
}

/* WS-TYPE-6 */
static void test_the_url_of_a_request(void **state) {
  char text[64];
  (void)state;
  struct ws_request *request = request_with("");
  ws_request_url(request, true, text, sizeof text);
  assert_string_equal(text, "wss://localhost/chat");
  ws_request_unref(request);
}

/* Of the text that the URL has anyway. */
static void test_the_target_of_a_request(void **state) {
  (void)state;
  struct ws_request *request = request_to("/chat?a=%62", "");
  assert_true(ws_slice_equal(ws_request_target(request), WS_SLICE("/chat?a=%62")));
  ws_request_unref(request);
}

static void test_headers_of_a_request(void **state) {
  static const struct {
    const char *name;
    size_t room;
    int length; /* of the value, whatever the room; -1: no such header */
    const char *value;
  } rows[] = {
      {"x", 64, 4, "a, b"},              /* WS-HEADER-2 */
      {"cookie", 64, 4, "1; 2"},         /* WS-HEADER-2 */
      {"x", 2, 4, ""},                   /* the length all the same */
      {"UPGRADE", 64, 9, "websocket"},   /* WS-HEADER-1 */
      {"Sec-WebSocket-Key", 64, -1, ""}, /* WS-HEADER-4 */
      {"y", 64, -1, ""},                 /* WS-HEADER-3 */
  };
  char text[64];
  (void)state;
  struct ws_request *request = request_with("Cookie: 1\r\nX: a\r\nx: b\r\nCookie: 2\r\n");
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    assert_int_equal(ws_request_header(request, rows[i].name, text, rows[i].room), rows[i].length);
    assert_memory_equal(text, rows[i].value, strlen(rows[i].value));
  }
  ws_request_unref(request);
}

#define request_test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      request_test(test_equal_requests_without_personal_headers_are_shared),
      request_test(test_requests_with_a_subprotocol),
      request_test(test_the_url_of_a_request),
      request_test(test_the_target_of_a_request),
      request_test(test_headers_of_a_request),
  };
  return cmocka_run_group_tests_name("request", tests, NULL, NULL);
}
