#include "conn.h"

#include <arpa/inet.h>
#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "handle.h"
#include "osprey/hooks.h"
#include "osprey/log.h"
#include "protocol/close_code.h"
#include "protocol/http_head.h"
#include "protocol/text.h"
#include "random.h"
#include "osprey/roots.h"
#include "io/wait.h"

enum { WS_FINISH_NESTING = 8 };

static struct ws_loop *ws_conn_loop(const struct ws_conn *conn) {
  return conn->group->thread->loop;
}

void ws_conn_drop_record(struct ws_conn *conn) {
  ws_root_drop(conn->record);
  conn->record = NULL;
  conn->record_stale = false;
}

/* Every change of state passes here: the group counts the open ones, and the record that says isConnected is dropped. */
static void ws_conn_enter(struct ws_conn *conn, enum ws_conn_state state) {
  enum ws_conn_state before = ws_conn_state(conn);
  assert(state > before);
  if (state == WS_CONN_OPEN)
    atomic_fetch_add_explicit(&conn->group->open, 1, memory_order_relaxed);
  if (before == WS_CONN_OPEN)
    atomic_fetch_sub_explicit(&conn->group->open, 1, memory_order_relaxed);
  atomic_store_explicit(&conn->state, (uint8_t)state, memory_order_release);
  conn->record_stale = true;
  if (!conn->handling)
    ws_conn_drop_record(conn);
}

/* ---- beginning */

int ws_conn_init(struct ws_conn *conn, struct ws_group *group) {
  conn->group = group;
  if (ws_timer_init(group->thread->loop, &conn->timer, ws_conn_fire))
    return -1;
  conn->next = group->first;
  conn->link = &group->first;
  if (conn->next)
    conn->next->link = &conn->next;
  group->first = conn;
  group->thread->connections++;
  return 0;
}

static void ws_conn_leave(struct ws_conn *conn) {
  *conn->link = conn->next;
  if (conn->next)
    conn->next->link = conn->link;
  ws_timer_deinit(ws_conn_loop(conn), &conn->timer);
  conn->group->thread->connections--;
}

void ws_conn_abandon(struct ws_conn *conn) {
  ws_stream_close(ws_conn_loop(conn), &conn->stream);
  ws_conn_leave(conn);
}

void ws_conn_start(struct ws_conn *conn, int64_t deadline_ms) {
  conn->stream.watch.ready = ws_conn_ready;
  ws_timer_arm(ws_conn_loop(conn), &conn->timer, deadline_ms);
  /* The handshake begins without waiting for an event. With it TLS may read what comes after, which no event announces. */
  ws_conn_ready(ws_conn_loop(conn), &conn->stream.watch, 0);
}

int ws_conn_identify(struct ws_conn *conn) {
  /* Whoever learns the ID sees the connection as it is now. */
  conn->id = ws_handle_issue(WS_HANDLE_CONNECTION, conn, conn->group->thread->index);
  if (!conn->id)
    return -1;
  ws_conn_enter(conn, WS_CONN_OPENING);
  return 0;
}

/* Idle connections are looked at twice in their timeout. */
static void ws_conn_arm_idle(struct ws_conn *conn) {
  uint32_t timeout = conn->group->rules->idle_timeout_ms;
  int64_t now = ws_loop_now(ws_conn_loop(conn));
  conn->last_input = (uint32_t)now;
  if (timeout)
    ws_timer_arm(ws_conn_loop(conn), &conn->timer, now + (timeout + 1) / 2);
  else
    ws_timer_disarm(ws_conn_loop(conn), &conn->timer);
}

void ws_conn_admit(struct ws_conn *conn) {
  conn->admitted = true;
  conn->held = false;
  if (ws_conn_state(conn) == WS_CONN_OPENING) {
    ws_conn_enter(conn, WS_CONN_OPEN);
    ws_conn_arm_idle(conn);
  }
  if (ws_conn_state(conn) != WS_CONN_ENDED)
    ws_conn_mark_dirty(conn);
}

/* ---- output */

