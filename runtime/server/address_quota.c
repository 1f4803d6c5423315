#include "address_quota.h"

#include <string.h>

#include "base/mem.h"

enum { WS_ADDRESS_QUOTA_BUCKETS_FIRST = 16 };

void ws_address_quota_init(struct ws_address_quota *peers) {
  *peers = (struct ws_address_quota){.lock = PTHREAD_MUTEX_INITIALIZER};
}

void ws_address_quota_deinit(struct ws_address_quota *peers) {
  for (uint32_t i = 0; i < peers->bucket_count; i++) {
    while (peers->buckets[i]) {
      struct ws_address_quota_entry *peer = peers->buckets[i];
      peers->buckets[i] = peer->next;
      ws_mem_free(peer);
    }
  }
  ws_mem_free(peers->buckets);
  pthread_mutex_destroy(&peers->lock);
}

/* FNV-1a. A client who chooses addresses that collide has other means to the same end: the chains are as long as the
 * connections it is allowed to have. */
static uint32_t ws_address_quota_hash(const struct ws_address *address) {
  uint8_t host[16];
  uint32_t hash = 2166136261u;
  ws_address_host(address, host);
  for (int i = 0; i < 16; i++)
    hash = (hash ^ host[i]) * 16777619u;
  return hash ^ hash >> 16;
}

static bool ws_address_quota_is(const struct ws_address_quota_entry *peer, const struct ws_address *address,
                                bool network) {
  uint8_t a[16];
  uint8_t b[16];
  ws_address_host(&peer->address, a);
  ws_address_host(address, b);
  return peer->is_network == network && memcmp(a, b, sizeof a) == 0;
}

/* Twice as many buckets; where there is no memory for them the old ones do. */
static int ws_address_quota_grow(struct ws_address_quota *peers) {
  uint32_t count = peers->bucket_count ? 2 * peers->bucket_count : WS_ADDRESS_QUOTA_BUCKETS_FIRST;
  struct ws_address_quota_entry **buckets = ws_mem_calloc(count, sizeof(struct ws_address_quota_entry *));
  if (!buckets)
    return peers->bucket_count ? 0 : -1;
  for (uint32_t i = 0; i < peers->bucket_count; i++) {
    while (peers->buckets[i]) {
      struct ws_address_quota_entry *peer = peers->buckets[i];
      peers->buckets[i] = peer->next;
      struct ws_address_quota_entry **bucket = &buckets[ws_address_quota_hash(&peer->address) & (count - 1)];
      peer->next = *bucket;
      *bucket = peer;
    }
  }
  ws_mem_free(peers->buckets);
  peers->buckets = buckets;
  peers->bucket_count = count;
  return 0;
}

static struct ws_address_quota_entry *ws_address_quota_make(struct ws_address_quota *peers,
                                                            const struct ws_address *address, bool network) {
  if (peers->count >= peers->bucket_count && ws_address_quota_grow(peers))
    return NULL;
  struct ws_address_quota_entry *peer = ws_mem_alloc(sizeof *peer);
  if (!peer)
    return NULL;
  struct ws_address_quota_entry **bucket = &peers->buckets[ws_address_quota_hash(address) & (peers->bucket_count - 1)];
  *peer = (struct ws_address_quota_entry){.next = *bucket, .address = *address, .is_network = network};
  *bucket = peer;
  peers->count++;
  return peer;
}

static struct ws_address_quota_entry *ws_address_quota_find(const struct ws_address_quota *peers,
                                                            const struct ws_address *address, bool network) {
  if (!peers->bucket_count)
    return NULL;
  struct ws_address_quota_entry *peer = peers->buckets[ws_address_quota_hash(address) & (peers->bucket_count - 1)];
  while (peer && !ws_address_quota_is(peer, address, network))
    peer = peer->next;
  return peer;
}

/* One connection less: where it was the last, the peer goes. */
static void ws_address_quota_leave(struct ws_address_quota *peers, struct ws_address_quota_entry *peer) {
  if (--peer->connections > 0)
    return;
  struct ws_address_quota_entry **link =
      &peers->buckets[ws_address_quota_hash(&peer->address) & (peers->bucket_count - 1)];
  while (*link != peer)
    link = &(*link)->next;
  *link = peer->next;
  peers->count--;
  ws_mem_free(peer);
}

static struct ws_address_quota_entry *ws_address_quota_join(struct ws_address_quota *peers,
                                                            const struct ws_address *address, bool network) {
  struct ws_address_quota_entry *peer = ws_address_quota_find(peers, address, network);
  if (!peer)
    peer = ws_address_quota_make(peers, address, network);
  if (peer)
    peer->connections++;
  return peer;
}

struct ws_address_quota_entry *ws_address_quota_add(struct ws_address_quota *peers, const struct ws_address *address,
                                                    uint32_t *connections) {
  struct ws_address network;
  bool in_network = ws_address_network(address, &network);
  pthread_mutex_lock(&peers->lock);
  struct ws_address_quota_entry *peer = ws_address_quota_join(peers, address, false);
  struct ws_address_quota_entry *counted = peer && in_network ? ws_address_quota_join(peers, &network, true) : peer;
  if (counted) {
    *connections = counted->connections;
    peer->network = in_network ? counted : NULL;
  } else if (peer) {
    ws_address_quota_leave(peers, peer);
    peer = NULL;
  }
  pthread_mutex_unlock(&peers->lock);
  return peer;
}

void ws_address_quota_remove(struct ws_address_quota *peers, struct ws_address_quota_entry *peer) {
  pthread_mutex_lock(&peers->lock);
  if (peer->network)
    ws_address_quota_leave(peers, peer->network);
  ws_address_quota_leave(peers, peer);
  pthread_mutex_unlock(&peers->lock);
}
