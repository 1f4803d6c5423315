#pragma once
/*
 * Blocks of one size that are needed often and never for long, kept for the next who asks. For one thread.
 */
#include <stddef.h>

struct ws_pool_block {
  struct ws_pool_block *next;
};

struct ws_pool_shelf {
  struct ws_pool_block *first;
  size_t block_size;
  int count;
  int most; /* blocks kept; more are freed */
};

/* What a loop keeps for output queues. */
struct ws_pool {
  struct ws_pool_shelf chunks;
  struct ws_pool_shelf pieces;
  unsigned char *scratch; /* where small pieces are put together to be written; NULL until first needed */
};

void ws_pool_init(struct ws_pool *pool);
void ws_pool_deinit(struct ws_pool *pool);

/* A block, uninitialised, or NULL. */
void *ws_pool_get(struct ws_pool_shelf *shelf);
void ws_pool_put(struct ws_pool_shelf *shelf, void *block);
