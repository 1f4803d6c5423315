#include "turn.h"

#include <inttypes.h>

#include "awake.h"
#include "base/clock.h"
#include "base/path.h"
#include "compress_later.h"
#include "end.h"
#include "evict.h"
#include "flush.h"
#include "held.h"
#include "input.h"
#include "osprey/log.h"
#include "output.h"
#include "protocol/close_code.h"

/* The most steps of TLS handshakes in a turn, and the milliseconds after which no step and no request is begun. */
enum { WS_TURN_SHAKES = 8, WS_TURN_SHAKE_MS = 4 };

/* Queues of more bytes than this are long. The milliseconds after which, in a turn, no further one is written, nor that
 * of a receiver of a broadcast, and no further connection is finished. What a write costs besides its bytes. */
enum { WS_TURN_LONG = 64 * 1024, WS_TURN_MS = 4, WS_TURN_WRITE = 4 * 1024 };

/* ---- readiness */

/* One step of the stream's handshake. Returns true once the stream is ready and the connection has not ended. */
WS_ASIDE static bool ws_turn_connect(struct ws_conn *conn) {
  int outcome = ws_stream_handshake(&conn->stream);
  if (outcome == WS_STREAM_FAILED) {
    ws_end_drop(conn, WS_DROP_PEER, ws_stream_error(&conn->stream));
    return false;
  }
  if (ws_stream_want(ws_conn_loop(conn), &conn->stream, outcome == 0 ? WS_READ : WS_READ | WS_WRITE)) {
    ws_end_drop(conn, WS_DROP_LOCAL, "out of memory");
    return false;
  }
  if (outcome != 0)
    return false;
  ws_conn_enter(conn, WS_CONN_HANDSHAKE);
  if (conn->group->ops->connected)
    conn->group->ops->connected(conn);
  return ws_conn_state(conn) != WS_CONN_ENDED;
}

/* The socket has room again. What the queue held is counted no more. Late in a turn a long queue waits for its end. */
WS_ASIDE static void ws_turn_write(struct ws_conn *conn) {
  if (ws_outq_bytes(&conn->out) > WS_TURN_LONG &&
      ws_loop_turn_exceeds(ws_conn_loop(conn), WS_TURN_MS, ws_clock_coarse_ns())) {
    ws_conn_queue(conn);
    return;
  }
  ws_flush(conn);
  if (ws_conn_state(conn) != WS_CONN_ENDED && ws_held_count(conn))
    ws_evict(conn->group);
}

static void ws_turn_go_on(struct ws_conn *conn, unsigned ready) {
  ws_conn_ref(conn);
  if (ws_conn_state(conn) > WS_CONN_CONNECTING || ws_turn_connect(conn)) {
    if (ready & WS_WRITE && conn->blocked)
      ws_turn_write(conn);
    if (ws_conn_state(conn) != WS_CONN_ENDED && (ready & WS_READ || ws_stream_pending(&conn->stream)))
      ws_input_read(conn);
    if (conn->queued && ws_outq_bytes(&conn->out) <= WS_TURN_LONG)
      ws_flush(conn);
  }
  ws_conn_unref(conn);
}

static bool ws_turn_is_shake(const struct ws_conn *conn) {
  return ws_conn_state(conn) == WS_CONN_CONNECTING && ws_stream_is_secure(&conn->stream);
}

/* A request whose open handler may be slow, in a turn that has been. */
static bool ws_turn_is_late(const struct ws_conn *conn) {
  return ws_conn_state(conn) == WS_CONN_HANDSHAKE && conn->group->rules->role == WS_ROLE_SERVER &&
         ws_loop_turn_exceeds(ws_conn_loop(conn), WS_TURN_SHAKE_MS, ws_clock_coarse_ns());
}

/* A step of a TLS handshake costs as much as hundreds of messages. So it is taken at the end of a turn, one of a few,
 * and late requests go behind it. What waits for it is not watched, so that those who are can be seen. */
