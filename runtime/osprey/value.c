#include "value.h"

#include <string.h>

#include "hooks.h"
#include "protocol/text.h"
#include "roots.h"

struct ws_connection_record {
  int64_t tag;
  int64_t id;
  char *url;
  bool is_connected;
};

#define WS_CONNECTION_META WS_META(1 << 2)

_Static_assert(WS_CONNECTION_META == 1025 && sizeof(struct ws_connection_record) == 32, "spec/abi.md");
_Static_assert(sizeof(struct ws_options_record) == 56, "spec/abi.md");

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
  struct ws_connection_record *record = text ? ws_hooks_alloc_record(sizeof *record, WS_CONNECTION_META) : NULL;
  if (record)
    *record = (struct ws_connection_record){.id = id, .url = text, .is_connected = is_connected};
  else if (text)
    osp_release(text);
  ws_roots_release(root);
  return record;
}

bool ws_value_is_connected(const void *connection) {
  return ((const struct ws_connection_record *)connection)->is_connected;
}
