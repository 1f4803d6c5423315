#include "send.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/path.h"
#include "compress.h"
#include "compress_later.h"
#include "end.h"
#include "flush.h"
#include "handle.h"
#include "io/wait.h"
#include "tally.h"

enum {
  WS_SEND_DIRECT_MIN = 16 * 1024, /* from this size, a message to an empty queue is written from the caller's memory */
  WS_SEND_FLUSH_EARLY = 256 * 1024, /* more than this is written before the end of the turn */
  WS_SEND_COPY_MAX = 2048,          /* up to this size a posted message is copied into the queue rather than shared */
};

/* ---- on the connection's loop thread */

bool ws_send_reserve(struct ws_conn *conn, size_t n) {
  size_t cap = (size_t)conn->group->rules->limits.max_queued_bytes;
  if (ws_outq_try_charge(&conn->out, n, cap))
    return true;
  if (conn->blocked || conn->corked)
    return false;
  ws_flush(conn);
  while (ws_conn_state(conn) != WS_CONN_ENDED && !ws_outq_try_charge(&conn->out, n, cap)) {
    if (conn->blocked || !ws_outq_is_unready(&conn->out))
      return false;
    ws_compress_later_give_up(conn);
  }
  return ws_conn_state(conn) != WS_CONN_ENDED;
}

static void ws_send_queued(struct ws_conn *conn) {
  ws_conn_queue(conn);
  if (!conn->blocked && ws_outq_bytes(&conn->out) > WS_SEND_FLUSH_EARLY)
    ws_flush(conn);
}

WS_ASIDE static int ws_send_compressed(struct ws_conn *conn, const struct ws_outgoing *out, struct ws_error *error) {
  uint8_t *payload = ws_mem_alloc(out->size + WS_OUTGOING_SLACK);
  int outcome = -1;
  if (!payload)
    ws_error_memory(error, out->op);
  else if (ws_outgoing_write(out, payload, error) == 0) {
    outcome = ws_compress_message(conn, out->opcode, payload, out->size);
    if (outcome)
      ws_error_memory(error, out->op);
  }
  ws_mem_free(payload);
  return outcome;
}

/* Writes a large message from the caller's memory to the socket, without a copy. */
WS_ASIDE static int ws_send_direct(struct ws_conn *conn, const struct ws_outgoing *out, struct ws_error *error) {
  uint8_t header[WS_FRAME_HEADER_MAX];
  size_t n = ws_frame_encode(header, WS_FRAME_FIN | out->opcode, out->size, NULL);
  struct iovec parts[2] = {{header, n}, {(void *)(uintptr_t)out->text, out->size}};
  int outcome = ws_outq_write(&conn->out, ws_conn_loop(conn), &conn->stream, parts, 2);
  if (outcome < 0) {
    ws_error_closed(error, out->op, conn->id);
    ws_end_drop(conn, WS_DROP_PEER, ws_stream_error(&conn->stream));
    return -1;
  }
  if (outcome == WS_OUTQ_BLOCKED)
    ws_conn_queue(conn);
  return 0;
}

static int ws_send_gathered(struct ws_conn *conn, const struct ws_outgoing *out, size_t size, struct ws_error *error) {
  uint8_t *to = ws_outq_reserve(&conn->out, ws_conn_loop(conn), size + WS_OUTGOING_SLACK);
  if (!to) {
    ws_error_memory(error, out->op);
    return -1;
  }
  int outcome = ws_outgoing_encode(out, conn->group->rules->role == WS_ROLE_CLIENT, to, error);
  /* A reserved piece must be committed even if it stays empty. */
  ws_outq_commit(&conn->out, ws_conn_loop(conn), outcome == 0 ? size : 0);
  return outcome;
}

static int ws_send_local(struct ws_conn *conn, const struct ws_outgoing *out, size_t size, struct ws_error *error) {
  bool compresses = ws_compress_applies(conn, out->size);
  int outcome;
  ws_conn_ref(conn);
  if (!ws_send_reserve(conn, size)) {
    ws_error_queue_full(error, out->op, conn->id, out->size, ws_outq_bytes(&conn->out),
                        (size_t)conn->group->rules->limits.max_queued_bytes);
    outcome = -1;
  } else if (compresses) {
    ws_outq_discharge(&conn->out, size);
    outcome = ws_send_compressed(conn, out, error);
  } else if (out->plain && out->size >= WS_SEND_DIRECT_MIN && conn->group->rules->role == WS_ROLE_SERVER &&
             !conn->corked && ws_outq_empty(&conn->out)) {
    outcome = ws_send_direct(conn, out, error);
  } else {
    outcome = ws_send_gathered(conn, out, size, error);
    if (outcome)
      ws_outq_discharge(&conn->out, size);
  }
  if (outcome == 0)
    ws_tally_sent(conn->group, out->size);
  if (outcome == 0 && ws_conn_state(conn) != WS_CONN_ENDED && !ws_outq_empty(&conn->out))
    ws_send_queued(conn);
  ws_conn_unref(conn);
  return outcome;
}

