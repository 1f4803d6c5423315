#include "call.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "hooks.h"
#include "layout.h"
#include "protocol/base64.h"
#include "roots.h"
#include "value.h"

typedef struct ws_result *ws_text_code(void *cell, const char *message);
typedef struct ws_result *ws_message_code(void *cell, const void *connection, const void *message);
typedef struct ws_result *ws_open_code(void *cell, const void *connection);
typedef struct ws_result *ws_tick_code(void *cell, int64_t timer);
typedef struct ws_result *ws_close_code_fn(void *cell, const void *connection, int64_t code, const char *reason);

static char *ws_call_base64(const uint8_t *bytes, size_t n) {
  char *string = ws_hooks_alloc(ws_base64_encoded_size(n) + 1);
  if (string)
    ws_base64_encode(string, bytes, n);
  return string;
}

/* The time of day, read once per turn of the loop. */
static int64_t ws_call_time(struct ws_call *call, int64_t loop_ms) {
  struct timespec now;
  if (call->read_at != loop_ms) {
    clock_gettime(CLOCK_REALTIME, &now);
    call->time_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    call->read_at = loop_ms;
  }
  return call->time_ms;
}

int ws_call_init(struct ws_call *call) {
  call->text = NULL;
  call->argument = ws_roots_acquire();
  return call->argument ? 0 : -1;
}

void ws_call_deinit(struct ws_call *call) {
  ws_roots_release(call->argument);
}

static void ws_call_drop(struct ws_call *call) {
  void *value = *call->argument;
  *call->argument = NULL;
  call->text = NULL;
  if (value)
    osp_release(value);
}

/* Reads the Result, then releases it and the arguments. */
static enum ws_verdict ws_call_end(struct ws_call *call, struct ws_result *result) {
  enum ws_verdict verdict = result->discriminant == 0 ? WS_VERDICT_SUCCESS : WS_VERDICT_ERROR;
  const char *message = result->message ? result->message : "Error";
  if (verdict == WS_VERDICT_ERROR)
    snprintf(call->message, sizeof call->message, "%s", message);
  osp_release(result);
  ws_call_drop(call);
  return verdict;
}

/* Makes the text argument. Records it in call->text unless it contains U+0000. */
static char *ws_call_new_text(struct ws_call *call, const uint8_t *bytes, size_t n) {
  if (memchr(bytes, 0, n))
    return ws_value_text(bytes, n);
  char *text = ws_value_string((const char *)bytes, n);
  call->text = text;
  call->text_size = n;
  return text;
}

enum ws_verdict ws_call_text(struct ws_call *call, void *cell, const uint8_t *bytes, size_t n) {
  char *text = *call->argument = ws_call_new_text(call, bytes, n);
  if (!text)
    return WS_VERDICT_NO_MEMORY;
  return ws_call_end(call, (*(ws_text_code **)cell)(cell, text));
}

enum ws_verdict ws_call_message(struct ws_call *call, void *cell, void *connection, bool binary, const uint8_t *bytes,
                                size_t n, int64_t loop_ms) {
  char *data = *call->argument = binary ? ws_call_base64(bytes, n) : ws_call_new_text(call, bytes, n);
  if (!data)
    return WS_VERDICT_NO_MEMORY;
  struct ws_record_WebSocketMessage *record = ws_hooks_alloc_record(sizeof *record, WS_MESSAGE_META);
  if (!record) {
    ws_call_drop(call);
    return WS_VERDICT_NO_MEMORY;
  }
  *record = (struct ws_record_WebSocketMessage){
      .type = binary ? "binary" : "text",
      .data = data,
      .timestamp = ws_call_time(call, loop_ms),
  };
  *call->argument = record; /* the record owns the string now */
  return ws_call_end(call, (*(ws_message_code **)cell)(cell, connection, record));
}

enum ws_verdict ws_call_open(struct ws_call *call, void *cell, void *connection) {
  return ws_call_end(call, (*(ws_open_code **)cell)(cell, connection));
}

enum ws_verdict ws_call_tick(struct ws_call *call, void *cell, int64_t timer) {
  return ws_call_end(call, (*(ws_tick_code **)cell)(cell, timer));
}

enum ws_verdict ws_call_close(struct ws_call *call, void *cell, void *connection, int code, const char *reason,
                              size_t n) {
  char *text = *call->argument = ws_value_text((const uint8_t *)reason, n);
  if (!text)
    return WS_VERDICT_NO_MEMORY;
  return ws_call_end(call, (*(ws_close_code_fn **)cell)(cell, connection, code, text));
}
