#pragma once
/* Makes zlib allocate through base/mem.h, so that counters, limits and injected faults also apply to zlib.
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
