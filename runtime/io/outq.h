#pragma once
/* The output queue of one connection: bytes accepted and not yet written, in order.
 *
 * It is a sequence of pieces of chunks. A chunk is a reference-counted block of bytes: shared by many queues (a
 * broadcast is encoded once), handed over by its maker (a large message is not copied), or the queue's own, in which
 * small messages are gathered one after another. An empty queue holds no memory: 16 bytes in its owner are all.
 *
 * The queue is for its loop's thread. Its byte count alone is for every thread: a sender charges what it is about to
 * add before the bytes reach the queue, and so knows at once whether they are accepted. Invariant: every byte added was
 * charged once, by ws_outq_charge or ws_outq_try_charge; writing and clearing discharge it.
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

/* The pieces of a queue that is not empty: at[first .. first + count). None has length 0 unless room is reserved. They
 * are stored in `own` until more than WS_OUTQ_PIECES are needed. The block returns to the pool with the last piece
 * written.
 */
struct ws_outq_pieces {
  uint32_t first;
  uint32_t count;
  uint32_t room;
  struct ws_outq_piece *at;
  struct ws_outq_piece own[WS_OUTQ_PIECES];
};

struct ws_outq {
  struct ws_outq_pieces *pieces; /* NULL: empty */
  _Atomic size_t bytes;
};

enum { WS_OUTQ_BLOCKED = 1 };

static inline size_t ws_outq_bytes(const struct ws_outq *queue) {
  return atomic_load_explicit(&queue->bytes, memory_order_relaxed);
}

/* Charges n bytes unless the queue would then exceed `cap`; into an empty queue n always fits. Any thread. */
bool ws_outq_try_charge(struct ws_outq *queue, size_t n, size_t cap);
/* Charges whatever the count (control frames). Any thread. */
void ws_outq_charge(struct ws_outq *queue, size_t n);
/* Takes back a charge whose bytes were not added. Any thread. */
void ws_outq_discharge(struct ws_outq *queue, size_t n);

/* Zeroed is initialised. Clear drops everything (and its charge), and is also how a queue ends. Idempotent. */
void ws_outq_clear(struct ws_outq *queue, struct ws_loop *loop);

/* Nothing to write (bytes may be charged that have not reached the queue yet). */
static inline bool ws_outq_empty(const struct ws_outq *queue) {
  return queue->pieces == NULL;
}

/* Room for n more bytes in one piece, to be filled and then committed (n or fewer) before anything else is done with
 * the queue. NULL: no memory, nothing changed. A small n joins what is gathered already.
 */
uint8_t *ws_outq_reserve(struct ws_outq *queue, struct ws_loop *loop, size_t n);
void ws_outq_commit(struct ws_outq *queue, struct ws_loop *loop, size_t n);

/* Adds a copy of n bytes. 0, or -1: no memory, nothing changed. */
int ws_outq_append(struct ws_outq *queue, struct ws_loop *loop, const void *bytes, size_t n);

/* Adds bytes [offset, offset+n) of a chunk and takes over the caller's reference (for a shared one, call ws_chunk_ref
 * first). 0, or -1: no memory, nothing changed, the reference still the caller's.
 */
int ws_outq_take(struct ws_outq *queue, struct ws_loop *loop, struct ws_chunk *chunk, size_t offset, size_t n);

/* Writes what the stream takes, in as few calls as possible. 0: all written, the queue is empty; WS_OUTQ_BLOCKED: the
 * rest waits for WS_WRITE; -1: the stream failed (ws_stream_error).
 */
int ws_outq_flush(struct ws_outq *queue, struct ws_loop *loop, struct ws_stream *stream);

/* For a large message while the queue is empty: writes the parts straight from the caller's memory and queues a copy of
 * what the stream did not take. Charged beforehand like any other. Returns as ws_outq_flush; -1 also where the copy
 * finds no memory (errno ENOMEM, EPIPE where the stream failed): the connection must then be broken off, since part of
 * the bytes may be out; nothing of them stays charged. Not empty: the parts are queued behind the rest. The total is
 * not 0.
 */
int ws_outq_write(struct ws_outq *queue, struct ws_loop *loop, struct ws_stream *stream, const struct iovec *parts,
                  int count);
