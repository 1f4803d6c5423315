/* HTTP heads: each is parsed whole, byte by byte and at every split, with the same result. */
#include "support.h"

#include <sys/mman.h>

#include "protocol/http_head.h"

struct head_case {
  const char *name;
  enum ws_http_kind kind;
  const char *text;
  enum ws_refusal problem;
  const char *summary; /* method, target, status, reason and fields of a valid head */
};

#define Q WS_HTTP_REQUEST
#define A WS_HTTP_RESPONSE

static const struct head_case cases[] = {
    {"request", Q, "GET /chat HTTP/1.1\r\nHost: a\r\n\r\n", 0, "GET /chat|Host=a|"},
    {"no fields", Q, "GET / HTTP/1.1\r\n\r\n", 0, "GET /|"},
    {"any method", Q, "M-SEARCH * HTTP/1.1\r\n\r\n", 0, "M-SEARCH *|"},
    {"bytes after the head", Q, "GET / HTTP/1.1\r\nA: b\r\n\r\n\x81\x05hello\n\r", 0, "GET /|A=b|"},
    /* HTTP-7 */
    {"space around values", Q, "GET / HTTP/1.1\r\nA:b\r\nC: \t d e\t \r\nE:\r\nF: \r\n\r\n", 0,
     "GET /|A=b|C=d e|E=|F=|"},
    {"colons in values", Q, "GET / HTTP/1.1\r\nOrigin: http://a:80\r\n\r\n", 0, "GET /|Origin=http://a:80|"},
    {"tab and high bytes in a value", Q, "GET / HTTP/1.1\r\nA: b\tc\xC3\xA9\xFF\r\n\r\n", 0,
     "GET /|A=b\tc\xC3\xA9\xFF|"},
    {"every tchar", Q, "GET / HTTP/1.1\r\n!#$%&'*+-.^_`|~09azAZ: b\r\n\r\n", 0, "GET /|!#$%&'*+-.^_`|~09azAZ=b|"},
    {"response", A, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n", 0,
     "101 Switching Protocols|Upgrade=websocket|"},
    {"empty reason", A, "HTTP/1.1 404 \r\n\r\n", 0, "404 |"},
    {"no reason", A, "HTTP/1.1 404\r\n\r\n", 0, "404 |"},
    {"high bytes in the reason", A, "HTTP/1.1 500 \xFF\r\n\r\n", 0, "500 \xFF|"},
    /* HTTP-3 */
    {"bare LF", Q, "GET / HTTP/1.1\n", WS_REFUSAL_LINE_ENDING, 0},
    {"bare LF after a field", Q, "GET / HTTP/1.1\r\nA: b\n", WS_REFUSAL_LINE_ENDING, 0},
    {"bare LF as empty line", Q, "GET / HTTP/1.1\r\n\n", WS_REFUSAL_LINE_ENDING, 0},
    {"bare CR", Q, "GET / HTTP/1.1\r\nA: b\rc", WS_REFUSAL_LINE_ENDING, 0},
    {"two CR", Q, "GET / HTTP/1.1\r\r", WS_REFUSAL_LINE_ENDING, 0},
    {"BEL", Q, "GET / HTTP/1.1\r\nA: \a", WS_REFUSAL_CONTROL_CHARACTER, 0},
    {"DEL", Q, "GET / HTTP/1.1\r\nA: \x7F", WS_REFUSAL_CONTROL_CHARACTER, 0},
    {"a TLS hello", Q, "\x16\x03\x01\x02", WS_REFUSAL_CONTROL_CHARACTER, 0},
    /* HTTP-4 */
    {"folded with a space", Q, "GET / HTTP/1.1\r\nA: b\r\n c\r\n", WS_REFUSAL_FOLDED, 0},
    {"folded with a tab", Q, "GET / HTTP/1.1\r\nA: b\r\n\tc\r\n", WS_REFUSAL_FOLDED, 0},
    {"space first", Q, "GET / HTTP/1.1\r\n A: b\r\n", WS_REFUSAL_FOLDED, 0},
    {"space before the colon", Q, "GET / HTTP/1.1\r\nA : b\r\n", WS_REFUSAL_FIELD_NAME, 0},
    {"no colon", Q, "GET / HTTP/1.1\r\nAb\r\n", WS_REFUSAL_FIELD_NAME, 0},
    {"no name", Q, "GET / HTTP/1.1\r\n: b\r\n", WS_REFUSAL_FIELD_NAME, 0},
    {"a name with a bracket", Q, "GET / HTTP/1.1\r\nA[]: b\r\n", WS_REFUSAL_FIELD_NAME, 0},
    {"a name with a high byte", Q, "GET / HTTP/1.1\r\n\xC3\xA9: b\r\n", WS_REFUSAL_FIELD_NAME, 0},
    /* HTTP-9 */
    {"an empty line first", Q, "\r\nGET /chat HTTP/1.1\r\nHost: a\r\n\r\n", 0, "GET /chat|Host=a|"},
    {"two empty lines first", Q, "\r\n\r\n", WS_REFUSAL_START_LINE, 0},
    {"an empty line first, and no fields", Q, "\r\nGET / HTTP/1.1\r\n\r\n", 0, "GET /|"},
    {"an empty line first, and nonsense", Q, "\r\nGET\r\n", WS_REFUSAL_START_LINE, 0},
    {"an empty line first, that is no CR LF", Q, "\n", WS_REFUSAL_LINE_ENDING, 0},
    {"a blank line first", Q, " \r\n", WS_REFUSAL_START_LINE, 0},
    {"a field first", Q, "\r\nHost: a\r\n", WS_REFUSAL_START_LINE, 0},
    {"a response with an empty line first", A, "\r\n", WS_REFUSAL_START_LINE, 0},
    /* HTTP-5 */
    {"one word", Q, "GET\r\n", WS_REFUSAL_START_LINE, 0},
    {"HTTP/0.9", Q, "GET /\r\n", WS_REFUSAL_START_LINE, 0},
    {"no method", Q, " / HTTP/1.1\r\n", WS_REFUSAL_START_LINE, 0},
    {"no target", Q, "GET  HTTP/1.1\r\n", WS_REFUSAL_START_LINE, 0},
    {"two spaces", Q, "GET  / HTTP/1.1\r\n", WS_REFUSAL_START_LINE, 0},
    {"space at the end", Q, "GET / HTTP/1.1 \r\n", WS_REFUSAL_START_LINE, 0},
    {"a method that is no token", Q, "G(T / HTTP/1.1\r\n", WS_REFUSAL_START_LINE, 0},
    {"a tab in the target", Q, "GET /\t HTTP/1.1\r\n", WS_REFUSAL_START_LINE, 0},
    {"a high byte in the target", Q, "GET /\xC3\xA9 HTTP/1.1\r\n", WS_REFUSAL_START_LINE, 0},
    {"other protocol", Q, "GET / ICAP/1.0\r\n", WS_REFUSAL_START_LINE, 0},
    {"same length", Q, "GET / JTTP/1.1\r\n", WS_REFUSAL_START_LINE, 0},
    {"HTTP/1.0", Q, "GET / HTTP/1.0\r\n", WS_REFUSAL_VERSION, 0},
    {"HTTP/1.2", Q, "GET / HTTP/1.2\r\n\r\n", 0, "GET /|"},
    {"HTTP/1.9", Q, "GET / HTTP/1.9\r\n\r\n", 0, "GET /|"},
    {"a minor version of two digits", Q, "GET / HTTP/1.10\r\n", WS_REFUSAL_START_LINE, 0},
    {"a minor version that is no digit", Q, "GET / HTTP/1.:\r\n", WS_REFUSAL_VERSION, 0},
    {"no point", Q, "GET / HTTP/1 1\r\n", WS_REFUSAL_VERSION, 0},
    {"HTTP/2.1", Q, "GET / HTTP/2.1\r\n", WS_REFUSAL_VERSION, 0},
    {"response of HTTP/1.2", A, "HTTP/1.2 101 ok\r\n\r\n", 0, "101 ok|"},
    {"HTTP/2.0", Q, "PRI * HTTP/2.0\r\n", WS_REFUSAL_VERSION, 0},
    {"lower case", Q, "GET / http/1.1\r\n", WS_REFUSAL_START_LINE, 0},
    {"response of HTTP/1.0", A, "HTTP/1.0 101 ok\r\n", WS_REFUSAL_VERSION, 0},
    {"response without status", A, "HTTP/1.1\r\n", WS_REFUSAL_START_LINE, 0},
    {"response of another protocol", A, "SSH-2.0-x y\r\n", WS_REFUSAL_START_LINE, 0},
    {"two digits", A, "HTTP/1.1 10\r\n", WS_REFUSAL_START_LINE, 0},
    {"four digits", A, "HTTP/1.1 1011\r\n", WS_REFUSAL_START_LINE, 0},
    {"letters", A, "HTTP/1.1 1O1 x\r\n", WS_REFUSAL_START_LINE, 0},
    {"a slash for a digit", A, "HTTP/1.1 /01 x\r\n", WS_REFUSAL_START_LINE, 0},
    {"status under 100", A, "HTTP/1.1 099 x\r\n", WS_REFUSAL_START_LINE, 0},
};

