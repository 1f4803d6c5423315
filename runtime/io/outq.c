/* Large pieces are written in place. Adjacent small pieces are first copied together: a copy of a few KiB costs less
 * than one more part for the kernel, and makes one TLS record instead of several.
 */
#include "outq.h"

#include <assert.h>
#include <errno.h>

#include "base/mem.h"
#include "base/path.h"
#include "loop.h"
#include "pool.h"
#include "stream.h"
#include "wait.h"

enum {
  WS_OUTQ_SMALL = 4096,        /* pieces up to this length are copied together */
  WS_OUTQ_SCRATCH = 64 * 1024, /* the copies */
  WS_OUTQ_PARTS = 64,          /* the most parts of one write */
  WS_OUTQ_BRIEF = 256,         /* the room of a chunk behind a shared one, which more shared ones often follow */
  WS_OUTQ_SHARE_MIN = 512,     /* behind WS_OUTQ_PIECES pieces, less than this is copied rather than shared */
};

static_assert(sizeof(struct ws_outq_pieces) <= WS_POOL_PIECES_SIZE, "the pool's blocks are too small for pieces");

/* ---- chunks */

static struct ws_chunk *ws_outq_new_chunk(struct ws_loop *loop, size_t size) {
  if (size > WS_POOL_CHUNK_SIZE - sizeof(struct ws_chunk))
    return ws_chunk_new(size);
  struct ws_chunk *chunk = ws_pool_get(&ws_loop_pool(loop)->chunks);
  if (!chunk)
    return NULL;
  atomic_init(&chunk->references, 1);
  chunk->pooled = 1;
  chunk->secret = 0;
  chunk->kept = 0;
  chunk->budget = NULL;
  chunk->size = WS_POOL_CHUNK_SIZE - sizeof *chunk;
  return chunk;
}

static void ws_outq_drop_chunk(struct ws_loop *loop, struct ws_chunk *chunk) {
  if (chunk->pooled)
    ws_pool_put(&ws_loop_pool(loop)->chunks, chunk);
  else
    ws_chunk_unref(chunk);
}

/* ---- the byte count */

bool ws_outq_try_charge(struct ws_outq *queue, size_t n, size_t cap) {
  size_t bytes = atomic_load_explicit(&queue->bytes, memory_order_relaxed);
  do {
    if (bytes > 0 && (n > cap || bytes > cap - n))
      return false;
  } while (!atomic_compare_exchange_weak_explicit(&queue->bytes, &bytes, bytes + n, memory_order_relaxed,
                                                  memory_order_relaxed));
  return true;
}

void ws_outq_charge(struct ws_outq *queue, size_t n) {
  atomic_fetch_add_explicit(&queue->bytes, n, memory_order_relaxed);
}

static void ws_outq_subtract(struct ws_outq *queue, size_t n) {
  atomic_fetch_sub_explicit(&queue->bytes, n, memory_order_relaxed);
}

void ws_outq_discharge(struct ws_outq *queue, size_t n) {
  ws_outq_subtract(queue, n);
  ws_wait_notify();
}

/* ---- the pieces */

/* An empty queue has no list of pieces. */
static struct ws_outq_piece *ws_outq_last(const struct ws_outq_pieces *pieces) {
  return &pieces->at[pieces->first + pieces->count - 1];
}

/* Releases the memory of an empty queue. */
static void ws_outq_release(struct ws_outq *queue, struct ws_loop *loop) {
  struct ws_outq_pieces *pieces = queue->pieces;
  queue->pieces = NULL;
  if (pieces->at != pieces->own)
    ws_mem_free(pieces->at);
  ws_pool_put(&ws_loop_pool(loop)->pieces, pieces);
}

static int ws_outq_ensure(struct ws_outq *queue, struct ws_loop *loop) {
  if (queue->pieces)
    return 0;
  struct ws_outq_pieces *pieces = ws_pool_get(&ws_loop_pool(loop)->pieces);
  if (!pieces)
    return -1;
  pieces->first = 0;
  pieces->count = 0;
  pieces->unready = 0;
  pieces->shared = 0;
  pieces->slack = 0;
  pieces->left = 0;
  pieces->room = WS_OUTQ_PIECES;
  pieces->at = pieces->own;
  queue->pieces = pieces;
  return 0;
}

