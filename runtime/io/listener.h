#pragma once
/*
 * Listening sockets. First they are bound (a used port fails here, or in ws_bound_listen where the other socket was
 * bound but did not listen yet), then they listen, then each loop that is to accept from them starts a listener.
 *
 * Bound sockets have SO_REUSEADDR and not SO_REUSEPORT: a used port is an error. Accepted ones are non-blocking,
 * close-on-exec and have TCP_NODELAY.
 */
#include <stdbool.h>
#include <stdint.h>

#include "address.h"
#include "loop.h"
#include "resolver.h"
#include "timer.h"
#include "why.h"

/* A host name may have several addresses: each is bound, those that this machine does not have excepted. */
struct ws_bound {
  int count;
  int fds[WS_RESOLVER_MAX];
  struct ws_address addresses[WS_RESOLVER_MAX]; /* as bound: a port given as 0 is the one chosen */
};

/*
 * Binds `address` (IPv4, IPv6 or a host name; 0.0.0.0 is every IPv4 address, :: every address of both kinds). Waits for
 * a name's look-up at most timeout_ms. 0, or -1 with a reason that names address and cause:
 * `127.0.0.1:8080: Address already in use`.
 */
int ws_bound_open(struct ws_bound *bound, const char *address, uint16_t port, int64_t timeout_ms, struct ws_why *why);
int ws_bound_listen(struct ws_bound *bound, struct ws_why *why);
/* Idempotent; after every listener on it was stopped. */
void ws_bound_close(struct ws_bound *bound);
/* Every address bound is a loopback address. */
bool ws_bound_is_loopback(const struct ws_bound *bound);

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
