/* What arrives on a connection: readiness, bytes, the session's events, and the passing of time. */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "conn.h"
#include "io/sys.h"
#include "osprey/log.h"
#include "protocol/close_code.h"
#include "protocol/text.h"

/* Reads of one connection, and the time after which it does not begin another, before others have their turn. */
enum { WS_READS_PER_TURN = 8, WS_READ_MS_PER_TURN = 8 };

/* A ping's answer is left out where this much waits already: the peer does not read, and one answer of many will do. */
enum { WS_PONG_BACKLOG = 64 * 1024 };

static struct ws_loop_thread *ws_conn_worker(const struct ws_conn *conn) {
  return conn->group->thread;
}

/* ---- the session's events */

static enum ws_sink_verdict ws_conn_go_on(const struct ws_conn *conn) {
  return conn->discarding || ws_conn_state(conn) == WS_CONN_ENDED ? WS_SINK_STOP : WS_SINK_GO;
}

/* A second's allowance is used up within a second: counted from the first message after the last second ended. */
static bool ws_conn_rate_exceeded(struct ws_conn *conn) {
  uint32_t cap = conn->group->rules->max_messages_per_second;
  if (!cap)
    return false;
  uint32_t now = (uint32_t)ws_loop_now(ws_conn_worker(conn)->loop);
  if (conn->rate_count == 0 || now - conn->rate_start >= 1000) {
    conn->rate_start = now;
    conn->rate_count = 0;
  }
  return conn->rate_count++ >= cap;
}

static void ws_conn_handle_message(struct ws_conn *conn, bool binary, const uint8_t *bytes, size_t n) {
  struct ws_call *call = ws_conn_begin_call(conn);
  if (!call) {
    ws_conn_fail(conn, WS_CLOSE_INTERNAL_ERROR, "out of memory");
    return;
  }
  enum ws_verdict verdict = conn->group->ops->message(conn, call, binary, bytes, n);
  if (verdict == WS_VERDICT_ERROR) {
    ws_log(WS_LOG_WARN, "connection %" PRId64 ": the message handler failed: %s", conn->id, call->message);
    ws_conn_fail(conn, WS_CLOSE_INTERNAL_ERROR, "the handler failed");
  } else if (verdict == WS_VERDICT_NO_MEMORY) {
    ws_conn_fail(conn, WS_CLOSE_INTERNAL_ERROR, "out of memory");
  }
  ws_conn_end_call(conn, call);
}

static enum ws_sink_verdict ws_conn_on_message(void *context, enum ws_message_kind kind, uint8_t *bytes, size_t n) {
  struct ws_conn *conn = context;
  if (ws_conn_rate_exceeded(conn))
    ws_conn_fail_at(conn, WS_CLOSE_POLICY_VIOLATION, "too many messages in a second", "maxMessagesPerSecond",
                    conn->group->rules->max_messages_per_second);
  else if (ws_conn_state(conn) == WS_CONN_OPEN)
    ws_conn_handle_message(conn, kind == WS_MESSAGE_BINARY, bytes, n);
  return ws_conn_go_on(conn);
}

/* Whether a pong of this size finds room, if need be after writing what the socket takes now. An empty queue has room for
 * anything. */
static bool ws_conn_has_pong_room(struct ws_conn *conn, size_t size) {
  size_t cap = conn->group->rules->max_queued_bytes;
  size_t most = cap < WS_PONG_BACKLOG ? cap : WS_PONG_BACKLOG;
  size_t waiting = ws_outq_bytes(&conn->out);
  if (waiting > 0 && waiting + size > most && !conn->blocked) {
    ws_conn_flush(conn);
    waiting = ws_outq_bytes(&conn->out);
  }
  return waiting == 0 || waiting + size <= most;
}

static enum ws_sink_verdict ws_conn_on_ping(void *context, const uint8_t *payload, size_t n) {
  struct ws_conn *conn = context;
  size_t size = ws_frame_header_size(n, conn->group->rules->role == WS_ROLE_CLIENT) + n;
  bool answer = ws_conn_has_pong_room(conn, size) && ws_conn_state(conn) == WS_CONN_OPEN;
  if (answer && ws_conn_put_frame(conn, WS_FRAME_FIN | WS_OPCODE_PONG, payload, n))
    ws_conn_drop(conn);
  return ws_conn_go_on(conn);
}

static enum ws_sink_verdict ws_conn_on_pong(void *context, const uint8_t *payload, size_t n) {
  (void)payload;
  (void)n;
  return ws_conn_go_on(context);
}

