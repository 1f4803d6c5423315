#pragma once
/* Resolves names to addresses. Each lookup runs on its own helper thread, because getaddrinfo may block for long. A
 * cancelled or timed-out lookup finishes on its thread and then frees itself. Numeric addresses and `localhost`
 * (127.0.0.1, then ::1) need no thread. */
#include <stdint.h>

#include "address.h"
#include "loop.h"
#include "why.h"

enum { WS_RESOLVER_MAX = 16 }; /* the most addresses used from an answer */

struct ws_addresses {
  int count; /* at least 1 */
  struct ws_address at[WS_RESOLVER_MAX];
};

struct ws_resolver;

/* Called on the loop, never from within ws_resolver_start. On failure `addresses` is NULL, and `why` has the reason.
 * Both are valid only during the call. The lookup has ended and must not be cancelled. */
typedef void ws_resolver_done(void *context, const struct ws_addresses *addresses, const struct ws_why *why);

/* Starts a lookup. Returns NULL with the reason if there is no memory or thread. */
struct ws_resolver *ws_resolver_start(struct ws_loop *loop, const char *host, uint16_t port, ws_resolver_done *done,
                                      void *context, struct ws_why *why);
/* Cancels a lookup: `done` is not called. The loop may be freed immediately. */
void ws_resolver_cancel(struct ws_resolver *resolver);

/* Resolves and waits up to timeout_ms. Not on a loop thread. Returns 0, or -1 with the reason. */
int ws_resolver_resolve(const char *host, uint16_t port, int64_t timeout_ms, struct ws_addresses *addresses,
                        struct ws_why *why);
