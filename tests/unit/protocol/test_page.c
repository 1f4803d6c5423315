/* What a page needs of the protocol: routes, entity tags, media types, and the decision between page and handshake. */
#include <openssl/evp.h>

#include "protocol/etag.h"
#include "protocol/media_type.h"
#include "protocol/route.h"
#include "protocol/server_handshake.h"
#include "support.h"

/* WS-PATH-2 */
static void test_paths_that_match(void **state) {
  static const struct {
    const char *route;
    const char *path;
    bool matches;
  } rows[] = {
      {"/chat", "/chat", true},
      {"/chat", "/chat/", false},
      {"/chat", "/cha", false},
      {"/rooms/*", "/rooms/7", true},
      {"/rooms/*", "/rooms/a/b", true},
      {"/rooms/*", "/rooms/", true},
      {"/rooms/*", "/rooms", false},
      {"/rooms/*", "/Rooms/7", false},
      {"/rooms/*", "/room%73/7", false},
      {"/rooms/*", "/rooms/../x", true},
      {"/a/../b", "/b", false},
      {"/*", "/", true},
      {"/*", "/anything", true},
      {"/a*", "/ab", false},
      {"/a*", "/a*", true},
      {"/a/*/b", "/a/x/b", false},
  };
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    if (ws_route_matches(rows[i].route, ws_slice_of(rows[i].path)) != rows[i].matches)
      fail_msg("%s and %s", rows[i].route, rows[i].path);
  }
}

/* WS-PAGE-4 */
static void test_the_longest_page_wins(void **state) {
  static int root, rooms, seven, star;
  struct ws_route at[] = {
      {(char[]){"/*"}, false, &root},        {(char[]){"/rooms/7"}, false, &seven},
      {(char[]){"/rooms/*"}, false, &rooms}, {(char[]){"/rooms/7/*"}, true, NULL},
      {(char[]){"/r"}, false, &star},
  };
  struct ws_routes routes = {at, sizeof at / sizeof *at};
  (void)state;
  assert_ptr_equal(ws_routes_page(&routes, WS_SLICE("/")), &root);
  assert_ptr_equal(ws_routes_page(&routes, WS_SLICE("/r")), &star);
  assert_ptr_equal(ws_routes_page(&routes, WS_SLICE("/rooms")), &root);
  assert_ptr_equal(ws_routes_page(&routes, WS_SLICE("/rooms/8")), &rooms);
  assert_ptr_equal(ws_routes_page(&routes, WS_SLICE("/rooms/7")), &seven);
  assert_ptr_equal(ws_routes_page(&routes, WS_SLICE("/rooms/7/x")), &rooms);
  assert_true(ws_routes_have_endpoint(&routes, WS_SLICE("/rooms/7/x")));
  assert_false(ws_routes_have_endpoint(&routes, WS_SLICE("/rooms/7")));
  routes.count = 0;
  assert_null(ws_routes_page(&routes, WS_SLICE("/")));
}

static bool is_known(const char *fields, const char *etag) {
  char text[512];
  struct ws_http_head head;
  int n = snprintf(text, sizeof text, "GET / HTTP/1.1\r\n%s\r\n", fields);
  ws_http_head_init(&head, WS_HTTP_REQUEST);
  assert_int_equal(ws_http_head_parse(&head, text, (size_t)n), WS_HTTP_COMPLETE);
  return ws_etag_is_known(&head, etag);
}

/* WS-PAGE-3 */
static void test_entity_tags_that_a_client_knows(void **state) {
  static const struct {
    const char *fields;
    bool known;
  } rows[] = {
      {"", false},
      {"If-None-Match: \"abc\"\r\n", true},
      {"if-none-match: W/\"abc\"\r\n", true},
      {"If-None-Match: *\r\n", true},
      {"If-None-Match: \"x\", \"a,b\" , W/\"abc\"\r\n", true},
      {"If-None-Match: ,,\"abc\",\r\n", true},
      {"If-None-Match: \"x\"\r\nIf-None-Match: \"abc\"\r\n", true},
      {"If-None-Match: \"x\"\r\n", false},
      {"If-None-Match: abc\r\n", false},
      {"If-None-Match: \"abc\r\n", false},
      {"If-None-Match: \"\r\n", false},
      {"If-None-Match: W/\r\n", false},
      {"If-None-Match: w/\"abc\"\r\n", false},
      {"If-None-Match: \"x\", *\r\n", false},
      {"If-None-Match:\r\n", false},
      {"If-Match: \"abc\"\r\n", false},
  };
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    if (is_known(rows[i].fields, "\"abc\"") != rows[i].known)
      fail_msg("%s", rows[i].fields);
  }
}

