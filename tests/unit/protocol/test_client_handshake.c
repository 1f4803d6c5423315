/* The client's side of the opening handshake: requests, responses, and error messages. */
#include "support.h"

#include "protocol/client_handshake.h"
#include "protocol/client_headers.h"

#define SWITCH "HTTP/1.1 101 Switching Protocols\r\n"
#define UPGRADE "Upgrade: websocket\r\n"
#define CONNECTION "Connection: Upgrade\r\n"
#define ACCEPT "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
#define GOOD SWITCH UPGRADE CONNECTION ACCEPT

static int fill_sample(void *ctx, uint8_t *bytes, size_t n) {
  (void)ctx;
  assert_int_equal(n, 16);
  memcpy(bytes, "the sample nonce", 16);
  return 0;
}

static int fill_fails(void *ctx, uint8_t *bytes, size_t n) {
  (void)ctx;
  (void)bytes;
  (void)n;
  return -1;
}

/* With the key of the RFC's example. */
static struct ws_client_handshake_offer sample_offer(const struct ws_url *url) {
  struct ws_client_handshake_offer offer = {.url = url};
  const struct ws_random random = {fill_sample, NULL};
  assert_int_equal(ws_handshake_key_generate(offer.key, &random), 0);
  return offer;
}

/* HS-14 */
static void test_key_is_random_bytes_in_base64(void **state) {
  const struct ws_random none = {fill_fails, NULL};
  char key[WS_HANDSHAKE_KEY_SIZE + 1];
  (void)state;
  assert_string_equal(sample_offer(NULL).key, "dGhlIHNhbXBsZSBub25jZQ==");
  assert_int_equal(ws_handshake_key_generate(key, &none), -1);
}

/* HS-14 */
static const struct {
  const char *url;
  const char *first; /* request line and Host */
} requests[] = {
    {"ws://example.com/chat", "GET /chat HTTP/1.1\r\nHost: example.com\r\n"},
    {"ws://example.com", "GET / HTTP/1.1\r\nHost: example.com\r\n"},
    {"ws://example.com?x=1", "GET /?x=1 HTTP/1.1\r\nHost: example.com\r\n"},
    {"ws://example.com:80/", "GET / HTTP/1.1\r\nHost: example.com\r\n"},
    {"ws://example.com:443/", "GET / HTTP/1.1\r\nHost: example.com:443\r\n"},
    {"wss://example.com:443/a?b", "GET /a?b HTTP/1.1\r\nHost: example.com\r\n"},
    {"wss://example.com:8443/", "GET / HTTP/1.1\r\nHost: example.com:8443\r\n"},
    {"ws://[::1]:9000/", "GET / HTTP/1.1\r\nHost: [::1]:9000\r\n"},
    {"ws://[::1]/", "GET / HTTP/1.1\r\nHost: [::1]\r\n"},
};

#define REQUEST_REST UPGRADE CONNECTION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"

static void test_request_line_and_host(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(requests); i++) {
    char text[512], expected[512];
    struct ws_url url;
    assert_int_equal(ws_url_parse(&url, requests[i].url, strlen(requests[i].url)), WS_URL_OK);
    struct ws_client_handshake_offer offer = sample_offer(&url);
    size_t n = ws_client_handshake_request(text, sizeof text, &offer);
    sprintf(expected, "%s" REQUEST_REST "\r\n", requests[i].first);
    assert_int_equal(n, strlen(expected));
    assert_memory_equal(text, expected, n);
  }
}

static void test_request_with_all_options(void **state) {
  static const char expected[] = "GET / HTTP/1.1\r\nHost: a\r\n" REQUEST_REST "Sec-WebSocket-Protocol: v2, v1\r\n"
                                 "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
                                 "Authorization: Bearer x\r\nCookie: a=b\r\n\r\n";
  struct ws_url url;
  char text[600];
  (void)state;
  ws_url_parse(&url, "ws://a", 6);
  struct ws_client_handshake_offer offer = sample_offer(&url);
  offer.headers = "Authorization: Bearer x\r\nCookie: a=b\n";
  offer.protocols = "v2, v1";
  offer.compression = true;
  size_t n = ws_client_handshake_request(NULL, 0, &offer);
  assert_int_equal(n, sizeof expected - 1);
  for (size_t room = 0; room <= n; room++) /* never writes past the room */
    assert_int_equal(ws_client_handshake_request((char *)guard_place(text, room), room, &offer), n);
  ws_client_handshake_request(text, sizeof text, &offer);
  assert_memory_equal(text, expected, n);
  offer.protocols = " \t"; /* an empty list: no header */
  assert_int_equal(ws_client_handshake_request(text, sizeof text, &offer),
                   n - strlen("Sec-WebSocket-Protocol: v2, v1\r\n"));
  offer.protocols = "";
  offer.headers = "";
  offer.compression = false;
  assert_true(ws_client_handshake_request(text, sizeof text, &offer) < n);
}