/* What a piece holds in chunks that no budget counts, besides its bytes. */
static size_t ws_outq_slack(const struct ws_outq_piece *piece) {
  return piece->chunk->budget ? 0 : sizeof *piece->chunk + piece->chunk->size - piece->length;
}

/* Makes room for a piece at the end: moves the pieces to the front if that frees half of the room, otherwise grows the
 * list.
 */
static int ws_outq_grow(struct ws_outq_pieces *pieces) {
  if (pieces->first + pieces->count < pieces->room)
    return 0;
  if (pieces->first >= pieces->room / 2) {
    memmove(pieces->at, pieces->at + pieces->first, pieces->count * sizeof *pieces->at);
    pieces->first = 0;
    return 0;
  }
  struct ws_outq_piece *own = pieces->at == pieces->own ? NULL : pieces->at;
  struct ws_outq_piece *at = ws_mem_realloc(own, (size_t)pieces->room * 2 * sizeof *at);
  if (!at)
    return -1;
  if (!own)
    memcpy(at, pieces->own, sizeof pieces->own);
  pieces->at = at;
  pieces->room *= 2;
  return 0;
}

/* Adds a piece and takes the reference. If out of memory, an empty queue stays empty. */
static int ws_outq_push(struct ws_outq *queue, struct ws_loop *loop, struct ws_outq_piece piece) {
  if (ws_outq_ensure(queue, loop) || ws_outq_grow(queue->pieces))
    return -1;
  struct ws_outq_pieces *pieces = queue->pieces;
  pieces->at[pieces->first + pieces->count++] = piece;
  pieces->left = 0;
  if (pieces->unready > 0)
    pieces->unready++;
  if (piece.chunk->budget)
    pieces->shared += piece.length;
  return 0;
}

void ws_outq_clear(struct ws_outq *queue, struct ws_loop *loop) {
  struct ws_outq_pieces *pieces = queue->pieces;
  if (!pieces)
    return;
  for (uint32_t i = 0; i < pieces->count; i++) {
    struct ws_outq_piece *piece = &pieces->at[pieces->first + i];
    ws_outq_subtract(queue, piece->length);
    ws_outq_drop_chunk(loop, piece->chunk);
  }
  ws_outq_release(queue, loop);
}

/* ---- adding */

/* Adds a piece without bytes, whose chunk has room for n. */
static uint8_t *ws_outq_add_chunk(struct ws_outq *queue, struct ws_loop *loop, size_t n) {
  bool brief = queue->pieces && n <= WS_OUTQ_BRIEF && ws_outq_last(queue->pieces)->chunk->budget;
  struct ws_chunk *chunk = brief ? ws_chunk_new(WS_OUTQ_BRIEF) : ws_outq_new_chunk(loop, n);
  if (!chunk)
    return NULL;
  if (ws_outq_push(queue, loop, (struct ws_outq_piece){chunk, 0, 0})) {
    ws_outq_drop_chunk(loop, chunk);
    return NULL;
  }
  queue->pieces->left = chunk->size;
  queue->pieces->slack += sizeof *chunk + chunk->size;
  return queue->pieces->end = chunk->bytes;
}

uint8_t *ws_outq_reserve(struct ws_outq *queue, struct ws_loop *loop, size_t n) {
  struct ws_outq_pieces *pieces = queue->pieces;
  return pieces && n <= pieces->left ? pieces->end : ws_outq_add_chunk(queue, loop, n);
}

/* The last piece gets n bytes of the room behind it. */
static struct ws_outq_piece *ws_outq_lengthen(struct ws_outq_pieces *pieces, size_t n) {
  struct ws_outq_piece *last = ws_outq_last(pieces);
  pieces->end += n;
  pieces->left -= n;
  pieces->slack -= n;
  last->length += (uint32_t)n;
  return last;
}

uint8_t *ws_outq_extend(struct ws_outq *queue, struct ws_loop *loop, size_t n) {
  uint8_t *room = ws_outq_reserve(queue, loop, n);
  if (room)
    ws_outq_lengthen(queue->pieces, n);
  return room;
}

