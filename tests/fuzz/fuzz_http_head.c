/* HTTP heads: whole and in pieces the result is the same, and every slice is within the head. HTTP-1 HTTP-2 */
#include "fuzz.h"

#include "protocol/http_head.h"

static void within(const struct ws_http_head *head, struct ws_slice s) {
  must(s.data >= head->bytes && s.size <= (size_t)(head->bytes + head->size - s.data));
  for (size_t i = 0; i < s.size; i++)
    must(s.data[i] != '\r' && s.data[i] != '\n' && s.data[i] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct input input = {data, size};
  uint8_t flags = take_byte(&input), step = take_byte(&input);
  enum ws_http_kind kind = flags & 1 ? WS_HTTP_RESPONSE : WS_HTTP_REQUEST;
  struct ws_http_head whole, pieces;
  char *bytes = (char *)copy_of(input.data, input.size);
  enum ws_http_outcome outcome, second = WS_HTTP_PARTIAL;
  struct ws_slice value;

  ws_http_head_init(&whole, kind);
  ws_http_head_init(&pieces, kind);
  outcome = ws_http_head_parse(&whole, bytes, input.size);
  for (size_t n = 0; second == WS_HTTP_PARTIAL && n < input.size;) {
    n = n + 1 + step < input.size ? n + 1 + step : input.size;
    char *copy = (char *)copy_of(input.data, n);

    second = ws_http_head_parse(&pieces, copy, n);
    free(copy);
  }
  must(outcome == second && whole.problem == pieces.problem && whole.size == pieces.size);
  if (outcome == WS_HTTP_COMPLETE) {
    must(whole.size <= input.size && whole.size <= WS_HTTP_BYTES_MAX && whole.field_count <= WS_HTTP_FIELDS_MAX);
    must(memcmp(whole.fields, pieces.fields, sizeof whole.fields) == 0);
    for (size_t i = 0; i < whole.field_count; i++) {
      within(&whole, ws_http_head_field_name(&whole, i));
      within(&whole, ws_http_head_field_value(&whole, i));
    }
    within(&whole, kind == WS_HTTP_REQUEST ? ws_http_head_target(&whole) : ws_http_head_reason(&whole));
    ws_http_head_list_contains(&whole, "Connection", "upgrade");
    ws_http_head_find(&whole, "Host", &value);
  }
  free(bytes);
  return 0;
}