/* WS-CONNECTWITH-3 */
static const struct {
  const char *headers;
  enum ws_client_headers_problem problem;
} headers[] = {
    {"", 0},
    {"A: b", 0},
    {"A: b\n", 0},
    {"A: b\r\nC:\td \n", 0},
    {"A:", 0},
    {"Name: caf\xC3\xA9", 0},
    {"Origin: http://a", 0},
    {"A", WS_CLIENT_HEADERS_LINE},
    {": b", WS_CLIENT_HEADERS_LINE},
    {"A : b", WS_CLIENT_HEADERS_LINE},
    {" A: b", WS_CLIENT_HEADERS_LINE},
    {"A: b\n\nC: d", WS_CLIENT_HEADERS_LINE},
    {"A: b\n c", WS_CLIENT_HEADERS_LINE},
    {"\r\n", WS_CLIENT_HEADERS_LINE},
    {"A: b\rC: d", WS_CLIENT_HEADERS_CHARACTER},
    {"A: b\r\r\n", WS_CLIENT_HEADERS_CHARACTER},
    {"A: \x01", WS_CLIENT_HEADERS_CHARACTER},
    {"A: \x7F", WS_CLIENT_HEADERS_CHARACTER},
    {"A: \xC0\x80", WS_CLIENT_HEADERS_CHARACTER},
    {"A: \xFF", WS_CLIENT_HEADERS_CHARACTER},
    {"Host: evil", WS_CLIENT_HEADERS_RESERVED},
    {"A: b\nhost: evil", WS_CLIENT_HEADERS_RESERVED},
    {"Upgrade: h2c", WS_CLIENT_HEADERS_RESERVED},
    {"Connection: close", WS_CLIENT_HEADERS_RESERVED},
    {"Content-Length: 5", WS_CLIENT_HEADERS_RESERVED},
    {"Transfer-Encoding: chunked", WS_CLIENT_HEADERS_RESERVED},
    {"TE: trailers", WS_CLIENT_HEADERS_RESERVED},
    {"Trailer: x", WS_CLIENT_HEADERS_RESERVED},
    {"Expect: 100-continue", WS_CLIENT_HEADERS_RESERVED},
    {"sec-websocket-key: x", WS_CLIENT_HEADERS_RESERVED},
    {"Sec-WebSocket-: x", WS_CLIENT_HEADERS_RESERVED},
};

static void test_headers_are_checked(void **state) {
  char many[WS_CLIENT_HEADERS_MAX + 2];
  (void)state;
  for (size_t i = 0; i < COUNT(headers); i++) {
    enum ws_client_headers_problem problem = ws_client_headers_check(headers[i].headers, NULL);
    if (problem != headers[i].problem)
      fail_msg("%s: %s", headers[i].headers, ws_client_headers_problem_text(problem));
  }
  memset(many, 'x', sizeof many);
  many[1] = ':';
  many[WS_CLIENT_HEADERS_MAX] = '\0';
  assert_int_equal(ws_client_headers_check(many, NULL), WS_CLIENT_HEADERS_OK);
  memset(many, 'x', sizeof many - 1);
  many[WS_CLIENT_HEADERS_MAX + 1] = '\0';
  assert_int_equal(ws_client_headers_check(many, NULL), WS_CLIENT_HEADERS_TOO_LONG);
}

/* WS-CONNECT-7 WS-CONNECT-8 DEFLATE-3: responses and their error messages. */
struct answer_case {
  const char *text;
  const char *protocols;
  bool compression;
  const char *explanation; /* NULL: accepted */
};

