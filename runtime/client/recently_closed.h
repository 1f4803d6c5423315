#pragma once
/* Client connections that ended before a close handler was set for them: websocketOnClose calls it at once. The latest
 * 256 are remembered, each until it was asked for. */
#include <stdbool.h>
#include <stdint.h>

struct ws_loop_thread;

/* Remembers how a connection ended. No memory: it is forgotten. Any thread. */
void ws_recently_closed_add(int64_t id, const char *url, int code, const char *reason);

/* Whether it is remembered. Any thread. */
bool ws_recently_closed_has(int64_t id);

/* Calls the close handler, which it takes (a root), and forgets the connection; forgotten before: no call. On the
 * worker's thread. */
void ws_recently_closed_call(struct ws_loop_thread *thread, int64_t id, void **handler);

void ws_recently_closed_free_all(void);
