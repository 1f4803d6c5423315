#pragma once
/* Calls of handlers (spec/abi.md defines the closures).
 *
 * A handler borrows its arguments. The call stores them in a root (roots.h) while the handler runs, then releases them
 * and the Result. `cell` is the handler's closure. `connection` is a WebSocketConnection, which the caller keeps alive.
 *
 * A ws_call is one call in progress. A loop thread has one, and allocates more for nested calls.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ws_record_WebSocketMessage;

enum ws_verdict {
  WS_VERDICT_SUCCESS,
  WS_VERDICT_ERROR,     /* call->message contains the handler's Err */
  WS_VERDICT_NO_MEMORY, /* the handler was not called */
};

struct ws_call {
  void **argument; /* root of the record, or of the string if there is none */
  /* What the handler is given. Between calls, what the last one has left: nobody else has it, and the next call fills
   * it anew. NULL: nothing. */
  struct ws_record_WebSocketMessage *record;
  char *string;
  size_t room; /* bytes of the string; 0 without one, and for one that is not filled anew */
  /* While the handler runs, the bytes of the message that the string stands for: text, or decoded base64. Strings are
   * immutable, so what the handler sends on as it was given needs neither validation nor decoding. NULL: none. */
  const uint8_t *wire;
  size_t wire_size;
  bool binary;
  int64_t read_at;   /* the loop's time when time_ms was read */
  int64_t time_ms;   /* time of day */
  char message[256]; /* of the latest WS_VERDICT_ERROR, truncated */
};

/* Returns 0, or -1 if out of memory. */
int ws_call_init(struct ws_call *call);
void ws_call_deinit(struct ws_call *call);

/* The string of a text of n bytes that is about to be received, as room for them: a call with that text gives this
 * string to the handler. NULL: no memory. */
uint8_t *ws_call_room(struct ws_call *call, size_t n);

/* Releases what the call has. No handler is running. */
void ws_call_drop(struct ws_call *call);

/* fn(String) */
enum ws_verdict ws_call_text(struct ws_call *call, void *cell, const uint8_t *bytes, size_t n);

/* fn(WebSocketConnection, WebSocketMessage). loop_ms is the loop's time. */
enum ws_verdict ws_call_message(struct ws_call *call, void *cell, void *connection, bool binary, const uint8_t *bytes,
                                size_t n, int64_t loop_ms);

/* fn(WebSocketConnection) */
enum ws_verdict ws_call_open(struct ws_call *call, void *cell, void *connection);

/* fn(Int) */
enum ws_verdict ws_call_tick(struct ws_call *call, void *cell, int64_t timer);

/* fn(WebSocketConnection, Int, String) */
enum ws_verdict ws_call_close(struct ws_call *call, void *cell, void *connection, int code, const char *reason,
                              size_t n);
