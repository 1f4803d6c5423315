#include "pool.h"

#include "base/mem.h"

enum { WS_POOL_CHUNKS = 64, WS_POOL_PIECES = 1024 };

void ws_pool_init(struct ws_pool *pool) {
  *pool = (struct ws_pool){
      .chunks = {.block_size = WS_POOL_CHUNK_SIZE, .most = WS_POOL_CHUNKS},
      .pieces = {.block_size = WS_POOL_PIECES_SIZE, .most = WS_POOL_PIECES},
  };
}

static void ws_pool_empty(struct ws_pool_shelf *shelf) {
  while (shelf->first) {
    struct ws_pool_block *block = shelf->first;
    shelf->first = block->next;
    ws_mem_free(block);
  }
}

void ws_pool_deinit(struct ws_pool *pool) {
  ws_pool_empty(&pool->chunks);
  ws_pool_empty(&pool->pieces);
  ws_mem_free(pool->scratch);
}

void *ws_pool_get(struct ws_pool_shelf *shelf) {
  struct ws_pool_block *block = shelf->first;
  if (!block)
    return ws_mem_alloc(shelf->block_size);
  shelf->first = block->next;
  shelf->count--;
  return block;
}

void ws_pool_put(struct ws_pool_shelf *shelf, void *block) {
  if (shelf->count >= shelf->most) {
    ws_mem_free(block);
    return;
  }
  struct ws_pool_block *kept = block;
  kept->next = shelf->first;
  shelf->first = kept;
  shelf->count++;
}
