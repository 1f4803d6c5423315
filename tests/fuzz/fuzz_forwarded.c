/* The headers of proxies: for any head, the reading ends, and every host is a part of the head. WS-PROXY-2 */
#include "fuzz.h"

#include "protocol/forwarded.h"

static void check(const struct ws_http_head *head, enum ws_forwarded_kind kind) {
  struct ws_forwarded forwarded;
  struct ws_slice host;
  enum ws_forwarded_outcome outcome;
  size_t nodes = 0;
  ws_forwarded_begin(&forwarded, head, kind);
  while ((outcome = ws_forwarded_next(&forwarded, &host)) == WS_FORWARDED_NODE) {
    must(++nodes <= head->size);
    must(!host.data || (host.data >= head->bytes && host.data + host.size <= head->bytes + head->size));
  }
  must(outcome == WS_FORWARDED_END || kind == WS_FORWARDED_RFC);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *bytes = (char *)copy_of(data, size);
  struct ws_http_head head;
  ws_http_head_init(&head, WS_HTTP_REQUEST);
  if (ws_http_head_parse(&head, bytes, size) == WS_HTTP_COMPLETE) {
    check(&head, WS_FORWARDED_X_FOR);
    check(&head, WS_FORWARDED_RFC);
  }
  free(bytes);
  return 0;
}
