#include "call.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/path.h"
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
  *call = (struct ws_call){.argument = ws_roots_acquire()};
  return call->argument ? 0 : -1;
}

void ws_call_deinit(struct ws_call *call) {
  if (call->argument)
    ws_call_drop(call);
  ws_roots_release(call->argument);
}

void ws_call_drop(struct ws_call *call) {
  void *value = *call->argument;
  *call->argument = NULL;
  call->record = NULL;
  call->string = NULL;
  call->room = 0;
  call->wire = NULL;
  if (value)
    osp_release(value);
}

/* Returns true if the handler has kept nothing, and the next call may have it all. Longer strings are released. */
static bool ws_call_is_left(const struct ws_call *call) {
  enum { MOST = 128 * 1024 };
  return osp_is_unique && call->room > 0 && call->room <= MOST && osp_is_unique(call->string) &&
         (!call->record || osp_is_unique(call->record));
}

WS_RARE static void ws_call_keep_error(struct ws_call *call, const struct ws_result *result) {
  const char *message = result->message ? result->message : "Error";
  snprintf(call->message, sizeof call->message, "%s", message);
}

/* Reads the Result, then releases it and the arguments. */
static enum ws_verdict ws_call_end(struct ws_call *call, struct ws_result *result) {
  bool failed = result->discriminant != 0;
  if (failed)
    ws_call_keep_error(call, result);
  osp_release(result);
  call->wire = NULL;
  if (!ws_call_is_left(call))
    ws_call_drop(call);
  return failed ? WS_VERDICT_ERROR : WS_VERDICT_SUCCESS;
}

/* ---- the string */

WS_ASIDE static char *ws_call_make_string(struct ws_call *call, size_t size) {
  ws_call_drop(call);
  call->string = *call->argument = ws_hooks_alloc(size);
  call->room = call->string ? size : 0;
  return call->string;
}

/* The string of the last call, or another one if that has less than `size` bytes. NULL: no memory. */
static char *ws_call_new_string(struct ws_call *call, size_t size) {
  return size <= call->room ? call->string : ws_call_make_string(call, size);
}

uint8_t *ws_call_room(struct ws_call *call, size_t n) {
  return (uint8_t *)ws_call_new_string(call, n + 1);
}

static void ws_call_give(struct ws_call *call, bool binary, const uint8_t *bytes, size_t n) {
  call->wire = bytes;
  call->wire_size = n;
  call->binary = binary;
}

/* The string of a text whose bytes are not those of the string, such as one with U+0000. */
WS_ASIDE static char *ws_call_convert(struct ws_call *call, const uint8_t *bytes, size_t n) {
  char *text = ws_value_text(bytes, n);
  ws_call_drop(call);
  return call->string = *call->argument = text;
}

static char *ws_call_text_string(struct ws_call *call, const uint8_t *bytes, size_t n) {
  if (memchr(bytes, 0, n))
    return ws_call_convert(call, bytes, n);
  char *text = call->string;
  if (bytes != (const uint8_t *)text) {
    text = ws_call_new_string(call, n + 1);
    if (!text)
      return NULL;
    memcpy(text, bytes, n);
  }
  text[n] = '\0';
  ws_call_give(call, false, bytes, n);
  return text;
}

WS_ASIDE static char *ws_call_base64_string(struct ws_call *call, const uint8_t *bytes, size_t n) {
  char *base64 = ws_call_new_string(call, ws_base64_encoded_size(n) + 1);
  if (!base64)
    return NULL;
  ws_base64_encode(base64, bytes, n);
  ws_call_give(call, true, bytes, n);
  return base64;
}

/* ---- calls */

enum ws_verdict ws_call_text(struct ws_call *call, void *cell, const uint8_t *bytes, size_t n) {
  const char *text = ws_call_text_string(call, bytes, n);
  if (!text)
    return WS_VERDICT_NO_MEMORY;
  return ws_call_end(call, (*(ws_text_code **)cell)(cell, text));
}

/* The record that has the string. */
WS_ASIDE static struct ws_record_WebSocketMessage *ws_call_new_record(struct ws_call *call) {
  struct ws_record_WebSocketMessage *record = ws_hooks_alloc_record(sizeof *record, WS_MESSAGE_META);
  if (!record) {
    ws_call_drop(call);
    return NULL;
  }
  *record = (struct ws_record_WebSocketMessage){.type = "text", .data = call->string};
  *call->argument = record; /* it owns the string now */
  return call->record = record;
}

enum ws_verdict ws_call_message(struct ws_call *call, void *cell, void *connection, bool binary, const uint8_t *bytes,
                                size_t n, int64_t loop_ms) {
  if (!(binary ? ws_call_base64_string(call, bytes, n) : ws_call_text_string(call, bytes, n)))
    return WS_VERDICT_NO_MEMORY;
  struct ws_record_WebSocketMessage *record = call->record ? call->record : ws_call_new_record(call);
  if (!record)
    return WS_VERDICT_NO_MEMORY;
  record->type = binary ? "binary" : "text";
  record->timestamp = ws_call_time(call, loop_ms);
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
  const char *text = ws_call_convert(call, (const uint8_t *)reason, n);
  if (!text)
    return WS_VERDICT_NO_MEMORY;
  return ws_call_end(call, (*(ws_close_code_fn **)cell)(cell, connection, code, text));
}
