#pragma once
/* The host's memory, as the Osprey compiler's binary interface names it (spec/abi.md).
 *
 * Everything that an Osprey program can see is allocated here and nowhere else. Each allocation carries one reference for
 * its maker. `meta` says which words of a block are references: kind 1 in the low 8 bits, then bit 8+i for the word at
 * offset 8*i. Under reference counting, releasing the last reference to a block releases what its marked words hold.
 *
 * A test build makes these fail in turn like any other allocation: callers check for NULL.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"

void *osp_alloc(int64_t size);
void *osp_alloc_tagged(int64_t size, int64_t meta);
void *osp_alloc_tagged_noinit(int64_t size, int64_t meta);
void osp_retain(void *block);
void osp_release(void *block);
void osp_mem_notify_multithreaded(void);

/* The meta of a block whose words `mask` (bit i: the word at offset 8*i) are references. */
#define WS_META(mask) ((int64_t)(((uint64_t)(mask) << 8) | 1))

static inline void *ws_hooks_alloc(size_t size) {
  return ws_fault_hit_memory() ? NULL : osp_alloc((int64_t)size);
}

static inline void *ws_hooks_alloc_zeroed(size_t size, int64_t meta) {
  return ws_fault_hit_memory() ? NULL : osp_alloc_tagged((int64_t)size, meta);
}

/* The caller stores every word before anything else. */
static inline void *ws_hooks_alloc_record(size_t size, int64_t meta) {
  return ws_fault_hit_memory() ? NULL : osp_alloc_tagged_noinit((int64_t)size, meta);
}