static void append(char *to, struct ws_slice s) {
  strncat(to, s.data, s.size);
}

static void summarise(char *to, const struct ws_http_head *head) {
  to[0] = '\0';
  if (head->kind == WS_HTTP_REQUEST) {
    append(to, ws_http_head_method(head));
    strcat(to, " ");
    append(to, ws_http_head_target(head));
  } else {
    sprintf(to, "%d ", head->status);
    append(to, ws_http_head_reason(head));
  }
  strcat(to, "|");
  for (size_t i = 0; i < head->field_count; i++) {
    append(to, ws_http_head_field_name(head, i));
    strcat(to, "=");
    append(to, ws_http_head_field_value(head, i));
    strcat(to, "|");
  }
}

/* Passes the first `first` bytes, then `step` more in each call. */
static enum ws_http_outcome parse_in_pieces(struct ws_http_head *head, enum ws_http_kind kind, const char *text,
                                            size_t n, size_t first, size_t step) {
  enum ws_http_outcome outcome;
  size_t there = first;
  ws_http_head_init(head, kind);
  for (;;) {
    outcome = ws_http_head_parse(head, (char *)guard_place(text, there), there);
    if (outcome != WS_HTTP_PARTIAL || there == n)
      return outcome;
    there = step < n - there ? there + step : n;
  }
}

