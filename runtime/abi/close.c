#include "close.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "client/stay.h"
#include "conn/end.h"
#include "conn/handle.h"
#include "io/wait.h"
#include "lookup.h"
#include "protocol/close_code.h"
#include "protocol/text.h"

/* Extra time after the deadline, in which the loop thread drops the connection and calls its close handler. */
enum { WS_CLOSE_GRACE_MS = 250 };

struct ws_close_task {
  struct ws_task task;
  struct ws_conn *conn; /* pinned */
  int code;
  char reason[WS_CLOSE_REASON_MAX + 1];
};

int ws_close_check(int64_t code, const char *reason, struct ws_error *error) {
  struct ws_text_extent extent;
  enum ws_text_outcome outcome = ws_text_measure(reason, &extent);
  if (!ws_close_code_valid(code))
    ws_error_close_code(error, code);
  else if (outcome == WS_TEXT_INVALID)
    ws_error_not_utf8(error, "close", "the reason", extent.error_offset);
  else if (outcome == WS_TEXT_CONVERT)
    ws_error_close_reason_nul(error);
  else if (extent.wire_size > WS_CLOSE_REASON_MAX)
    ws_error_close_reason(error, extent.wire_size);
  return ws_error_is_set(error) ? -1 : 0;
}

static bool ws_close_is_of_client(const struct ws_conn *conn) {
  return conn->group->rules->role == WS_ROLE_CLIENT;
}

static void ws_close_now(struct ws_conn *conn, int code, const char *reason) {
  if (ws_close_is_of_client(conn))
    ws_stay_close(conn, code, reason, strlen(reason));
  else
    ws_end_close(conn, code, reason, strlen(reason));
}

static void ws_close_run(struct ws_loop *loop, struct ws_task *task) {
  struct ws_close_task *work = ws_container_of(task, struct ws_close_task, task);
  (void)loop;
  ws_close_now(work->conn, work->code, work->reason);
  ws_conn_unpin(work->conn);
  ws_mem_free(work);
}

static bool ws_close_is_over(void *context) {
  return !ws_handle_is_alive(WS_HANDLE_CONNECTION, *(const int64_t *)context);
}

/* Posts the close, with a pin of its own. */
static int ws_close_post(struct ws_conn *conn, int code, const char *reason, struct ws_error *error) {
  struct ws_close_task *work = ws_mem_alloc(sizeof *work);
  if (!work) {
    ws_error_memory(error, "close");
    return -1;
  }
  *work = (struct ws_close_task){.task.run = ws_close_run, .conn = conn, .code = code};
  strcpy(work->reason, reason);
  ws_handle_pin_again(ws_conn_handle(conn));
  ws_loop_post(ws_conn_loop(conn), &work->task);
  return 0;
}

/* A client that dials again is closed in any state, once. */
static int ws_close_check_open(struct ws_conn *conn, struct ws_error *error) {
  if (ws_close_is_of_client(conn) && ws_stay_returns(conn))
    return 0;
  return ws_conn_check_open("close", conn, error);
}

/* A connection that is being dialed for the same client finds it at the first. */
static void ws_close_hush(int64_t id) {
  struct ws_found found;
  struct ws_error ended;
  ws_error_clear(&ended);
  if (ws_lookup_id("close", id, &found, &ended))
    return;
  atomic_store(&found.conn->hushed, true);
  if (ws_close_is_of_client(found.conn))
    atomic_store(&ws_stay_of(found.conn)->first->conn.hushed, true);
  ws_lookup_release(&found);
}

static bool ws_close_wait(int64_t id, int64_t timeout_ms) {
  return ws_loop_threads_wait(ws_clock_ms() + timeout_ms + WS_CLOSE_GRACE_MS, ws_close_is_over, &id);
}

int ws_close(int64_t id, int code, const char *reason, struct ws_error *error) {
  struct ws_found found;
  int outcome = 0;
  if (ws_lookup_id("close", id, &found, error))
    return -1;
  if (ws_close_check_open(found.conn, error)) {
    ws_lookup_release(&found);
    return -1;
  }
  int64_t timeout_ms = found.conn->group->rules->limits.close_timeout_ms;
  bool here = found.here;
  /* Behind messages of the caller too: the close frame follows them (conn/end.h), and no further message is heard. */
  if (here)
    ws_close_now(found.conn, code, reason);
  else
    outcome = ws_close_post(found.conn, code, reason, error);
  ws_lookup_release(&found);
  /* A handler may keep the loop thread from the close, and a caller on another loop thread does not wait for it. */
  if (outcome == 0 && !here && (ws_loop_thread_current() || !ws_close_wait(id, timeout_ms)))
    ws_close_hush(id);
  return outcome;
}
