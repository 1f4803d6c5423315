#include "send.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "handle.h"
#include "osprey/log.h"
#include "abi/lookup.h"
#include "protocol/base64.h"
#include "protocol/close_code.h"
#include "protocol/text.h"
#include "random.h"
#include "io/wait.h"

enum {
  WS_DIRECT_MIN = 16 * 1024,   /* from here on an empty queue is passed by: the message is written from where it lies */
  WS_FLUSH_EARLY = 256 * 1024, /* more than this is not kept for the end of the turn */
  WS_COPY_MAX = 2048,          /* up to here a block's bytes are copied rather than shared */
  WS_DECODE_SLACK = 3,         /* the decoder may write a whole group before it sees that the padding is wrong */
};

/* ---- the message */

/* Whether it is the very text that the handler which runs here was given: validated when it came. */
static bool ws_outgoing_is_in_hand(struct ws_outgoing *out, const char *op, const char *text) {
  const struct ws_loop_thread *here = ws_loop_thread_current();
  if (!here || here->call.text != text)
    return false;
  *out = (struct ws_outgoing){
      .op = op,
      .text = text,
      .host_size = here->call.text_size,
      .size = here->call.text_size,
      .opcode = WS_OPCODE_TEXT,
      .plain = true,
  };
  return true;
}

int ws_outgoing_text(struct ws_outgoing *out, const char *op, const char *text, struct ws_error *error) {
  struct ws_text_extent extent;
  if (ws_outgoing_is_in_hand(out, op, text))
    return 0;
  enum ws_text_outcome outcome = ws_text_measure(text, &extent);
  *out = (struct ws_outgoing){
      .op = op,
      .text = text,
      .host_size = extent.host_size,
      .size = extent.wire_size,
      .opcode = WS_OPCODE_TEXT,
      .plain = outcome == WS_TEXT_SAME,
  };
  if (outcome == WS_TEXT_INVALID)
    ws_error_not_utf8(error, op, "the message", extent.error_offset);
  return outcome == WS_TEXT_INVALID ? -1 : 0;
}

int ws_outgoing_base64(struct ws_outgoing *out, const char *op, const char *base64, struct ws_error *error) {
  size_t n = strlen(base64);
  size_t padding = n >= 1 && base64[n - 1] == '=' ? (n >= 2 && base64[n - 2] == '=' ? 2 : 1) : 0;
  *out = (struct ws_outgoing){
      .op = op,
      .text = base64,
      .host_size = n,
      .size = n / 4 * 3 - (n >= 4 ? padding : 0),
      .opcode = WS_OPCODE_BINARY,
  };
  if (n % 4 == 0)
    return 0;
  /* The length alone is wrong; the decoder knows where. */
  uint8_t *scratch = ws_mem_alloc(ws_base64_decoded_max(n) + 1);
  size_t size;
  size_t offset = n;
  if (scratch)
    ws_base64_decode(scratch, base64, n, &size, &offset);
  ws_mem_free(scratch);
  ws_error_not_base64(error, offset);
  return -1;
}

/* Writes out->size bytes of payload. 0, or -1 with the error set. */
static int ws_outgoing_write(const struct ws_outgoing *out, uint8_t *to, struct ws_error *error) {
  size_t size;
  size_t offset;
  if (out->plain) {
    memcpy(to, out->text, out->size);
  } else if (out->opcode == WS_OPCODE_TEXT) {
    ws_text_from_host(to, out->text, out->host_size);
  } else if (ws_base64_decode(to, out->text, out->host_size, &size, &offset)) {
    ws_error_not_base64(error, offset);
    return -1;
  }
  return 0;
}

/* Writes the whole frame. 0, or -1 with the error set. */
static int ws_outgoing_encode(const struct ws_outgoing *out, bool masked, uint8_t *to, struct ws_error *error) {
  uint8_t key[4];
  if (masked && ws_random_mask(key)) {
    ws_error_system(error, out->op, "no random bytes for the mask");
    return -1;
  }
  size_t header = ws_frame_encode(to, WS_FRAME_FIN | out->opcode, out->size, masked ? key : NULL);
  if (ws_outgoing_write(out, to + header, error))
    return -1;
  if (masked)
    ws_frame_mask(to + header, to + header, out->size, key);
  return 0;
}