/* HTTP-1 */
static void test_heads_at_every_split(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    const struct head_case *c = &cases[i];
    size_t n = strlen(c->text);
    for (size_t cut = 0; cut <= n; cut++) {
      for (int step = 0; step < 2; step++) {
        struct ws_http_head head;
        enum ws_http_outcome outcome = parse_in_pieces(&head, c->kind, c->text, n, cut, step ? 1 : n);
        char summary[512];
        if (outcome != (c->problem ? WS_HTTP_PROBLEM : WS_HTTP_COMPLETE) || head.problem != c->problem)
          fail_msg("%s, cut at %zu: outcome %d, %s", c->name, cut, outcome, ws_refusal_text(head.problem));
        if (outcome == WS_HTTP_PROBLEM) {
          assert_int_equal(ws_http_head_parse(&head, c->text, n), WS_HTTP_PROBLEM);
          continue;
        }
        summarise(summary, &head);
        assert_string_equal(summary, c->summary);
        assert_memory_equal(head.bytes + head.size - 4, "\r\n\r\n", 4);
        assert_int_equal(ws_http_head_parse(&head, head.bytes, n), WS_HTTP_COMPLETE);
      }
    }
  }
}

/* HTTP-1 HTTP-3: at the byte, not at the end of the line or before. */
static void test_problem_is_reported_at_its_byte(void **state) {
  static const char text[] = "GET / HTTP/1.1\r\nA: b\0c\r\n\r\n";
  struct ws_http_head head;
  (void)state;
  ws_http_head_init(&head, WS_HTTP_REQUEST);
  assert_int_equal(ws_http_head_parse(&head, text, 20), WS_HTTP_PARTIAL);
  assert_int_equal(ws_http_head_parse(&head, text, 21), WS_HTTP_PROBLEM);
  assert_int_equal(head.problem, WS_REFUSAL_CONTROL_CHARACTER);
}

/* HTTP-2 HTTP-9: 16,384 bytes and 100 fields are accepted, one more is not. */
static void head_of_size(char *text, size_t n) {
  memset(text, 'x', n);
  memcpy(text, "GET / HTTP/1.1\r\nA:", 18);
  memcpy(text + n - 4, "\r\n\r\n", 4);
}

static void test_bytes_are_limited(void **state) {
  static char text[WS_HTTP_BYTES_MAX + 10];
  struct ws_http_head head;
  (void)state;
  head_of_size(text, WS_HTTP_BYTES_MAX);
  assert_int_equal(parse_in_pieces(&head, WS_HTTP_REQUEST, text, WS_HTTP_BYTES_MAX, 0, 1000), WS_HTTP_COMPLETE);
  head_of_size(text, WS_HTTP_BYTES_MAX + 1);
  assert_int_equal(parse_in_pieces(&head, WS_HTTP_REQUEST, text, WS_HTTP_BYTES_MAX + 1, 0, 1000), WS_HTTP_PROBLEM);
  assert_int_equal(head.problem, WS_REFUSAL_HEAD_TOO_BIG);
  assert_int_equal(ws_refusal_status(head.problem), 431);
  head_of_size(text + 2, WS_HTTP_BYTES_MAX - 2);
  memcpy(text, "\r\n", 2);
  assert_int_equal(parse_in_pieces(&head, WS_HTTP_REQUEST, text, WS_HTTP_BYTES_MAX, 0, 1000), WS_HTTP_COMPLETE);
  head_of_size(text + 2, WS_HTTP_BYTES_MAX - 1);
  assert_int_equal(parse_in_pieces(&head, WS_HTTP_REQUEST, text, WS_HTTP_BYTES_MAX + 1, 0, 1000), WS_HTTP_PROBLEM);
  assert_int_equal(head.problem, WS_REFUSAL_HEAD_TOO_BIG);
  memset(text, 'G', sizeof text);
  assert_int_equal(parse_in_pieces(&head, WS_HTTP_REQUEST, text, WS_HTTP_BYTES_MAX, 0, 1), WS_HTTP_PROBLEM);
  assert_int_equal(head.problem, WS_REFUSAL_HEAD_TOO_BIG);
}

