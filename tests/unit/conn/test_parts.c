/* The small parts, each alone. */
#include <arpa/inet.h>

#include "conn/args.h"
#include "client/recently_closed.h"
#include "osprey/error.h"
#include "conn/handle.h"
#include "conn/head_reader.h"
#include "osprey/hooks.h"
#include "osprey/log.h"
#include "support/osprey.h"
#include "support/test.h"
#include "server/address_quota.h"
#include "osprey/printable.h"
#include "conn/random.h"
#include "server/request.h"
#include "osprey/roots.h"
#include "osprey/value.h"

/* WS-ID-1 WS-ID-2 WS-ID-3 WS-ID-4 WS-LIMIT-1 */
static void test_handles(void **state) {
  enum { MANY = 3000 };
  static int64_t ids[MANY];
  enum ws_handle_state why;
  int object;
  int other;
  (void)state;
  int64_t first = ws_handle_issue(WS_HANDLE_CONNECTION, &object, 5);
  assert_ptr_equal(ws_handle_owned(WS_HANDLE_CONNECTION, first, 5), &object);
  assert_null(ws_handle_owned(WS_HANDLE_CONNECTION, first, 4));
  assert_null(ws_handle_owned(WS_HANDLE_SERVER, first, 5));
  assert_ptr_equal(ws_handle_pin(WS_HANDLE_CONNECTION, first, &why), &object);
  ws_handle_pin_again(first);
  assert_true(ws_handle_is_alive(WS_HANDLE_CONNECTION, first));
  assert_false(ws_handle_retire(first)); /* pinned */
  assert_false(ws_handle_is_alive(WS_HANDLE_CONNECTION, first));
  assert_null(ws_handle_pin(WS_HANDLE_CONNECTION, first, &why));
  assert_int_equal(why, WS_HANDLE_GONE);
  assert_false(ws_handle_unpin(first));
  assert_true(ws_handle_unpin(first)); /* the last pin: the object can go */
  assert_null(ws_handle_pin(WS_HANDLE_SERVER, first, &why));
  assert_int_equal(why, WS_HANDLE_OTHER_KIND);
  assert_false(ws_handle_is_alive(WS_HANDLE_SERVER, first + 2 * 4096));
  assert_null(ws_handle_owned(WS_HANDLE_SERVER, first + 2 * 4096, 0));
  assert_null(ws_handle_pin(WS_HANDLE_SERVER, first + 2 * 4096, &why));
  assert_int_equal(why, WS_HANDLE_UNKNOWN);
  /* Another generation than any that was issued. */
  assert_null(ws_handle_pin(WS_HANDLE_CONNECTION, first + ((int64_t)1 << 40), &why));
  assert_int_equal(why, WS_HANDLE_UNKNOWN);
  assert_null(ws_handle_pin(WS_HANDLE_CONNECTION, 1, &why)); /* place 0 */
  assert_int_equal(why, WS_HANDLE_UNKNOWN);
  /* Every connection of a server pins it: as many as maxConnections may say, and some. */
  int64_t server = ws_handle_issue(WS_HANDLE_SERVER, &object, WS_HANDLE_NO_OWNER);
  for (int i = 0; i < (1 << 24) + 1000; i++)
    ws_handle_pin_again(server);
  assert_ptr_equal(ws_handle_pin(WS_HANDLE_SERVER, server, &why), &object);
  assert_false(ws_handle_retire(server));
  for (int i = 0; i < (1 << 24) + 1000; i++)
    assert_false(ws_handle_unpin(server));
  assert_true(ws_handle_unpin(server));
  for (int round = 0; round < 3; round++) {
    for (int i = 0; i < MANY; i++) {
      ids[i] = ws_handle_issue(WS_HANDLE_CONNECTION, &other, 0);
      assert_true(ids[i] > 0 && ids[i] != first);
      assert_true(i == 0 || ids[i] != ids[i - 1]);
    }
    if (round > 0) { /* in a place that another has since */
      assert_false(ws_handle_is_alive(WS_HANDLE_CONNECTION, first));
      assert_null(ws_handle_owned(WS_HANDLE_CONNECTION, first, 0));
      assert_null(ws_handle_pin(WS_HANDLE_CONNECTION, first, &why));
      assert_int_equal(why, WS_HANDLE_GONE);
    }
    for (int i = 0; i < MANY; i++) {
      assert_ptr_equal(ws_handle_owned(WS_HANDLE_CONNECTION, ids[i], 0), &other);
      assert_true(ws_handle_retire(ids[i]));
      assert_null(ws_handle_owned(WS_HANDLE_CONNECTION, ids[i], 0));
    }
  }
}