/* ---- compression */

/* A message too long for zlib's numbers goes as it is, which any peer takes. */
static bool ws_conn_compresses(const struct ws_conn *conn, size_t size) {
  return ws_deflate_in_use(&conn->deflate) && size <= WS_DEFLATE_MESSAGE_MAX;
}

/* The connection's own where it keeps a context, else the one that its worker has for all. NULL: no memory. */
static struct ws_deflater *ws_conn_deflater(struct ws_conn *conn) {
  bool server = conn->group->rules->role == WS_ROLE_SERVER;
  uint8_t bits = server ? conn->deflate.server_bits : conn->deflate.client_bits;
  bool no_takeover = server ? conn->deflate.server_no_takeover : conn->deflate.client_no_takeover;
  struct ws_deflater **kept = no_takeover ? &conn->group->thread->deflaters[bits] : &conn->deflater;
  if (!*kept)
    *kept = ws_deflater_new(bits, no_takeover);
  return *kept;
}

/* Compresses and queues a message on its thread. 0, or -1: no memory, nothing queued. */
static int ws_conn_put_compressed(struct ws_conn *conn, uint8_t opcode, const uint8_t *payload, size_t n) {
  struct ws_deflater *deflater = ws_conn_deflater(conn);
  uint8_t *bytes = deflater ? ws_mem_alloc(ws_deflater_bound(deflater, n)) : NULL;
  if (!bytes)
    return -1;
  size_t size = ws_deflater_run(deflater, bytes, payload, n);
  int outcome = size ? ws_conn_put_frame(conn, (uint8_t)(WS_FRAME_FIN | WS_FRAME_RSV1 | opcode), bytes, size)
                     : ws_conn_put_frame(conn, (uint8_t)(WS_FRAME_FIN | opcode), payload, n);
  ws_mem_free(bytes);
  /* The peer's context would miss what was compressed and not sent. */
  if (outcome)
    ws_conn_drop(conn);
  return outcome;
}

/* ---- on the connection's worker */

/* Room for n more bytes, if need be after writing what the socket takes now. */
static bool ws_conn_make_room(struct ws_conn *conn, size_t n) {
  size_t cap = conn->group->rules->max_queued_bytes;
  if (ws_outq_try_charge(&conn->out, n, cap))
    return true;
  if (conn->blocked || conn->held)
    return false;
  ws_conn_flush(conn);
  return ws_conn_state(conn) != WS_CONN_ENDED && ws_outq_try_charge(&conn->out, n, cap);
}

static void ws_conn_queued(struct ws_conn *conn) {
  ws_conn_mark_dirty(conn);
  if (!conn->blocked && ws_outq_bytes(&conn->out) > WS_FLUSH_EARLY)
    ws_conn_flush(conn);
}

static int ws_send_compressed(struct ws_conn *conn, const struct ws_outgoing *out, struct ws_error *error) {
  uint8_t *payload = ws_mem_alloc(out->size + WS_DECODE_SLACK);
  int outcome = -1;
  if (!payload)
    ws_error_memory(error, out->op);
  else if (ws_outgoing_write(out, payload, error) == 0) {
    outcome = ws_conn_put_compressed(conn, out->opcode, payload, out->size);
    if (outcome)
      ws_error_memory(error, out->op);
  }
  ws_mem_free(payload);
  return outcome;
}

/* The message as it lies in the caller's memory, into the socket. */
static int ws_send_direct(struct ws_conn *conn, const struct ws_outgoing *out, struct ws_error *error) {
  uint8_t header[WS_FRAME_HEADER_MAX];
  size_t n = ws_frame_encode(header, WS_FRAME_FIN | out->opcode, out->size, NULL);
  struct iovec parts[2] = {{header, n}, {(void *)(uintptr_t)out->text, out->size}};
  int outcome = ws_outq_write(&conn->out, conn->group->thread->loop, &conn->stream, parts, 2);
  if (outcome < 0) {
    ws_error_closed(error, out->op, conn->id);
    ws_conn_drop(conn);
    return -1;
  }
  if (outcome == WS_OUTQ_BLOCKED)
    ws_conn_mark_dirty(conn);
  return 0;
}