/* The peer's close frame: it is answered with its own code, and nothing that follows counts. */
static enum ws_sink_verdict ws_conn_on_close(void *context, int code, const char *reason, size_t n) {
  struct ws_conn *conn = context;
  conn->close_received = true;
  conn->code = (uint16_t)code;
  ws_log(WS_LOG_DEBUG, "connection %" PRId64 ": the peer closes with %d", conn->id, code);
  if (n > 0) {
    conn->reason = ws_mem_alloc(ws_text_host_size((const uint8_t *)reason, n) + 1);
    if (conn->reason)
      ws_text_to_host(conn->reason, (const uint8_t *)reason, n);
  }
  if (!conn->close_sent)
    ws_conn_close(conn, code, "", 0);
  conn->discarding = true;
  if (ws_conn_state(conn) != WS_CONN_ENDED)
    ws_conn_mark_dirty(conn);
  return WS_SINK_STOP;
}

static const struct ws_session_sink ws_conn_sink = {
    .on_message = ws_conn_on_message,
    .on_ping = ws_conn_on_ping,
    .on_pong = ws_conn_on_pong,
    .on_close = ws_conn_on_close,
};

/* ---- bytes */

/* Nothing in the session needs to be remembered. */
static bool ws_conn_session_is_blank(const struct ws_session *session) {
  return !session->frame_open && session->header_size == 0 && session->message == 0 && !session->partial &&
         !session->inflater;
}

/* Keeps a session that began on the stack, or gives up one that is not needed any more. */
static void ws_conn_keep_session(struct ws_conn *conn, struct ws_session *session) {
  bool blank = conn->discarding || ws_conn_session_is_blank(session);
  if (blank) {
    ws_session_deinit(session);
    ws_mem_free(conn->session);
    conn->session = NULL;
  } else if (!conn->session) {
    conn->session = ws_mem_alloc(sizeof *session);
    if (conn->session) {
      memcpy(conn->session, session, sizeof *session);
    } else {
      ws_session_deinit(session);
      ws_conn_fail(conn, WS_CLOSE_INTERNAL_ERROR, "out of memory");
    }
  }
}

/* The limit that a violation went past, if it is one that a program can set; NULL: none. */
static const char *ws_conn_limit_of(const struct ws_conn *conn, enum ws_violation violation, uint64_t *value) {
  const struct ws_rules *rules = conn->group->rules;
  switch (violation) {
  case WS_VIOLATION_MESSAGE_TOO_BIG:
    *value = rules->max_message_bytes;
    return "maxMessageBytes";
  case WS_VIOLATION_TOO_MANY_FRAGMENTS:
    *value = rules->max_fragments;
    return rules->role == WS_ROLE_SERVER ? "maxFragments" : NULL;
  case WS_VIOLATION_DEFLATE_RATIO:
    *value = rules->max_ratio;
    return rules->role == WS_ROLE_SERVER ? "maxCompressionRatio" : NULL;
  default:
    return NULL;
  }
}

static void ws_conn_fed(struct ws_conn *conn, const struct ws_session *session, enum ws_feed_outcome outcome) {
  if (outcome == WS_FEED_VIOLATION) {
    enum ws_violation violation = (enum ws_violation)session->violation;
    uint64_t value = 0;
    const char *limit = ws_conn_limit_of(conn, violation, &value);
    ws_conn_fail_at(conn, ws_violation_code(violation), ws_violation_text(violation), limit, value);
  }
}

static void ws_conn_feed(struct ws_conn *conn, uint8_t *bytes, size_t n) {
  struct ws_session fresh;
  struct ws_session *session = conn->session;
  size_t consumed;
  if (!session) {
    const struct ws_rules *rules = conn->group->rules;
    session = &fresh;
    ws_session_init(session, rules->role, rules->max_message_bytes, rules->max_fragments, &conn->deflate);
    session->max_ratio = rules->max_ratio;
  }
  ws_conn_fed(conn, session, ws_session_feed(session, bytes, n, &ws_conn_sink, conn, &consumed));
  ws_conn_keep_session(conn, session);
}

static void ws_conn_input(struct ws_conn *conn, uint8_t *bytes, size_t n) {
  conn->last_input = (uint32_t)ws_loop_now(ws_conn_worker(conn)->loop);
  conn->pinged = false;
  if (ws_conn_state(conn) == WS_CONN_HANDSHAKE) {
    size_t used = conn->group->ops->head(conn, bytes, n);
    if (ws_conn_state(conn) == WS_CONN_HANDSHAKE)
      return;
    bytes += used;
    n -= used;
  }
  if (n > 0 && !conn->discarding && ws_conn_state(conn) != WS_CONN_ENDED)
    ws_conn_feed(conn, bytes, n);
}

