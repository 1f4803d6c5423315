#pragma once
/* A listener: accepts connections from bound sockets (bound.h) on one loop. Several loops may share the sockets; each
 * connection reaches exactly one of them. Accepted sockets are non-blocking, close-on-exec and have TCP_NODELAY. All
 * functions are for the loop's thread.
 */
#include <stdbool.h>
#include <stdint.h>

#include "address.h"
#include "bound.h"
#include "loop.h"
#include "timer.h"
#include "why.h"

struct ws_listener;

struct ws_listener_events {
  /* The callee owns `fd`. It may stop the listener but not free it. `peer` is valid during the call. */
  void (*accepted)(struct ws_listener *listener, int fd, const struct ws_address *peer);
  /* Connections cannot be accepted, because descriptors or memory ran out. Not called again
   * before a minute has passed without that. */
  void (*troubled)(struct ws_listener *listener, const char *why);
};

struct ws_listener_socket {
  struct ws_watch watch;
  struct ws_listener *listener;
};

/* Embedded by its owner. */
struct ws_listener {
  const struct ws_listener_events *events;
  struct ws_loop *loop; /* NULL if stopped */
  int count;
  struct ws_listener_socket sockets[WS_RESOLVER_MAX];
  struct ws_timer retry;
  int spare;           /* reserved, to accept and close a connection when no descriptor is left */
  int64_t troubled_ms; /* when that last was so; 0: never */
  bool shared;
};

/* Starts accepting from `bound`. `shared`: other loops accept from it too. Returns 0, or -1 with the reason. */
int ws_listener_start(struct ws_listener *listener, struct ws_loop *loop, const struct ws_bound *bound, bool shared,
                      const struct ws_listener_events *events, struct ws_why *why);
/* Stops accepting; `accepted` is not called again. Idempotent. No effect on a zeroed listener. */
void ws_listener_stop(struct ws_listener *listener);
