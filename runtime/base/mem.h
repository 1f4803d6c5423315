#pragma once
/* The runtime's own memory: wrappers of malloc and its relatives that a test build can make fail (fault.h), and wiping.
 *
 * The host allocates memory that an Osprey program can access (osprey/hooks.h). Any thread.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"
#include "machine.h"

static inline void *ws_mem_alloc(size_t size) {
  if (ws_fault_hit_memory()) {
    errno = ENOMEM;
    return NULL;
  }
  return malloc(size);
}

static inline void *ws_mem_calloc(size_t count, size_t size) {
  if (ws_fault_hit_memory()) {
    errno = ENOMEM;
    return NULL;
  }
  return calloc(count, size);
}

/* As realloc: on failure the old block is unchanged, and the caller still owns it. */
static inline void *ws_mem_realloc(void *block, size_t size) {
  if (ws_fault_hit_memory()) {
    errno = ENOMEM;
    return NULL;
  }
  return realloc(block, size);
}

/* `alignment` is a power of two that divides `size`. Free the block with ws_mem_free. */
static inline void *ws_mem_aligned_alloc(size_t alignment, size_t size) {
  if (ws_fault_hit_memory()) {
    errno = ENOMEM;
    return NULL;
  }
  return aligned_alloc(alignment, size);
}

static inline char *ws_mem_strdup(const char *text) {
  size_t size = strlen(text) + 1;
  char *copy = ws_mem_alloc(size);
  return copy ? memcpy(copy, text, size) : NULL;
}

static inline void ws_mem_free(void *block) {
  free(block);
}

/* Overwrites n bytes with zeros. The compiler does not remove the stores, because the assembler may read them. */
static inline void ws_mem_wipe(void *bytes, size_t n) {
  memset(bytes, 0, n);
  __asm__ volatile("" : : "r"(bytes) : "memory");
}

/* Wipes a string that may contain a secret, up to its NUL, and frees it. NULL has no effect. */
static inline void ws_mem_free_secret(char *text) {
  if (text)
    ws_mem_wipe(text, strlen(text));
  free(text);
}
