#include "end.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "awake.h"
#include "base/mem.h"
#include "crowd.h"
#include "handle.h"
#include "held.h"
#include "io/wait.h"
#include "osprey/log.h"
#include "osprey/roots.h"
#include "output.h"
#include "protocol/close_code.h"
#include "protocol/text.h"
#include "tally.h"
#include "values.h"

/* How often the progress of output is looked at. */
enum { WS_END_LOOK_MS = 500 };

/* The patience for what is awaited next counts from now, not from the start of the turn: a handler may have held the
 * loop for long. */
static void ws_end_await(struct ws_conn *conn) {
  int64_t now = ws_loop_refresh(ws_conn_loop(conn));
  int64_t left_ms = conn->group->rules->limits.close_timeout_ms - (int32_t)((uint32_t)now - conn->closing_since);
  conn->activity.output = (uint32_t)now;
  ws_timer_arm(ws_conn_loop(conn), &conn->timer, now + (left_ms < WS_END_LOOK_MS ? left_ms : WS_END_LOOK_MS));
}

/* Time that the loop was away before the end began, in this turn too, is not forgiven to it. The loop's clock is read
 * again, so that progress in the rest of the turn is not stamped with a time before the end. */
static void ws_end_enter(struct ws_conn *conn, enum ws_conn_state state) {
  if (ws_conn_state(conn) < WS_CONN_CLOSING) {
    conn->closing_since = (uint32_t)ws_loop_refresh(ws_conn_loop(conn));
    conn->activity.away = (uint32_t)ws_loop_away(ws_conn_loop(conn));
  }
  ws_conn_enter(conn, state);
  ws_end_await(conn);
}

/* The first code of an end is the one that the close handler is given. */
static void ws_end_keep(struct ws_conn *conn, int code, const char *reason, size_t n) {
  if (conn->code)
    return;
  conn->code = (uint16_t)code;
  conn->reason = n ? ws_mem_alloc(ws_text_host_size((const uint8_t *)reason, n) + 1) : NULL;
  if (conn->reason)
    ws_text_to_host(conn->reason, (const uint8_t *)reason, n);
}

/* Without memory for the close frame the connection is dropped. */
static void ws_end_send_close(struct ws_conn *conn, int code, const char *reason, size_t n) {
  uint8_t payload[WS_CLOSE_PAYLOAD_MAX];
  size_t size = ws_close_code_encode(payload, code, reason, n);
  ws_log(WS_LOG_DEBUG, "connection %" PRId64 ": sends a close frame with %d", conn->id, code);
  if (ws_output_frame(conn, WS_FRAME_FIN | WS_OPCODE_CLOSE, payload, size))
    ws_end_drop(conn, WS_DROP_LOCAL, "out of memory");
}

/* ---- a close behind posted messages */

struct ws_end_task {
  struct ws_task task;
  struct ws_list_node member; /* in thread->closes_waiting, if it waits */
  struct ws_conn *conn;       /* pinned */
  int code;
  size_t size;
  char reason[WS_CLOSE_REASON_MAX];
};

static void ws_end_send_posted_close(struct ws_end_task *work) {
  struct ws_conn *conn = work->conn;
  ws_conn_ref(conn);
  if (conn->close_posted) {
    conn->close_posted = false;
    ws_end_send_close(conn, work->code, work->reason, work->size);
  }
  ws_conn_unref(conn);
  ws_conn_unpin(conn);
  ws_mem_free(work);
}

static void ws_end_run_posted_close(struct ws_loop *loop, struct ws_task *task) {
  struct ws_end_task *work = ws_container_of(task, struct ws_end_task, task);
  struct ws_conn *conn = work->conn;
  (void)loop;
  /* A sender has counted its message, found the connection open, and is about to post it. */
  if (conn->close_posted && atomic_load(&conn->posted))
    ws_list_add(&conn->group->thread->closes_waiting, &work->member);
  else
    ws_end_send_posted_close(work);
}

void ws_end_posted_are_queued(const struct ws_conn *conn) {
  for (struct ws_list_node *node = conn->group->thread->closes_waiting.first; node; node = node->next) {
    struct ws_end_task *work = ws_container_of(node, struct ws_end_task, member);
    if (work->conn != conn)
      continue;
    ws_list_remove(node);
    ws_end_send_posted_close(work);
    return;
  }
}

static bool ws_end_has_posted(struct ws_conn *conn) {
  return atomic_fetch_add(&conn->posted, 0) || atomic_load(&conn->group->broadcasts);
}

/* Other threads were told that what they posted is queued, so the close frame follows it. A sender adds to `posted` and
 * then reads the state; here the state is entered, and then `posted` exchanged: one of the two sees the other. Returns
 * false if nothing is posted, or without memory. */
