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
  chunk->size = size;
  return chunk;
}

struct ws_chunk *ws_chunk_ref(struct ws_chunk *chunk) {
  atomic_fetch_add_explicit(&chunk->references, 1, memory_order_relaxed);
  return chunk;
}

void ws_chunk_unref(struct ws_chunk *chunk) {
  if (chunk && atomic_fetch_sub_explicit(&chunk->references, 1, memory_order_acq_rel) == 1)
    ws_mem_free(chunk);
}
