#pragma once
/* The bound sockets of a server, before and while it listens.
 *
 * They have SO_REUSEADDR but not SO_REUSEPORT, so a used port is an error: in ws_bound_open, or in ws_bound_listen if
 * the other socket was bound without listening. The sockets are non-blocking, close-on-exec and have TCP_NODELAY, which
 * accepted sockets inherit.
 */
#include <stdbool.h>
#include <stdint.h>

#include "address.h"
#include "resolver.h"
#include "why.h"

/* A host name may have several addresses. Each address of this machine is bound; others are skipped. */
struct ws_bound {
  int count;
  int fds[WS_RESOLVER_MAX];
  struct ws_address addresses[WS_RESOLVER_MAX]; /* as bound: port 0 is replaced by the port that the kernel chose */
};

/* Binds `address`: IPv4, IPv6 or a host name. 0.0.0.0 means every IPv4 address, :: every address. Waits up to
 * timeout_ms for the lookup of a name. Returns 0, or -1 with the address and the cause: `127.0.0.1:8080: Address
 * already in use`. */
int ws_bound_open(struct ws_bound *bound, const char *address, uint16_t port, int64_t timeout_ms, struct ws_why *why);
int ws_bound_listen(struct ws_bound *bound, struct ws_why *why);
/* Closes the sockets, after every listener on them was stopped. Idempotent. */
void ws_bound_close(struct ws_bound *bound);
/* Returns true if every bound address is a loopback address. */
bool ws_bound_is_loopback(const struct ws_bound *bound);