void ws_outq_commit(struct ws_outq *queue, struct ws_loop *loop, size_t n) {
  struct ws_outq_pieces *pieces = queue->pieces;
  assert(n <= pieces->left);
  const struct ws_outq_piece *last = ws_outq_lengthen(pieces, n);
  if (last->length > 0)
    return;
  pieces->slack -= ws_outq_slack(last);
  ws_outq_drop_chunk(loop, last->chunk);
  pieces->left = 0;
  if (pieces->unready > 0)
    pieces->unready--;
  if (--pieces->count == 0)
    ws_outq_release(queue, loop);
}

int ws_outq_append(struct ws_outq *queue, struct ws_loop *loop, const void *bytes, size_t n) {
  if (n == 0)
    return 0;
  uint8_t *room = ws_outq_extend(queue, loop, n);
  if (!room)
    return -1;
  memcpy(room, bytes, n);
  return 0;
}

int ws_outq_take(struct ws_outq *queue, struct ws_loop *loop, struct ws_chunk *chunk, size_t offset, size_t n) {
  assert(offset <= chunk->size && n <= chunk->size - offset);
  if (n == 0) {
    ws_chunk_unref(chunk);
    return 0;
  }
  if (ws_outq_push(queue, loop, (struct ws_outq_piece){chunk, (uint32_t)offset, (uint32_t)n}))
    return -1;
  if (!chunk->budget)
    queue->pieces->slack += sizeof *chunk + chunk->size - n;
  return 0;
}

int ws_outq_share(struct ws_outq *queue, struct ws_loop *loop, struct ws_chunk *chunk, size_t offset, size_t n) {
  if (n < WS_OUTQ_SHARE_MIN && queue->pieces && queue->pieces->count >= WS_OUTQ_PIECES)
    return ws_outq_append(queue, loop, chunk->bytes + offset, n);
  if (ws_outq_take(queue, loop, ws_chunk_ref(chunk), offset, n) == 0)
    return 0;
  ws_chunk_unref(chunk);
  return -1;
}

/* ---- unready pieces */

int ws_outq_share_unready(struct ws_outq *queue, struct ws_loop *loop, struct ws_chunk *chunk, size_t offset,
                          size_t n) {
  if (ws_outq_is_unready(queue))
    return ws_outq_share(queue, loop, chunk, offset, n);
  if (ws_outq_take(queue, loop, ws_chunk_ref(chunk), offset, n)) {
    ws_chunk_unref(chunk);
    return -1;
  }
  queue->pieces->unready = 1;
  return 0;
}

static struct ws_outq_piece *ws_outq_first_unready(const struct ws_outq_pieces *pieces) {
  return &pieces->at[pieces->first + pieces->count - pieces->unready];
}

const struct ws_outq_piece *ws_outq_unready(struct ws_outq *queue) {
  struct ws_outq_pieces *pieces = queue->pieces;
  if (pieces->unready == 1)
    pieces->left = 0;
  return ws_outq_first_unready(pieces);
}

void ws_outq_ready(struct ws_outq *queue, struct ws_loop *loop, struct ws_chunk *chunk, size_t offset, size_t n) {
  struct ws_outq_pieces *pieces = queue->pieces;
  struct ws_outq_piece *piece = ws_outq_first_unready(pieces);
  if (pieces->unready-- == 1)
    pieces->left = 0;
  if (!chunk)
    return;
  assert(n > 0 && n <= chunk->size - offset && !chunk->budget);
  ws_outq_charge(queue, n);
  ws_outq_subtract(queue, piece->length);
  if (piece->chunk->budget)
    pieces->shared -= piece->length;
  pieces->slack -= ws_outq_slack(piece);
  ws_outq_drop_chunk(loop, piece->chunk);
  *piece = (struct ws_outq_piece){chunk, (uint32_t)offset, (uint32_t)n};
  pieces->slack += ws_outq_slack(piece);
}

/* ---- memory */

size_t ws_outq_shared(const struct ws_outq *queue) {
  return queue->pieces ? queue->pieces->shared : 0;
}

size_t ws_outq_shared_part(const struct ws_outq *queue) {
  const struct ws_outq_pieces *pieces = queue->pieces;
  uint32_t looks = pieces && pieces->count < WS_OUTQ_PIECES ? pieces->count : WS_OUTQ_PIECES;
  uint64_t seen = 0, part = 0;
  for (uint32_t i = 0; pieces && i < looks; i++) {
    const struct ws_outq_piece *piece = &pieces->at[pieces->first + (uint64_t)i * pieces->count / looks];
    if (!piece->chunk->budget)
      continue;
    seen += piece->length;
    if (!piece->chunk->kept)
      part += piece->length / atomic_load_explicit(&piece->chunk->references, memory_order_relaxed);
  }
  return seen ? (size_t)(pieces->shared * part / seen) : 0;
}

