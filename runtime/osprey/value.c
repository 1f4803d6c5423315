#include "value.h"

#include <string.h>

#include "hooks.h"
#include "layout.h"
#include "protocol/text.h"
#include "roots.h"

#define WS_SAME_OFFSET(c_field, field)                                                                                 \
  _Static_assert(offsetof(struct ws_options_record, c_field) == offsetof(struct ws_record_WebSocketOptions, field),    \
                 #field)
WS_SAME_OFFSET(headers, headers);
WS_SAME_OFFSET(protocols, protocols);
WS_SAME_OFFSET(compression, compression);
WS_SAME_OFFSET(max_message_bytes, maxMessageBytes);
WS_SAME_OFFSET(timeout_ms, timeoutMs);
WS_SAME_OFFSET(keep_alive_ms, keepAliveMs);
_Static_assert(sizeof(struct ws_options_record) == sizeof(struct ws_record_WebSocketOptions), "WebSocketOptions");

char *ws_value_string(const char *text, size_t n) {
  char *string = ws_hooks_alloc(n + 1);
  if (!string)
    return NULL;
  memcpy(string, text, n);
  string[n] = '\0';
  return string;
}

char *ws_value_text(const uint8_t *bytes, size_t n) {
  if (!memchr(bytes, 0, n))
    return ws_value_string((const char *)bytes, n);
  char *string = ws_hooks_alloc(ws_text_host_size(bytes, n) + 1);
  if (string)
    ws_text_to_host(string, bytes, n);
  return string;
}

void *ws_value_connection(int64_t id, const char *url, bool is_connected) {
  void **root = ws_roots_acquire(); /* keeps the string alive while the record is allocated */
  if (!root)
    return NULL;
  char *text = *root = ws_value_string(url, strlen(url));
  struct ws_record_WebSocketConnection *record =
      text ? ws_hooks_alloc_record(sizeof *record, WS_CONNECTION_META) : NULL;
  if (record)
    *record = (struct ws_record_WebSocketConnection){.id = id, .url = text, .isConnected = is_connected};
  else if (text)
    osp_release(text);
  ws_roots_release(root);
  return record;
}

bool ws_value_is_connected(const void *connection) {
  return ((const struct ws_record_WebSocketConnection *)connection)->isConnected;
}
