#include "on_close.h"

#include "base/mem.h"
#include "client.h"
#include "conn/handle.h"
#include "osprey/roots.h"
#include "recently_closed.h"

/* Carries a close handler to the loop thread of its connection. */
struct ws_on_close_task {
  struct ws_task task;
  struct ws_conn *conn; /* pinned; NULL: it has ended */
  int64_t id;
  void **handler; /* a root */
};

static void ws_on_close_run(struct ws_loop *loop, struct ws_task *task) {
  struct ws_on_close_task *work = ws_container_of(task, struct ws_on_close_task, task);
  (void)loop;
  if (work->conn) {
    ws_client_set_on_close(work->conn, work->handler);
    ws_conn_unpin(work->conn);
  } else {
    ws_recently_closed_call(ws_loop_thread_current(), work->id, *work->handler);
    ws_roots_drop(work->handler);
  }
  ws_mem_free(work);
}

int ws_on_close(struct ws_conn *conn, bool local, int64_t id, void *handler, struct ws_error *error) {
  void **root = ws_roots_keep(handler);
  if (root && local) {
    ws_client_set_on_close(conn, root);
    return 0;
  }
  struct ws_on_close_task *work = root ? ws_mem_alloc(sizeof *work) : NULL;
  if (!work) {
    ws_roots_drop(root);
    ws_error_memory(error, "on close");
    return -1;
  }
  *work = (struct ws_on_close_task){.task.run = ws_on_close_run, .conn = conn, .id = id, .handler = root};
  if (conn)
    ws_handle_pin_again(ws_conn_handle(conn));
  ws_loop_post(conn ? ws_conn_loop(conn) : ws_loop_thread_next()->loop, &work->task);
  return 0;
}
