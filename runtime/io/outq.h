#pragma once
/* The output queue of one connection: bytes accepted and not yet written, in order.
 *
 * A queue is a sequence of pieces of chunks. A chunk is a reference-counted block of bytes: shared by many queues (a
 * broadcast is encoded once), transferred by its maker (a large message is not copied), or the queue's own, which
 * collects small messages. An empty queue uses no memory except the 16 bytes in its owner.
 *
 * The last pieces may be unready: their owner is still to give them their final form (to compress them), and they are
 * not written before. What is added behind an unready piece is unready too, so that the order is kept.
 *
 * The queue belongs to its loop's thread. Only the byte count is for every thread: a sender charges a message before
 * the bytes reach the queue, and so learns at once whether they are accepted. Invariant: every byte added was charged
 * once, by ws_outq_charge or ws_outq_try_charge. Writing and clearing discharge it.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "chunk.h"

struct ws_loop;
struct ws_stream;

/* Bytes [offset, offset + length) of a chunk. */
struct ws_outq_piece {
  struct ws_chunk *chunk;
  uint32_t offset;
  uint32_t length;
};

enum { WS_OUTQ_PIECES = 16 };

/* The pieces of a queue that is not empty: at[first .. first + count), the last `unready` of which are not written yet.
 * None has length 0 unless room is reserved. They are stored in `own` until more than WS_OUTQ_PIECES are needed. The
 * block returns to the pool with the last piece written.
 */
struct ws_outq_pieces {
  uint32_t first;
  uint32_t count;
  uint32_t room;
  uint32_t unready;
  size_t shared; /* bytes in chunks that a budget counts */
  size_t slack;  /* of the other chunks: all but the bytes that are to be written */
  uint8_t *end;  /* of the last piece, where its chunk has room for `left` bytes that nobody else has */
  size_t left;
  struct ws_outq_piece *at;
  struct ws_outq_piece own[WS_OUTQ_PIECES];
};

struct ws_outq {
  struct ws_outq_pieces *pieces; /* NULL if empty */
  _Atomic size_t bytes;
};

enum { WS_OUTQ_BLOCKED = 1, WS_OUTQ_UNREADY = 2 };

static inline size_t ws_outq_bytes(const struct ws_outq *queue) {
  return atomic_load_explicit(&queue->bytes, memory_order_relaxed);
}

/* Charges n bytes unless the count would exceed `cap`. An empty queue accepts any n. Any thread. */
bool ws_outq_try_charge(struct ws_outq *queue, size_t n, size_t cap);
/* Charges n bytes without a cap (for control frames). Any thread. */
void ws_outq_charge(struct ws_outq *queue, size_t n);
/* Reverts a charge whose bytes were not added, and wakes who waits for room. Any thread. */
void ws_outq_discharge(struct ws_outq *queue, size_t n);

/* Drops all bytes and their charge. A zeroed queue is initialised; a cleared queue needs no deinit. Idempotent. */
void ws_outq_clear(struct ws_outq *queue, struct ws_loop *loop);

/* Returns true if there is nothing to write. Bytes that have not reached the queue yet may still be charged. */
static inline bool ws_outq_empty(const struct ws_outq *queue) {
  return queue->pieces == NULL;
}

/* Returns contiguous room for n bytes. The caller fills it and commits up to n bytes before any other call on the
 * queue. Small reservations share a chunk. Returns NULL, with nothing changed, if out of memory.
 */
uint8_t *ws_outq_reserve(struct ws_outq *queue, struct ws_loop *loop, size_t n);
void ws_outq_commit(struct ws_outq *queue, struct ws_loop *loop, size_t n);

/* The same for exactly n bytes, n > 0, which the caller fills before any other call on the queue. */
uint8_t *ws_outq_extend(struct ws_outq *queue, struct ws_loop *loop, size_t n);

/* Adds a copy of n bytes. Returns 0, or -1 with nothing changed if out of memory. */
int ws_outq_append(struct ws_outq *queue, struct ws_loop *loop, const void *bytes, size_t n);

/* Adds bytes [offset, offset + n) of a chunk and takes the caller's reference (for a shared chunk, call ws_chunk_ref
 * first). Returns 0, or -1 with nothing changed, the reference included, if out of memory.
 */
int ws_outq_take(struct ws_outq *queue, struct ws_loop *loop, struct ws_chunk *chunk, size_t offset, size_t n);

/* Puts a chunk that is not shared in place of the first n bytes, which are ready, and takes its reference; the charge
 * follows. Returns 0, or -1 if out of memory: only those bytes are gone. */
int ws_outq_replace(struct ws_outq *queue, struct ws_loop *loop, size_t n, struct ws_chunk *chunk);

/* Adds bytes [offset, offset+n) of a chunk that others share: by a reference of its own, or by a copy where the queue
 * has many pieces and references to small ones would cost more than the bytes. 0, or -1: no memory, nothing changed.
 */
int ws_outq_share(struct ws_outq *queue, struct ws_loop *loop, struct ws_chunk *chunk, size_t offset, size_t n);

/* As ws_outq_share, but the bytes, and all that is added until they are ready, are unready. */
int ws_outq_share_unready(struct ws_outq *queue, struct ws_loop *loop, struct ws_chunk *chunk, size_t offset, size_t n);

static inline bool ws_outq_is_unready(const struct ws_outq *queue) {
  return queue->pieces && queue->pieces->unready > 0;
}

/* The first unready piece of a queue that has one. Nothing is added to this piece any more. */
const struct ws_outq_piece *ws_outq_unready(struct ws_outq *queue);

/* The first unready piece is ready: as it is, if `chunk` is NULL, or replaced by bytes [offset, offset + n) of a chunk,
 * n > 0, whose reference is taken. The charge follows. */
void ws_outq_ready(struct ws_outq *queue, struct ws_loop *loop, struct ws_chunk *chunk, size_t offset, size_t n);

/* Bytes of the queue that a budget counts, with other queues' (ws_chunk_count), and this queue's part of them, as far
 * as a few pieces of all ages tell. */
size_t ws_outq_shared(const struct ws_outq *queue);
size_t ws_outq_shared_part(const struct ws_outq *queue);

/* Memory of the queue that no budget counts. */
size_t ws_outq_held(const struct ws_outq *queue);

/* Writes what the stream accepts, `most` bytes at most, in as few calls as possible. Returns 0 if the queue is now
 * empty, WS_OUTQ_BLOCKED if the rest waits for WS_WRITE, WS_OUTQ_UNREADY if the stream would take more than is ready,
 * or -1 if the stream failed (ws_stream_error).
 */
int ws_outq_flush(struct ws_outq *queue, struct ws_loop *loop, struct ws_stream *stream, size_t most);

/* Writes a large message from the caller's memory and queues a copy of the bytes that the stream does not accept. If
 * the queue is not empty, queues all parts. The caller has charged the bytes; the total must not be 0. Returns as
 * ws_outq_flush, or -1 with errno ENOMEM if out of memory (EPIPE if the stream failed). After -1 nothing stays charged,
 * and the connection must be dropped, because some bytes may have been sent.
 */
int ws_outq_write(struct ws_outq *queue, struct ws_loop *loop, struct ws_stream *stream, const struct iovec *parts,
                  int count);
