#pragma once
/* Names to addresses. A look-up runs on a helper thread of its own, since getaddrinfo blocks for as long as it likes; a
 * cancelled or timed-out one is left to end by itself and then frees what it holds. Numeric addresses and `localhost`
 * are answered without a thread (127.0.0.1, then ::1).
 */
#include <stdint.h>

#include "address.h"
#include "loop.h"
#include "why.h"

enum { WS_RESOLVER_MAX = 16 }; /* addresses taken of an answer */

struct ws_addresses {
  int count; /* at least 1 */
  struct ws_address at[WS_RESOLVER_MAX];
};

struct ws_resolver;

/* Called on the loop, never from inside ws_resolver_start. On failure addresses is NULL and why says so. Both live
 * during the call only. The look-up is gone: it may not be cancelled any more.
 */
typedef void ws_resolver_done(void *context, const struct ws_addresses *addresses, const struct ws_why *why);

/* Starts a look-up. NULL with the reason where there is no memory or thread for it. */
struct ws_resolver *ws_resolver_start(struct ws_loop *loop, const char *host, uint16_t port, ws_resolver_done *done,
                                      void *context, struct ws_why *why);
/* `done` will not be called. The loop may be freed right after. */
void ws_resolver_cancel(struct ws_resolver *resolver);

/* The same where a thread may wait: returns within timeout_ms. 0, or -1 with the reason. */
int ws_resolver_resolve(const char *host, uint16_t port, int64_t timeout_ms, struct ws_addresses *addresses,
                        struct ws_why *why);
