#include "roots.h"

#include <pthread.h>
#include <stddef.h>

#include "base/mem.h"
#include "hooks.h"

/* As many words as a block's meta can mark as references. */
enum { WS_ROOT_SLOTS = 55 };

struct ws_root_block {
  struct ws_root_block *next;
  void *slots[WS_ROOT_SLOTS];
};

static pthread_mutex_t ws_roots_lock = PTHREAD_MUTEX_INITIALIZER;
static struct ws_root_block *ws_root_blocks; /* the root that the collector scans */
static void ***ws_roots_unused;              /* room for every slot there is */
static size_t ws_roots_unused_count;
static size_t ws_roots_capacity;
static size_t ws_roots_total;

/* One more block, its slots unused. */
static int ws_roots_grow(void) {
  size_t total = ws_roots_total + WS_ROOT_SLOTS;
  if (total > ws_roots_capacity) {
    size_t capacity = 2 * ws_roots_capacity + 16 * WS_ROOT_SLOTS;
    void ***unused = ws_mem_realloc(ws_roots_unused, capacity * sizeof *unused);
    if (!unused)
      return -1;
    ws_roots_unused = unused;
    ws_roots_capacity = capacity;
  }
  struct ws_root_block *block = ws_hooks_alloc_zeroed(sizeof *block, WS_META(((uint64_t)1 << 56) - 1));
  if (!block)
    return -1;
  block->next = ws_root_blocks;
  ws_root_blocks = block;
  for (int i = WS_ROOT_SLOTS; i-- > 0;)
    ws_roots_unused[ws_roots_unused_count++] = &block->slots[i];
  ws_roots_total = total;
  return 0;
}

void **ws_roots_acquire(void) {
  void **slot = NULL;
  pthread_mutex_lock(&ws_roots_lock);
  if (ws_roots_unused_count > 0 || ws_roots_grow() == 0)
    slot = ws_roots_unused[--ws_roots_unused_count];
  pthread_mutex_unlock(&ws_roots_lock);
  return slot;
}

void ws_roots_release(void **slot) {
  if (!slot)
    return;
  *slot = NULL;
  pthread_mutex_lock(&ws_roots_lock);
  ws_roots_unused[ws_roots_unused_count++] = slot;
  pthread_mutex_unlock(&ws_roots_lock);
}

void **ws_roots_keep(void *value) {
  void **slot = ws_roots_acquire();
  if (slot) {
    osp_retain(value);
    *slot = value;
  }
  return slot;
}

void ws_roots_drop(void **slot) {
  if (!slot)
    return;
  void *value = *slot;
  ws_roots_release(slot);
  osp_release(value);
}

void ws_roots_free_all(void) {
  pthread_mutex_lock(&ws_roots_lock);
  if (ws_roots_unused_count == ws_roots_total) {
    void *blocks = ws_root_blocks; /* the chain: each block's first word is the reference to the next */
    ws_root_blocks = NULL;
    ws_roots_unused_count = ws_roots_total = ws_roots_capacity = 0;
    ws_mem_free(ws_roots_unused);
    ws_roots_unused = NULL;
    osp_release(blocks);
  }
  pthread_mutex_unlock(&ws_roots_lock);
}