WS_ASIDE static void ws_turn_await_shake(struct ws_conn *conn) {
  struct ws_loop_thread *thread = conn->group->thread;
  conn->shaking = true;
  ws_conn_ref(conn);
  ws_stream_want(thread->loop, &conn->stream, 0);
  ws_activity_pause(&conn->activity, thread->loop);
  ws_queue_add(&thread->shaking, &conn->buffered_node);
  ws_loop_defer(thread->loop, &thread->shake);
}

WS_STRAIGHT static void ws_turn_ready(struct ws_loop *loop, struct ws_watch *watch, unsigned events) {
  struct ws_conn *conn = ws_container_of(watch, struct ws_conn, stream.watch);
  (void)loop;
  unsigned ready = ws_stream_ready(&conn->stream, events);
  if (conn->shaking)
    return;
  if (!conn->buffered && (ws_turn_is_shake(conn) || ws_turn_is_late(conn)))
    ws_turn_await_shake(conn);
  else
    ws_turn_go_on(conn, ready);
}

/* ---- time */

/* The time of the next look at an OPEN connection: soon enough to ping, and to see progress while something is
 * awaited. */
static void ws_turn_arm_idle(struct ws_conn *conn, int64_t silent_ms) {
  const struct ws_rules *rules = conn->group->rules;
  struct ws_loop *loop = ws_conn_loop(conn);
  int64_t wait_ms = rules->ping_after_ms - silent_ms;
  int64_t left_ms = rules->limits.idle_timeout_ms - silent_ms;
  if (conn->pinged || wait_ms <= 0)
    wait_ms = left_ms < rules->ping_after_ms ? left_ms : rules->ping_after_ms;
  ws_timer_arm(loop, &conn->timer, ws_loop_now(loop) + (wait_ms > 0 ? wait_ms : 1));
}

static void ws_turn_ping(struct ws_conn *conn, uint32_t silent_ms) {
  conn->pinged = true;
  ws_log(WS_LOG_DEBUG, "connection %" PRId64 " is pinged: nothing came for %" PRIu32 " ms", conn->id, silent_ms);
  if (ws_output_frame(conn, WS_FRAME_FIN | WS_OPCODE_PING, NULL, 0))
    ws_end_drop(conn, WS_DROP_LOCAL, "out of memory");
}

static void ws_turn_idle(struct ws_conn *conn) {
  const struct ws_rules *rules = conn->group->rules;
  struct ws_loop *loop = ws_conn_loop(conn);
  int64_t timeout_ms = rules->limits.idle_timeout_ms;
  if (conn->handling)
    ws_activity_start(&conn->activity, loop);
  if (conn->buffered)
    ws_activity_heard(&conn->activity, loop);
  if (ws_conn_owes_output(conn))
    ws_activity_progressed(&conn->activity, loop);
  ws_activity_look(&conn->activity, loop, &conn->stream, conn->blocked);
  uint32_t silent_ms = ws_activity_silent(&conn->activity, loop);
  if (ws_activity_stalled(&conn->activity, loop) >= timeout_ms) {
    ws_end_fail(conn, WS_CLOSE_GOING_AWAY, "the peer does not read", NULL);
  } else if (ws_activity_message_is_slow(&conn->activity, loop, conn->session, timeout_ms)) {
    ws_end_fail(conn, WS_CLOSE_POLICY_VIOLATION, "the message takes too long", NULL);
  } else if (conn->pinged && silent_ms >= timeout_ms && !ws_stream_has_unread(&conn->stream)) {
    ws_end_fail(conn, WS_CLOSE_GOING_AWAY, "idle for too long", NULL);
  } else {
    ws_turn_arm_idle(conn, silent_ms);
    if (!conn->pinged && silent_ms >= rules->ping_after_ms)
      ws_turn_ping(conn, silent_ms);
  }
}

/* The deadline of a client's connect is the program's, but what has come before it is read first. Any other deadline
 * moves by the time that the loop was away, or did not get to the connection. */
