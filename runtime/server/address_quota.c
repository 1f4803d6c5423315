#include "address_quota.h"

#include <string.h>

#include "base/mem.h"

void ws_address_quota_init(struct ws_address_quota *quota) {
  *quota = (struct ws_address_quota){.lock = PTHREAD_MUTEX_INITIALIZER};
}

void ws_address_quota_deinit(struct ws_address_quota *quota) {
  pthread_mutex_destroy(&quota->lock);
}

static int ws_address_quota_compare(const void *one, const void *other) {
  const struct ws_address_quota_entry *entries[2] = {one, other};
  uint8_t hosts[2][16];
  for (int i = 0; i < 2; i++)
    ws_address_host(&entries[i]->address, hosts[i]);
  int order = memcmp(hosts[0], hosts[1], sizeof *hosts);
  return order ? order : entries[0]->kind - entries[1]->kind;
}

/* Counts one connection less; frees the entry at zero. */
static void ws_address_quota_leave(struct ws_address_quota *quota, struct ws_address_quota_entry *entry) {
  if (--entry->connections > 0)
    return;
  ws_tree_remove(&quota->entries, entry, ws_address_quota_compare);
  ws_mem_free(entry);
}

static struct ws_address_quota_entry *ws_address_quota_make(struct ws_address_quota *quota,
                                                            const struct ws_address_quota_entry *wanted) {
  struct ws_address_quota_entry *entry = ws_mem_alloc(sizeof *entry);
  if (!entry)
    return NULL;
  *entry = *wanted;
  if (ws_tree_add(&quota->entries, entry, ws_address_quota_compare) == 0)
    return entry;
  ws_mem_free(entry);
  return NULL;
}

static struct ws_address_quota_entry *ws_address_quota_join(struct ws_address_quota *quota,
                                                            const struct ws_address *address,
                                                            enum ws_address_quota_kind kind) {
  const struct ws_address_quota_entry wanted = {.address = *address, .kind = (uint8_t)kind};
  struct ws_address_quota_entry *entry = ws_tree_find(&quota->entries, &wanted, ws_address_quota_compare);
  if (!entry)
    entry = ws_address_quota_make(quota, &wanted);
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
