#pragma once
/* Bound sockets: the addresses of a server, before and while it listens.
 *
 * They have SO_REUSEADDR and not SO_REUSEPORT: a used port is an error, in ws_bound_open, or in ws_bound_listen if the
 * other socket was bound without listening. The sockets are non-blocking, close-on-exec and have TCP_NODELAY, which
 * accepted sockets inherit.
 */
#include <stdbool.h>
#include <stdint.h>

#include "address.h"
#include "resolver.h"
#include "why.h"

/* A host name may have several addresses: each is bound, those that this machine does not have excepted. */
struct ws_bound {
  int count;
  int fds[WS_RESOLVER_MAX];
  struct ws_address addresses[WS_RESOLVER_MAX]; /* as bound: a port given as 0 is the one chosen */
};

/* Binds `address` (IPv4, IPv6 or a host name; 0.0.0.0 is every IPv4 address, :: every address of both kinds). Waits for
 * a name's look-up at most timeout_ms. 0, or -1 with a reason that names address and cause:
 * `127.0.0.1:8080: Address already in use`. */
int ws_bound_open(struct ws_bound *bound, const char *address, uint16_t port, int64_t timeout_ms, struct ws_why *why);
int ws_bound_listen(struct ws_bound *bound, struct ws_why *why);
/* Idempotent; after every listener on it was stopped. */
void ws_bound_close(struct ws_bound *bound);
/* Every address bound is a loopback address. */
bool ws_bound_is_loopback(const struct ws_bound *bound);