size_t ws_outq_held(const struct ws_outq *queue) {
  const struct ws_outq_pieces *pieces = queue->pieces;
  size_t list = pieces && pieces->at != pieces->own ? pieces->room * sizeof *pieces->at : 0;
  size_t slack = pieces ? pieces->slack : 0;
  return ws_outq_bytes(queue) - ws_outq_shared(queue) + slack + list;
}

/* ---- writing */

/* A write under construction. */
struct ws_outq_gather {
  struct iovec parts[WS_OUTQ_PARTS];
  int count;
  size_t total;
  size_t left;            /* bytes that it may have besides */
  unsigned char *scratch; /* the rest of the scratch; NULL without one */
  size_t room;
};

/* Counts the adjacent small pieces from `at` on that fit into the scratch together. A secret is not copied. */
static uint32_t ws_outq_small_run(const struct ws_outq_piece *at, uint32_t count, size_t room) {
  uint32_t run = 0;
  size_t total = 0;
  while (run < count && at[run].length <= WS_OUTQ_SMALL && total + at[run].length <= room && !at[run].chunk->secret)
    total += at[run++].length;
  return run;
}

static void ws_outq_add_part(struct ws_outq_gather *gather, void *bytes, size_t length) {
  size_t taken = length < gather->left ? length : gather->left;
  gather->parts[gather->count++] = (struct iovec){bytes, taken};
  gather->total += taken;
  gather->left -= taken;
}

static void ws_outq_copy_run(struct ws_outq_gather *gather, const struct ws_outq_piece *at, uint32_t run) {
  size_t length = 0;
  for (uint32_t i = 0; i < run; i++) {
    memcpy(gather->scratch + length, at[i].chunk->bytes + at[i].offset, at[i].length);
    length += at[i].length;
  }
  ws_outq_add_part(gather, gather->scratch, length);
  gather->scratch += length;
  gather->room -= length;
}

static void ws_outq_put_together(const struct ws_outq_pieces *pieces, struct ws_outq_gather *gather) {
  const struct ws_outq_piece *at = pieces->at + pieces->first;
  uint32_t left = pieces->count - pieces->unready;
  while (left > 0 && gather->left > 0 && gather->count < WS_OUTQ_PARTS) {
    uint32_t run = ws_outq_small_run(at, left, gather->room);
    if (run > 1) {
      ws_outq_copy_run(gather, at, run);
    } else {
      run = 1;
      ws_outq_add_part(gather, at->chunk->bytes + at->offset, at->length);
    }
    at += run;
    left -= run;
  }
}

/* Removes the first n bytes, which were written. */
static void ws_outq_consume(struct ws_outq *queue, struct ws_loop *loop, size_t n) {
  struct ws_outq_pieces *pieces = queue->pieces;
  if (pieces->count == 1 && n == pieces->at[pieces->first].length) { /* as most often */
    ws_outq_clear(queue, loop);
    return;
  }
  ws_outq_subtract(queue, n);
  while (n > 0) {
    struct ws_outq_piece *piece = &pieces->at[pieces->first];
    size_t step = n < piece->length ? n : piece->length;
    if (piece->chunk->budget)
      pieces->shared -= step;
    else if (n < piece->length)
      pieces->slack += step;
    else
      pieces->slack -= ws_outq_slack(piece);
    if (n < piece->length) {
      piece->offset += (uint32_t)n;
      piece->length -= (uint32_t)n;
      return;
    }
    n -= piece->length;
    ws_outq_drop_chunk(loop, piece->chunk);
    pieces->first++;
    pieces->count--;
  }
  if (pieces->count == 0)
    ws_outq_release(queue, loop);
}

int ws_outq_replace(struct ws_outq *queue, struct ws_loop *loop, size_t n, struct ws_chunk *chunk) {
  ws_outq_consume(queue, loop, n);
  if (ws_outq_ensure(queue, loop) || ws_outq_grow(queue->pieces))
    return -1;
  struct ws_outq_pieces *pieces = queue->pieces;
  struct ws_outq_piece *first = &pieces->at[pieces->first];
  memmove(first + 1, first, pieces->count++ * sizeof *first);
  *first = (struct ws_outq_piece){chunk, 0, (uint32_t)chunk->size};
  pieces->slack += ws_outq_slack(first);
  ws_outq_charge(queue, chunk->size);
  return 0;
}