static const struct answer_case answers[] = {
    {GOOD, NULL, false, NULL},
    {"HTTP/1.1 101\r\nUPGRADE: WebSocket\r\nconnection: keep-alive, upgrade\r\n" ACCEPT, NULL, false, NULL},
    {"HTTP/1.1 404 Not Found\r\n", NULL, false, "handshake refused: HTTP 404 Not Found"},
    {"HTTP/1.1 200 OK\r\n" UPGRADE CONNECTION ACCEPT, NULL, false, "handshake refused: HTTP 200 OK"},
    {"HTTP/1.1 302 Found\r\nLocation: ws://b/\r\n", NULL, false, "handshake refused: HTTP 302 Found"},
    {"HTTP/1.1 503\r\n", NULL, false, "handshake refused: HTTP 503"},
    {SWITCH CONNECTION ACCEPT, NULL, false, "handshake refused: the response's Upgrade header is not websocket"},
    {SWITCH "Upgrade: h2c\r\n" CONNECTION ACCEPT, NULL, false,
     "handshake refused: the response's Upgrade header is not websocket"},
    {SWITCH UPGRADE ACCEPT, NULL, false,
     "handshake refused: the response's Connection header does not contain Upgrade"},
    {SWITCH UPGRADE "Connection: close\r\n" ACCEPT, NULL, false,
     "handshake refused: the response's Connection header does not contain Upgrade"},
    {SWITCH UPGRADE CONNECTION, NULL, false,
     "handshake refused: the response's Sec-WebSocket-Accept does not match the key"},
    {GOOD ACCEPT, NULL, false, "handshake refused: the response's Sec-WebSocket-Accept does not match the key"},
    {SWITCH UPGRADE CONNECTION "Sec-WebSocket-Accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n", NULL, false,
     "handshake refused: the response's Sec-WebSocket-Accept does not match the key"},
    {GOOD "Sec-WebSocket-Protocol: v1\r\n", "v2, v1", false, NULL},
    {GOOD, "v2, v1", false, NULL},
    {GOOD "Sec-WebSocket-Protocol: v3\r\n", "v2, v1", false,
     "handshake refused: the response's Sec-WebSocket-Protocol was not offered"},
    {GOOD "Sec-WebSocket-Protocol: V1\r\n", "v2, v1", false,
     "handshake refused: the response's Sec-WebSocket-Protocol was not offered"},
    {GOOD "Sec-WebSocket-Protocol: v1\r\n", NULL, false,
     "handshake refused: the response's Sec-WebSocket-Protocol was not offered"},
    {GOOD "Sec-WebSocket-Protocol: v1\r\n", "", false,
     "handshake refused: the response's Sec-WebSocket-Protocol was not offered"},
    {GOOD "Sec-WebSocket-Protocol:\r\n", "v1", false,
     "handshake refused: the response's Sec-WebSocket-Protocol was not offered"},
    {GOOD "Sec-WebSocket-Protocol: v1\r\nSec-WebSocket-Protocol: v2\r\n", "v2, v1", false,
     "handshake refused: the response's Sec-WebSocket-Protocol was not offered"},
    {GOOD "Sec-WebSocket-Extensions: permessage-deflate\r\n", NULL, true, NULL},
    {GOOD "Sec-WebSocket-Extensions:\r\n", NULL, false, NULL},
    {GOOD "Sec-WebSocket-Extensions: permessage-deflate\r\n", NULL, false,
     "handshake refused: the response's Sec-WebSocket-Extensions does not match the offer"},
    {GOOD "Sec-WebSocket-Extensions: x\r\n", NULL, true,
     "handshake refused: the response's Sec-WebSocket-Extensions does not match the offer"},
    {GOOD "Sec-WebSocket-Extensions: permessage-deflate\r\nSec-WebSocket-Extensions: permessage-deflate\r\n", NULL,
     true, "handshake refused: the response's Sec-WebSocket-Extensions does not match the offer"},
    {GOOD "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=8\r\n", NULL, true,
     "handshake refused: the response's Sec-WebSocket-Extensions does not match the offer"},
    /* HS-19 */
    {"HTTP/1.1 500 \xFF\xC3\xA9\tx\r\n", NULL, false, "handshake refused: HTTP 500 ????x"},
    {"HTTP/1.1 500 0123456789012345678901234567890123456789012345678901234567890123456789\r\n", NULL, false,
     "handshake refused: HTTP 500 0123456789012345678901234567890123456789012345678901234567890123"},
};

static void test_responses_are_checked(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(answers); i++) {
    struct ws_client_handshake_offer offer = sample_offer(NULL);
    struct ws_client_handshake_answer answer;
    struct ws_http_head head;
    char text[1024], explanation[256];
    size_t n = (size_t)sprintf(text, "%s\r\n", answers[i].text);
    offer.protocols = answers[i].protocols;
    offer.compression = answers[i].compression;
    ws_http_head_init(&head, WS_HTTP_RESPONSE);
    assert_int_equal(ws_http_head_parse(&head, (char *)guard_place(text, n), n), WS_HTTP_COMPLETE);
    enum ws_client_handshake_problem problem = ws_client_handshake_check(&head, &offer, &answer);
    if (!answers[i].explanation) {
      assert_int_equal(problem, WS_CLIENT_HANDSHAKE_OK);
      assert_int_equal(ws_deflate_in_use(&answer.deflate), answers[i].compression);
      continue;
    }
    assert_int_not_equal(problem, WS_CLIENT_HANDSHAKE_OK);
    ws_client_handshake_explain(explanation, sizeof explanation, problem, &head);
    assert_string_equal(explanation, answers[i].explanation);
    ws_client_handshake_explain((char *)guard_place(text, 10), 10, problem, &head); /* truncates */
  }
}

/* WS-CONNECT-7 */
static void test_response_that_is_not_http(void **state) {
  struct ws_http_head head;
  char explanation[256];
  (void)state;
  ws_http_head_init(&head, WS_HTTP_RESPONSE);
  assert_int_equal(ws_http_head_parse(&head, "SSH-2.0-x\r\n", 11), WS_HTTP_PROBLEM);
  ws_client_handshake_explain_head(explanation, sizeof explanation, &head);
  assert_string_equal(explanation, "handshake refused: the response is not valid HTTP: the start line is malformed");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_key_is_random_bytes_in_base64), cmocka_unit_test(test_request_line_and_host),
      cmocka_unit_test(test_request_with_all_options),      cmocka_unit_test(test_headers_are_checked),
      cmocka_unit_test(test_responses_are_checked),         cmocka_unit_test(test_response_that_is_not_http),
  };

  return cmocka_run_group_tests_name("client handshake", tests, NULL, NULL);
}