static void test_fields_are_limited(void **state) {
  char text[2048] = "GET / HTTP/1.1\r\n";
  struct ws_http_head head;
  (void)state;
  for (int i = 0; i < WS_HTTP_FIELDS_MAX; i++)
    strcat(text, "A: b\r\n");
  size_t n = strlen(text);
  strcat(text, "\r\n");
  assert_int_equal(parse_in_pieces(&head, WS_HTTP_REQUEST, text, n + 2, 0, n + 2), WS_HTTP_COMPLETE);
  assert_int_equal(head.field_count, WS_HTTP_FIELDS_MAX);
  strcpy(text + n, "A: b\r\n\r\n");
  assert_int_equal(parse_in_pieces(&head, WS_HTTP_REQUEST, text, n + 8, 0, n + 8), WS_HTTP_PROBLEM);
  assert_int_equal(head.problem, WS_REFUSAL_TOO_MANY_FIELDS);
}

/* HTTP-6: scanned bytes are not read again while a line grows: the first page may be inaccessible. */
static void test_bytes_are_scanned_once(void **state) {
  static const char start[] = "GET / HTTP/1.1\r\nA: ";
  char *text = mmap(NULL, WS_HTTP_BYTES_MAX, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  struct ws_http_head head;
  (void)state;
  assert_ptr_not_equal(text, MAP_FAILED);
  memset(text, 'x', WS_HTTP_BYTES_MAX);
  memcpy(text, start, sizeof start - 1);
  ws_http_head_init(&head, WS_HTTP_REQUEST);
  assert_int_equal(ws_http_head_parse(&head, text, 8192), WS_HTTP_PARTIAL);
  assert_int_equal(mprotect(text, 4096, PROT_NONE), 0);
  for (size_t n = 8193; n < WS_HTTP_BYTES_MAX; n++)
    assert_int_equal(ws_http_head_parse(&head, text, n), WS_HTTP_PARTIAL);
  munmap(text, WS_HTTP_BYTES_MAX);
}

/* HTTP-7 HTTP-8 */
static void test_fields_are_found(void **state) {
  static const char text[] = "GET / HTTP/1.1\r\nHOST: one\r\nhost: two\r\nConnection: keep-alive , Upgrade\r\n"
                             "connection: ,, x\r\nUpgrade: websocketx, \"websocket\"\r\n\r\n";
  struct ws_http_head head;
  struct ws_slice value;
  (void)state;
  assert_int_equal(parse_in_pieces(&head, WS_HTTP_REQUEST, text, sizeof text - 1, 0, 9), WS_HTTP_COMPLETE);
  assert_int_equal(ws_http_head_find(&head, "Host", &value), 2);
  assert_true(ws_slice_equal(value, ws_slice_of("one")));
  assert_int_equal(ws_http_head_find(&head, "Origin", &value), 0);
  assert_null(value.data);
  assert_true(ws_http_head_list_contains(&head, "Connection", "upgrade"));
  assert_true(ws_http_head_list_contains(&head, "Connection", "X"));
  assert_false(ws_http_head_list_contains(&head, "Connection", "keep"));
  assert_false(ws_http_head_list_contains(&head, "Upgrade", "websocket"));
  assert_false(ws_http_head_list_contains(&head, "Via", "websocket"));
}

/* HTTP-1: the buffer may move between calls. */
static void test_buffer_may_move(void **state) {
  static const char text[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  struct ws_http_head head;
  (void)state;
  ws_http_head_init(&head, WS_HTTP_REQUEST);
  for (size_t n = 1; n <= sizeof text - 1; n++) {
    char *copy = malloc(n);
    memcpy(copy, text, n);
    assert_int_equal(ws_http_head_parse(&head, copy, n), n < sizeof text - 1 ? WS_HTTP_PARTIAL : WS_HTTP_COMPLETE);
    free(copy);
  }
  head.bytes = text;
  assert_true(ws_slice_equal(ws_http_head_field_value(&head, 0), ws_slice_of("a")));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_heads_at_every_split),   cmocka_unit_test(test_problem_is_reported_at_its_byte),
      cmocka_unit_test(test_bytes_are_limited),      cmocka_unit_test(test_fields_are_limited),
      cmocka_unit_test(test_bytes_are_scanned_once), cmocka_unit_test(test_fields_are_found),
      cmocka_unit_test(test_buffer_may_move),
  };

  return cmocka_run_group_tests_name("http head", tests, NULL, NULL);
}
