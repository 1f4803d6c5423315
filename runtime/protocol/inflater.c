#include "inflater.h"

#include <assert.h>

#include "zlib_mem.h"

struct ws_inflater {
  z_stream stream;
  uint8_t bits;
  bool at_final; /* the input ended with a final block */
};

struct ws_inflater *ws_inflater_new(uint8_t bits) {
  struct ws_inflater *inflater = ws_mem_calloc(1, sizeof *inflater);
  if (!inflater)
    return NULL;
  inflater->bits = bits;
  ws_zlib_mem_set(&inflater->stream);
  /* A peer that asks its zlib for 8 bits gets 9. */
  if (inflateInit2(&inflater->stream, bits < 9 ? -9 : -bits) != Z_OK) {
    ws_mem_free(inflater);
    return NULL;
  }
  return inflater;
}

void ws_inflater_free(struct ws_inflater *inflater) {
  if (!inflater)
    return;
  inflateEnd(&inflater->stream);
  ws_mem_free(inflater);
}

size_t ws_inflater_held(const struct ws_inflater *inflater) {
  return sizeof *inflater + ((size_t)1 << inflater->bits) + 7 * 1024;
}

enum ws_violation ws_inflater_step(struct ws_inflater *inflater, struct ws_inflater_buffers *buffers) {
  z_stream *stream = &inflater->stream;
  int result = Z_OK;
  assert(buffers->in_size <= UINT32_MAX && buffers->room <= UINT32_MAX);
  stream->next_in = (z_const Bytef *)buffers->in;
  stream->avail_in = (uInt)buffers->in_size;
  stream->next_out = buffers->to;
  stream->avail_out = (uInt)buffers->room;
  do {
    result = inflate(stream, Z_SYNC_FLUSH);
    /* A final block does not end the stream of the connection (RFC 7692 section 7.2.3.5): the next block starts at a
     * byte boundary and shares the window. */
    if (result == Z_STREAM_END)
      inflateResetKeep(stream);
  } while (result == Z_STREAM_END && stream->avail_in > 0);
  inflater->at_final = result == Z_STREAM_END || (inflater->at_final && buffers->in_size == 0);
  buffers->in = stream->next_in;
  buffers->in_size = stream->avail_in;
  buffers->to = stream->next_out;
  buffers->room = stream->avail_out;
  if (result == Z_MEM_ERROR)
    return WS_VIOLATION_OUT_OF_MEMORY;
  return result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR ? WS_VIOLATION_NONE
                                                                           : WS_VIOLATION_DEFLATE_DATA;
}

bool ws_inflater_at_final(const struct ws_inflater *inflater) {
  return inflater->at_final;
}

bool ws_inflater_at_boundary(const struct ws_inflater *inflater) {
  /* zlib: 128 means right after a block; 64 marks a final block, and the low bits count unused bits. */
  return inflater->stream.data_type == 128;
}