/* WS-PAGE-3 */
static void test_entity_tags_of_contents(void **state) {
  char etag[WS_ETAG_SIZE + 1];
  char other[WS_ETAG_SIZE + 1];
  (void)state;
  assert_int_equal(ws_etag_make(etag, "text/plain", (const uint8_t *)"hello", 5), 0);
  assert_string_equal(etag, "\"97ef98f924d843749ab0e7f56c8362af\"");
  assert_int_equal(ws_etag_make(other, "text/plain", (const uint8_t *)"hellp", 5), 0);
  assert_string_not_equal(etag, other);
  assert_int_equal(ws_etag_make(other, "text/html", (const uint8_t *)"hello", 5), 0);
  assert_string_not_equal(etag, other);
  assert_int_equal(ws_etag_make(other, "text/plain", (const uint8_t *)"", 0), 0);
  assert_int_equal(strlen(other), WS_ETAG_SIZE);
}

/* The linker wraps OpenSSL (--wrap). */
EVP_MD_CTX *__real_EVP_MD_CTX_new(void);
EVP_MD_CTX *__wrap_EVP_MD_CTX_new(void);
int __real_EVP_DigestInit_ex(EVP_MD_CTX *context, const EVP_MD *type, ENGINE *engine);
int __wrap_EVP_DigestInit_ex(EVP_MD_CTX *context, const EVP_MD *type, ENGINE *engine);
int __real_EVP_DigestUpdate(EVP_MD_CTX *context, const void *bytes, size_t n);
int __wrap_EVP_DigestUpdate(EVP_MD_CTX *context, const void *bytes, size_t n);
int __real_EVP_DigestFinal_ex(EVP_MD_CTX *context, unsigned char *digest, unsigned int *size);
int __wrap_EVP_DigestFinal_ex(EVP_MD_CTX *context, unsigned char *digest, unsigned int *size);

static int calls_until_failure = -1; /* negative: none fails */

static bool fails(void) {
  return calls_until_failure >= 0 && calls_until_failure-- == 0;
}

EVP_MD_CTX *__wrap_EVP_MD_CTX_new(void) {
  return fails() ? NULL : __real_EVP_MD_CTX_new();
}

int __wrap_EVP_DigestInit_ex(EVP_MD_CTX *context, const EVP_MD *type, ENGINE *engine) {
  return fails() ? 0 : __real_EVP_DigestInit_ex(context, type, engine);
}

int __wrap_EVP_DigestUpdate(EVP_MD_CTX *context, const void *bytes, size_t n) {
  return fails() ? 0 : __real_EVP_DigestUpdate(context, bytes, n);
}

int __wrap_EVP_DigestFinal_ex(EVP_MD_CTX *context, unsigned char *digest, unsigned int *size) {
  return fails() ? 0 : __real_EVP_DigestFinal_ex(context, digest, size);
}

/* No tag is made of a digest that is not there: WS-PAGE-3 */
static void test_a_digest_that_fails(void **state) {
  enum { CALLS = 5 };
  char etag[WS_ETAG_SIZE + 1];
  (void)state;
  for (int i = 0; i <= CALLS; i++) {
    calls_until_failure = i;
    assert_int_equal(ws_etag_make(etag, "text/plain", (const uint8_t *)"hello", 5), i < CALLS ? -1 : 0);
  }
  calls_until_failure = -1;
}