static int ws_send_gathered(struct ws_conn *conn, const struct ws_outgoing *out, size_t size, struct ws_error *error) {
  struct ws_loop *loop = conn->group->thread->loop;
  uint8_t *to = ws_outq_reserve(&conn->out, loop, size + WS_DECODE_SLACK);
  if (!to) {
    ws_error_memory(error, out->op);
    return -1;
  }
  int outcome = ws_outgoing_encode(out, conn->group->rules->role == WS_ROLE_CLIENT, to, error);
  /* Also where it is nothing: a piece that was reserved and stays empty would be written for ever. */
  ws_outq_commit(&conn->out, loop, outcome == 0 ? size : 0);
  return outcome;
}

static int ws_send_local(struct ws_conn *conn, const struct ws_outgoing *out, size_t size, struct ws_error *error) {
  bool compresses = ws_conn_compresses(conn, out->size);
  int outcome;
  ws_conn_ref(conn);
  if (!ws_conn_make_room(conn, size)) {
    ws_error_queue_full(error, out->op, conn->id, out->size, ws_outq_bytes(&conn->out),
                        conn->group->rules->max_queued_bytes);
    outcome = -1;
  } else if (compresses) {
    ws_outq_discharge(&conn->out, size);
    outcome = ws_send_compressed(conn, out, error);
  } else if (out->plain && out->size >= WS_DIRECT_MIN && conn->group->rules->role == WS_ROLE_SERVER && !conn->held &&
             ws_outq_empty(&conn->out)) {
    outcome = ws_send_direct(conn, out, error);
  } else {
    outcome = ws_send_gathered(conn, out, size, error);
    if (outcome)
      ws_outq_discharge(&conn->out, size);
  }
  if (outcome == 0 && ws_conn_state(conn) != WS_CONN_ENDED && !ws_outq_empty(&conn->out))
    ws_conn_queued(conn);
  ws_conn_unref(conn);
  return outcome;
}

/* ---- from any other thread */

/* Stands at the front of its chunk; the frame (or with compression the payload alone) follows. */
struct ws_send_task {
  struct ws_task task;
  struct ws_conn *conn; /* pinned */
  struct ws_chunk *chunk;
  size_t size; /* of what follows */
  size_t charged;
  uint8_t opcode; /* compress and send so; 0: it is a frame */
};

/* Queues what the task brings. 0, or -1: no memory, and the chunk is still the task's. */
static int ws_send_take(struct ws_send_task *send, struct ws_conn *conn) {
  struct ws_loop *loop = conn->group->thread->loop;
  const uint8_t *bytes = send->chunk->bytes + sizeof *send;
  if (send->size > WS_COPY_MAX)
    return ws_outq_take(&conn->out, loop, send->chunk, sizeof *send, send->size);
  if (ws_outq_append(&conn->out, loop, bytes, send->size))
    return -1;
  ws_chunk_unref(send->chunk);
  return 0;
}

static void ws_send_run(struct ws_loop *loop, struct ws_task *task) {
  struct ws_send_task *send = (struct ws_send_task *)task;
  struct ws_conn *conn = send->conn;
  struct ws_chunk *chunk = send->chunk;
  bool open = ws_conn_state(conn) <= WS_CONN_OPEN;
  (void)loop;
  atomic_fetch_sub_explicit(&conn->posted, 1, memory_order_relaxed);
  ws_conn_ref(conn);
  if (!open || send->opcode)
    ws_outq_discharge(&conn->out, send->charged);
  if (!open || send->opcode) {
    if (open && ws_conn_put_compressed(conn, send->opcode, chunk->bytes + sizeof *send, send->size))
      ws_conn_drop(conn);
    ws_chunk_unref(chunk);
  } else if (ws_send_take(send, conn)) {
    ws_outq_discharge(&conn->out, send->charged);
    ws_chunk_unref(chunk);
    ws_conn_drop(conn);
  }
  if (open && ws_conn_state(conn) != WS_CONN_ENDED)
    ws_conn_queued(conn);
  ws_conn_unref(conn);
  ws_conn_unpin(conn);
}

