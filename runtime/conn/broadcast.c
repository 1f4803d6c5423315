#include "broadcast.h"

#include "compress.h"
#include "crowd.h"
#include "end.h"
#include "flush.h"
#include "protocol/close_code.h"
#include "send.h"
#include "tally.h"

/* The frame compressed for all receivers without a context. */
struct ws_shared_frame {
  struct ws_chunk *chunk; /* NULL: not made yet */
  size_t offset;
  size_t size;
};

int ws_broadcast_init(struct ws_broadcast *broadcast, const struct ws_outgoing *out, _Atomic int64_t *budget) {
  struct ws_error ignored;
  size_t header = ws_frame_header_size(out->size, false);
  broadcast->frame = ws_chunk_new(header + out->size);
  if (!broadcast->frame)
    return -1;
  broadcast->offset = header;
  broadcast->opcode = out->opcode;
  ws_chunk_count(broadcast->frame, budget);
  return ws_outgoing_encode(out, false, broadcast->frame->bytes, &ignored);
}

/* Makes the shared frame; the message uncompressed if zlib declines it. The header ends where the payload starts. The
 * work is the sender's. 0, or -1: no memory. */
static int ws_broadcast_compress(struct ws_conn *conn, const struct ws_broadcast *broadcast,
                                 struct ws_shared_frame *shared) {
  const uint8_t *payload = broadcast->frame->bytes + broadcast->offset;
  size_t n = broadcast->frame->size - broadcast->offset;
  struct ws_deflater *deflater = ws_compress_deflater(conn);
  struct ws_chunk *chunk = deflater ? ws_chunk_new(WS_FRAME_HEADER_MAX + ws_deflater_bound(deflater, n)) : NULL;
  if (!chunk)
    return -1;
  conn->group->thread->work_left -= (int64_t)n + WS_CAUSED_WORK;
  size_t size = ws_deflater_run(deflater, chunk->bytes + WS_FRAME_HEADER_MAX, payload, n);
  if (!size) {
    ws_chunk_unref(chunk);
    *shared = (struct ws_shared_frame){ws_chunk_ref(broadcast->frame), 0, broadcast->frame->size};
    return 0;
  }
  size_t header = ws_frame_header_size(size, false);
  size_t offset = WS_FRAME_HEADER_MAX - header;
  chunk = ws_chunk_shrink(chunk, WS_FRAME_HEADER_MAX + size);
  ws_chunk_count(chunk, broadcast->frame->budget);
  ws_frame_encode(chunk->bytes + offset, WS_FRAME_FIN | WS_FRAME_RSV1 | broadcast->opcode, size, NULL);
  *shared = (struct ws_shared_frame){chunk, offset, header + size};
  return 0;
}

/* Queues the frame that is compressed for all such receivers. */
static int ws_broadcast_share_compressed(struct ws_conn *conn, const struct ws_broadcast *broadcast,
                                         struct ws_shared_frame all[WS_WINDOWS]) {
  struct ws_shared_frame *shared = &all[ws_compress_window(conn)];
  if (!shared->chunk && ws_broadcast_compress(conn, broadcast, shared))
    return -1;
  if (ws_outq_share(&conn->out, ws_conn_loop(conn), shared->chunk, shared->offset, shared->size))
    return -1;
  ws_outq_charge(&conn->out, shared->size);
  return 0;
}

/* The work is the sender's. */
static int ws_broadcast_share_unready(struct ws_conn *conn, const struct ws_broadcast *broadcast) {
  size_t size = broadcast->frame->size;
  if (!ws_compress_prepare(conn) || ws_outq_share_unready(&conn->out, ws_conn_loop(conn), broadcast->frame, 0, size))
    return -1;
  conn->group->thread->work_left -= (int64_t)size + WS_CAUSED_WORK;
  if (!conn->blocked)
    ws_conn_queue_compression(conn);
  return 0;
}

/* Queues the frame, which is charged. */
static int ws_broadcast_queue(struct ws_conn *conn, const struct ws_broadcast *broadcast,
                              struct ws_shared_frame all[WS_WINDOWS]) {
  size_t size = broadcast->frame->size;
  int outcome;
  if (ws_compress_applies(conn, size) && conn->deflate.server_no_takeover) {
    ws_outq_discharge(&conn->out, size);
    return ws_broadcast_share_compressed(conn, broadcast, all);
  }
  if (ws_compress_applies(conn, size))
    outcome = ws_broadcast_share_unready(conn, broadcast);
  else
    outcome = ws_outq_share(&conn->out, ws_conn_loop(conn), broadcast->frame, 0, size);
  if (outcome)
    ws_outq_discharge(&conn->out, size);
  return outcome;
}

static void ws_broadcast_send_to(struct ws_conn *conn, const struct ws_broadcast *broadcast,
                                 struct ws_shared_frame all[WS_WINDOWS]) {
  if (!ws_send_reserve(conn, broadcast->frame->size)) {
    struct ws_exceeded queue = {"maxQueuedBytes", conn->group->rules->limits.max_queued_bytes};
    if (ws_conn_state(conn) != WS_CONN_ENDED)
      ws_end_fail(conn, WS_CLOSE_POLICY_VIOLATION, "too slow to take what is broadcast", &queue);
  } else if (ws_broadcast_queue(conn, broadcast, all)) {
    ws_end_drop(conn, WS_DROP_LOCAL, "out of memory");
  } else {
    ws_tally_sent(conn->group, broadcast->frame->size - broadcast->offset);
    conn->group->thread->work_left -= conn->group->thread->delivery_work;
    ws_crowd_queued(conn);
    ws_conn_queue_receiver(conn);
  }
}

void ws_broadcast_send(const struct ws_broadcast *broadcast, struct ws_conn *(*next)(void *walk), void *walk) {
  struct ws_loop_thread *thread = ws_loop_thread_current();
  struct ws_shared_frame all[WS_WINDOWS] = {0};
  struct ws_conn *conn;
  size_t count = 0;
  for (; (conn = next(walk)) != NULL; count++)
    ws_broadcast_send_to(conn, broadcast, all);
  ws_loop_thread_caused(thread, broadcast->frame->size, count);
  if (count > 0)
    thread->spread += (int64_t)broadcast->frame->size;
  for (int window = 0; window < WS_WINDOWS; window++)
    ws_chunk_unref(all[window].chunk);
}