/* The rest of a large message goes straight to its place, anything else through the shared buffer. Returns as
 * ws_stream_read; *filled: there was no room for more. */
static ssize_t ws_conn_receive(struct ws_conn *conn, uint8_t *buffer, bool *filled) {
  uint8_t *room = NULL;
  size_t size = conn->session && !conn->discarding ? ws_session_reserve(conn->session, &room) : 0;
  ssize_t n = ws_stream_read(&conn->stream, size ? room : buffer, size ? size : WS_LOOP_BUFFER_SIZE);
  *filled = n == (ssize_t)(size ? size : WS_LOOP_BUFFER_SIZE);
  if (n <= 0)
    return n;
  if (size) {
    conn->last_input = (uint32_t)ws_loop_now(ws_conn_worker(conn)->loop);
    conn->pinged = false;
    ws_conn_fed(conn, conn->session, ws_session_commit(conn->session, (size_t)n, &ws_conn_sink, conn));
    ws_conn_keep_session(conn, conn->session);
  } else {
    ws_conn_input(conn, buffer, (size_t)n);
  }
  return n;
}

/* The stream is at its end, or broken. */
static void ws_conn_lost(struct ws_conn *conn, ssize_t outcome) {
  conn->lost = true;
  if (ws_conn_state(conn) == WS_CONN_HANDSHAKE)
    ws_conn_break(conn,
                  outcome == 0 ? "the connection was closed during the handshake" : ws_stream_error(&conn->stream));
  else
    ws_conn_drop(conn);
}

/* Input that came while a handler of this connection was waiting in an inner turn. */
static bool ws_conn_resume(struct ws_conn *conn) {
  if (!conn->paused || ws_conn_state(conn) == WS_CONN_ENDED)
    return false;
  conn->paused = false;
  if (ws_stream_want(ws_conn_worker(conn)->loop, &conn->stream, WS_READ | (conn->blocked ? WS_WRITE : 0))) {
    ws_conn_drop(conn);
    return false;
  }
  return true;
}

/* Has its turn again at the end of this one: no event would tell of what is left. */
static void ws_conn_read_later(struct ws_conn *conn) {
  struct ws_loop_thread *thread = ws_conn_worker(conn);
  if (conn->unread)
    return;
  conn->unread = true;
  ws_conn_ref(conn);
  conn->next_unread = NULL;
  *thread->unread_end = conn;
  thread->unread_end = &conn->next_unread;
  thread->unread_count++;
  ws_loop_defer(thread->loop, &thread->read_on);
}

static void ws_conn_read(struct ws_conn *conn) {
  struct ws_loop *loop = ws_conn_worker(conn)->loop;
  int64_t until_ms = ws_clock_coarse_ms() + WS_READ_MS_PER_TURN;
  uint8_t *buffer = ws_loop_buffer_acquire(loop);
  if (!buffer) {
    ws_conn_drop(conn);
    return;
  }
  bool more = true;
  for (int reads = 0; more && ws_conn_state(conn) != WS_CONN_ENDED; reads++) {
    bool filled;
    ssize_t n = ws_conn_receive(conn, buffer, &filled);
    if (n == 0 || n == WS_STREAM_FAILED) {
      ws_conn_lost(conn, n);
      break;
    }
    if (n == WS_STREAM_AGAIN)
      filled = false;
    bool pending = n > 0 && ws_conn_state(conn) != WS_CONN_ENDED && ws_stream_pending(&conn->stream);
    bool turn_is_over = reads >= WS_READS_PER_TURN || ((filled || pending) && ws_clock_coarse_ms() > until_ms);
    if (pending && turn_is_over)
      ws_conn_read_later(conn);
    bool resumed = ws_conn_resume(conn);
    more = resumed || ((filled || pending) && !turn_is_over);
  }
  ws_loop_buffer_release(loop, buffer);
}

/* ---- readiness */

bool ws_conn_shake(struct ws_conn *conn) {
  int outcome = ws_stream_handshake(&conn->stream);
  if (outcome == WS_STREAM_FAILED) {
    ws_conn_break(conn, ws_stream_error(&conn->stream));
    return false;
  }
  if (ws_stream_want(ws_conn_worker(conn)->loop, &conn->stream, outcome == 0 ? WS_READ : WS_READ | WS_WRITE)) {
    ws_conn_break(conn, "out of memory");
    return false;
  }
  if (outcome != 0)
    return false;
  conn->stream_ready = true;
  conn->group->ops->connected(conn);
  return ws_conn_state(conn) != WS_CONN_ENDED;
}

