#pragma once
/* The host's memory hooks (spec/abi.md).
 *
 * Everything that an Osprey program can see is allocated here and nowhere else. The caller owns one reference to a new
 * block. `meta` marks the words of a block that are references: kind 1 in the low 8 bits, bit 8+i for the word at
 * offset 8*i. Under reference counting, releasing a block's last reference releases its marked words.
 *
 * ws_hooks_* return NULL if out of memory, which fault injection simulates (base/fault.h).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"

void *osp_alloc(int64_t size);
void *osp_alloc_tagged(int64_t size, int64_t meta);
void *osp_alloc_tagged_noinit(int64_t size, int64_t meta);
void osp_retain(void *block);
void osp_release(void *block);
void osp_mem_notify_multithreaded(void);

/* A hook that a host need not have (ABI-17). */
__attribute__((weak)) bool osp_is_unique(const void *block);

/* The meta of a block whose references `mask` marks: bit i for the word at offset 8*i. */
#define WS_META(mask) ((int64_t)(((uint64_t)(mask) << 8) | 1))

/* A block without references, uninitialized. */
static inline void *ws_hooks_alloc(size_t size) {
  return ws_fault_hit_memory() ? NULL : osp_alloc((int64_t)size);
}

/* A zeroed block. */
static inline void *ws_hooks_alloc_zeroed(size_t size, int64_t meta) {
  return ws_fault_hit_memory() ? NULL : osp_alloc_tagged((int64_t)size, meta);
}

/* An uninitialized block. The caller stores every word before its next call of a hook. */
static inline void *ws_hooks_alloc_record(size_t size, int64_t meta) {
  return ws_fault_hit_memory() ? NULL : osp_alloc_tagged_noinit((int64_t)size, meta);
}
