#pragma once
/* A chunk: a reference-counted block of bytes, shared by output queues. Its maker writes it before sharing it; then it
 * is constant. At most 4 GiB. Any thread.
 */
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct ws_chunk {
  _Atomic uint32_t references;
  uint32_t pooled; /* a block of the loop's pool: the queue's own */
  size_t size;     /* room in bytes[] */
  uint8_t bytes[];
};

/* A chunk with room for size bytes, uninitialised, and one reference: the caller's. NULL: no memory. Any thread. */
struct ws_chunk *ws_chunk_new(size_t size);
struct ws_chunk *ws_chunk_ref(struct ws_chunk *chunk);
/* Gives up a reference. NULL does nothing. Any thread. */
void ws_chunk_unref(struct ws_chunk *chunk);