bool ws_send_straight(struct ws_conn *conn, const struct ws_outgoing *out) {
  const struct ws_rules *rules = conn->group->rules;
  size_t cap = (size_t)rules->limits.max_queued_bytes;
  size_t size = ws_frame_header_size(out->size, false) + out->size;
  if (out->size >= WS_SEND_DIRECT_MIN || size > cap || rules->role != WS_ROLE_SERVER ||
      ws_compress_applies(conn, out->size) || atomic_load_explicit(&conn->posted, memory_order_relaxed) ||
      !ws_outq_try_charge(&conn->out, size, cap))
    return false;
  uint8_t *to = ws_outq_extend(&conn->out, ws_conn_loop(conn), size);
  if (!to) {
    ws_outq_discharge(&conn->out, size);
    return false;
  }
  size_t header = ws_frame_encode(to, WS_FRAME_FIN | out->opcode, out->size, NULL);
  memcpy(to + header, out->text, out->size);
  ws_tally_sent(conn->group, out->size);
  ws_send_queued(conn);
  return true;
}

/* ---- from any other thread */

/* At the front of its chunk; the frame follows, or the payload if it is to be compressed. */
struct ws_posted_send {
  struct ws_task task;
  struct ws_conn *conn; /* pinned */
  struct ws_chunk *chunk;
  size_t size; /* of what follows */
  size_t charged;
  size_t payload;
  uint8_t opcode; /* of the payload to compress; 0: a frame follows */
  bool own;       /* the loop thread itself posted it */
  bool late;      /* the connection closed meanwhile, and the sender gets an Err */
};

/* Queues the posted frame and takes over its chunk. 0, or -1: no memory, the chunk is still the caller's. */
static int ws_send_take(struct ws_posted_send *send, struct ws_conn *conn) {
  struct ws_loop *loop = ws_conn_loop(conn);
  const uint8_t *bytes = send->chunk->bytes + sizeof *send;
  if (send->size > WS_SEND_COPY_MAX)
    return ws_outq_take(&conn->out, loop, send->chunk, sizeof *send, send->size);
  if (ws_outq_append(&conn->out, loop, bytes, send->size))
    return -1;
  ws_chunk_unref(send->chunk);
  return 0;
}

static void ws_send_run(struct ws_loop *loop, struct ws_task *task) {
  struct ws_posted_send *send = (struct ws_posted_send *)task;
  struct ws_conn *conn = send->conn;
  struct ws_chunk *chunk = send->chunk;
  size_t payload = send->payload;
  bool open = !send->late && (ws_conn_state(conn) <= WS_CONN_OPEN || conn->close_posted);
  (void)loop;
  bool last = atomic_fetch_sub_explicit(&conn->posted, 1, memory_order_relaxed) == 1;
  if (send->own)
    conn->group->thread->behind--;
  ws_conn_ref(conn);
  if (!open || send->opcode)
    ws_outq_discharge(&conn->out, send->charged);
  if (!open || send->opcode) {
    if (open && ws_compress_message(conn, send->opcode, chunk->bytes + sizeof *send, send->size))
      ws_end_drop(conn, WS_DROP_LOCAL, "out of memory");
    ws_chunk_unref(chunk);
  } else if (ws_send_take(send, conn)) {
    ws_outq_discharge(&conn->out, send->charged);
    ws_chunk_unref(chunk);
    ws_end_drop(conn, WS_DROP_LOCAL, "out of memory");
  }
  if (open && ws_conn_state(conn) != WS_CONN_ENDED) {
    ws_tally_sent(conn->group, payload);
    ws_send_queued(conn);
  }
  if (last)
    ws_end_posted_are_queued(conn);
  ws_conn_unref(conn);
  ws_conn_unpin(conn);
}

struct ws_wanted_room {
  struct ws_conn *conn;
  size_t size;
  size_t queued; /* as the latest look found it: the peer may take some before the Err is written */
  bool charged;
};