/* WS-PAGE-8 */
static void test_media_types(void **state) {
  static const char *const valid[] = {"text/html", "text/html; charset=utf-8", "application/vnd.x+json",
                                      "text/plain ; charset=\"a b\"", "a/b;c"};
  static const char *const invalid[] = {"",
                                        "html",
                                        "/",
                                        "text/",
                                        "/html",
                                        "text/html/x",
                                        "te xt/html",
                                        " text/html",
                                        "text/html ",
                                        "text/html; x\r\nSet-Cookie: a=b",
                                        "text/html;\tx",
                                        "text/ht\xc3\xa9ml",
                                        "text/html; x=\xc3\xa9",
                                        "text/html; \x7f",
                                        "; a/b"};
  char longest[WS_MEDIA_TYPE_MAX + 2];
  (void)state;
  for (size_t i = 0; i < sizeof valid / sizeof *valid; i++) {
    if (!ws_media_type_valid(valid[i]))
      fail_msg("valid: %s", valid[i]);
  }
  for (size_t i = 0; i < sizeof invalid / sizeof *invalid; i++) {
    if (ws_media_type_valid(invalid[i]))
      fail_msg("invalid: %s", invalid[i]);
  }
  memset(longest, 'x', sizeof longest);
  longest[1] = '/';
  longest[WS_MEDIA_TYPE_MAX] = '\0';
  assert_true(ws_media_type_valid(longest));
  longest[WS_MEDIA_TYPE_MAX] = 'x';
  longest[WS_MEDIA_TYPE_MAX + 1] = '\0';
  assert_false(ws_media_type_valid(longest));
}

