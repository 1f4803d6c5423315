#pragma once
/* Counts the connections of a server per address.
 *
 * The connections of one IPv6 /64 count together, because networks assign its addresses together: the /64 has its own
 * entry, and the entries of its addresses point to it. There is one small entry per address, not per connection.
 * Accepting and ending a connection take the lock; messages do not.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/tree.h"
#include "io/address.h"

enum ws_address_quota_kind {
  WS_QUOTA_ADDRESS,
  WS_QUOTA_NETWORK, /* an IPv6 /64 */
  WS_QUOTA_PROXY,   /* a trusted proxy, of connections that are not charged yet to the client that their head names */
};

struct ws_address_quota_entry {
  struct ws_address_quota_entry *network; /* of an IPv6 address; NULL: the address counts by itself */
  struct ws_address address;              /* its port has no meaning */
  uint32_t connections;
  uint8_t kind; /* enum ws_address_quota_kind */
};

struct ws_address_quota {
  pthread_mutex_t lock;
  struct ws_tree entries; /* a peer may choose its addresses, so no hash of them */
};

void ws_address_quota_init(struct ws_address_quota *quota);
/* No connection is left. */
void ws_address_quota_deinit(struct ws_address_quota *quota);

/* Adds a connection of the address. Sets *connections to the count of the address or of its network. Returns NULL if
 * out of memory. */
struct ws_address_quota_entry *ws_address_quota_add(struct ws_address_quota *quota, const struct ws_address *address,
                                                    uint32_t *connections);

/* Adds a connection of a proxy, which is charged to no address. Returns NULL if out of memory. */
struct ws_address_quota_entry *ws_address_quota_add_proxy(struct ws_address_quota *quota,
                                                          const struct ws_address *address);

/* Removes a connection, which may free the entry. */
void ws_address_quota_remove(struct ws_address_quota *quota, struct ws_address_quota_entry *entry);
