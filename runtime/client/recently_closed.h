#pragma once
/* The last 256 client connections that ended without a close handler. A handler that websocketOnClose sets later is
 * called at once, and the connection is then forgotten. */
#include <stdbool.h>
#include <stdint.h>

struct ws_loop_thread;

/* Remembers the end of a connection. No effect if out of memory. Any thread. */
void ws_recently_closed_add(int64_t id, const char *url, int code, const char *reason);

/* Returns true if the connection is remembered. Any thread. */
bool ws_recently_closed_has(int64_t id);

/* Calls the close handler and forgets the connection. No call if the connection is already forgotten. Takes the handler
 * (a root). On a loop thread. */
void ws_recently_closed_call(struct ws_loop_thread *thread, int64_t id, void **handler);

/* Forgets all, when no loop thread runs. */
void ws_recently_closed_free_all(void);
