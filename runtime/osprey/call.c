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
  call->given = NULL;
  call->argument = ws_roots_acquire();
  return call->argument ? 0 : -1;
}

void ws_call_deinit(struct ws_call *call) {
  ws_roots_release(call->argument);
}

void ws_call_drop(struct ws_call *call) {
  void *value = *call->argument;
  *call->argument = NULL;
  call->given = NULL;
  if (value)
    osp_release(value);
}

uint8_t *ws_call_room(struct ws_call *call, size_t n) {
  ws_call_drop(call);
  return *call->argument = ws_hooks_alloc(n + 1);
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

static void ws_call_give(struct ws_call *call, const char *string, bool binary, const uint8_t *bytes, size_t n) {
  call->given = string;
  call->wire = bytes;
  call->wire_size = n;
  call->binary = binary;
}

/* The string of a text with U+0000, whose bytes are not those of the string. */
static char *ws_call_convert(struct ws_call *call, const uint8_t *bytes, size_t n) {
  char *text = ws_value_text(bytes, n);
  ws_call_drop(call);
  return *call->argument = text;
}

/* Makes the text argument: the string that has the bytes already, or one of its own. */
static char *ws_call_text_argument(struct ws_call *call, const uint8_t *bytes, size_t n) {
  char *text = *call->argument;
  if (memchr(bytes, 0, n))
    return ws_call_convert(call, bytes, n);
  if (bytes == (const uint8_t *)text) {
    text[n] = '\0';
  } else {
    ws_call_drop(call);
    text = *call->argument = ws_value_string((const char *)bytes, n);
  }
  ws_call_give(call, text, false, bytes, n);
  return text;
}

static char *ws_call_base64_argument(struct ws_call *call, const uint8_t *bytes, size_t n) {
  ws_call_drop(call);
  char *base64 = *call->argument = ws_hooks_alloc(ws_base64_encoded_size(n) + 1);
  if (base64)
    ws_base64_encode(base64, bytes, n);
  ws_call_give(call, base64, true, bytes, n);
  return base64;
}

enum ws_verdict ws_call_text(struct ws_call *call, void *cell, const uint8_t *bytes, size_t n) {
  char *text = ws_call_text_argument(call, bytes, n);
  if (!text)
    return WS_VERDICT_NO_MEMORY;
  return ws_call_end(call, (*(ws_text_code **)cell)(cell, text));
}

enum ws_verdict ws_call_message(struct ws_call *call, void *cell, void *connection, bool binary, const uint8_t *bytes,
                                size_t n, int64_t loop_ms) {
  char *data = binary ? ws_call_base64_argument(call, bytes, n) : ws_call_text_argument(call, bytes, n);
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