static bool ws_end_post_close(struct ws_conn *conn, int code, const char *reason, size_t n) {
  struct ws_end_task *work = ws_end_has_posted(conn) ? ws_mem_alloc(sizeof *work) : NULL;
  if (!work)
    return false;
  *work = (struct ws_end_task){.task.run = ws_end_run_posted_close, .conn = conn, .code = code, .size = n};
  memcpy(work->reason, reason, n);
  conn->close_posted = true;
  ws_handle_pin_again(ws_conn_handle(conn));
  ws_loop_post(ws_conn_loop(conn), &work->task);
  return true;
}

/* ---- verbs */

void ws_end_close(struct ws_conn *conn, int code, const char *reason, size_t n) {
  enum ws_conn_state state = ws_conn_state(conn);
  if (state <= WS_CONN_HANDSHAKE) {
    ws_end_drop(conn, WS_DROP_LOCAL, "it was closed during its handshake");
  } else if (state <= WS_CONN_OPEN) {
    ws_end_enter(conn, WS_CONN_CLOSING);
    if (code == WS_CLOSE_GOING_AWAY && ws_loop_threads_are_ending())
      ws_end_keep(conn, code, WS_END_OF_PROGRAM, strlen(WS_END_OF_PROGRAM));
    if (!ws_end_post_close(conn, code, reason, n))
      ws_end_send_close(conn, code, reason, n);
  }
}

/* Returns true if this end closes already, and its close frame is queued. */
static bool ws_end_close_is_out(const struct ws_conn *conn) {
  return ws_conn_state(conn) == WS_CONN_CLOSING && !conn->close_posted;
}

static void ws_end_log_failure(const struct ws_conn *conn, int code, const char *reason,
                               const struct ws_exceeded *exceeded) {
  char address[WS_ADDRESS_TEXT];
  char limit[64] = "";
  if (!ws_log_wants(WS_LOG_WARN))
    return;
  if (exceeded)
    snprintf(limit, sizeof limit, " (%s is %" PRId64 ")", exceeded->limit, exceeded->value);
  if (ws_end_close_is_out(conn))
    ws_log(WS_LOG_WARN, "connection %" PRId64 " (%s) failed after its close: %s%s", conn->id,
           ws_conn_remote(conn, address), reason, limit);
  else
    ws_log(WS_LOG_WARN, "connection %" PRId64 " (%s) was closed with %d: %s%s", conn->id, ws_conn_remote(conn, address),
           code, reason, limit);
}

void ws_end_fail(struct ws_conn *conn, int code, const char *reason, const struct ws_exceeded *exceeded) {
  enum ws_conn_state state = ws_conn_state(conn);
  if (state > WS_CONN_CLOSING)
    return;
  ws_end_log_failure(conn, code, reason, exceeded);
  if (ws_end_close_is_out(conn)) {
    /* Our close frame is out, and the peer's cannot be parsed any more. The deadline stays. */
    ws_end_keep(conn, WS_CLOSE_ABNORMAL, "", 0);
    ws_conn_enter(conn, WS_CONN_FAILED);
    ws_conn_queue(conn);
    return;
  }
  conn->close_posted = false;
  conn->failed = true;
  ws_end_keep(conn, code, reason, strlen(reason));
  ws_end_enter(conn, WS_CONN_FAILED);
  ws_end_send_close(conn, code, reason, strlen(reason));
}

void ws_end_refuse(struct ws_conn *conn, int status, const char *answer, size_t n) {
  if (ws_conn_state(conn) == WS_CONN_ENDED)
    return;
  ws_outq_clear(&conn->out, ws_conn_loop(conn));
  conn->corked = false;
  conn->close_posted = false;
  ws_tally_refused(conn->group, status);
  ws_end_enter(conn, WS_CONN_REFUSED);
  if (ws_output_secret(conn, answer, n))
    ws_end_drop(conn, WS_DROP_LOCAL, "out of memory");
}

void ws_end_answer(struct ws_conn *conn) {
  ws_end_enter(conn, WS_CONN_CLOSED);
}

void ws_end_drop(struct ws_conn *conn, enum ws_drop_cause cause, const char *why) {
  enum ws_conn_state state = ws_conn_state(conn);
  if (state == WS_CONN_ENDED)
    return;
  if (state <= WS_CONN_HANDSHAKE)
    conn->group->ops->broken(conn, cause, why);
  conn->close_posted = false;
  ws_end_keep(conn, WS_CLOSE_ABNORMAL, "", 0);
  ws_conn_enter(conn, WS_CONN_ENDED);
  ws_stream_close(ws_conn_loop(conn), &conn->stream);
  ws_timer_disarm(ws_conn_loop(conn), &conn->timer);
  ws_outq_clear(&conn->out, ws_conn_loop(conn));
  if (conn->crowding)
    ws_crowd_leave(conn);
  ws_wait_notify();
  ws_conn_queue(conn);
}

