/* The head parser on every first line of up to FIRST bytes of a request and of an answer, and on every continuation of up to FURTHER bytes
 * after a first line, with few fields before and with all but one there can be. */
#include "eva.h"

#include "http_head.h"

#define FIRST 15
#define FURTHER 8
#define BEFORE 3

static void first_line(size_t n, enum ws_http_kind kind) {
  const char *bytes = any_input(n);
  struct ws_http_head head;

  ws_http_head_init(&head, kind);
  ws_http_head_parse(&head, bytes, n);
}

/* As an earlier call leaves a head whose first line was parsed. */
static void further_lines(size_t n, uint16_t fields) {
  const char *bytes = any_input(BEFORE + n);
  struct ws_http_head head;

  ws_http_head_init(&head, WS_HTTP_REQUEST);
  head.line = BEFORE;
  head.scanned = BEFORE;
  head.field_count = fields;
  ws_http_head_parse(&head, bytes, BEFORE + n);
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