static void ws_conn_readable(struct ws_conn *conn) {
  if (conn->handling) {
    /* Its handler turns the loop further up the stack: the message in hand comes first. */
    conn->paused = true;
    if (ws_stream_want(ws_conn_worker(conn)->loop, &conn->stream, conn->blocked ? WS_WRITE : 0))
      ws_conn_drop(conn);
    return;
  }
  ws_conn_read(conn);
}

/* Each that was waiting once: what is left then waits again. */
void ws_conn_read_on(struct ws_loop *loop, struct ws_deferred *work) {
  struct ws_loop_thread *thread =
      (struct ws_loop_thread *)(void *)((char *)work - offsetof(struct ws_loop_thread, read_on));
  (void)loop;
  for (int most = thread->unread_count; most > 0 && thread->unread; most--) {
    struct ws_conn *conn = thread->unread;
    thread->unread = conn->next_unread;
    if (!thread->unread)
      thread->unread_end = &thread->unread;
    thread->unread_count--;
    conn->unread = false;
    if (ws_conn_state(conn) != WS_CONN_ENDED && ws_stream_pending(&conn->stream))
      ws_conn_readable(conn);
    if (conn->dirty)
      ws_conn_flush(conn);
    ws_conn_unref(conn);
  }
}

void ws_conn_ready(struct ws_loop *loop, struct ws_watch *watch, unsigned events) {
  struct ws_conn *conn =
      (struct ws_conn *)(void *)((char *)watch - offsetof(struct ws_conn, stream) - offsetof(struct ws_stream, watch));
  (void)loop;
  unsigned ready = ws_stream_ready(&conn->stream, events);
  ws_conn_ref(conn);
  if (conn->stream_ready || ws_conn_shake(conn)) {
    if (ready & WS_WRITE && conn->blocked)
      ws_conn_flush(conn);
    if (ws_conn_state(conn) != WS_CONN_ENDED && (ready & WS_READ || ws_stream_pending(&conn->stream)))
      ws_conn_readable(conn);
    if (conn->dirty)
      ws_conn_flush(conn);
  }
  ws_conn_unref(conn);
}

/* ---- time */

static void ws_conn_idle(struct ws_conn *conn) {
  const struct ws_rules *rules = conn->group->rules;
  struct ws_loop *loop = ws_conn_worker(conn)->loop;
  int64_t now = ws_loop_now(loop);
  uint32_t half = (rules->idle_timeout_ms + 1) / 2;
  uint32_t silent = (uint32_t)now - conn->last_input;
  if (conn->handling) {
    ws_timer_arm(loop, &conn->timer, now + half);
  } else if (conn->pinged) {
    ws_conn_fail(conn, WS_CLOSE_GOING_AWAY, "idle for too long");
    conn->idled = true;
  } else if (silent >= half) {
    conn->pinged = true;
    ws_log(WS_LOG_DEBUG, "connection %" PRId64 " is pinged: nothing came for %" PRIu32 " ms", conn->id, silent);
    ws_conn_drop_record(conn); /* an idle connection needs no memory for it */
    ws_timer_arm(loop, &conn->timer, now + half);
    if (ws_conn_put_frame(conn, WS_FRAME_FIN | WS_OPCODE_PING, NULL, 0))
      ws_conn_drop(conn);
  } else {
    ws_timer_arm(loop, &conn->timer, now + half - silent);
  }
}

/* The close handshake, or the wait for the peer's end of the stream, takes too long. */
static void ws_conn_close_late(struct ws_conn *conn) {
  /* An idle peer that did not even take our close frame is gone. */
  if (conn->idled && !conn->shut) {
    conn->code = WS_CLOSE_ABNORMAL;
    ws_mem_free(conn->reason);
    conn->reason = NULL;
  }
  ws_conn_drop(conn);
}

void ws_conn_fire(struct ws_loop *loop, struct ws_timer *timer) {
  struct ws_conn *conn = (struct ws_conn *)(void *)((char *)timer - offsetof(struct ws_conn, timer));
  (void)loop;
  ws_conn_ref(conn);
  switch (ws_conn_state(conn)) {
  case WS_CONN_HANDSHAKE:
    ws_conn_break(conn, NULL);
    break;
  case WS_CONN_OPEN:
    ws_conn_idle(conn);
    break;
  case WS_CONN_CLOSING:
  case WS_CONN_REFUSED:
    ws_conn_close_late(conn);
    break;
  default:
    ws_conn_drop(conn);
  }
  ws_conn_unref(conn);
}