int ws_conn_put_frame(struct ws_conn *conn, uint8_t head, const uint8_t *payload, size_t n) {
  bool masked = conn->group->rules->role == WS_ROLE_CLIENT;
  size_t size = ws_frame_header_size(n, masked) + n;
  uint8_t key[4];
  if (masked && ws_random_mask(key))
    return -1;
  uint8_t *to = ws_outq_reserve(&conn->out, ws_conn_loop(conn), size);
  if (!to)
    return -1;
  size_t header = ws_frame_encode(to, head, n, masked ? key : NULL);
  if (masked)
    ws_frame_mask(to + header, payload, n, key);
  else if (n)
    memcpy(to + header, payload, n);
  ws_outq_charge(&conn->out, size);
  ws_outq_commit(&conn->out, ws_conn_loop(conn), size);
  ws_conn_mark_dirty(conn);
  return 0;
}

void ws_conn_mark_dirty(struct ws_conn *conn) {
  struct ws_loop_thread *thread = conn->group->thread;
  if (conn->dirty || conn->held)
    return;
  conn->dirty = true;
  ws_conn_ref(conn);
  conn->next_dirty = thread->dirty;
  thread->dirty = conn;
  ws_loop_defer(thread->loop, &thread->flush);
}

void ws_conn_flush_dirty(struct ws_loop *loop, struct ws_deferred *work) {
  struct ws_loop_thread *thread =
      (struct ws_loop_thread *)(void *)((char *)work - offsetof(struct ws_loop_thread, flush));
  int finishing = thread->finishing;
  (void)loop;
  thread->finishing = 0; /* a turn inside a close handler finishes what it finds; turns nest so deep only */
  while (thread->dirty) {
    struct ws_conn *conn = thread->dirty;
    thread->dirty = conn->next_dirty;
    conn->dirty = false;
    ws_conn_flush(conn);
    ws_conn_unref(conn);
  }
  thread->finishing = finishing;
}

static void ws_conn_want(struct ws_conn *conn) {
  unsigned wanted = (conn->paused ? 0 : WS_READ) | (conn->blocked ? WS_WRITE : 0);
  if (ws_stream_want(ws_conn_loop(conn), &conn->stream, wanted)) {
    ws_log(WS_LOG_ERROR, "connection %" PRId64 " is dropped: out of memory", conn->id);
    ws_conn_drop(conn);
  }
}

/* Everything is written, the close frame or refusal last: what is left is to end the stream in good order. The peer that
 * closes last, or not at all, is waited for a little: closing with its bytes unread would destroy what it has not read. */
static void ws_conn_finish_output(struct ws_conn *conn) {
  bool server_waits = conn->group->rules->role == WS_ROLE_SERVER && conn->close_received;
  bool client_waits = conn->group->rules->role == WS_ROLE_CLIENT && conn->close_received;
  if (client_waits) {
    ws_timer_arm(ws_conn_loop(conn), &conn->timer, ws_clock_ms() + WS_LINGER_MS);
    return;
  }
  if (!server_waits && !conn->failed && ws_conn_state(conn) != WS_CONN_REFUSED)
    return;
  int outcome = ws_stream_shutdown(&conn->stream);
  if (outcome == WS_STREAM_FAILED) {
    ws_conn_drop(conn);
    return;
  }
  conn->shut = outcome == 0;
  if (conn->blocked == conn->shut) {
    conn->blocked = !conn->shut;
    ws_conn_want(conn);
  }
  if (conn->shut && ws_conn_state(conn) != WS_CONN_ENDED)
    ws_timer_arm(ws_conn_loop(conn), &conn->timer, ws_clock_ms() + WS_LINGER_MS);
}

void ws_conn_flush(struct ws_conn *conn) {
  if (conn->held || conn->shut || !conn->stream_ready || ws_conn_state(conn) == WS_CONN_ENDED)
    return;
  int outcome = ws_outq_empty(&conn->out) ? 0 : ws_outq_flush(&conn->out, ws_conn_loop(conn), &conn->stream);
  ws_wait_notify();
  if (outcome < 0) {
    ws_conn_drop(conn);
    return;
  }
  bool blocked = outcome == WS_OUTQ_BLOCKED;
  if (conn->blocked != blocked) {
    conn->blocked = blocked;
    ws_conn_want(conn);
  }
  if (!blocked && ws_conn_state(conn) >= WS_CONN_CLOSING)
    ws_conn_finish_output(conn);
}

