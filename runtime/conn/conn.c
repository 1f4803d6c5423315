#include "conn.h"

#include <arpa/inet.h>
#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "handle.h"
#include "osprey/log.h"
#include "osprey/roots.h"
#include "protocol/deflater.h"
#include "protocol/http_head.h"
#include "tally.h"

_Static_assert(sizeof(struct ws_conn) <= 248, "every idle connection has one; the allocator rounds 8 more up by 16");

/* ---- state */

void ws_conn_enter(struct ws_conn *conn, enum ws_conn_state state) {
  enum ws_conn_state before = ws_conn_state(conn);
  assert(state > before);
  if (state == WS_CONN_OPEN && conn->group->ops->opens)
    conn->group->ops->opens(conn);
  if (state == WS_CONN_OPEN)
    atomic_fetch_add_explicit(&conn->group->open, 1, memory_order_relaxed);
  if (before == WS_CONN_OPEN)
    atomic_fetch_sub_explicit(&conn->group->open, 1, memory_order_relaxed);
  atomic_store_explicit(&conn->state, (uint8_t)state, memory_order_release);
  if (conn->group->ops->opened && (state == WS_CONN_OPEN || before == WS_CONN_OPEN))
    conn->group->ops->opened(conn, state == WS_CONN_OPEN);
}

int ws_conn_identify(struct ws_conn *conn) {
  conn->id = ws_handle_issue(WS_HANDLE_CONNECTION, conn, conn->group->thread->index);
  if (!conn->id)
    return -1;
  ws_conn_enter(conn, WS_CONN_OPENING);
  return 0;
}

void ws_conn_arm_idle(struct ws_conn *conn) {
  struct ws_loop *loop = ws_conn_loop(conn);
  const struct ws_rules *rules = conn->group->rules;
  ws_activity_start(&conn->activity, loop);
  if (rules->limits.idle_timeout_ms)
    ws_timer_arm(loop, &conn->timer, ws_loop_now(loop) + rules->ping_after_ms);
  else
    ws_timer_disarm(ws_conn_loop(conn), &conn->timer);
}

void ws_conn_admit(struct ws_conn *conn) {
  conn->admitted = true;
  ws_loop_refresh(ws_conn_loop(conn)); /* an open handler may have held the loop */
  conn->rate_away = (uint32_t)ws_loop_away(ws_conn_loop(conn));
  conn->corked = false;
  if (ws_conn_state(conn) == WS_CONN_OPENING) {
    ws_conn_enter(conn, WS_CONN_OPEN);
    ws_conn_arm_idle(conn);
  }
  ws_conn_queue(conn);
}

int ws_conn_watch(struct ws_conn *conn) {
  unsigned wanted = (conn->paused || conn->deaf ? 0 : WS_READ) | (conn->blocked ? WS_WRITE : 0);
  if (ws_stream_want(ws_conn_loop(conn), &conn->stream, wanted) == 0)
    return 0;
  ws_log(WS_LOG_ERROR, "connection %" PRId64 " is dropped: out of memory", conn->id);
  return -1;
}

/* ---- references */

static void ws_conn_queue_in(struct ws_conn *conn, struct ws_queue *queue) {
  struct ws_loop_thread *thread = conn->group->thread;
  if (conn->queued)
    return;
  conn->queued = true;
  ws_conn_ref(conn);
  ws_queue_add(queue, &conn->queued_node);
  ws_loop_defer(thread->loop, &thread->end_of_turn);
}

void ws_conn_queue(struct ws_conn *conn) {
  ws_conn_queue_in(conn, &conn->group->thread->queued);
}

void ws_conn_queue_receiver(struct ws_conn *conn) {
  ws_conn_queue_in(conn, &conn->group->thread->receivers);
}

