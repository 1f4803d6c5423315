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
  /* The text argument, or NULL: valid UTF-8 without U+0000. Strings are immutable, so a handler that sends it on needs
   * no second validation. */
  const char *text;
  size_t text_size;
  int64_t read_at;   /* the loop's time when time_ms was read */
  int64_t time_ms;   /* time of day */
  char message[256]; /* of the latest WS_VERDICT_ERROR, truncated */
};

/* Returns 0, or -1 if out of memory. */
int ws_call_init(struct ws_call *call);
void ws_call_deinit(struct ws_call *call);

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