bool ws_end_block(struct ws_conn *conn, bool blocked) {
  if (conn->blocked == blocked)
    return true;
  conn->blocked = blocked;
  if (ws_conn_watch(conn) == 0)
    return true;
  ws_end_drop(conn, WS_DROP_LOCAL, "out of memory");
  return false;
}

/* ---- events */

void ws_end_close_received(struct ws_conn *conn, int code, const char *reason, size_t n) {
  bool answer = ws_conn_state(conn) <= WS_CONN_OPEN || conn->close_posted;
  conn->close_posted = false;
  ws_log(WS_LOG_DEBUG, "connection %" PRId64 ": the peer closes with %d", conn->id, code);
  ws_end_keep(conn, code, reason, n);
  if (answer) {
    ws_end_enter(conn, WS_CONN_CLOSED);
    ws_end_send_close(conn, code, "", 0);
  } else {
    ws_conn_enter(conn, WS_CONN_CLOSED);
    ws_conn_queue(conn);
  }
}

/* A peer may end its side and read on: an HTTP client does behind its request. Without a close frame before it, it gets
 * one behind what is queued and posted. */
bool ws_end_deafen(struct ws_conn *conn) {
  enum ws_conn_state state = ws_conn_state(conn);
  bool awaits = (state >= WS_CONN_OPEN && state <= WS_CONN_FAILED) || state == WS_CONN_REFUSED;
  if (conn->deaf || !awaits || (ws_outq_empty(&conn->out) && !ws_end_has_posted(conn)))
    return false;
  conn->deaf = true;
  ws_end_keep(conn, WS_CLOSE_ABNORMAL, "", 0);
  ws_end_close(conn, WS_CLOSE_NORMAL, "", 0);
  return ws_conn_state(conn) == WS_CONN_ENDED || ws_conn_watch(conn) == 0;
}

/* The end that sent the last bytes shuts down and waits a little for the peer's end of stream: a close with input
 * unread would reset the connection and destroy what the peer has not read. The server closes first (RFC 6455 section
 * 7.1.1). */
void ws_end_drained(struct ws_conn *conn) {
  enum ws_conn_state state = ws_conn_state(conn);
  if (state == WS_CONN_CLOSING && (!conn->deaf || conn->close_posted))
    return;
  if (state == WS_CONN_CLOSED && conn->group->rules->role == WS_ROLE_CLIENT && !conn->deaf) {
    ws_end_await(conn);
    return;
  }
  int outcome = ws_stream_shutdown(&conn->stream);
  if (outcome == WS_STREAM_FAILED) {
    ws_end_drop(conn, WS_DROP_PEER, ws_stream_error(&conn->stream));
    return;
  }
  bool blocked = outcome != 0;
  if (ws_end_block(conn, blocked) && !blocked)
    ws_end_enter(conn, state == WS_CONN_REFUSED ? WS_CONN_REFUSED_LINGERING : WS_CONN_LINGERING);
}

/* Milliseconds that are left of the end, as of a look. A peer that was refused, or failed, gets no time for
 * progress. */
static int64_t ws_end_time_left(const struct ws_conn *conn) {
  enum ws_conn_state state = ws_conn_state(conn);
  uint32_t now = (uint32_t)ws_loop_now(ws_conn_loop(conn));
  bool hurried = state == WS_CONN_FAILED || ws_conn_is_refused(conn);
  bool lingers = state == WS_CONN_LINGERING || state == WS_CONN_REFUSED_LINGERING ||
                 (state == WS_CONN_CLOSED && ws_outq_empty(&conn->out));
  int64_t most_ms = conn->group->rules->limits.close_timeout_ms;
  int64_t linger_ms = conn->deaf ? 0 : WS_LINGER_MS;
  int64_t patience_ms =
      lingers && ws_activity_backlog(&conn->stream, &conn->out) == 0 ? linger_ms : WS_CLOSE_TIMEOUT_MS;
  if (hurried && most_ms > WS_CLOSE_TIMEOUT_MS)
    most_ms = WS_CLOSE_TIMEOUT_MS;
  int64_t left_ms = patience_ms - (int32_t)(now - conn->activity.output);
  int64_t left_in_all_ms = most_ms - (int32_t)(now - conn->closing_since);
  return left_ms < left_in_all_ms ? left_ms : left_in_all_ms;
}