/* Returns true once the message is charged, or if waiting is pointless. */
static bool ws_send_has_room(void *context) {
  struct ws_wanted_room *room = context;
  struct ws_conn *conn = room->conn;
  if (ws_conn_state(conn) > WS_CONN_OPEN)
    return true;
  room->queued = ws_outq_bytes(&conn->out);
  if (atomic_load_explicit(&conn->posted, memory_order_relaxed) >= WS_SEND_POSTED_MAX)
    return false;
  room->charged = ws_outq_try_charge(&conn->out, room->size, (size_t)conn->group->rules->limits.max_queued_bytes);
  return room->charged;
}

/* Waits for room, except on a loop thread, which writes its own queue. 0 and charged, or -1 with the error set. */
static int ws_send_charge(struct ws_conn *conn, const struct ws_outgoing *out, size_t size, struct ws_error *error) {
  struct ws_wanted_room room = {.conn = conn, .size = size};
  const struct ws_loop_thread *here = ws_loop_thread_current();
  if (!ws_send_has_room(&room)) {
    if (!here)
      ws_wait_until(ws_clock_ms() + WS_SEND_TIMEOUT_MS, ws_send_has_room, &room);
    else if (here == conn->group->thread)
      room.charged = ws_send_reserve(conn, size);
  }
  if (room.charged)
    return 0;
  if (ws_conn_check_open(out->op, conn, error) == 0)
    ws_error_queue_full(error, out->op, conn->id, out->size, room.queued,
                        (size_t)conn->group->rules->limits.max_queued_bytes);
  return -1;
}

/* Returns true if the connection is still open. Otherwise its close may not have seen this message in `posted`,
 * and the frame may be out: the task only takes back what is charged. */
static bool ws_send_post(struct ws_posted_send *send) {
  struct ws_conn *conn = send->conn;
  if (send->own)
    conn->group->thread->behind++;
  ws_handle_pin_again(ws_conn_handle(conn));
  atomic_fetch_add(&conn->posted, 1);
  bool late = ws_conn_state(conn) > WS_CONN_OPEN;
  send->late = late;
  ws_loop_post(ws_conn_loop(conn), &send->task);
  return !late;
}

WS_ASIDE static int ws_send_remote(struct ws_conn *conn, const struct ws_outgoing *out, size_t frame_size,
                                   struct ws_error *error) {
  bool compresses = ws_compress_applies(conn, out->size);
  size_t size = compresses ? out->size : frame_size;
  if (ws_send_charge(conn, out, frame_size, error))
    return -1;
  struct ws_chunk *chunk = ws_chunk_new(sizeof(struct ws_posted_send) + size + WS_OUTGOING_SLACK);
  int outcome = -1;
  if (!chunk) {
    ws_error_memory(error, out->op);
  } else {
    uint8_t *to = chunk->bytes + sizeof(struct ws_posted_send);
    bool masked = conn->group->rules->role == WS_ROLE_CLIENT;
    outcome = compresses ? ws_outgoing_write(out, to, error) : ws_outgoing_encode(out, masked, to, error);
  }
  if (outcome) {
    ws_chunk_unref(chunk);
    ws_outq_discharge(&conn->out, frame_size);
    return -1;
  }
  struct ws_posted_send *send = (struct ws_posted_send *)(void *)chunk->bytes;
  *send = (struct ws_posted_send){
      .task.run = ws_send_run,
      .conn = conn,
      .chunk = chunk,
      .size = size,
      .charged = frame_size,
      .payload = out->size,
      .opcode = compresses ? out->opcode : 0,
      .own = conn->group->thread == ws_loop_thread_current(),
  };
  if (ws_send_post(send))
    return 0;
  if (ws_conn_check_open(out->op, conn, error) == 0)
    ws_error_closing(error, out->op, conn->id);
  return -1;
}

int ws_send(struct ws_conn *conn, bool local, const struct ws_outgoing *out, struct ws_error *error) {
  const struct ws_rules *rules = conn->group->rules;
  size_t size = ws_frame_header_size(out->size, rules->role == WS_ROLE_CLIENT) + out->size;
  if (out->size > (size_t)rules->limits.max_queued_bytes) {
    ws_error_too_big(error, out->op, out->size, (size_t)rules->limits.max_queued_bytes);
    return -1;
  }
  bool next = local && atomic_load_explicit(&conn->posted, memory_order_relaxed) == 0;
  return next ? ws_send_local(conn, out, size, error) : ws_send_remote(conn, out, size, error);
}
