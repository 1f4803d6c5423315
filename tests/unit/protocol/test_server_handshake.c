/* The server's side of the opening handshake. */
#include "protocol/subprotocol.h"
#include "support.h"

#include "protocol/server_handshake.h"

#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"
#define UPGRADE "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define HOST "Host: example.com\r\n"
#define GET "GET /chat HTTP/1.1\r\n"
#define REST HOST UPGRADE KEY VERSION
#define SWITCH                                                                                                         \
  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"                                  \
  "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"

struct request_case {
  const char *name;
  const char *text; /* without the final empty line */
  enum ws_refusal refusal;
};

static const struct request_case cases[] = {
    /* HS-1 */
    {"the example of the RFC", GET REST, 0},
    {"names and tokens in other cases",
     "GET /chat HTTP/1.1\r\nHOST: example.com\r\nupgrade: WebSocket\r\nCONNECTION: keep-alive, UPGRADE\r\n"
     "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nSEC-WEBSOCKET-VERSION: 13\r\n",
     0},
    {"Connection in two fields",
     GET HOST "Connection: keep-alive\r\nUpgrade: h2c, websocket\r\nConnection: Upgrade\r\n" KEY VERSION, 0},
    {"Content-Length 0", GET REST "Content-Length: 0\r\n", 0},
    /* HS-2 */
    {"POST", "POST /chat HTTP/1.1\r\n" REST, WS_REFUSAL_METHOD},
    {"get", "get /chat HTTP/1.1\r\n" REST, WS_REFUSAL_METHOD},
    {"HEAD", "HEAD /chat HTTP/1.1\r\n" REST, WS_REFUSAL_METHOD},
    /* HS-3 */
    {"no Host", GET UPGRADE KEY VERSION, WS_REFUSAL_HOST_COUNT},
    {"two Hosts", GET REST HOST, WS_REFUSAL_HOST_COUNT},
    {"empty Host", GET "Host:\r\n" UPGRADE KEY VERSION, WS_REFUSAL_HOST},
    {"Host with a path", GET "Host: a/b\r\n" UPGRADE KEY VERSION, WS_REFUSAL_HOST},
    {"Host with a user", GET "Host: u@a\r\n" UPGRADE KEY VERSION, WS_REFUSAL_HOST},
    {"Host with a bad port", GET "Host: a:0\r\n" UPGRADE KEY VERSION, WS_REFUSAL_HOST},
    {"Host with two values", GET "Host: a, b\r\n" UPGRADE KEY VERSION, WS_REFUSAL_HOST},
    /* HS-4 */
    {"a body", GET REST "Content-Length: 5\r\n", WS_REFUSAL_BODY},
    {"a body of 00", GET REST "Content-Length: 00\r\n", WS_REFUSAL_BODY},
    {"two lengths", GET REST "Content-Length: 0\r\nContent-Length: 0\r\n", WS_REFUSAL_BODY},
    {"an empty length", GET REST "Content-Length:\r\n", WS_REFUSAL_BODY},
    {"chunked", GET REST "Transfer-Encoding: chunked\r\n", WS_REFUSAL_BODY},
    {"identity", GET REST "transfer-encoding: identity\r\n", WS_REFUSAL_BODY},
    /* HS-5 */
    {"no Upgrade", GET HOST "Connection: Upgrade\r\n" KEY VERSION, WS_REFUSAL_UPGRADE},
    {"another Upgrade", GET HOST "Connection: Upgrade\r\nUpgrade: h2c\r\n" KEY VERSION, WS_REFUSAL_UPGRADE},
    {"a longer Upgrade", GET HOST "Connection: Upgrade\r\nUpgrade: websockets\r\n" KEY VERSION, WS_REFUSAL_UPGRADE},
    {"no Connection", GET HOST "Upgrade: websocket\r\n" KEY VERSION, WS_REFUSAL_CONNECTION},
    {"another Connection", GET HOST "Upgrade: websocket\r\nConnection: keep-alive\r\n" KEY VERSION,
     WS_REFUSAL_CONNECTION},
    {"a longer Connection", GET HOST "Upgrade: websocket\r\nConnection: upgrades\r\n" KEY VERSION,
     WS_REFUSAL_CONNECTION},
    /* HS-6 */
    {"no version", GET HOST UPGRADE KEY, WS_REFUSAL_SOCKET_VERSION_COUNT},
    {"two versions", GET REST VERSION, WS_REFUSAL_SOCKET_VERSION_COUNT},
    {"version 8", GET HOST UPGRADE KEY "Sec-WebSocket-Version: 8\r\n", WS_REFUSAL_SOCKET_VERSION},
    {"version 013", GET HOST UPGRADE KEY "Sec-WebSocket-Version: 013\r\n", WS_REFUSAL_SOCKET_VERSION},
    {"versions in a list", GET HOST UPGRADE KEY "Sec-WebSocket-Version: 13, 8\r\n", WS_REFUSAL_SOCKET_VERSION},
    /* HS-7 */
    {"no key", GET HOST UPGRADE VERSION, WS_REFUSAL_KEY_COUNT},
    {"two keys", GET REST KEY, WS_REFUSAL_KEY_COUNT},
    {"empty key", GET HOST UPGRADE VERSION "Sec-WebSocket-Key:\r\n", WS_REFUSAL_KEY},
    {"key of 23", GET HOST UPGRADE VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=\r\n", WS_REFUSAL_KEY},
    {"key of 25", GET HOST UPGRADE VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ===\r\n", WS_REFUSAL_KEY},
    {"key of 17 bytes", GET HOST UPGRADE VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZTE=\r\n", WS_REFUSAL_KEY},
    {"key of 18 bytes", GET HOST UPGRADE VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZTEy\r\n", WS_REFUSAL_KEY},
    {"key of 15 bytes", GET HOST UPGRADE VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j\r\n", WS_REFUSAL_KEY},
    {"key not canonical", GET HOST UPGRADE VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZR==\r\n", WS_REFUSAL_KEY},
    {"key not base64", GET HOST UPGRADE VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub2-jZQ==\r\n", WS_REFUSAL_KEY},
    /* HS-8 */
    {"a query", "GET /chat?token=x/y?z HTTP/1.1\r\n" REST, 0},
    {"another path", "GET /other HTTP/1.1\r\n" REST, WS_REFUSAL_PATH},
    {"a longer path", "GET /chat/ HTTP/1.1\r\n" REST, WS_REFUSAL_PATH},
    {"a shorter path", "GET /cha HTTP/1.1\r\n" REST, WS_REFUSAL_PATH},
    {"a path in another case", "GET /Chat HTTP/1.1\r\n" REST, WS_REFUSAL_PATH},
    {"an escaped path", "GET /%63hat HTTP/1.1\r\n" REST, WS_REFUSAL_PATH},
    {"the root", "GET / HTTP/1.1\r\n" REST, WS_REFUSAL_PATH},
    {"a path, without an upgrade", "GET /other HTTP/1.1\r\n" HOST, WS_REFUSAL_NO_PAGE},
    {"absolute form", "GET http://example.com/chat HTTP/1.1\r\n" REST, 0},
    {"absolute form, https, query", "GET HTTPS://EXAMPLE.com/chat?x HTTP/1.1\r\n" REST, 0},
    {"absolute form, another host", "GET http://other.com/chat HTTP/1.1\r\n" REST, 0},
    {"absolute form, a bad host", "GET http://other..com/chat HTTP/1.1\r\n" REST, WS_REFUSAL_TARGET},
    {"absolute form, no path", "GET http://example.com HTTP/1.1\r\n" REST, WS_REFUSAL_PATH},
    {"absolute form, only a query", "GET http://example.com?x HTTP/1.1\r\n" REST, WS_REFUSAL_PATH},
    {"absolute form, another scheme", "GET ftp://example.com/chat HTTP/1.1\r\n" REST, WS_REFUSAL_TARGET},
    {"absolute form, nothing", "GET http:// HTTP/1.1\r\n" REST, WS_REFUSAL_TARGET},
    {"a star", "GET * HTTP/1.1\r\n" REST, WS_REFUSAL_TARGET},
    {"no slash", "GET chat HTTP/1.1\r\n" REST, WS_REFUSAL_TARGET},
    {"a fragment", "GET /chat#x HTTP/1.1\r\n" REST, WS_REFUSAL_TARGET},
    /* WS-ORIGIN-2 */
    {"own origin", GET REST "Origin: http://example.com\r\n", 0},
    {"own origin, https", GET REST "Origin: https://example.com\r\n", 0},
    {"own origin, other case", GET REST "Origin: HTTP://Example.COM\r\n", 0},
    {"own origin, explicit default port", GET REST "Origin: http://example.com:80\r\n", 0},
    {"own host, other port", GET REST "Origin: http://example.com:8080\r\n", WS_REFUSAL_ORIGIN},
    {"own host, the other scheme's port", GET REST "Origin: https://example.com:80\r\n", WS_REFUSAL_ORIGIN},
    {"own host and port", GET "Host: example.com:8080\r\n" UPGRADE KEY VERSION "Origin: http://example.com:8080\r\n",
     0},
    {"own host, port of the scheme",
     GET "Host: example.com:443\r\n" UPGRADE KEY VERSION "Origin: https://example.com\r\n", 0},
    {"own host, not the port", GET "Host: example.com:8080\r\n" UPGRADE KEY VERSION "Origin: http://example.com\r\n",
     WS_REFUSAL_ORIGIN},
    {"an IPv6 origin", GET "Host: [::1]:8080\r\n" UPGRADE KEY VERSION "Origin: http://[::1]:8080\r\n", 0},
    {"a foreign origin", GET REST "Origin: http://evil.com\r\n", WS_REFUSAL_ORIGIN},
    {"a longer origin", GET REST "Origin: http://example.com.evil.com\r\n", WS_REFUSAL_ORIGIN},
    {"an origin with the host as user", GET REST "Origin: http://example.com@evil.com\r\n", WS_REFUSAL_ORIGIN},
    {"an origin with a path", GET REST "Origin: http://example.com/\r\n", WS_REFUSAL_ORIGIN},
    {"null", GET REST "Origin: null\r\n", WS_REFUSAL_ORIGIN},
    {"an empty origin", GET REST "Origin:\r\n", WS_REFUSAL_ORIGIN},
    {"an origin without a host", GET REST "Origin: http://\r\n", WS_REFUSAL_ORIGIN},
    {"an origin without slashes", GET REST "Origin: http:example.com\r\n", WS_REFUSAL_ORIGIN},
    {"an extension's origin", GET REST "Origin: moz-extension://example.com\r\n", WS_REFUSAL_ORIGIN},
    {"no scheme", GET REST "Origin: ://example.com\r\n", WS_REFUSAL_ORIGIN},
    {"no scheme, port", GET REST "Origin: ://example.com:80\r\n", WS_REFUSAL_ORIGIN},
    {"a script's scheme", GET REST "Origin: javascript://example.com\r\n", WS_REFUSAL_ORIGIN},
    {"a scheme of no page, own host and port",
     GET "Host: example.com:8080\r\n" UPGRADE KEY VERSION "Origin: javascript://example.com:8080\r\n",
     WS_REFUSAL_ORIGIN},
    {"no scheme, own host and port",
     GET "Host: example.com:8080\r\n" UPGRADE KEY VERSION "Origin: ://example.com:8080\r\n", WS_REFUSAL_ORIGIN},
    {"two origins", GET REST "Origin: http://example.com\r\nOrigin: http://example.com\r\n", WS_REFUSAL_ORIGIN_COUNT},
    {"an allowed origin", GET REST "Origin: https://page.example\r\n", 0},
    {"an allowed origin with a port", GET REST "Origin: https://page.example:443\r\n", WS_REFUSAL_ORIGIN},
    {"an allowed origin in another case", GET REST "Origin: https://PAGE.example\r\n", WS_REFUSAL_ORIGIN},
    /* WS-PROTOCOLS-1 */
    {"protocol that is no token", GET REST "Sec-WebSocket-Protocol: a b\r\n", WS_REFUSAL_PROTOCOL},
    {"protocol twice", GET REST "Sec-WebSocket-Protocol: a, b\r\nSec-WebSocket-Protocol: a\r\n", WS_REFUSAL_PROTOCOL},
    {"empty protocol", GET REST "Sec-WebSocket-Protocol: \r\n", WS_REFUSAL_PROTOCOL},
    {"empty element", GET REST "Sec-WebSocket-Protocol: a,,b\r\n", WS_REFUSAL_PROTOCOL},
    /* DEFLATE-2 */
    {"an unknown extension", GET REST "Sec-WebSocket-Extensions: x-y; z=\"1\"; w\r\n", 0},
    {"malformed extensions", GET REST "Sec-WebSocket-Extensions: permessage-deflate; =\r\n", WS_REFUSAL_EXTENSIONS},
};

static const char *const allowed[] = {"http://other.example", "https://page.example"};

static const struct ws_server_handshake_rules rules = {
    .path = "/chat", .origins = allowed, .origin_count = COUNT(allowed), .protocols = "v2, v1"};

/* Parses `text` with an empty line, and checks the request. */
static enum ws_refusal decide(const char *text, const struct ws_server_handshake_rules *by,
                              struct ws_server_handshake *request) {
  static struct ws_http_head head;
  static char whole[20000];
  size_t n = (size_t)snprintf(whole, sizeof whole, "%s\r\n", text);
  ws_http_head_init(&head, WS_HTTP_REQUEST);
  if (ws_http_head_parse(&head, (char *)guard_place(whole, n), n) != WS_HTTP_COMPLETE)
    fail_msg("not HTTP: %s: %s", text, ws_refusal_text(head.problem));
  return ws_server_handshake_check(&head, by, request);
}

static void test_requests_are_checked(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    struct ws_server_handshake request;
    enum ws_refusal refusal = decide(cases[i].text, &rules, &request);
    if (refusal != cases[i].refusal)
      fail_msg("%s: %s", cases[i].name, ws_refusal_text(refusal));
  }
}

/* HS-1: byte for byte. */
static void test_response_of_the_rfc(void **state) {
  struct ws_server_handshake request;
  char answer[WS_SERVER_HANDSHAKE_MAX];
  (void)state;
  assert_int_equal(decide("GET /chat?x=1 HTTP/1.1\r\n" REST, &rules, &request), WS_REFUSAL_NONE);
  assert_int_equal(ws_server_handshake_accept(answer, &request), strlen(SWITCH "\r\n"));
  assert_string_equal(answer, SWITCH "\r\n");
  assert_true(ws_slice_equal(request.host, ws_slice_of("example.com")));
  assert_true(ws_slice_equal(request.path, ws_slice_of("/chat")));
  assert_true(ws_slice_equal(request.query, ws_slice_of("?x=1")));
  assert_null(request.origin.data);
  assert_null(request.protocol.data);
}

/* HS-8: an empty path is "/". */
static void test_absolute_form_without_path_is_the_root(void **state) {
  struct ws_server_handshake request;
  const struct ws_server_handshake_rules root = {.path = "/"};
  (void)state;
  assert_int_equal(decide("GET http://example.com HTTP/1.1\r\n" REST, &root, &request), WS_REFUSAL_NONE);
  assert_int_equal(decide("GET http://example.com?q HTTP/1.1\r\n" REST, &root, &request), WS_REFUSAL_NONE);
  assert_true(ws_slice_equal(request.query, ws_slice_of("?q")));
}

/* WS-ORIGIN-2: "*" allows every origin, but only one Origin header. */
static void test_any_origin_is_allowed(void **state) {
  struct ws_server_handshake request;
  const struct ws_server_handshake_rules open = {.path = "/chat", .any_origin = true};
  (void)state;
  assert_int_equal(decide(GET REST "Origin: http://evil.com\r\n", &open, &request), WS_REFUSAL_NONE);
  assert_int_equal(decide(GET REST "Origin: null\r\n", &open, &request), WS_REFUSAL_NONE);
  assert_int_equal(decide(GET REST "Origin: a\r\nOrigin: b\r\n", &open, &request), WS_REFUSAL_ORIGIN_COUNT);
}

/* WS-ORIGIN-5 */
static void test_loopback_server_checks_host(void **state) {
  struct ws_server_handshake request;
  const struct ws_server_handshake_rules local = {.path = "/chat", .loopback = true};
  (void)state;
  assert_int_equal(decide(GET "Host: localhost:8080\r\n" UPGRADE KEY VERSION, &local, &request), WS_REFUSAL_NONE);
  assert_int_equal(decide(GET "Host: 127.0.0.1:8080\r\n" UPGRADE KEY VERSION, &local, &request), WS_REFUSAL_NONE);
  assert_int_equal(decide(GET "Host: [::1]\r\n" UPGRADE KEY VERSION, &local, &request), WS_REFUSAL_NONE);
  assert_int_equal(decide(GET REST, &local, &request), WS_REFUSAL_HOST_NOT_LOOPBACK);
  assert_int_equal(decide(GET "Host: 127.0.0.1.evil.com\r\n" UPGRADE KEY VERSION, &local, &request),
                   WS_REFUSAL_HOST_NOT_LOOPBACK);
}

/* WS-PROTOCOLS-1 */
static void test_server_chooses_its_preferred_subprotocol(void **state) {
  static const struct {
    const char *offer;
    const char *chosen;
  } offers[] = {{"v1", "v1"}, {"v1, v2", "v2"}, {"v2,v1", "v2"}, {"v3, v1 ,v4", "v1"}, {"V1", NULL}, {"v3", NULL}};
  struct ws_server_handshake request;
  const struct ws_server_handshake_rules mute = {.path = "/chat"};
  char text[1024], answer[WS_SERVER_HANDSHAKE_MAX];
  (void)state;
  for (size_t i = 0; i < COUNT(offers); i++) {
    sprintf(text, GET REST "Sec-WebSocket-Protocol: %s\r\n", offers[i].offer);
    assert_int_equal(decide(text, &rules, &request), WS_REFUSAL_NONE);
    ws_server_handshake_accept(answer, &request);
    if (offers[i].chosen)
      sprintf(text, SWITCH "Sec-WebSocket-Protocol: %s\r\n\r\n", offers[i].chosen);
    else
      strcpy(text, SWITCH "\r\n");
    assert_string_equal(answer, text);
  }
  assert_int_equal(decide(GET REST "Sec-WebSocket-Protocol: v1\r\n", &mute, &request), WS_REFUSAL_NONE);
  assert_null(request.protocol.data);
}

/* DEFLATE-1: only if the rules allow it; offers in several fields; part of the response. */
static void test_compression_is_negotiated(void **state) {
  struct ws_server_handshake request;
  const struct ws_server_handshake_rules compressing = {.path = "/chat", .compression = true};
  char answer[WS_SERVER_HANDSHAKE_MAX];
  (void)state;
  assert_int_equal(decide(GET REST "Sec-WebSocket-Extensions: permessage-deflate\r\n", &rules, &request), 0);
  assert_false(ws_deflate_in_use(&request.deflate));
  assert_int_equal(
      decide(GET REST
             "Sec-WebSocket-Extensions: x\r\nSec-WebSocket-Extensions: permessage-deflate; "
             "client_max_window_bits\r\nSec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n",
             &compressing, &request),
      0);
  ws_server_handshake_accept(answer, &request);
  assert_string_equal(answer, SWITCH "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n");
}

/* HS-12 HS-13: each refusal has its status, the headers that the status requires, and its text. */
static void test_refusal_responses(void **state) {
  (void)state;
  for (int i = 1; i < WS_REFUSAL_COUNT; i++) {
    char answer[WS_SERVER_HANDSHAKE_MAX], start[32], end[256];
    int status = ws_refusal_status((enum ws_refusal)i);
    size_t n = ws_server_handshake_refuse(answer, (enum ws_refusal)i, "Sun, 06 Nov 1994 08:49:37 GMT");
    assert_int_equal(n, strlen(answer));
    sprintf(start, "HTTP/1.1 %d ", status);
    assert_memory_equal(answer, start, strlen(start));
    assert_non_null(strstr(answer, "\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"));
    assert_non_null(strstr(answer, "\r\nConnection: close"));
    assert_int_equal(strstr(answer, "\r\nAllow: GET\r\n") != NULL, i == WS_REFUSAL_METHOD);
    assert_int_equal(strstr(answer, "\r\nAllow: GET, HEAD\r\n") != NULL, i == WS_REFUSAL_PAGE_METHOD);
    assert_int_equal(strstr(answer, "\r\nAllow: ") != NULL, status == 405);
    assert_int_equal(strstr(answer, "\r\nSec-WebSocket-Version: 13\r\n") != NULL, status == 426);
    assert_int_equal(strstr(answer, "\r\nUpgrade: websocket\r\n") != NULL, status == 426);
    sprintf(end, "\r\nContent-Length: %zu\r\n\r\n%s\n", strlen(ws_refusal_text((enum ws_refusal)i)) + 1,
            ws_refusal_text((enum ws_refusal)i));
    assert_string_equal(answer + n - strlen(end), end);
  }
  assert_int_equal(ws_refusal_status(WS_REFUSAL_PATH), 404);
  assert_int_equal(ws_refusal_status(WS_REFUSAL_METHOD), 405);
  assert_int_equal(ws_refusal_status(WS_REFUSAL_SOCKET_VERSION), 426);
  assert_int_equal(ws_refusal_status(WS_REFUSAL_UPGRADE), 426);
  assert_int_equal(ws_refusal_status(WS_REFUSAL_KEY), 400);
  assert_int_equal(ws_refusal_status(WS_REFUSAL_ORIGIN), 403);
  assert_int_equal(ws_refusal_status(WS_REFUSAL_HEAD_TOO_BIG), 431);
  assert_int_equal(ws_refusal_status(WS_REFUSAL_TOO_MANY_FROM_ADDRESS), 429);
  assert_int_equal(ws_refusal_status(WS_REFUSAL_TOO_MANY_CONNECTIONS), 503);
}

static bool subprotocols_valid(struct ws_slice list) {
  struct ws_slice wrong;
  return ws_subprotocol_check(list, &wrong) == NULL;
}

/* WS-PROTOCOLS-1: the lists that a program sets. */
static void test_subprotocol_lists_are_validated(void **state) {
  char many[4 * (WS_SUBPROTOCOLS_MAX + 1) + 1] = "", name[WS_SUBPROTOCOL_MAX + 2];
  (void)state;
  assert_true(subprotocols_valid(ws_slice_of("")));
  assert_true(subprotocols_valid(ws_slice_of(" ")));
  assert_true(subprotocols_valid(ws_slice_of("chat")));
  assert_true(subprotocols_valid(ws_slice_of("v2.chat, v1.chat")));
  assert_false(subprotocols_valid(ws_slice_of("a, a")));
  assert_false(subprotocols_valid(ws_slice_of("a,")));
  assert_false(subprotocols_valid(ws_slice_of("a b")));
  assert_false(subprotocols_valid(ws_slice_of("a\r\nX: y")));
  assert_false(subprotocols_valid(ws_slice_of("\xC0\x80")));
  memset(name, 'x', sizeof name);
  assert_true(subprotocols_valid((struct ws_slice){name, WS_SUBPROTOCOL_MAX}));
  assert_false(subprotocols_valid((struct ws_slice){name, WS_SUBPROTOCOL_MAX + 1}));
  for (int i = 0; i < WS_SUBPROTOCOLS_MAX; i++)
    sprintf(many + strlen(many), "%s%d", i ? "," : "", i);
  assert_true(subprotocols_valid(ws_slice_of(many)));
  strcat(many, ",x");
  assert_false(subprotocols_valid(ws_slice_of(many)));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_requests_are_checked),
      cmocka_unit_test(test_response_of_the_rfc),
      cmocka_unit_test(test_absolute_form_without_path_is_the_root),
      cmocka_unit_test(test_any_origin_is_allowed),
      cmocka_unit_test(test_loopback_server_checks_host),
      cmocka_unit_test(test_server_chooses_its_preferred_subprotocol),
      cmocka_unit_test(test_compression_is_negotiated),
      cmocka_unit_test(test_refusal_responses),
      cmocka_unit_test(test_subprotocol_lists_are_validated),
  };

  return cmocka_run_group_tests_name("server handshake", tests, NULL, NULL);
}
