#include "deflater.h"

#include <assert.h>

#include "deflate.h"
#include "zlib_mem.h"

struct ws_deflater {
  z_stream stream;
  bool no_takeover;
  bool declined;
  uint8_t bits;
  uint8_t effort; /* zlib's level for the message in progress */
  size_t size;    /* of the message in progress */
  size_t done;    /* of it */
  size_t room;    /* for its output */
};

struct ws_deflater *ws_deflater_new(uint8_t bits, bool no_takeover) {
  struct ws_deflater *deflater = ws_mem_calloc(1, sizeof *deflater);
  assert(bits >= 9 && bits <= 15);
  if (!deflater)
    return NULL;
  deflater->no_takeover = no_takeover;
  deflater->bits = bits;
  deflater->effort = WS_DEFLATER_SMALL_EFFORT;
  ws_zlib_mem_set(&deflater->stream);
  if (deflateInit2(&deflater->stream, deflater->effort, Z_DEFLATED, -bits, ws_deflater_level(bits),
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

/* Between two messages nothing waits in the stream, so that zlib only takes note, and writes nothing. */
static void ws_deflater_choose_effort(struct ws_deflater *deflater) {
  uint8_t effort = ws_deflater_effort(deflater->size);
  if (effort != deflater->effort)
    deflateParams(&deflater->stream, effort, Z_DEFAULT_STRATEGY);
  deflater->effort = effort;
}

void ws_deflater_begin(struct ws_deflater *deflater, uint8_t *to, const uint8_t *message, size_t n) {
  z_stream *stream = &deflater->stream;
  deflater->room = ws_deflater_bound(deflater, n);
  assert(deflater->room <= UINT32_MAX);
  if (deflater->no_takeover)
    deflateReset(stream);
  stream->next_in = (z_const Bytef *)message;
  stream->next_out = to;
  stream->avail_out = (uInt)deflater->room;
  deflater->size = n;
  deflater->done = 0;
  deflater->declined = false;
  ws_deflater_choose_effort(deflater);
}

/* The end of the piece at `done`. */
static size_t ws_deflater_piece_end(const struct ws_deflater *deflater) {
  size_t end = deflater->done - deflater->done % WS_DEFLATER_PIECE + WS_DEFLATER_PIECE;
  return deflater->size > WS_DEFLATE_FREE && end < deflater->size ? end : deflater->size;
}

void ws_deflater_decline(struct ws_deflater *deflater) {
  deflateReset(&deflater->stream);
  deflater->declined = true;
  deflater->done = deflater->size;
}

bool ws_deflater_step(struct ws_deflater *deflater, size_t most) {
  z_stream *stream = &deflater->stream;
  while (deflater->done < deflater->size && most > 0) {
    size_t end = ws_deflater_piece_end(deflater);
    size_t step = end - deflater->done < most ? end - deflater->done : most;
    /* The receiver checks after every byte: the output so far must allow the whole piece. */
    if (deflater->done % WS_DEFLATER_PIECE == 0 &&
        ws_deflate_expands_too_much(end, deflater->room - stream->avail_out, WS_DEFLATE_RATIO)) {
      ws_deflater_decline(deflater);
      return true;
    }
    stream->avail_in = (uInt)step;
    deflater->done += step;
    most -= step;
    deflate(stream, deflater->done < end              ? Z_NO_FLUSH
                    : deflater->done < deflater->size ? Z_PARTIAL_FLUSH
                                                      : Z_SYNC_FLUSH);
    assert(stream->avail_in == 0 && stream->avail_out > 0);
  }
  return deflater->done == deflater->size;
}

size_t ws_deflater_end(struct ws_deflater *deflater) {
  if (deflater->declined)
    return 0;
  if (deflater->size == 0) {
    *deflater->stream.next_out = 0x00; /* an empty stored block without the tail (RFC 7692 section 7.2.3.6) */
    return 1;
  }
  return deflater->room - deflater->stream.avail_out - sizeof WS_DEFLATE_TAIL;
}

size_t ws_deflater_run(struct ws_deflater *deflater, uint8_t *to, const uint8_t *message, size_t n) {
  ws_deflater_begin(deflater, to, message, n);
  ws_deflater_step(deflater, n);
  return ws_deflater_end(deflater);
}
