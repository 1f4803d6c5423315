#include "held.h"

#include "protocol/deflater.h"

enum {
  WS_HELD_HEAD = 16 * 1024, /* a head in progress, at most */
  WS_HELD_TLS = 24 * 1024,  /* OpenSSL's state of an idle connection: an estimate */
  /* With its buffers, for a record to read and one to write. */
  WS_HELD_TLS_KEPT = WS_HELD_TLS + 34 * 1024,
  WS_HELD_STEP = 4 * 1024, /* smaller changes are not counted yet */
};

static size_t ws_held_of_compressor(const struct ws_compressor *compressor) {
  size_t bytes = sizeof *compressor;
  if (compressor->deflater)
    bytes += ws_deflater_held(compressor->deflater);
  if (compressor->packing)
    bytes += sizeof *compressor->packing + compressor->packing->size;
  return bytes;
}

static int64_t ws_held_of(const struct ws_conn *conn) {
  size_t bytes = sizeof *conn + ws_outq_held(&conn->out) + conn->kept;
  if (conn->unparsed)
    bytes += sizeof *conn->unparsed + conn->unparsed->size;
  if (conn->session)
    bytes += ws_session_held(conn->session);
  if (conn->compressor)
    bytes += ws_held_of_compressor(conn->compressor);
  if (conn->handshake && ws_conn_state(conn) <= WS_CONN_HANDSHAKE)
    bytes += WS_HELD_HEAD;
  if (ws_stream_is_secure(&conn->stream))
    bytes += conn->keeps_buffers ? WS_HELD_TLS_KEPT : WS_HELD_TLS;
  return (int64_t)bytes;
}

void ws_held_add(struct ws_budget *budget, int64_t bytes) {
  atomic_fetch_add_explicit(&budget->held, bytes, memory_order_relaxed);
}

static void ws_held_change(struct ws_conn *conn, int64_t held) {
  ws_held_add(conn->group->budget, held - conn->held);
  conn->held = held;
}

int64_t ws_held_excess(const struct ws_group *group) {
  return atomic_load_explicit(&group->budget->held, memory_order_relaxed) - group->rules->limits.max_memory_bytes;
}

/* What has been queued meanwhile is left to ws_held_count, whose callers look at the limit. */
void ws_held_slept(struct ws_conn *conn) {
  int64_t held = conn->group->budget ? ws_held_of(conn) : conn->held;
  if (held < conn->held)
    ws_held_change(conn, held);
}

bool ws_held_count(struct ws_conn *conn) {
  if (!conn->group->budget)
    return false;
  int64_t held = ws_held_of(conn);
  int64_t more = held - conn->held;
  bool shares = ws_outq_shared(&conn->out) > 0;
  if (more <= -WS_HELD_STEP || more >= WS_HELD_STEP)
    ws_held_change(conn, held);
  return (more >= WS_HELD_STEP || shares) && ws_held_excess(conn->group) > 0;
}

void ws_held_forget(struct ws_conn *conn) {
  if (conn->group->budget)
    ws_held_change(conn, 0);
}
