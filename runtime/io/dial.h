#pragma once
/* Connecting by name: look up, then try the addresses in turn without waiting for the last of them to fail (RFC 8305:
 * the next is started after 250 ms, or at once when one fails), until one is connected or the time is over.
 */
#include <stdint.h>

#include "loop.h"
#include "why.h"

struct ws_dial;

/* Called on the loop, never from inside ws_dial_start. fd: a connected, non-blocking socket with TCP_NODELAY that now
 * belongs to the callee; or -1, and why names each address tried and its reason
 * (`connect 127.0.0.1:1: Connection refused`). The dial is gone: it may not be cancelled any more.
 */
typedef void ws_dial_done(void *context, int fd, const struct ws_why *why);

/* host as in a URL, without brackets. timeout_ms counts from now and includes the look-up. NULL with the reason. */
struct ws_dial *ws_dial_start(struct ws_loop *loop, const char *host, uint16_t port, int64_t timeout_ms,
                              ws_dial_done *done, void *context, struct ws_why *why);
/* `done` will not be called, everything is closed. */
void ws_dial_cancel(struct ws_dial *dial);
