#include "chunk.h"

#include "base/mem.h"

struct ws_chunk *ws_chunk_new(size_t size) {
  if (size > UINT32_MAX) {
    errno = ENOMEM;
    return NULL;
  }
  struct ws_chunk *chunk = ws_mem_alloc(sizeof *chunk + size);
  if (!chunk)
    return NULL;
  atomic_init(&chunk->references, 1);
  chunk->pooled = 0;
  chunk->secret = 0;
  chunk->kept = 0;
  chunk->size = size;
  chunk->budget = NULL;
  return chunk;
}

void ws_chunk_count(struct ws_chunk *chunk, _Atomic int64_t *budget) {
  chunk->budget = budget;
  atomic_fetch_add_explicit(budget, (int64_t)(sizeof *chunk + chunk->size), memory_order_relaxed);
}

struct ws_chunk *ws_chunk_shrink(struct ws_chunk *chunk, size_t size) {
  struct ws_chunk *shrunk = ws_mem_realloc(chunk, sizeof *chunk + size);
  if (!shrunk)
    return chunk;
  shrunk->size = size;
  return shrunk;
}

struct ws_chunk *ws_chunk_ref(struct ws_chunk *chunk) {
  atomic_fetch_add_explicit(&chunk->references, 1, memory_order_relaxed);
  return chunk;
}

void ws_chunk_unref(struct ws_chunk *chunk) {
  if (!chunk || atomic_fetch_sub_explicit(&chunk->references, 1, memory_order_acq_rel) != 1)
    return;
  if (chunk->budget)
    atomic_fetch_sub_explicit(chunk->budget, (int64_t)(sizeof *chunk + chunk->size), memory_order_relaxed);
  if (chunk->secret)
    ws_mem_wipe(chunk->bytes, chunk->size);
  ws_mem_free(chunk);
}