static struct ws_address address_of(const char *text) {
  struct ws_address address;
  assert_true(ws_address_parse(text, 80, &address));
  return address;
}

static void test_peers(void **state) {
  enum { MANY = 200 };
  struct ws_address_quota peers;
  struct ws_address_quota_entry *made[MANY];
  uint32_t count;
  (void)state;
  ws_address_quota_init(&peers);
  struct ws_address mapped = address_of("::ffff:10.0.0.1");
  struct ws_address plain = address_of("10.0.0.1");
  struct ws_address six = address_of("2001:db8::1");
  struct ws_address_quota_entry *a = ws_address_quota_add(&peers, &mapped, &count);
  assert_int_equal(count, 1);
  assert_ptr_equal(ws_address_quota_add(&peers, &plain, &count), a); /* the same host */
  assert_int_equal(count, 2);
  assert_ptr_not_equal(ws_address_quota_add(&peers, &six, &count), a);
  assert_int_equal(count, 1);
  /* Of one network each address is its own peer, and all are counted together: WS-LIMIT-9 */
  static const struct {
    const char *text;
    uint32_t count;
  } others[] = {{"2001:db8::2", 2}, {"2001:db8::ffff:0:0:1", 3}, {"2001:db8::", 4}, {"2001:db8:0:1::1", 1}};
  struct ws_address_quota_entry *six_made[4];
  for (int i = 0; i < 4; i++) {
    struct ws_address other = address_of(others[i].text);
    six_made[i] = ws_address_quota_add(&peers, &other, &count);
    assert_int_equal(count, others[i].count);
    assert_memory_equal(&six_made[i]->address.v6.sin6_addr, &other.v6.sin6_addr, 16);
  }
  for (int i = 0; i < 4; i++)
    ws_address_quota_remove(&peers, six_made[i]);
  struct ws_address_quota_entry *again = ws_address_quota_add(&peers, &six, &count);
  assert_int_equal(count, 2);
  ws_address_quota_remove(&peers, again);
  for (int i = 0; i < MANY; i++) {
    char text[32];
    snprintf(text, sizeof text, "10.1.%d.%d", i / 50, i % 50);
    struct ws_address address = address_of(text);
    made[i] = ws_address_quota_add(&peers, &address, &count);
    assert_int_equal(count, 1);
  }
  for (int i = 0; i < MANY; i++)
    ws_address_quota_remove(&peers, made[i]);
  ws_address_quota_remove(&peers, a);
  assert_ptr_equal(ws_address_quota_add(&peers, &plain, &count), a);
  assert_int_equal(count, 2);
  ws_address_quota_deinit(&peers); /* whoever is left */
}