/* Without memory for the scratch, nothing is copied. */
static void ws_outq_prepare(struct ws_outq_gather *gather, struct ws_pool *pool) {
  gather->count = 0;
  gather->total = 0;
  if (!pool->scratch)
    pool->scratch = ws_mem_alloc(WS_OUTQ_SCRATCH);
  gather->scratch = pool->scratch;
  gather->room = pool->scratch ? WS_OUTQ_SCRATCH : 0;
}

/* Writes from the front of several pieces. Returns as ws_stream_writev; *total: what it was offered. */
WS_ASIDE static ssize_t ws_outq_write_pieces(const struct ws_outq_pieces *pieces, struct ws_pool *pool,
                                             struct ws_stream *stream, size_t most, size_t *total) {
  struct ws_outq_gather gather; /* not zeroed: its parts are 1 KiB */
  gather.left = most;
  ws_outq_prepare(&gather, pool);
  ws_outq_put_together(pieces, &gather);
  *total = gather.total;
  return ws_stream_writev(stream, gather.parts, gather.count);
}

/* The same for the only piece. */
static ssize_t ws_outq_write_piece(const struct ws_outq_piece *piece, struct ws_stream *stream, size_t most,
                                   size_t *total) {
  struct iovec part = {piece->chunk->bytes + piece->offset, piece->length < most ? piece->length : most};
  *total = part.iov_len;
  return ws_stream_writev(stream, &part, 1);
}

int ws_outq_flush(struct ws_outq *queue, struct ws_loop *loop, struct ws_stream *stream, size_t most) {
  while (queue->pieces) {
    const struct ws_outq_pieces *pieces = queue->pieces;
    size_t total;
    if (pieces->unready == pieces->count)
      return WS_OUTQ_UNREADY;
    if (most == 0)
      return WS_OUTQ_BLOCKED;
    ssize_t written = pieces->count == 1 ? ws_outq_write_piece(&pieces->at[pieces->first], stream, most, &total)
                                         : ws_outq_write_pieces(pieces, ws_loop_pool(loop), stream, most, &total);
    if (written == WS_STREAM_AGAIN)
      return WS_OUTQ_BLOCKED;
    if (written < 0)
      return -1;
    ws_outq_consume(queue, loop, (size_t)written);
    if ((size_t)written < total)
      return WS_OUTQ_BLOCKED;
    most -= total;
  }
  return 0;
}

/* Appends a copy of the parts without their first `skip` bytes: `left` bytes. */
static int ws_outq_append_rest(struct ws_outq *queue, struct ws_loop *loop, const struct iovec *parts, size_t skip,
                               size_t left) {
  uint8_t *room = ws_outq_extend(queue, loop, left);
  if (!room)
    return -1;
  size_t copied = 0;
  for (const struct iovec *part = parts; copied < left; part++) {
    size_t skipped = skip < part->iov_len ? skip : part->iov_len;
    size_t length = part->iov_len - skipped;
    skip -= skipped;
    if (length > 0)
      memcpy(room + copied, (const uint8_t *)part->iov_base + skipped, length);
    copied += length;
  }
  return 0;
}

int ws_outq_write(struct ws_outq *queue, struct ws_loop *loop, struct ws_stream *stream, const struct iovec *parts,
                  int count) {
  size_t total = 0;
  for (int i = 0; i < count; i++)
    total += parts[i].iov_len;
  ssize_t written = queue->pieces ? WS_STREAM_AGAIN : ws_stream_writev(stream, parts, count);
  size_t done = written > 0 ? (size_t)written : 0;
  if (written != WS_STREAM_FAILED && done < total && ws_outq_append_rest(queue, loop, parts, done, total - done) == 0) {
    ws_outq_discharge(queue, done);
    return WS_OUTQ_BLOCKED;
  }
  ws_outq_discharge(queue, total);
  if (done == total)
    return 0;
  errno = written == WS_STREAM_FAILED ? EPIPE : ENOMEM;
  return -1;
}
