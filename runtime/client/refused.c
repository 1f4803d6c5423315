#include "refused.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "protocol/client_handshake.h"

enum { WS_REFUSED_LINE = 160 };

struct ws_refused {
  char text[512];
  size_t lines_to_skip; /* of a chunked body, the size of the first chunk */
  uint64_t left;        /* bytes of the body still to come */
  char line[WS_REFUSED_LINE + 1];
  size_t size;
};

static bool ws_refused_has(const struct ws_http_head *head, const char *name) {
  struct ws_slice value;
  return ws_http_head_find(head, name, &value) > 0;
}

/* UINT64_MAX: until the connection ends. */
static uint64_t ws_refused_length(const struct ws_http_head *head) {
  struct ws_slice value;
  char digits[20];
  if (ws_refused_has(head, "Content-Encoding"))
    return 0;
  if (ws_http_head_find(head, "Content-Length", &value) == 0)
    return UINT64_MAX;
  snprintf(digits, sizeof digits, "%.*s", (int)value.size, value.data);
  return strtoull(digits, NULL, 10);
}

struct ws_refused *ws_refused_new(const struct ws_http_head *head) {
  struct ws_refused *refused = ws_mem_calloc(1, sizeof *refused);
  struct ws_slice after;
  char cleaned[40];
  if (!refused)
    return NULL;
  ws_client_handshake_explain(refused->text, sizeof refused->text, WS_CLIENT_HANDSHAKE_STATUS, head);
  if (ws_http_head_find(head, "Retry-After", &after) == 1) {
    size_t used = strlen(refused->text);
    ws_client_handshake_clean(cleaned, sizeof cleaned, after);
    snprintf(refused->text + used, sizeof refused->text - used, " (Retry-After: %s)", cleaned);
  }
  refused->lines_to_skip = ws_refused_has(head, "Transfer-Encoding");
  refused->left = ws_refused_length(head);
  return refused;
}

void ws_refused_free(struct ws_refused *refused) {
  ws_mem_free(refused);
}

bool ws_refused_feed(struct ws_refused *refused, const char *bytes, size_t n) {
  bool ended = n >= refused->left;
  size_t count = ended ? (size_t)refused->left : n;
  refused->left -= count;
  for (size_t i = 0; i < count && refused->size < WS_REFUSED_LINE; i++) {
    if (bytes[i] != '\n')
      refused->line[refused->size++] = bytes[i];
    else if (refused->lines_to_skip == 0)
      return true;
    if (bytes[i] == '\n') {
      refused->lines_to_skip--;
      refused->size = 0;
    }
  }
  return ended || refused->size == WS_REFUSED_LINE;
}

const char *ws_refused_text(struct ws_refused *refused) {
  char cleaned[WS_REFUSED_LINE + 1];
  struct ws_slice line = ws_slice_trim((struct ws_slice){refused->line, refused->size});
  size_t used = strlen(refused->text);
  if (line.size > 0 && line.data[line.size - 1] == '\r')
    line.size--;
  if (line.size == 0 || line.data[0] == '<' || refused->lines_to_skip > 0)
    return refused->text;
  ws_client_handshake_clean(cleaned, sizeof cleaned, line);
  snprintf(refused->text + used, sizeof refused->text - used, ": %s", cleaned);
  refused->size = 0; /* said once */
  return refused->text;
}
