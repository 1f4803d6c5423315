#pragma once
/* Makes zlib allocate through base/mem.h: what counts, limits or fails allocations there also sees zlib's.
 */
#include <zlib.h>

#include "base/mem.h"

static inline voidpf ws_zlib_mem_alloc(voidpf ctx, uInt count, uInt size) {
  (void)ctx;
  return ws_mem_alloc((size_t)count * size);
}

static inline void ws_zlib_mem_free(voidpf ctx, voidpf block) {
  (void)ctx;
  ws_mem_free(block);
}

static inline void ws_zlib_mem_set(z_stream *stream) {
  stream->zalloc = ws_zlib_mem_alloc;
  stream->zfree = ws_zlib_mem_free;
}
