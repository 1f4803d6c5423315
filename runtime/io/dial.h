#pragma once
/* Connects to a host by name: looks it up, then tries its addresses as RFC 8305 describes (the next one after 250 ms,
 * or at once when one fails), until one is connected or the timeout expires.
 */
#include <stdint.h>

#include "loop.h"
#include "why.h"

struct ws_dial;

/* Called on the loop, never from within ws_dial_start. `fd` is a connected, non-blocking socket with TCP_NODELAY, which
 * the callee owns; or -1, and `why` lists each address and its reason (`connect 127.0.0.1:1: Connection refused`). The
 * dial is already freed and must not be cancelled.
 */
typedef void ws_dial_done(void *context, int fd, const struct ws_why *why);

/* Starts a dial. `host` is a host as in a URL, without brackets. timeout_ms includes the lookup. Returns NULL with the
 * reason on failure. */
struct ws_dial *ws_dial_start(struct ws_loop *loop, const char *host, uint16_t port, int64_t timeout_ms,
                              ws_dial_done *done, void *context, struct ws_why *why);
/* Cancels and frees a dial, at any time before `done`. `done` is not called, and all its descriptors are closed. */
void ws_dial_cancel(struct ws_dial *dial);