void ws_conn_queue_compression(struct ws_conn *conn) {
  struct ws_loop_thread *thread = conn->group->thread;
  if (conn->compressing)
    return;
  conn->compressing = true;
  ws_conn_ref(conn);
  ws_queue_add(&thread->compressing, &conn->compressor->node);
  ws_loop_defer(thread->loop, &thread->compress);
}

void ws_conn_ref(struct ws_conn *conn) {
  conn->refs++;
}

void ws_conn_unref(struct ws_conn *conn) {
  if (--conn->refs == 0 && ws_conn_state(conn) == WS_CONN_ENDED)
    ws_conn_queue(conn);
}

void ws_conn_unpin(struct ws_conn *conn) {
  if (ws_handle_unpin(ws_conn_handle(conn)))
    conn->group->ops->free(conn);
}

/* Output that is to be compressed later keeps the node. */
static void ws_conn_drop_compressor(struct ws_conn *conn) {
  struct ws_compressor *compressor = conn->compressor;
  if (!compressor)
    return;
  ws_chunk_unref(compressor->packing);
  compressor->packing = NULL;
  ws_deflater_free(compressor->deflater);
  compressor->deflater = NULL;
  if (conn->compressing || ws_outq_is_unready(&conn->out))
    return;
  ws_mem_free(compressor);
  conn->compressor = NULL;
}

void ws_conn_drop_input(struct ws_conn *conn) {
  if (conn->session)
    ws_session_deinit(conn->session);
  ws_mem_free(conn->session);
  conn->session = NULL;
  ws_unparsed_free(conn->unparsed);
  conn->unparsed = NULL;
  ws_conn_drop_compressor(conn);
}

/* ---- what builtins and handlers see */

int ws_conn_check_open(const char *op, const struct ws_conn *conn, struct ws_error *error) {
  switch (ws_conn_state(conn)) {
  case WS_CONN_CLOSING:
  case WS_CONN_CLOSED:
  case WS_CONN_FAILED:
  case WS_CONN_LINGERING:
    ws_error_closing(error, op, conn->id);
    return -1;
  case WS_CONN_REFUSED:
  case WS_CONN_REFUSED_LINGERING:
  case WS_CONN_ENDED:
  case WS_CONN_PARKED:
    if (conn->group->ops->returns && conn->group->ops->returns(conn))
      ws_error_reconnecting(error, op, conn->id);
    else
      ws_error_closed(error, op, conn->id);
    return -1;
  default:
    return 0;
  }
}

const char *ws_conn_remote(const struct ws_conn *conn, char text[static WS_ADDRESS_TEXT]) {
  struct ws_address address = *conn->remote;
  if (conn->port == 0)
    return ws_address_format_host(&address, text); /* a proxy's client */
  if (address.any.sa_family == AF_INET6)
    address.v6.sin6_port = htons(conn->port);
  else
    address.v4.sin_port = htons(conn->port);
  return ws_address_format(&address, text);
}

void *ws_conn_new_record(const struct ws_conn *conn) {
  char url[WS_HTTP_BYTES_MAX + 16];
  conn->group->ops->url(conn, url, sizeof url);
  return ws_value_connection(conn->id, url, ws_conn_state(conn) == WS_CONN_OPEN);
}

struct ws_call *ws_conn_call_begin(struct ws_conn *conn, const char *kind) {
  struct ws_loop_thread *thread = conn->group->thread;
  struct ws_call *call = ws_loop_thread_call_acquire(thread);
  assert(conn->refs > 0);
  if (call) {
    conn->handling = true;
    ws_loop_thread_handler_begins(thread, kind, conn->id, conn);
    ws_tally_handler_begins(conn->group);
  }
  return call;
}

void ws_conn_call_end(struct ws_conn *conn, struct ws_call *call) {
  struct ws_loop_thread *thread = conn->group->thread;
  ws_loop_thread_call_release(thread, call);
  conn->handling = false;
  ws_tally_handler_returns(conn->group);
  ws_loop_thread_handler_returns(thread);
}
