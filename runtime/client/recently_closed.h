#pragma once
/* Client connections that ended without a close handler: websocketOnClose calls a handler that is set too late at once.
 * The latest 256 are remembered, each until a handler was called for it. */
#include <stdbool.h>
#include <stdint.h>

struct ws_loop_thread;

/* Remembers how a connection ended; without memory it is forgotten. Any thread. */
void ws_recently_closed_add(int64_t id, const char *url, int code, const char *reason);

/* Returns true if the connection is remembered. Any thread. */
bool ws_recently_closed_has(int64_t id);

/* Calls the close handler and forgets the connection; no call if it is forgotten already. Takes the handler (a root).
 * On a loop thread. */
void ws_recently_closed_call(struct ws_loop_thread *thread, int64_t id, void **handler);

/* Forgets all, when no loop thread runs. */
void ws_recently_closed_free_all(void);
