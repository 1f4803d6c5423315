#pragma once
/* A chunk: a reference-counted block of bytes, shared by output queues. It is written before it is shared and constant
 * afterwards. At most 4 GiB. Any thread.
 */
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct ws_chunk {
  _Atomic uint32_t references;
  uint32_t pooled; /* a block of the loop's pool, owned by one queue */
  size_t size;     /* room in bytes[] */
  uint8_t bytes[];
};

/* Returns a chunk with `size` uninitialised bytes and one reference, or NULL if out of memory. */
struct ws_chunk *ws_chunk_new(size_t size);
struct ws_chunk *ws_chunk_ref(struct ws_chunk *chunk);
/* Drops a reference. NULL has no effect. */
void ws_chunk_unref(struct ws_chunk *chunk);
