#include "reconnect.h"

#include "base/mem.h"
#include "conn/handle.h"
#include "osprey/roots.h"
#include "stay.h"

enum { WS_RECONNECT_MS_MAX = INT32_MAX };

/* Carries the plan to the loop thread of its client. */
struct ws_reconnect_task {
  struct ws_task task;
  struct ws_conn *conn; /* pinned */
  struct ws_stay_plan *plan;
};

static void ws_reconnect_run(struct ws_loop *loop, struct ws_task *task) {
  struct ws_reconnect_task *work = ws_container_of(task, struct ws_reconnect_task, task);
  (void)loop;
  ws_stay_set(work->conn, work->plan);
  ws_conn_unpin(work->conn);
  ws_mem_free(work);
}

static int ws_reconnect_check(const struct ws_conn *conn, int64_t first_ms, int64_t longest_ms,
                              struct ws_error *error) {
  if (first_ms < 1 || first_ms > WS_RECONNECT_MS_MAX)
    ws_error_delay(error, "firstDelayMs", first_ms, 1, WS_RECONNECT_MS_MAX);
  else if (longest_ms < first_ms || longest_ms > WS_RECONNECT_MS_MAX)
    ws_error_delay(error, "longestDelayMs", longest_ms, first_ms, WS_RECONNECT_MS_MAX);
  else if (ws_loop_threads_are_ending())
    ws_error_system(error, "reconnect", WS_END_OF_PROGRAM);
  else if (!ws_stay_has_left(conn))
    return 0;
  else if (ws_conn_state(conn) < WS_CONN_ENDED)
    ws_error_closing(error, "reconnect", conn->id);
  else
    ws_error_closed(error, "reconnect", conn->id);
  return -1;
}

int ws_reconnect(struct ws_conn *conn, bool local, int64_t first_ms, int64_t longest_ms, void *handler,
                 struct ws_error *error) {
  if (ws_reconnect_check(conn, first_ms, longest_ms, error))
    return -1;
  void **root = ws_roots_keep(handler);
  struct ws_stay_plan *plan = root ? ws_stay_plan_new(first_ms, longest_ms, root) : NULL;
  struct ws_reconnect_task *work = plan && !local ? ws_mem_alloc(sizeof *work) : NULL;
  if (!plan || (!local && !work)) {
    if (plan)
      ws_stay_plan_free(plan);
    else
      ws_roots_drop(root);
    ws_error_memory(error, "reconnect");
    return -1;
  }
  if (local) {
    ws_stay_set(conn, plan);
    return 0;
  }
  *work = (struct ws_reconnect_task){.task.run = ws_reconnect_run, .conn = conn, .plan = plan};
  ws_handle_pin_again(ws_conn_handle(conn));
  ws_loop_post(ws_conn_loop(conn), &work->task);
  return 0;
}
