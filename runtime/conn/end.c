#include "end.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "handle.h"
#include "io/wait.h"
#include "osprey/log.h"
#include "osprey/roots.h"
#include "output.h"
#include "protocol/close_code.h"
#include "protocol/text.h"

/* The deadline counts from now, not from the start of the turn: a handler may have held the loop for long. */
static void ws_end_enter(struct ws_conn *conn, enum ws_conn_state state, int64_t timeout_ms) {
  ws_conn_enter(conn, state);
  ws_timer_arm(ws_conn_loop(conn), &conn->timer, ws_clock_ms() + timeout_ms);
}

/* Without memory for the close frame the connection is dropped. */
static void ws_end_send_close(struct ws_conn *conn, int code, const char *reason, size_t n) {
  uint8_t payload[WS_CLOSE_PAYLOAD_MAX];
  size_t size = ws_close_code_encode(payload, code, reason, n);
  ws_log(WS_LOG_DEBUG, "connection %" PRId64 ": sends a close frame with %d", conn->id, code);
  if (ws_output_frame(conn, WS_FRAME_FIN | WS_OPCODE_CLOSE, payload, size))
    ws_end_drop(conn, WS_DROP_LOCAL, "out of memory");
}

/* ---- verbs */

void ws_end_close(struct ws_conn *conn, int code, const char *reason, size_t n) {
  enum ws_conn_state state = ws_conn_state(conn);
  if (state <= WS_CONN_HANDSHAKE) {
    ws_end_drop(conn, WS_DROP_LOCAL, "it was closed during its handshake");
  } else if (state <= WS_CONN_OPEN) {
    ws_end_enter(conn, WS_CONN_CLOSING, WS_CLOSE_TIMEOUT_MS);
    ws_end_send_close(conn, code, reason, n);
  }
}

static void ws_end_log_failure(const struct ws_conn *conn, int code, const char *reason,
                               const struct ws_exceeded *exceeded) {
  char address[WS_ADDRESS_TEXT];
  char limit[64] = "";
  if (!ws_log_wants(WS_LOG_WARN))
    return;
  if (exceeded)
    snprintf(limit, sizeof limit, " (%s is %" PRId64 ")", exceeded->limit, exceeded->value);
  ws_log(WS_LOG_WARN, "connection %" PRId64 " (%s) was closed with %d: %s%s", conn->id, ws_conn_remote(conn, address),
         code, reason, limit);
}

void ws_end_fail(struct ws_conn *conn, int code, const char *reason, const struct ws_exceeded *exceeded) {
  enum ws_conn_state state = ws_conn_state(conn);
  if (state > WS_CONN_CLOSING)
    return;
  ws_end_log_failure(conn, code, reason, exceeded);
  if (state == WS_CONN_CLOSING) {
    /* Our close frame is out, and the peer's cannot be parsed any more. The deadline stays. */
    conn->code = WS_CLOSE_ABNORMAL;
    ws_conn_enter(conn, WS_CONN_FAILED);
    ws_conn_queue(conn);
    return;
  }
  conn->code = (uint16_t)code;
  conn->reason = ws_mem_strdup(reason);
  ws_end_enter(conn, WS_CONN_FAILED, WS_CLOSE_TIMEOUT_MS);
  ws_end_send_close(conn, code, reason, strlen(reason));
}

void ws_end_refuse(struct ws_conn *conn, const char *answer, size_t n) {
  if (ws_conn_state(conn) == WS_CONN_ENDED)
    return;
  ws_outq_clear(&conn->out, ws_conn_loop(conn));
  conn->corked = false;
  ws_end_enter(conn, WS_CONN_REFUSED, WS_CLOSE_TIMEOUT_MS);
  if (ws_output_bytes(conn, answer, n))
    ws_end_drop(conn, WS_DROP_LOCAL, "out of memory");
}

