#pragma once
/* Free lists of fixed-size blocks for a loop's output queues. A shelf keeps up to `most` released blocks for reuse. Not
 * thread-safe: a pool belongs to its loop's thread.
 */
#include <stddef.h>

enum {
  WS_POOL_CHUNK_SIZE = 16 * 1024, /* the header of the chunk included */
  WS_POOL_PIECES_SIZE = 312,
};

struct ws_pool_block {
  struct ws_pool_block *next;
};

struct ws_pool_shelf {
  struct ws_pool_block *first;
  size_t block_size;
  int count;
  int most; /* blocks kept; more are freed */
};

struct ws_pool {
  struct ws_pool_shelf chunks; /* of WS_POOL_CHUNK_SIZE */
  struct ws_pool_shelf pieces; /* of WS_POOL_PIECES_SIZE */
  unsigned char *scratch;      /* where small pieces are joined for a write; allocated on first use */
};

void ws_pool_init(struct ws_pool *pool);
void ws_pool_deinit(struct ws_pool *pool);

/* Returns an uninitialised block, or NULL if out of memory. */
void *ws_pool_get(struct ws_pool_shelf *shelf);
void ws_pool_put(struct ws_pool_shelf *shelf, void *block);
