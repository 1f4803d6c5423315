#include "broadcast.h"

#include "compress.h"
#include "end.h"
#include "protocol/close_code.h"
#include "send.h"

/* The frame compressed for all receivers without a context, by window bits. */
struct ws_shared_frame {
  struct ws_chunk *chunk; /* NULL: not made yet */
  size_t offset;
  size_t size;
};

int ws_broadcast_init(struct ws_broadcast *broadcast, const struct ws_outgoing *out) {
  struct ws_error ignored;
  size_t header = ws_frame_header_size(out->size, false);
  broadcast->frame = ws_chunk_new(header + out->size);
  if (!broadcast->frame)
    return -1;
  broadcast->offset = header;
  broadcast->opcode = out->opcode;
  return ws_outgoing_encode(out, false, broadcast->frame->bytes, &ignored);
}

/* Makes the shared frame; the message uncompressed if zlib declines it. The header ends where the payload starts. 0, or
 * -1: no memory. */
static int ws_broadcast_compress(struct ws_conn *conn, const struct ws_broadcast *broadcast,
                                 struct ws_shared_frame *shared) {
  const uint8_t *payload = broadcast->frame->bytes + broadcast->offset;
  size_t n = broadcast->frame->size - broadcast->offset;
  struct ws_deflater *deflater = ws_compress_deflater(conn);
  struct ws_chunk *chunk = deflater ? ws_chunk_new(WS_FRAME_HEADER_MAX + ws_deflater_bound(deflater, n)) : NULL;
  if (!chunk)
    return -1;
  size_t size = ws_deflater_run(deflater, chunk->bytes + WS_FRAME_HEADER_MAX, payload, n);
  if (!size) {
    ws_chunk_unref(chunk);
    *shared = (struct ws_shared_frame){ws_chunk_ref(broadcast->frame), 0, broadcast->frame->size};
    return 0;
  }
  size_t header = ws_frame_header_size(size, false);
  size_t offset = WS_FRAME_HEADER_MAX - header;
  ws_frame_encode(chunk->bytes + offset, WS_FRAME_FIN | WS_FRAME_RSV1 | broadcast->opcode, size, NULL);
  *shared = (struct ws_shared_frame){chunk, offset, header + size};
  return 0;
}

static int ws_broadcast_compressed(struct ws_conn *conn, const struct ws_broadcast *broadcast,
                                   struct ws_shared_frame all[WS_DEFLATE_BITS_MAX + 1]) {
  struct ws_shared_frame *shared = &all[conn->deflate.server_bits];
  if (!conn->deflate.server_no_takeover)
    return ws_compress_message(conn, broadcast->opcode, broadcast->frame->bytes + broadcast->offset,
                               broadcast->frame->size - broadcast->offset);
  if (!shared->chunk && ws_broadcast_compress(conn, broadcast, shared))
    return -1;
  if (ws_outq_share(&conn->out, ws_conn_loop(conn), shared->chunk, shared->offset, shared->size))
    return -1;
  ws_outq_charge(&conn->out, shared->size);
  return 0;
}

static void ws_broadcast_send_to(struct ws_conn *conn, const struct ws_broadcast *broadcast,
                                 struct ws_shared_frame all[WS_DEFLATE_BITS_MAX + 1]) {
  size_t size = broadcast->frame->size;
  int outcome;
  if (!ws_send_reserve(conn, size)) {
    struct ws_exceeded queue = {"maxQueuedBytes", conn->group->rules->limits.max_queued_bytes};
    if (ws_conn_state(conn) == WS_CONN_OPEN)
      ws_end_fail(conn, WS_CLOSE_POLICY_VIOLATION, "too slow to take what is broadcast", &queue);
    return;
  }
  if (ws_compress_applies(conn, size)) {
    ws_outq_discharge(&conn->out, size);
    outcome = ws_broadcast_compressed(conn, broadcast, all);
  } else {
    outcome = ws_outq_share(&conn->out, ws_conn_loop(conn), broadcast->frame, 0, size);
    if (outcome)
      ws_outq_discharge(&conn->out, size);
  }
  if (outcome)
    ws_end_drop(conn, WS_DROP_LOCAL, "out of memory");
  else
    ws_conn_queue(conn);
}

void ws_broadcast_send(const struct ws_broadcast *broadcast, struct ws_list *members) {
  struct ws_shared_frame all[WS_DEFLATE_BITS_MAX + 1] = {0};
  for (struct ws_list_node *node = members->first; node; node = node->next) {
    struct ws_conn *conn = ws_conn_of_member(node);
    if (ws_conn_state(conn) == WS_CONN_OPEN)
      ws_broadcast_send_to(conn, broadcast, all);
  }
  for (int bits = 0; bits <= WS_DEFLATE_BITS_MAX; bits++)
    ws_chunk_unref(all[bits].chunk);
}
