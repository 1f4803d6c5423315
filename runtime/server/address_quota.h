#pragma once
/* Peers' addresses, and how many connections of a server each has.
 *
 * IPv6 addresses are handed out by networks of 64 bits: whoever has one address has as many as it likes. So what
 * counts is the connections of the network, which is a peer of its own that its addresses point to.
 *
 * One small shared object for each address, not for each connection. Accepting and ending a connection take the table's
 * lock; messages do not come here.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "io/address.h"

struct ws_address_quota_entry {
  struct ws_address_quota_entry *next;
  struct ws_address_quota_entry *network; /* of an IPv6 address; NULL: it counts by itself */
  struct ws_address address;              /* of the first connection; the port means nothing */
  uint32_t connections;
  bool is_network;
};

struct ws_address_quota {
  pthread_mutex_t lock;
  struct ws_address_quota_entry **buckets;
  uint32_t bucket_count; /* a power of 2, or 0 */
  uint32_t count;
};

void ws_address_quota_init(struct ws_address_quota *peers);
void ws_address_quota_deinit(struct ws_address_quota *peers);

/* One more connection of this address, which then, or its network, counts *connections. NULL: no memory. */
struct ws_address_quota_entry *ws_address_quota_add(struct ws_address_quota *peers, const struct ws_address *address,
                                                    uint32_t *connections);

/* One less; the peer may be gone afterwards. */
void ws_address_quota_remove(struct ws_address_quota *peers, struct ws_address_quota_entry *peer);