static bool ws_turn_forgives(struct ws_conn *conn) {
  struct ws_loop *loop = ws_conn_loop(conn);
  if (conn->shaking)
    ws_activity_resume(&conn->activity, loop);
  uint32_t away_ms = ws_activity_look(&conn->activity, loop, &conn->stream, conn->blocked);
  if (conn->shaking)
    ws_activity_pause(&conn->activity, loop);
  if (conn->group->rules->role == WS_ROLE_CLIENT)
    away_ms = 0;
  if (away_ms == 0 && !conn->shaking)
    return false;
  ws_timer_arm(loop, &conn->timer, ws_loop_now(loop) + (away_ms ? away_ms : 1));
  return true;
}

static void ws_turn_timer(struct ws_loop *loop, struct ws_timer *timer) {
  struct ws_conn *conn = ws_container_of(timer, struct ws_conn, timer);
  (void)loop;
  if (ws_conn_state(conn) == WS_CONN_PARKED) {
    conn->group->ops->due(conn);
    return;
  }
  ws_conn_ref(conn);
  if (ws_conn_state(conn) == WS_CONN_OPEN)
    ws_turn_idle(conn);
  else if (ws_conn_state(conn) >= WS_CONN_CLOSING)
    ws_end_timeout(conn);
  else if (!ws_turn_forgives(conn))
    ws_end_drop(conn, WS_DROP_TIMEOUT, NULL);
  ws_conn_unref(conn);
}

/* ---- the end of a turn */

static bool ws_turn_is_over(const struct ws_loop_thread *thread) {
  return ws_queue_is_empty(&thread->queued) && ws_queue_is_empty(&thread->writing) &&
         ws_queue_is_empty(&thread->ending) && ws_queue_is_empty(&thread->receivers);
}

/* Writes what a connection has queued, or finishes it. */
WS_STRAIGHT static void ws_turn_end_of(struct ws_loop_thread *thread, struct ws_conn *conn) {
  conn->queued = false;
  /* A close handler may turn the loop: the others go on in its turns. */
  if (!ws_turn_is_over(thread))
    ws_loop_defer(thread->loop, &thread->end_of_turn);
  ws_flush(conn);
  if (ws_held_count(conn))
    ws_evict(conn->group);
  /* A flush that ends the connection queues it again, with a reference: it is finished on that occasion. */
  conn->refs--;
  if (conn->refs == 0 && ws_conn_state(conn) == WS_CONN_ENDED)
    ws_end_finish(conn);
}

/* Goes through long queues, receivers, or ends, for a bounded time, which is looked at after work that may take
 * some. */
WS_ASIDE static void ws_turn_end_some(struct ws_loop_thread *thread, struct ws_queue *queue) {
  int64_t until_ms = ws_clock_coarse_ms() + WS_TURN_MS;
  struct ws_queue_node *node;
  size_t work = 0;
  while ((node = ws_queue_pop(queue)) != NULL) {
    struct ws_conn *conn = ws_container_of(node, struct ws_conn, queued_node);
    work += ws_conn_state(conn) == WS_CONN_ENDED ? WS_TURN_LONG : ws_outq_bytes(&conn->out) + WS_TURN_WRITE;
    ws_turn_end_of(thread, conn);
    if (work < WS_TURN_LONG)
      continue;
    work = 0;
    if (ws_clock_coarse_ms() > until_ms)
      break;
  }
}

/* A message may have many receivers, and many connections may end at once, whose close handlers may publish: those with
 * little to write, which nobody else has caused, come first. */
