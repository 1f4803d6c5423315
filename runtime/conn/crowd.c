#include "crowd.h"

#include "awake.h"
#include "base/clock.h"

enum {
  WS_CROWD_PAUSE_MS = 8, /* two ticks of the coarse clock */
  /* A connection broadcasts much if it exceeds this part of maxQueuedBytes in a second. */
  WS_CROWD_SPREAD = 1024,
  WS_CROWD_SPREAD_MS = 3000, /* after this silence it does not */
};

/* Each wait begins where the one before has ended: a receiver may come late in one. */
static void ws_crowd_wait(struct ws_budget *budget) {
  int64_t now_ms = ws_clock_coarse_ms();
  if (now_ms >= atomic_load_explicit(&budget->crowd_until_ms, memory_order_relaxed))
    atomic_store_explicit(&budget->crowd_since_ms, now_ms, memory_order_relaxed);
  atomic_store_explicit(&budget->crowd_until_ms, now_ms + WS_CROWD_MS, memory_order_relaxed);
}

void ws_crowd_join(struct ws_conn *conn) {
  struct ws_budget *budget = conn->group->budget;
  bool is_deaf = conn->blocked && ws_activity_full(&conn->activity, ws_conn_loop(conn)) >= WS_CROWD_MS;
  if (!budget || is_deaf)
    return;
  conn->crowding = true;
  ws_crowd_wait(budget);
  atomic_fetch_add_explicit(&budget->crowded, 1, memory_order_relaxed);
}

void ws_crowd_leave(struct ws_conn *conn) {
  conn->crowding = false;
  atomic_fetch_sub_explicit(&conn->group->budget->crowded, 1, memory_order_relaxed);
}

void ws_crowd_wait_on(struct ws_conn *conn) {
  if (conn->crowding)
    ws_crowd_wait(conn->group->budget);
}

/* The milliseconds for which the connection's broadcasts still count. */
static int64_t ws_crowd_left(const struct ws_conn *conn, int64_t now_ms) {
  uint32_t left_ms = conn->awake ? conn->awake->spread_until - (uint32_t)now_ms : 0;
  return left_ms <= WS_CROWD_SPREAD_MS ? left_ms : 0; /* more: that time is past */
}

void ws_crowd_sent(struct ws_conn *conn, int64_t bytes) {
  int64_t now_ms = ws_clock_coarse_ms();
  int64_t left_ms = ws_crowd_left(conn, now_ms);
  left_ms += bytes * WS_CROWD_SPREAD * 1000 / conn->group->rules->limits.max_queued_bytes;
  conn->plain = false;
  if (conn->awake)
    conn->awake->spread_until =
        (uint32_t)now_ms + (uint32_t)(left_ms < WS_CROWD_SPREAD_MS ? left_ms : WS_CROWD_SPREAD_MS);
}

bool ws_crowd_delays(const struct ws_conn *conn, bool large) {
  const struct ws_budget *budget = conn->group->budget;
  if (!budget || atomic_load_explicit(&budget->crowded, memory_order_relaxed) <= 0)
    return false;
  int64_t now_ms = ws_clock_coarse_ms();
  int64_t waited_ms = now_ms - atomic_load_explicit(&budget->crowd_since_ms, memory_order_relaxed);
  return now_ms < atomic_load_explicit(&budget->crowd_until_ms, memory_order_relaxed) &&
         waited_ms % (WS_CROWD_MS + WS_CROWD_PAUSE_MS) < WS_CROWD_MS &&
         ((large && !conn->plain) || ws_crowd_left(conn, now_ms) > 1000);
}