void ws_end_drop(struct ws_conn *conn, enum ws_drop_cause cause, const char *why) {
  enum ws_conn_state state = ws_conn_state(conn);
  if (state == WS_CONN_ENDED)
    return;
  if (state <= WS_CONN_HANDSHAKE)
    conn->group->ops->broken(conn, cause, why);
  if (!conn->code)
    conn->code = WS_CLOSE_ABNORMAL;
  ws_conn_enter(conn, WS_CONN_ENDED);
  ws_stream_close(ws_conn_loop(conn), &conn->stream);
  ws_timer_disarm(ws_conn_loop(conn), &conn->timer);
  ws_outq_clear(&conn->out, ws_conn_loop(conn));
  ws_wait_notify();
  ws_conn_queue(conn);
}

/* ---- events */

void ws_end_close_received(struct ws_conn *conn, int code, const char *reason, size_t n) {
  bool answer = ws_conn_state(conn) <= WS_CONN_OPEN;
  ws_log(WS_LOG_DEBUG, "connection %" PRId64 ": the peer closes with %d", conn->id, code);
  conn->code = (uint16_t)code;
  if (n > 0) {
    conn->reason = ws_mem_alloc(ws_text_host_size((const uint8_t *)reason, n) + 1);
    if (conn->reason)
      ws_text_to_host(conn->reason, (const uint8_t *)reason, n);
  }
  if (answer) {
    ws_end_enter(conn, WS_CONN_CLOSED, WS_CLOSE_TIMEOUT_MS);
    ws_end_send_close(conn, code, "", 0);
  } else {
    ws_conn_enter(conn, WS_CONN_CLOSED);
    ws_conn_queue(conn);
  }
}

/* The end that sent the last bytes shuts down and waits a little for the peer's end of stream: a close with input
 * unread would reset the connection and destroy what the peer has not read. The server closes first (RFC 6455 section
 * 7.1.1). */
void ws_end_drained(struct ws_conn *conn) {
  enum ws_conn_state state = ws_conn_state(conn);
  if (state == WS_CONN_CLOSING)
    return;
  if (state == WS_CONN_CLOSED && conn->group->rules->role == WS_ROLE_CLIENT) {
    ws_timer_arm(ws_conn_loop(conn), &conn->timer, ws_clock_ms() + WS_LINGER_MS);
    return;
  }
  int outcome = ws_stream_shutdown(&conn->stream);
  if (outcome == WS_STREAM_FAILED) {
    ws_end_drop(conn, WS_DROP_PEER, ws_stream_error(&conn->stream));
    return;
  }
  bool blocked = outcome != 0;
  if (conn->blocked != blocked) {
    conn->blocked = blocked;
    if (ws_conn_watch(conn)) {
      ws_end_drop(conn, WS_DROP_LOCAL, "out of memory");
      return;
    }
  }
  if (!blocked)
    ws_end_enter(conn, state == WS_CONN_REFUSED ? WS_CONN_REFUSED_LINGERING : WS_CONN_LINGERING, WS_LINGER_MS);
}

void ws_end_timeout(struct ws_conn *conn) {
  /* 1001 is how an idle peer is failed. One that did not even read our close frame is gone. */
  if (ws_conn_state(conn) == WS_CONN_FAILED && conn->code == WS_CLOSE_GOING_AWAY) {
    conn->code = WS_CLOSE_ABNORMAL;
    ws_mem_free(conn->reason);
    conn->reason = NULL;
  }
  ws_end_drop(conn, WS_DROP_TIMEOUT, NULL);
}

void ws_end_finish(struct ws_conn *conn) {
  struct ws_loop *loop = ws_conn_loop(conn);
  int64_t id = conn->id;
  conn->refs = 1; /* the close handler may use the connection, which must not be queued again */
  conn->group->ops->ended(conn);
  ws_list_remove(&conn->member);
  ws_timer_deinit(loop, &conn->timer);
  conn->group->thread->connections--;
  ws_outq_clear(&conn->out, loop);
  if (conn->session) {
    ws_session_deinit(conn->session);
    ws_mem_free(conn->session);
  }
  ws_deflater_free(conn->deflater);
  ws_roots_drop(conn->record);
  ws_mem_free(conn->reason);
  if (conn->group->ops->left)
    conn->group->ops->left(conn);
  if (!id || ws_handle_retire(id))
    conn->group->ops->free(conn);
  ws_wait_notify();
}
