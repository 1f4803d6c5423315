/* The headers of proxies: for any head, the reading ends, and every node is a part of the head, and every
 * host one of its node or of the room. WS-PROXY-2 */
#include "fuzz.h"

#include "protocol/forwarded.h"

static bool is_part(struct ws_slice part, const char *whole, size_t size) {
  return part.data >= whole && part.data + part.size <= whole + size;
}

static void check(const struct ws_http_head *head, enum ws_forwarded_kind kind) {
  struct ws_forwarded forwarded;
  struct ws_slice node;
  enum ws_forwarded_outcome outcome;
  size_t nodes = 0;
  ws_forwarded_begin(&forwarded, head, kind);
  while ((outcome = ws_forwarded_next(&forwarded, &node)) == WS_FORWARDED_NODE) {
    must(++nodes <= head->size);
    if (!node.data)
      continue;
    must(is_part(node, head->bytes, head->size));
    char room[WS_QUOTED_MAX];
    struct ws_slice host = ws_forwarded_host(kind, node, room);
    must(is_part(host, node.data, node.size) || is_part(host, room, sizeof room));
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
