#include "address_quota.h"

#include <string.h>

#include "base/mem.h"

enum { WS_ADDRESS_QUOTA_BUCKETS_FIRST = 16 };

void ws_address_quota_init(struct ws_address_quota *quota) {
  *quota = (struct ws_address_quota){.lock = PTHREAD_MUTEX_INITIALIZER};
}

void ws_address_quota_deinit(struct ws_address_quota *quota) {
  for (uint32_t i = 0; i < quota->bucket_count; i++) {
    while (quota->buckets[i]) {
      struct ws_address_quota_entry *entry = quota->buckets[i];
      quota->buckets[i] = entry->next;
      ws_mem_free(entry);
    }
  }
  ws_mem_free(quota->buckets);
  pthread_mutex_destroy(&quota->lock);
}

/* FNV-1a. Colliding addresses gain an attacker nothing: a chain is as long as the connections it may have. */
static uint32_t ws_address_quota_hash(const struct ws_address *address) {
  uint8_t host[16];
  uint32_t hash = 2166136261u;
  ws_address_host(address, host);
  for (int i = 0; i < 16; i++)
    hash = (hash ^ host[i]) * 16777619u;
  return hash ^ hash >> 16;
}

static bool ws_address_quota_is(const struct ws_address_quota_entry *entry, const struct ws_address *address,
                                enum ws_address_quota_kind kind) {
  uint8_t a[16];
  uint8_t b[16];
  ws_address_host(&entry->address, a);
  ws_address_host(address, b);
  return entry->kind == kind && memcmp(a, b, sizeof a) == 0;
}

/* Doubles the buckets. Without memory the old ones serve. */
static int ws_address_quota_grow(struct ws_address_quota *quota) {
  uint32_t count = quota->bucket_count ? 2 * quota->bucket_count : WS_ADDRESS_QUOTA_BUCKETS_FIRST;
  struct ws_address_quota_entry **buckets = ws_mem_calloc(count, sizeof(struct ws_address_quota_entry *));
  if (!buckets)
    return quota->bucket_count ? 0 : -1;
  for (uint32_t i = 0; i < quota->bucket_count; i++) {
    while (quota->buckets[i]) {
      struct ws_address_quota_entry *entry = quota->buckets[i];
      quota->buckets[i] = entry->next;
      struct ws_address_quota_entry **bucket = &buckets[ws_address_quota_hash(&entry->address) & (count - 1)];
      entry->next = *bucket;
      *bucket = entry;
    }
  }
  ws_mem_free(quota->buckets);
  quota->buckets = buckets;
  quota->bucket_count = count;
  return 0;
}

static struct ws_address_quota_entry *ws_address_quota_make(struct ws_address_quota *quota,
                                                            const struct ws_address *address,
                                                            enum ws_address_quota_kind kind) {
  if (quota->count >= quota->bucket_count && ws_address_quota_grow(quota))
    return NULL;
  struct ws_address_quota_entry *entry = ws_mem_alloc(sizeof *entry);
  if (!entry)
    return NULL;
  struct ws_address_quota_entry **bucket = &quota->buckets[ws_address_quota_hash(address) & (quota->bucket_count - 1)];
  *entry = (struct ws_address_quota_entry){.next = *bucket, .address = *address, .kind = (uint8_t)kind};
  *bucket = entry;
  quota->count++;
  return entry;
}

static struct ws_address_quota_entry *ws_address_quota_find(const struct ws_address_quota *quota,
                                                            const struct ws_address *address,
                                                            enum ws_address_quota_kind kind) {
  if (!quota->bucket_count)
    return NULL;
  struct ws_address_quota_entry *entry = quota->buckets[ws_address_quota_hash(address) & (quota->bucket_count - 1)];
  while (entry && !ws_address_quota_is(entry, address, kind))
    entry = entry->next;
  return entry;
}

/* Counts one connection less; frees the entry at zero. */
static void ws_address_quota_leave(struct ws_address_quota *quota, struct ws_address_quota_entry *entry) {
  if (--entry->connections > 0)
    return;
  struct ws_address_quota_entry **link =
      &quota->buckets[ws_address_quota_hash(&entry->address) & (quota->bucket_count - 1)];
  while (*link != entry)
    link = &(*link)->next;
  *link = entry->next;
  quota->count--;
  ws_mem_free(entry);
}

static struct ws_address_quota_entry *ws_address_quota_join(struct ws_address_quota *quota,
                                                            const struct ws_address *address,
                                                            enum ws_address_quota_kind kind) {
  struct ws_address_quota_entry *entry = ws_address_quota_find(quota, address, kind);
  if (!entry)
    entry = ws_address_quota_make(quota, address, kind);
  if (entry)
    entry->connections++;
  return entry;
}

struct ws_address_quota_entry *ws_address_quota_add(struct ws_address_quota *quota, const struct ws_address *address,
                                                    uint32_t *connections) {
  struct ws_address network;
  bool in_network = ws_address_network(address, &network);
  pthread_mutex_lock(&quota->lock);
  struct ws_address_quota_entry *entry = ws_address_quota_join(quota, address, WS_QUOTA_ADDRESS);
  struct ws_address_quota_entry *counted =
      entry && in_network ? ws_address_quota_join(quota, &network, WS_QUOTA_NETWORK) : entry;
  if (counted) {
    *connections = counted->connections;
    entry->network = in_network ? counted : NULL;
  } else if (entry) {
    ws_address_quota_leave(quota, entry);
    entry = NULL;
  }
  pthread_mutex_unlock(&quota->lock);
  return entry;
}

struct ws_address_quota_entry *ws_address_quota_add_proxy(struct ws_address_quota *quota,
                                                          const struct ws_address *address) {
  pthread_mutex_lock(&quota->lock);
  struct ws_address_quota_entry *entry = ws_address_quota_join(quota, address, WS_QUOTA_PROXY);
  pthread_mutex_unlock(&quota->lock);
  return entry;
}

void ws_address_quota_remove(struct ws_address_quota *quota, struct ws_address_quota_entry *entry) {
  pthread_mutex_lock(&quota->lock);
  if (entry->network)
    ws_address_quota_leave(quota, entry->network);
  ws_address_quota_leave(quota, entry);
  pthread_mutex_unlock(&quota->lock);
}