/* ---- ending */

/* Queues a close frame. Without memory for it there is no use in going on. */
static void ws_conn_put_close(struct ws_conn *conn, int code, const char *reason, size_t n) {
  uint8_t payload[WS_CLOSE_PAYLOAD_MAX];
  size_t size = ws_close_encode(payload, code, reason, n);
  ws_log(WS_LOG_DEBUG, "connection %" PRId64 ": a close frame with %d goes out", conn->id, code);
  conn->close_sent = true;
  ws_conn_enter(conn, WS_CONN_CLOSING);
  ws_timer_arm(ws_conn_loop(conn), &conn->timer, ws_clock_ms() + WS_CLOSE_TIMEOUT_MS);
  if (ws_conn_put_frame(conn, WS_FRAME_FIN | WS_OPCODE_CLOSE, payload, size))
    ws_conn_drop(conn);
}

void ws_conn_close(struct ws_conn *conn, int code, const char *reason, size_t n) {
  enum ws_conn_state state = ws_conn_state(conn);
  if (state == WS_CONN_HANDSHAKE)
    ws_conn_break(conn, "it was closed during its handshake");
  else if (state == WS_CONN_OPENING || state == WS_CONN_OPEN)
    ws_conn_put_close(conn, code, reason, n);
}

void ws_conn_fail(struct ws_conn *conn, int code, const char *reason) {
  ws_conn_fail_at(conn, code, reason, NULL, 0);
}

void ws_conn_fail_at(struct ws_conn *conn, int code, const char *reason, const char *limit, uint64_t value) {
  enum ws_conn_state state = ws_conn_state(conn);
  if (state == WS_CONN_ENDED || conn->discarding)
    return;
  if (ws_log_wants(WS_LOG_WARN)) {
    char address[WS_ADDRESS_TEXT];
    char at[64] = "";
    if (limit)
      snprintf(at, sizeof at, " (%s is %" PRIu64 ")", limit, value);
    ws_log(WS_LOG_WARN, "connection %" PRId64 " (%s) was closed with %d: %s%s", conn->id, ws_conn_remote(conn, address),
           code, reason, at);
  }
  conn->discarding = true;
  conn->failed = true;
  if (state >= WS_CONN_CLOSING) {
    /* Our close frame is out and the answer to it is not to be had. */
    conn->code = WS_CLOSE_ABNORMAL;
    ws_conn_mark_dirty(conn);
    return;
  }
  conn->code = (uint16_t)code;
  conn->reason = ws_mem_strdup(reason);
  ws_conn_put_close(conn, code, reason, strlen(reason));
}

void ws_conn_refuse(struct ws_conn *conn, const char *bytes, size_t n) {
  ws_outq_clear(&conn->out, ws_conn_loop(conn));
  conn->held = false;
  conn->discarding = true;
  if (ws_conn_state(conn) == WS_CONN_ENDED)
    return;
  ws_conn_enter(conn, WS_CONN_REFUSED);
  ws_timer_arm(ws_conn_loop(conn), &conn->timer, ws_clock_ms() + WS_CLOSE_TIMEOUT_MS);
  if (ws_outq_append(&conn->out, ws_conn_loop(conn), bytes, n)) {
    ws_conn_drop(conn);
    return;
  }
  ws_outq_charge(&conn->out, n);
  ws_conn_mark_dirty(conn);
}

/* The last use is gone: the close handler, then the ID and the memory. */
static void ws_conn_finish_now(struct ws_conn *conn) {
  int64_t id = conn->id;
  conn->uses = 1; /* the close handler may use it, and must not finish it again */
  conn->group->ops->ended(conn);
  ws_conn_leave(conn);
  ws_outq_clear(&conn->out, ws_conn_loop(conn));
  if (conn->session) {
    ws_session_deinit(conn->session);
    ws_mem_free(conn->session);
  }
  ws_deflater_free(conn->deflater);
  ws_root_drop(conn->record);
  ws_mem_free(conn->reason);
  conn->group->ops->left(conn);
  if (!id || ws_handle_retire(id))
    conn->group->ops->free(conn);
  ws_wait_notify();
}

