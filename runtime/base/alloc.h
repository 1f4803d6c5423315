#pragma once
/*
 * The runtime's own allocations: malloc and its relatives behind wrappers that a test build can make fail (fault.h).
 * Any layer may include this. What an Osprey program can see is not allocated here but by the host's osp_alloc.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"

static inline void *ws_sys_malloc(size_t size) {
  if (ws_fault_hit_memory()) {
    errno = ENOMEM;
    return NULL;
  }
  return malloc(size);
}

static inline void *ws_sys_calloc(size_t count, size_t size) {
  if (ws_fault_hit_memory()) {
    errno = ENOMEM;
    return NULL;
  }
  return calloc(count, size);
}

/* As realloc: where it fails, the old block is untouched and still the caller's. */
static inline void *ws_sys_realloc(void *block, size_t size) {
  if (ws_fault_hit_memory()) {
    errno = ENOMEM;
    return NULL;
  }
  return realloc(block, size);
}

/* At a multiple of alignment, a power of two that divides size. Freed as any other. */
static inline void *ws_sys_aligned_malloc(size_t alignment, size_t size) {
  if (ws_fault_hit_memory()) {
    errno = ENOMEM;
    return NULL;
  }
  return aligned_alloc(alignment, size);
}

static inline char *ws_sys_strdup(const char *text) {
  size_t size = strlen(text) + 1;
  char *copy = ws_sys_malloc(size);
  return copy ? memcpy(copy, text, size) : NULL;
}

static inline void ws_sys_free(void *block) {
  free(block);
}

/* Wipes a text that may hold a secret, up to its end, and frees it. NULL: nothing. */
static inline void ws_sys_free_secret(char *text) {
  if (text)
    explicit_bzero(text, strlen(text));
  free(text);
}