/* WS-FILE-2 */
static void test_types_of_files(void **state) {
  static const struct {
    const char *file;
    const char *type;
  } rows[] = {
      {"index.html", "text/html; charset=utf-8"},
      {"/srv/www.d/INDEX.HTML", "text/html; charset=utf-8"},
      {"a.css", "text/css; charset=utf-8"},
      {"a.js", "text/javascript; charset=utf-8"},
      {"a.min.mjs", "text/javascript; charset=utf-8"},
      {"a.json", "application/json; charset=utf-8"},
      {"a.js.map", "application/json; charset=utf-8"},
      {"a.txt", "text/plain; charset=utf-8"},
      {"a.xml", "text/xml; charset=utf-8"},
      {"a.svg", "image/svg+xml; charset=utf-8"},
      {"a.png", "image/png"},
      {"a.jpg", "image/jpeg"},
      {"a.jpeg", "image/jpeg"},
      {"a.gif", "image/gif"},
      {"favicon.ico", "image/x-icon"},
      {"a.webp", "image/webp"},
      {"a.wasm", "application/wasm"},
      {"a.woff2", "font/woff2"},
      {"a.exe", "application/octet-stream"},
      {"html", "application/octet-stream"},
      {"page.html/raw", "application/octet-stream"},
      {"a.", "application/octet-stream"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    assert_string_equal(ws_media_type_of(rows[i].file), rows[i].type);
}

#define HOST "Host: example.com\r\n"
#define SHAKE HOST "Upgrade: websocket\r\nConnection: Upgrade\r\n"

/* WS-PAGE-2 WS-PAGE-4 WS-PAGE-5 WS-PATH-1 */
static void test_pages_and_handshakes(void **state) {
  static int page;
  struct ws_route at[] = {
      {(char[]){"/"}, false, &page}, {(char[]){"/rooms/*"}, true, NULL}, {(char[]){"/both"}, true, &page}};
  const struct ws_server_handshake_rules rules = {.path = "/chat/*", .loopback = false, .routes = {at, 3}};
  const struct ws_server_handshake_rules local = {.path = "/chat", .loopback = true, .routes = {at, 3}};
  static const struct {
    const char *text;
    bool local;
    enum ws_refusal refusal;
    bool page;
  } rows[] = {
      {"GET / HTTP/1.1\r\n" HOST, false, WS_REFUSAL_NONE, true},
      {"GET /?a=b HTTP/1.1\r\n" HOST, false, WS_REFUSAL_NONE, true},
      {"GET http://other.example/both HTTP/1.1\r\n" HOST, false, WS_REFUSAL_NONE, true},
      {"HEAD / HTTP/1.1\r\n" HOST, false, WS_REFUSAL_NONE, true},
      {"GET / HTTP/1.1\r\n" HOST "Upgrade: h2c\r\nConnection: Upgrade\r\n", false, WS_REFUSAL_NONE, true},
      {"GET / HTTP/1.1\r\n" HOST "Origin: https://evil.example\r\n", false, WS_REFUSAL_NONE, true},
      {"POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n", false, WS_REFUSAL_PAGE_METHOD, true},
      {"GET / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n", false, WS_REFUSAL_BODY, true},
      {"GET / HTTP/1.1\r\n", false, WS_REFUSAL_HOST_COUNT, false},
      {"GET / HTTP/1.1\r\n" HOST, true, WS_REFUSAL_HOST_NOT_LOOPBACK, false},
      {"GET / HTTP/1.1\r\n" SHAKE, false, WS_REFUSAL_PATH, false},
      {"GET /both HTTP/1.1\r\n" SHAKE, false, WS_REFUSAL_SOCKET_VERSION_COUNT, false},
      {"GET /rooms/7 HTTP/1.1\r\n" SHAKE, false, WS_REFUSAL_SOCKET_VERSION_COUNT, false},
      {"GET /chat/7 HTTP/1.1\r\n" SHAKE, false, WS_REFUSAL_SOCKET_VERSION_COUNT, false},
      {"GET /chat HTTP/1.1\r\n" SHAKE, false, WS_REFUSAL_PATH, false},
      {"GET /rooms/7 HTTP/1.1\r\n" HOST, false, WS_REFUSAL_UPGRADE, false},
      {"HEAD /rooms/7 HTTP/1.1\r\n" HOST, false, WS_REFUSAL_METHOD, false},
      {"POST /rooms/7 HTTP/1.1\r\n" HOST "Content-Length: 5\r\n", false, WS_REFUSAL_METHOD, false},
      {"POST /both HTTP/1.1\r\n" SHAKE, false, WS_REFUSAL_METHOD, false},
      /* HS-8 */
      {"GET /none HTTP/1.1\r\n" HOST, false, WS_REFUSAL_NO_PAGE, false},
      {"HEAD /none HTTP/1.1\r\n" HOST, false, WS_REFUSAL_NO_PAGE, false},
      {"OPTIONS /none HTTP/1.1\r\n" HOST, false, WS_REFUSAL_NO_PAGE, false},
      {"POST /none HTTP/1.1\r\n" HOST "Content-Length: 5\r\n", false, WS_REFUSAL_NO_PAGE, false},
      {"HEAD /none HTTP/1.1\r\n" SHAKE, false, WS_REFUSAL_PATH, false},
      {"POST / HTTP/1.1\r\n" SHAKE, false, WS_REFUSAL_PATH, false},
  };
  (void)state;
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char text[512];
    struct ws_http_head head;
    struct ws_server_handshake handshake;
    int n = snprintf(text, sizeof text, "%s\r\n", rows[i].text);
    ws_http_head_init(&head, WS_HTTP_REQUEST);
    assert_int_equal(ws_http_head_parse(&head, text, (size_t)n), WS_HTTP_COMPLETE);
    enum ws_refusal refusal = ws_server_handshake_check(&head, rows[i].local ? &local : &rules, &handshake);
    if (refusal != rows[i].refusal || (handshake.page != NULL) != rows[i].page)
      fail_msg("%s%s", rows[i].text, refusal ? ws_refusal_text(refusal) : "admitted");
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_paths_that_match),
      cmocka_unit_test(test_the_longest_page_wins),
      cmocka_unit_test(test_entity_tags_that_a_client_knows),
      cmocka_unit_test(test_entity_tags_of_contents),
      cmocka_unit_test(test_a_digest_that_fails),
      cmocka_unit_test(test_media_types),
      cmocka_unit_test(test_types_of_files),
      cmocka_unit_test(test_pages_and_handshakes),
  };
  return cmocka_run_group_tests_name("page", tests, NULL, NULL);
}
