/* MSG-15: every allocation of a session fails in turn. The linker wraps the allocator and the digest (--wrap). */
#include "support.h"

#include <openssl/evp.h>

#include "protocol/deflater.h"
#include "protocol/client_handshake.h"
#include "protocol/server_handshake.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

static long allowed = -1; /* allocations until one fails; negative: none fails */

static bool refuse(void) {
  return allowed >= 0 && allowed-- == 0;
}

void *__wrap_malloc(size_t size) {
  return refuse() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size) {
  return refuse() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size) {
  return refuse() ? NULL : __real_realloc(old, size);
}

int __real_EVP_Digest(const void *data, size_t count, unsigned char *md, unsigned int *size, const EVP_MD *type,
                      ENGINE *impl);
int __wrap_EVP_Digest(const void *data, size_t count, unsigned char *md, unsigned int *size, const EVP_MD *type,
                      ENGINE *impl);

int __wrap_EVP_Digest(const void *data, size_t count, unsigned char *md, unsigned int *size, const EVP_MD *type,
                      ENGINE *impl) {
  return refuse() ? 0 : __real_EVP_Digest(data, count, md, size, type, impl);
}

/* Plays the bytes with the nth allocation failing, for n = 0, 1, 2, … until none fails. The events before a failure
 * are a prefix of those without. Returns the number of allocations. */
static long fail_each(const struct setup *setup, const uint8_t *bytes, size_t n, struct way way) {
  struct record whole = {0};
  allowed = -1;
  play(&whole, setup, bytes, n, way);
  for (long i = 0;; i++) {
    struct record record = {0};
    char *fail;
    allowed = i;
    play(&record, setup, bytes, n, way);
    bool failed = allowed < 0;
    allowed = -1;
    if (!failed) {
      assert_string_equal(record.log, whole.log);
      return i;
    }
    fail = strstr(record.log, "fail ");
    if (!fail) { /* the room to reserve is optional */
      assert_string_equal(record.log, whole.log);
      continue;
    }
    assert_string_equal(fail, "fail 1011 out of memory\n");
    assert_memory_equal(record.log, whole.log, (size_t)(fail - record.log));
  }
}

static void test_session_out_of_memory(void **state) {
  const struct setup setup = {.role = WS_ROLE_CLIENT};
  static uint8_t big[30000];
  uint8_t *bytes = NULL;
  size_t n = 0;
  (void)state;
  memset(big, 'x', sizeof big);
  guard_place(big, 1);
  frame_append(&bytes, &n, setup.role, FIN | TEXT, "in place", 8);
  frame_append(&bytes, &n, setup.role, TEXT, "frag", 4);
  frame_append(&bytes, &n, setup.role, PING, "ping", 4);
  frame_append(&bytes, &n, setup.role, FIN | CONT, "ments", 5);
  frame_append(&bytes, &n, setup.role, FIN | BIN, big, sizeof big);
  frame_append(&bytes, &n, setup.role, PONG, "pong", 4);
  assert_true(fail_each(&setup, bytes, n, (struct way){n, n, false, false}) > 0);
  assert_true(fail_each(&setup, bytes, n, (struct way){1, 1, false, false}) > 4);
  assert_true(fail_each(&setup, bytes, n, (struct way){7, 5000, false, true}) > 4);
  assert_true(fail_each(&setup, bytes, n, (struct way){70, 1000, true, true}) > 4);
  n = 0;
  frame_append(&bytes, &n, setup.role, FIN | BIN, big, sizeof big);
  assert_true(fail_each(&setup, bytes, n, (struct way){4, 5000, false, true}) > 1);
  free(bytes);
}

/* DEFLATE-10: also zlib's allocations. */
static void test_inflating_out_of_memory(void **state) {
  const struct setup setup = {.role = WS_ROLE_CLIENT, .deflate = {15, 15, true, false, false}};
  uint8_t bytes[64];
  size_t n = from_hex(bytes, "41 03 F2 48 CD 80 04 C9 C9 07 00 C1 07 F2 48 CD C9 C9 07 00");
  (void)state;
  guard_place(bytes, n);
  assert_true(fail_each(&setup, bytes, n, (struct way){n, n, false, false}) > 4);
  assert_true(fail_each(&setup, bytes, n, (struct way){1, 1, false, false}) > 4);
}

static void test_deflater_out_of_memory(void **state) {
  long i = 0;
  (void)state;
  for (;; i++) {
    struct ws_deflater *deflater;
    allowed = i;
    deflater = ws_deflater_new(15, false);
    bool failed = allowed < 0;
    allowed = -1;
    ws_deflater_free(deflater);
    if (!failed)
      break;
    assert_null(deflater);
  }
  assert_true(i > 4);
}

/* HS-12 WS-CONNECT-8: without a digest the server answers 500, and the client rejects the response. */
static void test_handshake_without_a_digest_fails(void **state) {
  static const char request[] = "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
  static const char answer[] = "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                               "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
  const struct ws_server_handshake_rules rules = {.path = "/"};
  const struct ws_client_handshake_offer offer = {.key = "dGhlIHNhbXBsZSBub25jZQ=="};
  struct ws_server_handshake decided;
  struct ws_client_handshake_answer taken;
  struct ws_http_head head;
  (void)state;
  ws_http_head_init(&head, WS_HTTP_REQUEST);
  assert_int_equal(ws_http_head_parse(&head, request, sizeof request - 1), WS_HTTP_COMPLETE);
  allowed = 0;
  assert_int_equal(ws_server_handshake_check(&head, &rules, &decided), WS_REFUSAL_INTERNAL);
  assert_int_equal(ws_server_handshake_check(&head, &rules, &decided), WS_REFUSAL_NONE);
  ws_http_head_init(&head, WS_HTTP_RESPONSE);
  assert_int_equal(ws_http_head_parse(&head, answer, sizeof answer - 1), WS_HTTP_COMPLETE);
  allowed = 0;
  assert_int_equal(ws_client_handshake_check(&head, &offer, &taken), WS_CLIENT_HANDSHAKE_DIGEST);
  assert_int_equal(ws_client_handshake_check(&head, &offer, &taken), WS_CLIENT_HANDSHAKE_OK);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_session_out_of_memory),
      cmocka_unit_test(test_inflating_out_of_memory),
      cmocka_unit_test(test_deflater_out_of_memory),
      cmocka_unit_test(test_handshake_without_a_digest_fails),
  };

  return cmocka_run_group_tests_name("out of memory", tests, NULL, NULL);
}
