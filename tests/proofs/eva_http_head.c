/* The head parser on every first line of up to FIRST bytes, of requests and responses; on every continuation of up to
 * FURTHER bytes, after no field and after all but one of the allowed fields; and the accessors of a complete head. (WP
 * proves the parser for heads of every size, except that it uses no uninitialised value.) */
#include "eva.h"

#include "protocol/http_head.h"

#define FIRST 15
#define FURTHER 8
#define BEFORE 3

static void look_up(const struct ws_http_head *head) {
  struct ws_slice value;

  ws_http_head_method(head);
  ws_http_head_target(head);
  ws_http_head_reason(head);
  ws_http_head_find(head, "a", &value);
  ws_http_head_list_contains(head, "a", "b");
}

static void first_line(size_t n, enum ws_http_kind kind) {
  const char *bytes = any_input(n);
  struct ws_http_head head;

  ws_http_head_init(&head, kind);
  promise(head.line == 0 && head.scanned == 0 && head.size == 0 && head.field_count == 0);
  promise(head.method.size == 0 && head.target.size == 0 && head.reason.size == 0);
  promise(head.method.start == 0 && head.target.start == 0 && head.reason.start == 0);
  ws_http_head_parse(&head, bytes, n);
}

/* From the state after the first line. */
static void further_lines(size_t n, uint16_t fields) {
  const char *bytes = any_input(BEFORE + n);
  struct ws_http_head head;

  ws_http_head_init(&head, WS_HTTP_REQUEST);
  head.line = BEFORE;
  head.scanned = BEFORE;
  head.field_count = fields;
  if (ws_http_head_parse(&head, bytes, BEFORE + n) == WS_HTTP_COMPLETE)
    look_up(&head);
}

int main(void) {
  for (size_t n = 0; n <= FIRST; n++) {
    first_line(n, WS_HTTP_REQUEST);
    first_line(n, WS_HTTP_RESPONSE);
  }
  for (size_t n = 0; n <= FURTHER; n++) {
    further_lines(n, 0);
    further_lines(n, WS_HTTP_FIELDS_MAX - 1);
  }
  return 0;
}
