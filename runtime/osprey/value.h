#pragma once
/* Osprey's values: strings, records, and calls of handlers (spec/abi.md has the layouts).
 *
 * What is made here carries one reference for its maker, or is NULL where there is no memory. A handler borrows its
 * arguments: the call keeps them in roots (roots.h) while it runs and releases them afterwards, and releases the Result.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ws_options_record {
  int64_t tag;
  const char *headers;
  const char *protocols;
  bool compression;
  int64_t max_message_bytes;
  int64_t timeout_ms;
  int64_t keep_alive_ms;
};

/* A string of n bytes that hold no NUL. */
char *ws_value_string(const char *text, size_t n);

/* A string for n bytes of a received text: U+0000 becomes C0 80. */
char *ws_value_text(const uint8_t *bytes, size_t n);

/* A WebSocketConnection; `url` is copied. */
void *ws_value_connection(int64_t id, const char *url, bool is_connected);

/* The isConnected of such a record. */
bool ws_value_is_connected(const void *connection);

/* What a handler answered. */
enum ws_verdict {
  WS_VERDICT_SUCCESS,
  WS_VERDICT_ERROR,     /* the call's message says what */
  WS_VERDICT_NO_MEMORY, /* it was not called */
};

/* Room for one call in progress. A loop has one, and makes more where calls nest. */
struct ws_call {
  void **argument; /* root of what was made for the call; the connection's record is its owner's */
  const char
      *text; /* the text in hand, valid UTF-8 without U+0000, or NULL: strings do not change, so that it can be */
  size_t text_size;  /* sent on unseen */
  int64_t read_at;   /* loop's time of time_ms */
  int64_t time_ms;   /* time of day */
  char message[256]; /* of the latest WS_VERDICT_ERROR, cut */
};

/* 0, or -1: no memory. */
int ws_call_init(struct ws_call *call);
void ws_call_deinit(struct ws_call *call);

/* fn(String) */
enum ws_verdict ws_call_text(struct ws_call *call, void *cell, const uint8_t *bytes, size_t n);
/* fn(WebSocketConnection, WebSocketMessage); `connection` is kept alive by the caller. loop_ms: the loop's time. */
enum ws_verdict ws_call_message(struct ws_call *call, void *cell, void *connection, bool binary, const uint8_t *bytes,
                                size_t n, int64_t loop_ms);
/* fn(WebSocketConnection) */
enum ws_verdict ws_call_open(struct ws_call *call, void *cell, void *connection);
/* fn(WebSocketConnection, Int, String) */
enum ws_verdict ws_call_close(struct ws_call *call, void *cell, void *connection, int code, const char *reason,
                              size_t n);