WS_STRAIGHT static void ws_turn_end(struct ws_loop *loop, struct ws_deferred *work) {
  struct ws_loop_thread *thread = ws_container_of(work, struct ws_loop_thread, end_of_turn);
  struct ws_queue_node *node;
  while ((node = ws_queue_pop(&thread->queued)) != NULL) {
    struct ws_conn *conn = ws_container_of(node, struct ws_conn, queued_node);
    if (ws_conn_state(conn) == WS_CONN_ENDED)
      ws_queue_add(&thread->ending, node);
    else if (ws_outq_bytes(&conn->out) > WS_TURN_LONG)
      ws_queue_add(&thread->writing, node);
    else
      ws_turn_end_of(thread, conn);
  }
  if (!ws_queue_is_empty(&thread->writing))
    ws_turn_end_some(thread, &thread->writing);
  if (!ws_queue_is_empty(&thread->receivers))
    ws_turn_end_some(thread, &thread->receivers);
  thread->receivers_wait = !ws_queue_is_empty(&thread->receivers);
  thread->spread = 0;
  if (!ws_queue_is_empty(&thread->ending))
    ws_turn_end_some(thread, &thread->ending);
  if (ws_turn_is_over(thread))
    ws_loop_undefer(loop, work);
  else
    ws_loop_defer(loop, work);
}

static void ws_turn_resume(struct ws_loop *loop, struct ws_deferred *work) {
  (void)loop;
  ws_input_resume(ws_container_of(work, struct ws_loop_thread, resume));
}

/* Returns true if it was a step of a TLS handshake. */
static bool ws_turn_shake_next(struct ws_loop_thread *thread) {
  struct ws_conn *conn = ws_container_of(ws_queue_pop(&thread->shaking), struct ws_conn, buffered_node);
  bool is_shake = ws_turn_is_shake(conn);
  conn->shaking = false;
  ws_activity_resume(&conn->activity, thread->loop);
  /* What was read behind the handshake may have a handler that turns the loop: the others go on in its turns. */
  if (!ws_queue_is_empty(&thread->shaking))
    ws_loop_defer(thread->loop, &thread->shake);
  if (ws_conn_state(conn) != WS_CONN_ENDED && !is_shake && ws_conn_watch(conn))
    ws_end_drop(conn, WS_DROP_LOCAL, "out of memory");
  if (ws_conn_state(conn) != WS_CONN_ENDED)
    ws_turn_go_on(conn, WS_READ);
  ws_conn_unref(conn);
  return is_shake;
}

static void ws_turn_shake(struct ws_loop *loop, struct ws_deferred *work) {
  struct ws_loop_thread *thread = ws_container_of(work, struct ws_loop_thread, shake);
  int64_t until_ms = ws_clock_coarse_ms() + WS_TURN_SHAKE_MS;
  int most = WS_TURN_SHAKES;
  while (most > 0 && !ws_queue_is_empty(&thread->shaking)) {
    most -= ws_turn_shake_next(thread);
    if (ws_clock_coarse_ms() > until_ms)
      break;
  }
  if (ws_queue_is_empty(&thread->shaking))
    ws_loop_undefer(loop, work);
  else
    ws_loop_defer(loop, work);
}

static void ws_turn_compress(struct ws_loop *loop, struct ws_deferred *work) {
  (void)loop;
  ws_compress_later_resume(ws_container_of(work, struct ws_loop_thread, compress));
}

const struct ws_loop_thread_work ws_turn_work = {
    .end_of_turn = ws_turn_end,
    .resume = ws_turn_resume,
    .resume_later = ws_input_resume_later,
    .shake = ws_turn_shake,
    .compress = ws_turn_compress,
    .awake = ws_awake_look,
};

/* ---- the beginning */

int ws_turn_init(struct ws_conn *conn, struct ws_group *group) {
  conn->group = group;
  if (ws_timer_init(group->thread->loop, &conn->timer, ws_turn_timer))
    return -1;
  ws_list_add(group->members, &conn->member);
  group->thread->connections++;
  return 0;
}

void ws_turn_start(struct ws_conn *conn, int64_t deadline_ms) {
  conn->stream.watch.ready = ws_turn_ready;
  ws_activity_start(&conn->activity, ws_conn_loop(conn));
  ws_timer_arm(ws_conn_loop(conn), &conn->timer, deadline_ms);
  /* The first step needs no event. TLS may read more than its handshake, which no later event would announce. */
  ws_turn_ready(ws_conn_loop(conn), &conn->stream.watch, 0);
}
