#pragma once
/* A listener: one loop's share in accepting from bound sockets (bound.h). Accepted sockets are non-blocking,
 * close-on-exec and have TCP_NODELAY. All on the loop's thread.
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
  /* fd now belongs to the callee, which may stop the listener, but not free it. `peer` lives during the call. */
  void (*accepted)(struct ws_listener *listener, int fd, const struct ws_address *peer);
  /* Connections cannot be taken just now (descriptors or memory run out); said once until they can again. */
  void (*troubled)(struct ws_listener *listener, const char *why);
};

struct ws_listener_socket {
  struct ws_watch watch;
  struct ws_listener *listener;
};

/* One loop's share in accepting. Embedded by its owner. */
struct ws_listener {
  const struct ws_listener_events *events;
  struct ws_loop *loop; /* NULL: stopped */
  int count;
  struct ws_listener_socket sockets[WS_RESOLVER_MAX];
  struct ws_timer retry;
  int spare; /* a descriptor kept back, so that one can be accepted, and closed, when there is no other left */
  bool troubled;
  bool shared;
};

/* Accepts from `bound`, on the loop's thread. shared: other loops do too. 0, or -1 with the reason. */
int ws_listener_start(struct ws_listener *listener, struct ws_loop *loop, const struct ws_bound *bound, bool shared,
                      const struct ws_listener_events *events, struct ws_why *why);
/* Idempotent; also for a zeroed one. On the loop's thread. */
void ws_listener_stop(struct ws_listener *listener);
