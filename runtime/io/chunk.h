#pragma once
/* A chunk: a reference-counted block of bytes, shared by output queues. It is written before it is shared and constant
 * afterwards. At most 4 GiB. Any thread.
 */
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct ws_chunk {
  _Atomic uint32_t references;
  uint16_t pooled;         /* a block of the loop's pool, owned by one queue */
  uint8_t secret;          /* wiped before it is freed; not pooled */
  uint8_t kept;            /* its owner keeps it, whether a queue has it or not */
  size_t size;             /* room in bytes[] */
  _Atomic int64_t *budget; /* counts its memory; NULL: none does */
  uint8_t bytes[];
};

/* Returns a chunk with `size` uninitialised bytes and one reference, or NULL if out of memory. */
struct ws_chunk *ws_chunk_new(size_t size);
struct ws_chunk *ws_chunk_ref(struct ws_chunk *chunk);
/* Counts a chunk that will be shared in a budget, once, until its last reference is dropped. */
void ws_chunk_count(struct ws_chunk *chunk, _Atomic int64_t *budget);

/* Gives memory back behind the first `size` bytes. Returns the chunk, which may have moved. It is not shared. */
struct ws_chunk *ws_chunk_shrink(struct ws_chunk *chunk, size_t size);

/* Drops a reference. NULL has no effect. */
void ws_chunk_unref(struct ws_chunk *chunk);
