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

enum ws_verdict {
  WS_VERDICT_SUCCESS,
  WS_VERDICT_ERROR,     /* call->message contains the handler's Err */
  WS_VERDICT_NO_MEMORY, /* the handler was not called */
};

struct ws_call {
  void **argument; /* root of the call's own argument */
  /* The handler's string, or NULL, and the bytes of the message that it stands for: text, or decoded base64. Strings
   * are immutable, so what the handler sends on as it was given needs neither validation nor decoding. The bytes are
   * there until the handler returns. */
  const char *given;
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

/* The string of a text of n bytes that is about to be received, as room for them: if it is called with that text, the
 * handler is given this string. NULL: no memory. */
uint8_t *ws_call_room(struct ws_call *call, size_t n);

/* Releases the string of ws_call_room, if no call has used it. */
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
