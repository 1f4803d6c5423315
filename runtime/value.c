#include "value.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "hooks.h"
#include "protocol/base64.h"
#include "protocol/text.h"
#include "roots.h"

struct ws_connection_record {
  int64_t tag;
  int64_t id;
  char *url;
  bool is_connected;
};

struct ws_message_record {
  int64_t tag;
  const char *type;
  char *data;
  int64_t timestamp;
};

#define WS_CONNECTION_META WS_META(1 << 2)
#define WS_MESSAGE_META WS_META(1 << 1 | 1 << 2)

_Static_assert(WS_CONNECTION_META == 1025 && sizeof(struct ws_connection_record) == 32, "spec/abi.md");
_Static_assert(WS_MESSAGE_META == 1537 && sizeof(struct ws_message_record) == 32, "spec/abi.md");
_Static_assert(sizeof(struct ws_options_record) == 56, "spec/abi.md");

/* What a handler returns. */
struct ws_result {
  int64_t value;
  int8_t discriminant; /* 0 Success, 1 Error */
  char *message;       /* owned by the block */
};

typedef struct ws_result *ws_text_code(void *cell, const char *message);
typedef struct ws_result *ws_message_code(void *cell, const void *connection, const void *message);
typedef struct ws_result *ws_open_code(void *cell, const void *connection);
typedef struct ws_result *ws_close_code_fn(void *cell, const void *connection, int64_t code, const char *reason);

char *ws_value_string(const char *text, size_t n)
{
  char *string = ws_host_alloc(n + 1);
  if (!string)
    return NULL;
  memcpy(string, text, n);
  string[n] = '\0';
  return string;
}

char *ws_value_text(const uint8_t *bytes, size_t n)
{
  if (!memchr(bytes, 0, n))
    return ws_value_string((const char *)bytes, n);
  char *string = ws_host_alloc(ws_text_host_size(bytes, n) + 1);
  if (string)
    ws_text_to_host(string, bytes, n);
  return string;
}

static char *ws_value_base64(const uint8_t *bytes, size_t n)
{
  char *string = ws_host_alloc(ws_base64_encoded_size(n) + 1);
  if (string)
    ws_base64_encode(string, bytes, n);
  return string;
}

static int64_t ws_value_now_ms(void)
{
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void *ws_value_connection(int64_t id, const char *url, bool is_connected)
{
  void **root = ws_root_take(); /* the string must be found while the record is allocated */
  if (!root)
    return NULL;
  char *text = *root = ws_value_string(url, strlen(url));
  struct ws_connection_record *record = text ? ws_host_alloc_record(sizeof *record, WS_CONNECTION_META) : NULL;
  if (record)
    *record = (struct ws_connection_record){ .id = id, .url = text, .is_connected = is_connected };
  else if (text)
    osp_release(text);
  ws_root_give(root);
  return record;
}

int ws_call_init(struct ws_call *call)
{
  for (int i = 0; i < 3; i++) {
    call->slots[i] = ws_root_take();
    if (!call->slots[i]) {
      while (i-- > 0)
        ws_root_give(call->slots[i]);
      return -1;
    }
  }
  return 0;
}

void ws_call_deinit(struct ws_call *call)
{
  for (int i = 0; i < 3; i++)
    ws_root_give(call->slots[i]);
}

/* Releases what slot i holds. */
static void ws_call_drop(struct ws_call *call, int i)
{
  void *value = *call->slots[i];
  *call->slots[i] = NULL;
  if (value)
    osp_release(value);
}

/* Reads and releases the Result, and the arguments. */
static enum ws_verdict ws_call_end(struct ws_call *call, struct ws_result *result)
{
  enum ws_verdict verdict = result->discriminant == 0 ? WS_VERDICT_SUCCESS : WS_VERDICT_ERROR;
  if (verdict == WS_VERDICT_ERROR)
    snprintf(call->message, sizeof call->message, "%s", result->message ? result->message : "Error");
  osp_release(result);
  for (int i = 0; i < 3; i++)
    ws_call_drop(call, i);
  return verdict;
}

/* Keeps the connection's record during the call. */
static void ws_call_hold(struct ws_call *call, int i, void *value)
{
  osp_retain(value);
  *call->slots[i] = value;
}

enum ws_verdict ws_call_text(struct ws_call *call, void *cell, const uint8_t *bytes, size_t n)
{
  char *text = *call->slots[0] = ws_value_text(bytes, n);
  if (!text)
    return WS_VERDICT_NO_MEMORY;
  return ws_call_end(call, (*(ws_text_code **)cell)(cell, text));
}

enum ws_verdict ws_call_message(struct ws_call *call, void *cell, void *connection, bool binary, const uint8_t *bytes,
                                size_t n)
{
  char *data = *call->slots[0] = binary ? ws_value_base64(bytes, n) : ws_value_text(bytes, n);
  if (!data)
    return WS_VERDICT_NO_MEMORY;
  struct ws_message_record *record = ws_host_alloc_record(sizeof *record, WS_MESSAGE_META);
  if (!record) {
    ws_call_drop(call, 0);
    return WS_VERDICT_NO_MEMORY;
  }
  *record = (struct ws_message_record){
    .type = binary ? "binary" : "text",
    .data = data,
    .timestamp = ws_value_now_ms(),
  };
  *call->slots[0] = record; /* the record owns the string now */
  ws_call_hold(call, 1, connection);
  return ws_call_end(call, (*(ws_message_code **)cell)(cell, connection, record));
}

enum ws_verdict ws_call_open(struct ws_call *call, void *cell, void *connection)
{
  ws_call_hold(call, 1, connection);
  return ws_call_end(call, (*(ws_open_code **)cell)(cell, connection));
}

enum ws_verdict ws_call_close(struct ws_call *call, void *cell, void *connection, int code, const char *reason, size_t n)
{
  ws_call_hold(call, 1, connection);
  char *text = *call->slots[0] = ws_value_text((const uint8_t *)reason, n);
  if (!text) {
    ws_call_drop(call, 1);
    return WS_VERDICT_NO_MEMORY;
  }
  return ws_call_end(call, (*(ws_close_code_fn **)cell)(cell, connection, code, text));
}
