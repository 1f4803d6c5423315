#pragma once
/* How many connections of a server each address has.
 *
 * IPv6 is handed out in networks of 64 bits, so the connections of a /64 count together: the network has an entry of
 * its own that the entries of its addresses point to. One small shared entry per address, not per connection.
 * Accepting and ending a connection take the lock; messages do not.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "io/address.h"

struct ws_address_quota_entry {
  struct ws_address_quota_entry *next;
  struct ws_address_quota_entry *network; /* of an IPv6 address; NULL: the address counts by itself */
  struct ws_address address;              /* its port has no meaning */
  uint32_t connections;
  bool is_network;
};

struct ws_address_quota {
  pthread_mutex_t lock;
  struct ws_address_quota_entry **buckets;
  uint32_t bucket_count; /* a power of 2, or 0 */
  uint32_t count;
};

void ws_address_quota_init(struct ws_address_quota *quota);
void ws_address_quota_deinit(struct ws_address_quota *quota);

/* Counts one more connection of the address. *connections is then the count of the address or of its network. NULL: no
 * memory. */
struct ws_address_quota_entry *ws_address_quota_add(struct ws_address_quota *quota, const struct ws_address *address,
                                                    uint32_t *connections);

/* Counts one connection less, which may free the entry. */
void ws_address_quota_remove(struct ws_address_quota *quota, struct ws_address_quota_entry *entry);
