#include "deflater.h"

#include <assert.h>

#include "deflate.h"
#include "zlib_mem.h"

struct ws_deflater {
  z_stream stream;
  bool no_takeover;
  uint8_t bits;
};

struct ws_deflater *ws_deflater_new(uint8_t bits, bool no_takeover) {
  struct ws_deflater *deflater = ws_mem_calloc(1, sizeof *deflater);
  assert(bits >= 9 && bits <= 15);
  if (!deflater)
    return NULL;
  deflater->no_takeover = no_takeover;
  deflater->bits = bits;
  ws_zlib_mem_set(&deflater->stream);
  if (deflateInit2(&deflater->stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -bits, ws_deflater_level(bits),
                   Z_DEFAULT_STRATEGY) != Z_OK) {
    ws_mem_free(deflater);
    return NULL;
  }
  return deflater;
}

void ws_deflater_free(struct ws_deflater *deflater) {
  if (!deflater)
    return;
  deflateEnd(&deflater->stream);
  ws_mem_free(deflater);
}

size_t ws_deflater_held(const struct ws_deflater *deflater) {
  return sizeof *deflater + ((size_t)1 << (deflater->bits + 2)) +
         ((size_t)1 << (ws_deflater_level(deflater->bits) + 9));
}

/* The unit in which a long message is compressed; the ratio is checked before each. */
enum { WS_DEFLATER_PIECE = WS_DEFLATE_FREE / 4 };

size_t ws_deflater_bound(struct ws_deflater *deflater, size_t n) {
  /* zlib's bound is for one finished stream; each flush adds an empty block and padding. */
  return deflateBound(&deflater->stream, n) + 16 * (n / WS_DEFLATER_PIECE + 1);
}

size_t ws_deflater_run(struct ws_deflater *deflater, uint8_t *to, const uint8_t *message, size_t n) {
  z_stream *stream = &deflater->stream;
  size_t bound = ws_deflater_bound(deflater, n);
  assert(bound <= UINT32_MAX);
  if (n == 0) {
    to[0] = 0x00; /* an empty stored block without the tail (RFC 7692 section 7.2.3.6) */
    return 1;
  }
  if (deflater->no_takeover)
    deflateReset(stream);
  stream->next_in = (z_const Bytef *)message;
  stream->next_out = to;
  stream->avail_out = (uInt)bound;
  for (size_t done = 0; done < n;) {
    size_t piece = n > WS_DEFLATE_FREE && n - done > WS_DEFLATER_PIECE ? WS_DEFLATER_PIECE : n - done;
    /* The receiver checks after every byte: the output so far must allow the whole piece. */
    if (ws_deflate_expands_too_much(done + piece, bound - stream->avail_out, WS_DEFLATE_RATIO)) {
      deflateReset(stream);
      return 0;
    }
    stream->avail_in = (uInt)piece;
    done += piece;
    deflate(stream, done < n ? Z_PARTIAL_FLUSH : Z_SYNC_FLUSH);
    assert(stream->avail_in == 0 && stream->avail_out > 0);
  }
  return bound - stream->avail_out - sizeof WS_DEFLATE_TAIL;
}
