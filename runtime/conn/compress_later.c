#include "compress_later.h"

#include <string.h>

#include "compress.h"
#include "crowd.h"
#include "evict.h"
#include "flush.h"
#include "held.h"
#include "protocol/frame.h"

/* What a turn may compress, in bytes of messages, and what each frame costs besides its bytes. */
enum { WS_COMPRESS_WORK = 64 * 1024, WS_COMPRESS_FRAME = 256 };

/* The final form of the first unready piece, in the making; it follows in conn->compressor->packing. Its frames are
 * packed one by one. */
struct ws_packing {
  size_t read;    /* bytes of the piece that are done */
  size_t written; /* bytes that follow */
  bool started;   /* the deflater is within the frame at `read` */
  bool packed;    /* a frame was compressed */
};

static struct ws_frame ws_packing_frame(const struct ws_outq_piece *piece, size_t at) {
  struct ws_frame frame = {0};
  ws_frame_decode(&frame, (struct ws_frame_rules){.rsv1 = true}, piece->chunk->bytes + piece->offset + at,
                  piece->length - at);
  return frame;
}

static bool ws_packing_applies(const struct ws_frame *frame) {
  return !(frame->head & (WS_FRAME_CONTROL | WS_FRAME_RSV1)) && frame->length <= WS_DEFLATER_MESSAGE_MAX;
}

/* Makes room for the piece in its final form. Returns false if it is to be sent as it is: there is no memory for that,
 * or for a context, or the context was given up (evict.h). */
static bool ws_packing_begin(struct ws_conn *conn, const struct ws_outq_piece *piece) {
  bool ended = ws_conn_state(conn) > WS_CONN_CLOSING;
  struct ws_deflater *deflater = ended ? conn->compressor->deflater : ws_compress_deflater(conn);
  size_t room = sizeof(struct ws_packing);
  if (!deflater)
    return false;
  for (size_t at = 0; at < piece->length;) {
    struct ws_frame frame = ws_packing_frame(piece, at);
    size_t payload = (size_t)frame.length;
    room += WS_FRAME_HEADER_MAX + (ws_packing_applies(&frame) ? ws_deflater_bound(deflater, payload) : payload);
    at += frame.size + payload;
  }
  conn->compressor->packing = ws_chunk_new(room);
  if (conn->compressor->packing)
    *(struct ws_packing *)(void *)conn->compressor->packing->bytes = (struct ws_packing){0};
  return conn->compressor->packing != NULL;
}

/* Compresses up to *work bytes of the frame at packing->read. Returns true when it is done. */
static bool ws_packing_compress(struct ws_conn *conn, struct ws_packing *packing, const struct ws_frame *frame,
                                const uint8_t *from, int64_t *work) {
  uint8_t *to = (uint8_t *)(packing + 1) + packing->written;
  size_t most = *work < (int64_t)frame->length ? (size_t)*work : (size_t)frame->length;
  if (!packing->started)
    ws_deflater_begin(conn->compressor->deflater, to + WS_FRAME_HEADER_MAX, from + frame->size, (size_t)frame->length);
  packing->started = true;
  *work -= (int64_t)most;
  if (!ws_deflater_step(conn->compressor->deflater, most))
    return false;
  packing->started = false;
  size_t size = ws_deflater_end(conn->compressor->deflater);
  if (size == 0) {
    memcpy(to, from, frame->size + (size_t)frame->length);
    packing->written += frame->size + (size_t)frame->length;
  } else {
    size_t header = ws_frame_encode(to, (uint8_t)(frame->head | WS_FRAME_RSV1), size, NULL);
    memmove(to + header, to + WS_FRAME_HEADER_MAX, size);
    packing->written += header + size;
    packing->packed = true;
  }
  return true;
}

static void ws_packing_end(struct ws_conn *conn) {
  struct ws_packing *packing = (struct ws_packing *)(void *)conn->compressor->packing->bytes;
  struct ws_chunk *chunk = conn->compressor->packing;
  size_t size = packing->written;
  conn->compressor->packing = NULL;
  if (packing->packed) {
    chunk = ws_chunk_shrink(chunk, sizeof *packing + size);
    ws_outq_ready(&conn->out, ws_conn_loop(conn), chunk, sizeof *packing, size);
  } else {
    ws_chunk_unref(chunk);
    ws_outq_ready(&conn->out, ws_conn_loop(conn), NULL, 0, 0);
  }
}

/* Works on the first unready piece. Returns true when it is ready. `plain`: what is not compressed yet stays so, and
 * costs nothing. */
static bool ws_packing_run(struct ws_conn *conn, int64_t *work, bool plain) {
  const struct ws_outq_piece *piece = ws_outq_unready(&conn->out);
  if (!conn->compressor->packing && (plain || !ws_packing_begin(conn, piece))) {
    ws_outq_ready(&conn->out, ws_conn_loop(conn), NULL, 0, 0);
    return true;
  }
  struct ws_packing *packing = (struct ws_packing *)(void *)conn->compressor->packing->bytes;
  while (*work > 0 && piece->length > packing->read) {
    const uint8_t *from = piece->chunk->bytes + piece->offset + packing->read;
    struct ws_frame frame = ws_packing_frame(piece, packing->read);
    size_t size = frame.size + (size_t)frame.length;
    if (plain && packing->started)
      ws_deflater_decline(conn->compressor->deflater);
    if (!ws_packing_applies(&frame) || (plain && !packing->started)) {
      memcpy((uint8_t *)(packing + 1) + packing->written, from, size);
      packing->written += size;
    } else if (!ws_packing_compress(conn, packing, &frame, from, work)) {
      return false;
    }
    packing->read += size;
    *work -= WS_COMPRESS_FRAME;
  }
  if (packing->read < piece->length)
    return false;
  ws_packing_end(conn);
  return true;
}

/* ---- the queue of receivers */

void ws_compress_later_give_up(struct ws_conn *conn) {
  int64_t work = INT64_MAX;
  ws_packing_run(conn, &work, true);
  ws_flush(conn);
}

/* Returns false if the work of the turn ended within a piece: one message after the other, so that little memory is in
 * use. */
static bool ws_compress_later_some(struct ws_conn *conn, int64_t *work) {
  while (ws_outq_is_unready(&conn->out) && *work > 0) {
    if (!ws_packing_run(conn, work, false))
      return false;
    ws_crowd_wait_on(conn);
  }
  return true;
}

void ws_compress_later_resume(struct ws_loop_thread *thread) {
  int64_t work = WS_COMPRESS_WORK;
  while (work > 0 && !ws_queue_is_empty(&thread->compressing)) {
    struct ws_conn *conn = ws_container_of(thread->compressing.first, struct ws_compressor, node)->conn;
    bool flows = ws_conn_state(conn) != WS_CONN_ENDED && !conn->blocked;
    if (flows && !ws_compress_later_some(conn, &work))
      break;
    ws_queue_pop(&thread->compressing);
    conn->compressing = false;
    if (flows)
      ws_flush(conn);
    if (ws_conn_state(conn) != WS_CONN_ENDED && ws_held_count(conn))
      ws_evict(conn->group);
    ws_conn_unref(conn);
  }
  if (!ws_queue_is_empty(&thread->compressing))
    ws_loop_defer(thread->loop, &thread->compress);
}