static void ws_end_log_given_up(const struct ws_conn *conn) {
  char address[WS_ADDRESS_TEXT];
  size_t bytes = ws_activity_backlog(&conn->stream, &conn->out);
  if (bytes > 0 && conn->id && !ws_conn_is_refused(conn) && ws_log_wants(WS_LOG_WARN))
    ws_log(WS_LOG_WARN, "connection %" PRId64 " (%s) is cut off: its peer has not taken %zu bytes", conn->id,
           ws_conn_remote(conn, address), bytes);
}

/* The peer's answer may have arrived, but is not read while a handler of the connection runs, or input before it is
 * to be parsed; or this end has not come to write what the peer is to take. The patience for it starts again. There is
 * always input to be parsed of a peer that sends without pause, so this excuses the peer of a young close only. */
static void ws_end_excuse(struct ws_conn *conn) {
  uint32_t now = (uint32_t)ws_loop_now(ws_conn_loop(conn));
  bool young = (int32_t)(now - conn->closing_since) < WS_CLOSE_TIMEOUT_MS;
  bool unread = (conn->handling || (conn->buffered && young)) && ws_activity_backlog(&conn->stream, &conn->out) == 0;
  if (unread || ws_conn_owes_output(conn))
    conn->activity.output = now;
}

void ws_end_timeout(struct ws_conn *conn) {
  struct ws_loop *loop = ws_conn_loop(conn);
  conn->closing_since += ws_activity_look(&conn->activity, loop, &conn->stream, conn->blocked);
  ws_end_excuse(conn);
  int64_t left_ms = ws_end_time_left(conn);
  if (left_ms > 0) {
    ws_timer_arm(loop, &conn->timer, ws_loop_now(loop) + (left_ms < WS_END_LOOK_MS ? left_ms : WS_END_LOOK_MS));
    return;
  }
  ws_end_log_given_up(conn);
  /* 1001 is how an idle peer is failed. One that did not even read our close frame is gone. */
  if (ws_conn_state(conn) == WS_CONN_FAILED && conn->code == WS_CLOSE_GOING_AWAY) {
    conn->code = WS_CLOSE_ABNORMAL;
    ws_mem_free(conn->reason);
    conn->reason = NULL;
  }
  ws_end_drop(conn, WS_DROP_TIMEOUT, NULL);
}

void ws_end_call_close(struct ws_conn *conn, void **handler) {
  if (!handler)
    return;
  const char *reason = conn->reason ? conn->reason : "";
  void *record = ws_awake_record(conn);
  struct ws_call *call = record ? ws_conn_call_begin(conn, "close") : NULL;
  enum ws_verdict verdict =
      call ? ws_call_close(call, *handler, record, conn->code, reason, strlen(reason)) : WS_VERDICT_NO_MEMORY;
  if (verdict != WS_VERDICT_SUCCESS)
    ws_log(WS_LOG_WARN, "connection %" PRId64 ": the close handler %s%s", conn->id,
           verdict == WS_VERDICT_ERROR ? "failed: " : "was not called: ",
           verdict == WS_VERDICT_ERROR ? call->message : "out of memory");
  if (call)
    ws_conn_call_end(conn, call);
}

/* Gives back what the connection has of its loop, its ID and its memory. The values belong to the ID. */
static void ws_end_release(struct ws_conn *conn) {
  int64_t handle = ws_conn_handle(conn);
  int64_t id = conn->group->handle ? 0 : conn->id;
  ws_awake_end(conn);
  ws_timer_deinit(ws_conn_loop(conn), &conn->timer);
  bool unpinned = !handle || ws_handle_retire(handle);
  ws_values_drop(id);
  if (unpinned)
    conn->group->ops->free(conn);
  ws_wait_notify();
}

void ws_end_finish(struct ws_conn *conn) {
  const struct ws_conn_ops *ops = conn->group->ops;
  conn->refs = 1; /* the close handler may use the connection, which must not be queued again */
  ops->ended(conn);
  ws_list_remove(&conn->member);
  conn->group->thread->connections--;
  ws_outq_clear(&conn->out, ws_conn_loop(conn));
  ws_conn_drop_input(conn);
  ws_held_forget(conn);
  ws_awake_end(conn);
  ws_mem_free(conn->reason);
  conn->reason = NULL;
  if (ops->left)
    ops->left(conn);
  if (ops->outlives && ops->outlives(conn))
    ws_wait_notify();
  else
    ws_end_release(conn);
}

void ws_end_parked(struct ws_conn *conn) {
  ws_list_remove(&conn->member);
  ws_end_release(conn);
}