struct ws_send_room {
  struct ws_conn *conn;
  size_t size;
  bool charged;
};

/* Charges the message, or finds that there is no point in waiting. */
static bool ws_send_has_room(void *context) {
  struct ws_send_room *room = context;
  struct ws_conn *conn = room->conn;
  if (ws_conn_state(conn) > WS_CONN_OPEN)
    return true;
  if (atomic_load_explicit(&conn->posted, memory_order_relaxed) >= WS_POSTED_MAX)
    return false;
  room->charged = ws_outq_try_charge(&conn->out, room->size, conn->group->rules->max_queued_bytes);
  return room->charged;
}

/* Waits for room where the thread may wait. 0 and charged, or -1 with the error set. */
static int ws_send_charge(struct ws_conn *conn, const struct ws_outgoing *out, size_t size, struct ws_error *error) {
  struct ws_send_room room = {.conn = conn, .size = size};
  if (!ws_send_has_room(&room) && !ws_loop_thread_current())
    ws_wait_until(ws_clock_ms() + WS_SEND_TIMEOUT_MS, ws_send_has_room, &room);
  if (room.charged)
    return 0;
  if (ws_check_open(out->op, conn, error) == 0)
    ws_error_queue_full(error, out->op, conn->id, out->size, ws_outq_bytes(&conn->out),
                        conn->group->rules->max_queued_bytes);
  return -1;
}

static int ws_send_remote(struct ws_conn *conn, const struct ws_outgoing *out, size_t frame_size,
                          struct ws_error *error) {
  bool compresses = ws_conn_compresses(conn, out->size);
  size_t size = compresses ? out->size : frame_size;
  if (ws_send_charge(conn, out, frame_size, error))
    return -1;
  struct ws_chunk *chunk = ws_chunk_new(sizeof(struct ws_send_task) + size + WS_DECODE_SLACK);
  int outcome = -1;
  if (!chunk) {
    ws_error_memory(error, out->op);
  } else {
    uint8_t *to = chunk->bytes + sizeof(struct ws_send_task);
    bool masked = conn->group->rules->role == WS_ROLE_CLIENT;
    outcome = compresses ? ws_outgoing_write(out, to, error) : ws_outgoing_encode(out, masked, to, error);
  }
  if (outcome) {
    ws_chunk_unref(chunk);
    ws_outq_discharge(&conn->out, frame_size);
    return -1;
  }
  struct ws_send_task *send = (struct ws_send_task *)(void *)chunk->bytes;
  *send = (struct ws_send_task){
      .task.run = ws_send_run,
      .conn = conn,
      .chunk = chunk,
      .size = size,
      .charged = frame_size,
      .opcode = compresses ? out->opcode : 0,
  };
  atomic_fetch_add_explicit(&conn->posted, 1, memory_order_relaxed);
  ws_handle_pin_again(conn->id);
  ws_loop_post(conn->group->thread->loop, &send->task);
  return 0;
}

int ws_send(int64_t id, int64_t server, const struct ws_outgoing *out, struct ws_error *error) {
  struct ws_found found;
  int outcome = -1;
  if (ws_find_open(out->op, id, &found, error))
    return -1;
  const struct ws_rules *rules = found.conn->group->rules;
  size_t size = ws_frame_header_size(out->size, rules->role == WS_ROLE_CLIENT) + out->size;
  if (server && (!found.conn->group->server || found.conn->group->server->id != server))
    ws_error_foreign(error, out->op, id, server);
  else if (out->size > rules->max_queued_bytes)
    ws_error_too_big(error, out->op, out->size, rules->max_queued_bytes);
  else
    outcome = found.local ? ws_send_local(found.conn, out, size, error) : ws_send_remote(found.conn, out, size, error);
  ws_found_done(&found);
  return outcome;
}

