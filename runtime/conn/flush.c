#include "flush.h"

#include "crowd.h"
#include "end.h"

/* What a turn writes of an HTTP answer. A page may be large, and many may ask for it in one turn. */
enum { WS_FLUSH_ANSWER = 64 * 1024 };

static bool ws_flush_applies(const struct ws_conn *conn) {
  enum ws_conn_state state = ws_conn_state(conn);
  return !conn->corked && state != WS_CONN_CONNECTING && state != WS_CONN_LINGERING &&
         state != WS_CONN_REFUSED_LINGERING && state != WS_CONN_ENDED;
}

WS_STRAIGHT void ws_flush_output(struct ws_conn *conn) {
  if (!ws_flush_applies(conn))
    return;
  size_t before = ws_outq_bytes(&conn->out);
  size_t most = conn->id ? SIZE_MAX : WS_FLUSH_ANSWER;
  int outcome = ws_outq_empty(&conn->out) ? 0 : ws_outq_flush(&conn->out, ws_conn_loop(conn), &conn->stream, most);
  ws_wait_notify();
  if (outcome < 0) {
    ws_end_drop(conn, WS_DROP_PEER, ws_stream_error(&conn->stream));
    return;
  }
  bool blocked = outcome == WS_OUTQ_BLOCKED;
  if (conn->blocked && ws_outq_bytes(&conn->out) != before)
    ws_activity_progressed(&conn->activity, ws_conn_loop(conn));
  else if (blocked && !conn->blocked)
    ws_activity_backs_up(&conn->activity, ws_conn_loop(conn));
  ws_crowd_written(conn);
  if (!ws_end_block(conn, blocked))
    return;
  if (outcome == WS_OUTQ_UNREADY)
    ws_conn_queue_compression(conn);
  else if (!blocked && ws_conn_state(conn) >= WS_CONN_CLOSING)
    ws_end_drained(conn);
}
