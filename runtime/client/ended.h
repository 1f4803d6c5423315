#pragma once
/* Client connections that ended before a close handler was set for them: websocketOnClose calls it at once. The latest 256
 * are remembered, each until it was asked for. */
#include <stdbool.h>
#include <stdint.h>

struct ws_worker;

/* Remembers how a connection ended. No memory: it is forgotten. Any thread. */
void ws_ended_add(int64_t id, const char *url, int code, const char *reason);

/* Whether it is remembered. Any thread. */
bool ws_ended_has(int64_t id);

/* Calls the close handler, which it takes (a root), and forgets the connection; forgotten before: no call. On the
 * worker's thread. */
void ws_ended_call(struct ws_worker *worker, int64_t id, void **handler);

void ws_ended_free_all(void);