/* A close handler that sends may meet the next connection that has ended, whose close handler sends: as many of them as there are
 * connections would not fit on the stack. From a depth on they wait for the end of the turn. */
static void ws_conn_finish(struct ws_conn *conn) {
  struct ws_loop_thread *thread = conn->group->thread;
  if (thread->finishing >= WS_FINISH_NESTING) {
    conn->held = false;
    ws_conn_mark_dirty(conn);
    return;
  }
  thread->finishing++;
  ws_conn_finish_now(conn);
  thread->finishing--;
}

void ws_conn_drop(struct ws_conn *conn) {
  if (ws_conn_state(conn) == WS_CONN_ENDED)
    return;
  if (!conn->code)
    conn->code = WS_CLOSE_ABNORMAL;
  ws_conn_enter(conn, WS_CONN_ENDED);
  ws_stream_close(ws_conn_loop(conn), &conn->stream);
  ws_timer_disarm(ws_conn_loop(conn), &conn->timer);
  ws_outq_clear(&conn->out, ws_conn_loop(conn));
  ws_wait_notify();
  if (conn->uses == 0)
    ws_conn_finish(conn);
}

void ws_conn_break(struct ws_conn *conn, const char *why) {
  conn->group->ops->broken(conn, why);
  ws_conn_drop(conn);
}

void ws_conn_ref(struct ws_conn *conn) {
  conn->uses++;
}

void ws_conn_unref(struct ws_conn *conn) {
  if (--conn->uses == 0 && ws_conn_state(conn) == WS_CONN_ENDED)
    ws_conn_finish(conn);
}

void ws_conn_unpin(struct ws_conn *conn) {
  if (ws_handle_unpin(conn->id))
    conn->group->ops->free(conn);
}

/* ---- what handlers see */

void *ws_conn_new_record(const struct ws_conn *conn) {
  char url[WS_HTTP_BYTES_MAX + 16];
  conn->group->ops->url(conn, url, sizeof url);
  return ws_value_connection(conn->id, url, ws_conn_state(conn) == WS_CONN_OPEN);
}

void *ws_conn_record(struct ws_conn *conn) {
  if (!conn->record) {
    conn->record = ws_root_acquire();
    if (!conn->record)
      return NULL;
    *conn->record = ws_conn_new_record(conn);
    if (!*conn->record) {
      ws_root_release(conn->record);
      conn->record = NULL;
      return NULL;
    }
  }
  return *conn->record;
}

struct ws_call *ws_conn_begin_call(struct ws_conn *conn) {
  struct ws_call *call = ws_loop_thread_call_acquire(conn->group->thread);
  if (call) {
    conn->handling = true;
    conn->group->thread->handling++;
    ws_conn_ref(conn);
  }
  return call;
}

void ws_conn_end_call(struct ws_conn *conn, struct ws_call *call) {
  ws_loop_thread_call_release(conn->group->thread, call);
  conn->handling = false;
  conn->group->thread->handling--;
  if (conn->record_stale)
    ws_conn_drop_record(conn);
  ws_conn_unref(conn);
}

const char *ws_conn_remote(const struct ws_conn *conn, char text[static WS_ADDRESS_TEXT]) {
  struct ws_address address = conn->peer->address;
  if (address.any.sa_family == AF_INET6)
    address.v6.sin6_port = htons(conn->port);
  else
    address.v4.sin_port = htons(conn->port);
  return ws_address_format(&address, text);
}

void ws_conn_call_close(struct ws_conn *conn, void **handler) {
  if (!handler)
    return;
  const char *reason = conn->reason ? conn->reason : "";
  void *record = ws_conn_record(conn);
  struct ws_call *call = record ? ws_conn_begin_call(conn) : NULL;
  enum ws_verdict verdict =
      call ? ws_call_close(call, *handler, record, conn->code, reason, strlen(reason)) : WS_VERDICT_NO_MEMORY;
  if (verdict != WS_VERDICT_SUCCESS)
    ws_log(WS_LOG_WARN, "connection %" PRId64 ": the close handler %s%s", conn->id,
           verdict == WS_VERDICT_ERROR ? "failed: " : "was not called: ",
           verdict == WS_VERDICT_ERROR ? call->message : "out of memory");
  if (call)
    ws_conn_end_call(conn, call);
}
