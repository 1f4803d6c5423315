#include "peers.h"

#include <string.h>

#include "base/alloc.h"

enum { WS_PEERS_BUCKETS_FIRST = 16 };

void ws_peers_init(struct ws_peers *peers) {
  *peers = (struct ws_peers){.lock = PTHREAD_MUTEX_INITIALIZER};
}

void ws_peers_deinit(struct ws_peers *peers) {
  for (uint32_t i = 0; i < peers->bucket_count; i++) {
    while (peers->buckets[i]) {
      struct ws_peer *peer = peers->buckets[i];
      peers->buckets[i] = peer->next;
      ws_sys_free(peer);
    }
  }
  ws_sys_free(peers->buckets);
  pthread_mutex_destroy(&peers->lock);
}

/* FNV-1a. A client who chooses addresses that collide has other means to the same end: the chains are as long as the
 * connections it is allowed to have. */
static uint32_t ws_peers_hash(const struct ws_address *address) {
  uint8_t host[16];
  uint32_t hash = 2166136261u;
  ws_address_host(address, host);
  for (int i = 0; i < 16; i++)
    hash = (hash ^ host[i]) * 16777619u;
  return hash ^ hash >> 16;
}

static bool ws_peer_is(const struct ws_peer *peer, const struct ws_address *address, bool network) {
  uint8_t a[16];
  uint8_t b[16];
  ws_address_host(&peer->address, a);
  ws_address_host(address, b);
  return peer->is_network == network && memcmp(a, b, sizeof a) == 0;
}

/* Twice as many buckets; where there is no memory for them the old ones do. */
static int ws_peers_grow(struct ws_peers *peers) {
  uint32_t count = peers->bucket_count ? 2 * peers->bucket_count : WS_PEERS_BUCKETS_FIRST;
  struct ws_peer **buckets = ws_sys_calloc(count, sizeof(struct ws_peer *));
  if (!buckets)
    return peers->bucket_count ? 0 : -1;
  for (uint32_t i = 0; i < peers->bucket_count; i++) {
    while (peers->buckets[i]) {
      struct ws_peer *peer = peers->buckets[i];
      peers->buckets[i] = peer->next;
      struct ws_peer **bucket = &buckets[ws_peers_hash(&peer->address) & (count - 1)];
      peer->next = *bucket;
      *bucket = peer;
    }
  }
  ws_sys_free(peers->buckets);
  peers->buckets = buckets;
  peers->bucket_count = count;
  return 0;
}

static struct ws_peer *ws_peers_make(struct ws_peers *peers, const struct ws_address *address, bool network) {
  if (peers->count >= peers->bucket_count && ws_peers_grow(peers))
    return NULL;
  struct ws_peer *peer = ws_sys_malloc(sizeof *peer);
  if (!peer)
    return NULL;
  struct ws_peer **bucket = &peers->buckets[ws_peers_hash(address) & (peers->bucket_count - 1)];
  *peer = (struct ws_peer){.next = *bucket, .address = *address, .is_network = network};
  *bucket = peer;
  peers->count++;
  return peer;
}

static struct ws_peer *ws_peers_find(const struct ws_peers *peers, const struct ws_address *address, bool network) {
  if (!peers->bucket_count)
    return NULL;
  struct ws_peer *peer = peers->buckets[ws_peers_hash(address) & (peers->bucket_count - 1)];
  while (peer && !ws_peer_is(peer, address, network))
    peer = peer->next;
  return peer;
}

/* One connection less: where it was the last, the peer goes. */
static void ws_peers_leave(struct ws_peers *peers, struct ws_peer *peer) {
  if (--peer->connections > 0)
    return;
  struct ws_peer **link = &peers->buckets[ws_peers_hash(&peer->address) & (peers->bucket_count - 1)];
  while (*link != peer)
    link = &(*link)->next;
  *link = peer->next;
  peers->count--;
  ws_sys_free(peer);
}

static struct ws_peer *ws_peers_join(struct ws_peers *peers, const struct ws_address *address, bool network) {
  struct ws_peer *peer = ws_peers_find(peers, address, network);
  if (!peer)
    peer = ws_peers_make(peers, address, network);
  if (peer)
    peer->connections++;
  return peer;
}

struct ws_peer *ws_peers_add(struct ws_peers *peers, const struct ws_address *address, uint32_t *connections) {
  struct ws_address network;
  bool in_network = ws_address_network(address, &network);
  pthread_mutex_lock(&peers->lock);
  struct ws_peer *peer = ws_peers_join(peers, address, false);
  struct ws_peer *counted = peer && in_network ? ws_peers_join(peers, &network, true) : peer;
  if (counted) {
    *connections = counted->connections;
    peer->network = in_network ? counted : NULL;
  } else if (peer) {
    ws_peers_leave(peers, peer);
    peer = NULL;
  }
  pthread_mutex_unlock(&peers->lock);
  return peer;
}

void ws_peers_remove(struct ws_peers *peers, struct ws_peer *peer) {
  pthread_mutex_lock(&peers->lock);
  if (peer->network)
    ws_peers_leave(peers, peer->network);
  ws_peers_leave(peers, peer);
  pthread_mutex_unlock(&peers->lock);
}