/* ---- broadcasts */

int ws_broadcast_encode(struct ws_broadcast *broadcast, const struct ws_outgoing *out) {
  struct ws_error ignored;
  size_t header = ws_frame_header_size(out->size, false);
  broadcast->frame = ws_chunk_new(header + out->size);
  if (!broadcast->frame)
    return -1;
  broadcast->offset = header;
  broadcast->opcode = out->opcode;
  return ws_outgoing_encode(out, false, broadcast->frame->bytes, &ignored);
}

/* The header is as long as the size asks for: it ends where the payload begins. 0, or -1: no memory. */
static int ws_broadcast_compress(struct ws_conn *conn, const struct ws_broadcast *broadcast,
                                 struct ws_compressed *compressed) {
  const uint8_t *payload = broadcast->frame->bytes + broadcast->offset;
  size_t n = broadcast->frame->size - broadcast->offset;
  struct ws_deflater *deflater = ws_conn_deflater(conn);
  struct ws_chunk *chunk = deflater ? ws_chunk_new(WS_FRAME_HEADER_MAX + ws_deflater_bound(deflater, n)) : NULL;
  if (!chunk)
    return -1;
  size_t size = ws_deflater_run(deflater, chunk->bytes + WS_FRAME_HEADER_MAX, payload, n);
  if (!size) {
    ws_chunk_unref(chunk);
    *compressed = (struct ws_compressed){ws_chunk_ref(broadcast->frame), 0, broadcast->frame->size};
    return 0;
  }
  size_t header = ws_frame_header_size(size, false);
  size_t offset = WS_FRAME_HEADER_MAX - header;
  ws_frame_encode(chunk->bytes + offset, WS_FRAME_FIN | WS_FRAME_RSV1 | broadcast->opcode, size, NULL);
  *compressed = (struct ws_compressed){chunk, offset, header + size};
  return 0;
}

/* Queues the compressed frame that is shared, or one of the connection's own context. 0, or -1: no memory. */
static int ws_broadcast_compressed_to(struct ws_conn *conn, const struct ws_broadcast *broadcast,
                                      struct ws_compressed all[WS_DEFLATE_BITS_MAX + 1]) {
  struct ws_compressed *shared = &all[conn->deflate.server_bits];
  if (!conn->deflate.server_no_takeover)
    return ws_conn_put_compressed(conn, broadcast->opcode, broadcast->frame->bytes + broadcast->offset,
                                  broadcast->frame->size - broadcast->offset);
  if (!shared->chunk && ws_broadcast_compress(conn, broadcast, shared))
    return -1;
  if (ws_outq_take(&conn->out, conn->group->thread->loop, ws_chunk_ref(shared->chunk), shared->offset, shared->size)) {
    ws_chunk_unref(shared->chunk);
    return -1;
  }
  ws_outq_charge(&conn->out, shared->size);
  return 0;
}

void ws_broadcast_to(struct ws_conn *conn, const struct ws_broadcast *broadcast,
                     struct ws_compressed compressed[WS_DEFLATE_BITS_MAX + 1]) {
  struct ws_chunk *frame = broadcast->frame;
  size_t size = frame->size;
  if (!ws_conn_make_room(conn, size)) {
    if (ws_conn_state(conn) == WS_CONN_OPEN)
      ws_conn_fail_at(conn, WS_CLOSE_POLICY_VIOLATION, "too slow to take what is broadcast", "maxQueuedBytes",
                      conn->group->rules->max_queued_bytes);
    return;
  }
  if (ws_conn_compresses(conn, size)) {
    ws_outq_discharge(&conn->out, size);
    if (ws_broadcast_compressed_to(conn, broadcast, compressed))
      ws_conn_drop(conn);
  } else if (ws_outq_take(&conn->out, conn->group->thread->loop, ws_chunk_ref(frame), 0, size)) {
    ws_chunk_unref(frame);
    ws_outq_discharge(&conn->out, size);
    ws_conn_drop(conn);
    return;
  }
  ws_conn_mark_dirty(conn);
}