/* WS-LOG-4 */
static void test_printable(void **state) {
  char text[64];
  (void)state;
  const char *cases[][2] = {
      {"plain", "plain"},
      {"a\nb\r\t\x7f", "a\\x0ab\\x0d\\x09\\x7f"},
      {"\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80", "\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80"},
      {"\xC2\x9B", "\\xc2\\x9b"}, /* a C1 control steers terminals too */
      {"\xC2\xA0", "\xC2\xA0"},
      {"\xFF\xC3", "\\xff\\xc3"},
      {"\xE2\x82", "\\xe2\\x82"},
      {"\xED\xA0\x80", "\\xed\\xa0\\x80"},
      /* line and paragraph separators, marks of direction, and their neighbours */
      {"\xE2\x80\xA8", "\\xe2\\x80\\xa8"},
      {"\xE2\x80\xA9", "\\xe2\\x80\\xa9"},
      {"\xE2\x80\xAA", "\\xe2\\x80\\xaa"},
      {"\xE2\x80\xAE", "\\xe2\\x80\\xae"},
      {"\xE2\x80\x8E", "\\xe2\\x80\\x8e"},
      {"\xE2\x80\x8F", "\\xe2\\x80\\x8f"},
      {"\xE2\x81\xA6", "\\xe2\\x81\\xa6"},
      {"\xE2\x81\xA9", "\\xe2\\x81\\xa9"},
      {"\xD8\x9C", "\\xd8\\x9c"},
      {"\xE2\x80\x90 \xE2\x80\xA7 \xE2\x80\xAF", "\xE2\x80\x90 \xE2\x80\xA7 \xE2\x80\xAF"},
      {"\xE2\x81\xA5 \xE2\x81\xAA \xD8\x9B", "\xE2\x81\xA5 \xE2\x81\xAA \xD8\x9B"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    assert_int_equal(ws_printable(text, sizeof text, cases[i][0]), strlen(cases[i][1]));
    assert_string_equal(text, cases[i][1]);
  }
  assert_int_equal(ws_printable(text, 4, "abcdef"), 3);
  assert_string_equal(text, "abc");
  assert_int_equal(ws_printable(text, 4, "a\n"), 1);
}

/* WS-LOG-3 */
static void test_urls_in_the_log(void **state) {
  char text[64];
  (void)state;
  const char *cases[][2] = {
      {"ws://h/p", "ws://h/p"},
      {"ws://h/p?secret", "ws://h/p?…"},
      {"ws://h/p#secret", "ws://h/p#…"},
      {"ws://user:secret@h/p?q", "ws://…@h/p?…"},
      {"ws://h/p@x", "ws://h/p@x"},
      {"/p?secret", "/p?…"},
      {"", ""},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    assert_string_equal(ws_log_url(text, sizeof text, cases[i][0]), cases[i][1]);
}

/* Every sentence that is too long is cut, and stays text. */
static void test_errors(void **state) {
  struct ws_error error;
  char url[3000];
  (void)state;
  ws_error_clear(&error);
  assert_false(ws_error_is_set(&error));
  assert_null(ws_error_give(&error));
  memset(url, 'u', sizeof url);
  url[sizeof url - 1] = '\0';
  ws_error_connect(&error, url, "cause");
  char *text = ws_error_give(&error);
  assert_int_equal(strlen(text), sizeof error.text - 1);
  osp_release(text);
}

static const char plain_request[] = "GET /chat HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";

/* A head in any pieces, and what is kept of it. WS-SEC-3 WS-HEADER-4 */
static void test_heads(void **state) {
  (void)state;
  for (size_t piece = 1; piece < 200; piece += 7) {
    char bytes[2000];
    struct ws_http_head scratch;
    struct ws_http_head *head = NULL;
    struct ws_head_reader *kept = NULL;
    size_t n = (size_t)snprintf(bytes, sizeof bytes, "%s\r\nrest", plain_request);
    size_t at = 0;
    size_t used = 0;
    int outcome = WS_HTTP_PARTIAL;
    while (outcome == WS_HTTP_PARTIAL) {
      size_t size = piece < n - at ? piece : n - at;
      outcome = ws_head_reader_feed(&kept, &scratch, WS_HTTP_REQUEST, (uint8_t *)bytes + at, size, &head, &used);
      if (outcome == WS_HTTP_PARTIAL) /* wiped where it came */
        assert_int_equal(bytes[at] | bytes[at + size - 1], 0);
      at += outcome == WS_HTTP_PARTIAL ? size : used;
    }
    assert_int_equal(outcome, WS_HTTP_COMPLETE);
    assert_int_equal(at, n - 4);
    assert_int_equal(head->field_count, 5);
    ws_head_reader_wipe(&kept, (uint8_t *)bytes + at - used, used);
    assert_null(kept);
    assert_int_equal(bytes[at - 1], 0);
  }
  char *big = calloc(1, 40000);
  assert_non_null(big);
  struct ws_http_head scratch;
  struct ws_http_head *head;
  struct ws_head_reader *kept = NULL;
  size_t used;
  memset(big, 'x', 39999);
  memcpy(big, "GET / HTTP/1.1\r\nX: ", 19);
  assert_int_equal(ws_head_reader_feed(&kept, &scratch, WS_HTTP_REQUEST, (uint8_t *)big, 5000, &head, &used),
                   WS_HTTP_PARTIAL);
  assert_int_equal(ws_head_reader_feed(&kept, &scratch, WS_HTTP_REQUEST, (uint8_t *)big + 5000, 30000, &head, &used),
                   WS_HTTP_PROBLEM);
  ws_head_reader_wipe(&kept, NULL, 0);
  free(big);
}

static struct ws_request *request_of(struct ws_requests *requests, const char *more) {
  static char bytes[2000];
  struct ws_http_head head;
  struct ws_server_rules rules = {.path = "/chat"};
  struct ws_server_request request;
  size_t n = (size_t)snprintf(bytes, sizeof bytes, "%s%s\r\n", plain_request, more);
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
  assert_string_equal(text, "wss://h/chat");
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

static void test_protocol_lists(void **state) {
  struct ws_error error;
  char name[300];
  (void)state;
  ws_error_clear(&error);
  assert_int_equal(ws_args_protocols("op", "", &error), 0);
  assert_int_equal(ws_args_protocols("op", "  ", &error), 0);
  assert_int_equal(ws_args_protocols("op", "a , b", &error), 0);
  memset(name, 'n', sizeof name);
  name[256] = '\0';
  assert_int_equal(ws_args_protocols("op", name, &error), -1);
  name[255] = '\0';
  assert_int_equal(ws_args_protocols("op", name, &error), 0);
  char *list = malloc(70001);
  assert_non_null(list);
  memset(list, ',', 70000);
  list[70000] = '\0';
  assert_int_equal(ws_args_protocols("op", list, &error), -1);
  free(list);
}

/* WS-PROTOCOLS-4 WS-CONNECTWITH-11: a hundred names are a list, one more is an error that names it and the cap. */
static void test_too_many_protocols_are_an_error(void **state) {
  enum { MOST = 100 };
  char list[8 * (MOST + 1)] = "p0";
  struct ws_error error;
  (void)state;
  ws_error_clear(&error);
  for (int i = 1; i < MOST; i++)
    snprintf(list + strlen(list), sizeof list - strlen(list), ",p%d", i);
  assert_int_equal(ws_args_protocols("op", list, &error), 0);
  snprintf(list + strlen(list), sizeof list - strlen(list), ",last");
  assert_int_equal(ws_args_protocols("op", list, &error), -1);
  assert_string_equal(error.text, "op: subprotocol \"last\" is one more than the 100 that a list may name");
}

/* WS-SEC-6: masks do not repeat. */
static void test_masks(void **state) {
  enum { MANY = 1000 };
  static uint32_t masks[MANY];
  int repeated = 0;
  (void)state;
  for (int i = 0; i < MANY; i++) {
    uint8_t mask[4];
    assert_int_equal(ws_random_mask(mask), 0);
    memcpy(&masks[i], mask, 4);
    for (int j = 0; j < i; j++)
      repeated += masks[i] == masks[j];
  }
  assert_in_range(repeated, 0, 1);
}

/* What is kept is found again, any number of times. */
static void test_roots(void **state) {
  enum { MANY = 2000 };
  static void **slots[MANY];
  (void)state;
  for (int round = 0; round < 2; round++) {
    for (int i = 0; i < MANY; i++) {
      slots[i] = ws_roots_acquire();
      assert_null(*slots[i]);
      *slots[i] = &slots[i];
    }
    for (int i = 0; i < MANY; i++)
      assert_ptr_equal(*slots[i], &slots[i]);
    for (int i = 0; i < MANY; i++)
      ws_roots_release(slots[i]);
  }
  ws_roots_release(NULL);
  ws_roots_drop(NULL);
  void *value = osp_alloc(8);
  void **kept = ws_roots_keep(value);
  osp_release(value);
  ws_roots_drop(kept);
  slots[0] = ws_roots_acquire();
  ws_roots_free_all(); /* one is out: nothing happens */
  assert_null(*slots[0]);
  ws_roots_release(slots[0]);
  ws_roots_free_all();
}

/* The latest 256 that ended are remembered. */
static void test_the_ended(void **state) {
  (void)state;
  for (int64_t id = 1; id <= 300; id++)
    ws_recently_closed_add(id, "ws://h/", 1000, id % 2 ? "reason" : NULL);
  assert_false(ws_recently_closed_has(44));
  assert_true(ws_recently_closed_has(45));
  assert_true(ws_recently_closed_has(300));
  assert_false(ws_recently_closed_has(0));
  assert_false(ws_recently_closed_has(-1));
  /* Forgotten since it was looked up: no call, and the handler is let go. WS-CLIENTCLOSE-2 */
  ws_recently_closed_call(NULL, 44, ws_roots_keep(on_close));
  ws_recently_closed_free_all();
  assert_false(ws_recently_closed_has(300));
}

/* WS-TEXT-2 */
static void test_values(void **state) {
  struct osprey_connection *record;
  (void)state;
  char *text = ws_value_text((const uint8_t *)"a\0b", 3);
  assert_string_equal(text, "a\xC0\x80"
                            "b");
  osp_release(text);
  text = ws_value_text((const uint8_t *)"", 0);
  assert_string_equal(text, "");
  osp_release(text);
  record = ws_value_connection(7, "ws://h/", true);
  assert_int_equal(record->tag, 0);
  assert_int_equal(record->id, 7);
  assert_string_equal(record->url, "ws://h/");
  assert_true(record->is_connected);
  osp_release(record);
}

struct result {
  int64_t value;
  int8_t discriminant;
  char *message;
};

/* As a host may that has no sentence for its error. */
static void *fail_without_a_sentence(void *cell, const char *text) {
  (void)cell;
  (void)text;
  struct result *result = osp_alloc_tagged(sizeof *result, 0x401);
  result->discriminant = 1;
  return result;
}

/* WS-CONNECT-11 */
static void test_an_error_without_a_sentence(void **state) {
  static void *cell[] = {(void *)fail_without_a_sentence};
  struct ws_call call = {0};
  (void)state;
  assert_int_equal(ws_call_init(&call), 0);
  assert_int_equal(ws_call_text(&call, cell, (const uint8_t *)"x", 1), WS_VERDICT_ERROR);
  assert_string_equal(call.message, "Error");
  ws_call_deinit(&call);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_handles),
      cmocka_unit_test(test_peers),
      cmocka_unit_test(test_printable),
      cmocka_unit_test(test_urls_in_the_log),
      cmocka_unit_test(test_errors),
      cmocka_unit_test(test_heads),
      cmocka_unit_test(test_requests),
      cmocka_unit_test(test_protocol_lists),
      cmocka_unit_test(test_too_many_protocols_are_an_error),
      cmocka_unit_test(test_masks),
      cmocka_unit_test(test_roots),
      cmocka_unit_test(test_the_ended),
      cmocka_unit_test(test_values),
      cmocka_unit_test(test_an_error_without_a_sentence),
  };
  return cmocka_run_group_tests_name("parts", tests, NULL, NULL);
}
