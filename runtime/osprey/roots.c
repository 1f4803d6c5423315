#include "roots.h"

#include <pthread.h>
#include <stddef.h>

#include "base/mem.h"
#include "hooks.h"

/* A block's meta marks at most 56 words: `next` and the slots. */
enum { WS_ROOTS_SLOTS = 55 };

struct ws_roots_block {
  struct ws_roots_block *next;
  void *slots[WS_ROOTS_SLOTS];
};

static pthread_mutex_t ws_roots_lock = PTHREAD_MUTEX_INITIALIZER;
static struct ws_roots_block *ws_roots_blocks; /* scanned by the collector */
static void ***ws_roots_unused;                /* the slots that are not lent; has room for all slots */
static size_t ws_roots_unused_count;
static size_t ws_roots_capacity;
static size_t ws_roots_total;

/* Adds a block of unused slots. */
static int ws_roots_grow(void) {
  size_t total = ws_roots_total + WS_ROOTS_SLOTS;
  if (total > ws_roots_capacity) {
    size_t capacity = 2 * ws_roots_capacity + 16 * WS_ROOTS_SLOTS;
    void ***unused = ws_mem_realloc(ws_roots_unused, capacity * sizeof *unused);
    if (!unused)
      return -1;
    ws_roots_unused = unused;
    ws_roots_capacity = capacity;
  }
  struct ws_roots_block *block = ws_hooks_alloc_zeroed(sizeof *block, WS_META(((uint64_t)1 << 56) - 1));
  if (!block)
    return -1;
  block->next = ws_roots_blocks;
  ws_roots_blocks = block;
  for (int i = WS_ROOTS_SLOTS; i-- > 0;)
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
    void *blocks = ws_roots_blocks; /* a chain: the first word of each block references the next */
    ws_roots_blocks = NULL;
    ws_roots_unused_count = ws_roots_total = ws_roots_capacity = 0;
    ws_mem_free(ws_roots_unused);
    ws_roots_unused = NULL;
    osp_release(blocks);
  }
  pthread_mutex_unlock(&ws_roots_lock);
}
