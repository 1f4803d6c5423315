#include "crowd.h"

#include "base/clock.h"

static void ws_crowd_wait(struct ws_budget *budget) {
  atomic_store_explicit(&budget->crowd_until_ms, ws_clock_coarse_ms() + WS_CROWD_MS, memory_order_relaxed);
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

bool ws_crowd_is_waited_for(const struct ws_group *group) {
  const struct ws_budget *budget = group->budget;
  return budget && atomic_load_explicit(&budget->crowded, memory_order_relaxed) > 0 &&
         ws_clock_coarse_ms() < atomic_load_explicit(&budget->crowd_until_ms, memory_order_relaxed);
}
