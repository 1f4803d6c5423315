#pragma once
/* The last 256 clients of which a connection ended without a close handler. A handler that websocketOnClose sets later
 * is called at once, and the end is then forgotten. */
#include <stdbool.h>
#include <stdint.h>

struct ws_loop_thread;

/* Remembers the end of a connection, in place of an earlier one of its ID. No effect if out of memory. Any thread. */
void ws_recently_closed_add(int64_t id, const char *url, int code, const char *reason);

/* Returns true if the connection is remembered. Any thread. */
bool ws_recently_closed_has(int64_t id);

/* Calls the close handler (a closure, which a root holds) and forgets the connection. No call if the connection is
 * already forgotten. On a loop thread. */
void ws_recently_closed_call(struct ws_loop_thread *thread, int64_t id, void *cell);

/* Forgets all, when no loop thread runs. */
void ws_recently_closed_free_all(void);
