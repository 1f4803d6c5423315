#include "stay.h"

#include <inttypes.h>
#include <time.h>

#include "backoff.h"
#include "base/clock.h"
#include "base/mem.h"
#include "conn/awake.h"
#include "conn/end.h"
#include "osprey/log.h"
#include "osprey/roots.h"
#include "protocol/close_code.h"
#include "protocol/retry_after.h"

enum { WS_STAY_RETRY_AFTER_MAX = 3600 }; /* seconds */

struct ws_stay_plan {
  struct ws_backoff backoff;
  void **handler;         /* root of the open handler */
  struct ws_stay *now;    /* the further connection, from its dial to its end; else NULL */
  _Atomic int64_t now_id; /* shared: its handle once it is open; else 0 */
  int64_t opened_ms;      /* when it was open; 0: it is not yet */
  int64_t retry_after_ms; /* what the server asked for when it refused */
  int status;             /* of the refusal; 0: none */
  char cause[256];        /* why it failed */
};

struct ws_stay_plan *ws_stay_plan_new(int64_t first_ms, int64_t longest_ms, void **handler) {
  struct ws_stay_plan *plan = ws_mem_calloc(1, sizeof *plan);
  if (!plan)
    return NULL;
  ws_backoff_start(&plan->backoff, first_ms, longest_ms);
  plan->handler = handler;
  return plan;
}

void ws_stay_plan_free(struct ws_stay_plan *plan) {
  if (plan)
    ws_roots_drop(plan->handler);
  ws_mem_free(plan);
}

static struct ws_stay_plan *ws_stay_plan_of(const struct ws_stay *stay) {
  return atomic_load_explicit(&stay->first->plan, memory_order_acquire);
}

static bool ws_stay_is_parked(const struct ws_stay *first) {
  return ws_conn_state(&first->conn) == WS_CONN_PARKED;
}

static bool ws_stay_is_late(const struct ws_stay *first) {
  return ws_stay_is_parked(first) && !ws_stay_plan_of(first);
}

/* ---- the end */

static void ws_stay_wake(struct ws_stay *first, int64_t in_ms) {
  ws_timer_arm(ws_conn_loop(&first->conn), &first->conn.timer, ws_clock_ms() + in_ms);
}

/* Nothing follows. The timer retires the ID, so that no function on the stack uses it. */
static void ws_stay_leave(struct ws_stay *first) {
  atomic_store(&first->left, true);
  ws_stay_wake(first, 0);
}

static void ws_stay_give_up(struct ws_stay *first, enum ws_log_level level, const char *cause) {
  ws_log(level, "connection %" PRId64 " is not dialed again: %s", first->conn.id, cause);
  ws_stay_leave(first);
}

static void ws_stay_end(struct ws_stay *first) {
  if (ws_stay_is_late(first))
    first->conn.group->thread->late--;
  first->over = true;
  ws_end_parked(&first->conn);
}

void ws_stays_end(struct ws_loop_thread *thread) {
  for (struct ws_list_node *node = thread->parked.first; node; node = node->next) {
    struct ws_stay *first = ws_stay_of(ws_conn_of_member(node));
    const struct ws_stay_plan *plan = ws_stay_plan_of(first);
    atomic_store(&first->left, true);
    if (!plan)
      ws_stay_wake(first, 0);
    else if (!plan->now)
      ws_stay_give_up(first, WS_LOG_INFO, WS_END_OF_PROGRAM);
  }
}

/* ---- between two connections */

static void ws_stay_wait(struct ws_stay *first, struct ws_stay_plan *plan, const char *cause) {
  int64_t delay_ms = plan->retry_after_ms + ws_backoff_next(&plan->backoff);
  plan->retry_after_ms = 0;
  ws_log(WS_LOG_INFO, "connection %" PRId64 " is dialed again in %" PRId64 " ms: %s", first->conn.id, delay_ms, cause);
  ws_stay_wake(first, delay_ms);
}

/* A message that is too long is none: any member of a room may have sent it. */
static bool ws_stay_is_violation(const struct ws_conn *conn) {
  return conn->failed && (conn->code == WS_CLOSE_PROTOCOL_ERROR || conn->code == WS_CLOSE_UNSUPPORTED_DATA ||
                          conn->code == WS_CLOSE_INVALID_PAYLOAD);
}

/* A connection that was open has ended. */
static void ws_stay_after_end(struct ws_stay *first, struct ws_stay_plan *plan, const struct ws_conn *conn) {
  char cause[64];
  snprintf(cause, sizeof cause, "it has ended with %d", conn->code);
  if (atomic_load(&first->left)) {
    ws_stay_give_up(first, WS_LOG_INFO, "the program has closed it");
  } else if (ws_stay_is_violation(conn)) {
    snprintf(cause, sizeof cause, "it was closed with %d", conn->code);
    ws_stay_give_up(first, WS_LOG_WARN, cause);
  } else {
    if (plan->opened_ms)
      ws_backoff_lasted(&plan->backoff, ws_clock_ms() - plan->opened_ms);
    ws_stay_wait(first, plan, cause);
  }
}

static void ws_stay_after_failure(struct ws_stay *first, struct ws_stay_plan *plan, bool distrusts) {
  bool refused = plan->status == 401 || plan->status == 403 || plan->status == 404;
  if (atomic_load(&first->left))
    ws_stay_give_up(first, WS_LOG_INFO, "the program has closed it");
  else if (refused || distrusts)
    ws_stay_give_up(first, WS_LOG_WARN, plan->cause);
  else
    ws_stay_wait(first, plan, plan->cause);
}

bool ws_stay_is_due(struct ws_conn *conn) {
  struct ws_stay *first = ws_stay_of(conn);
  struct ws_stay_plan *plan = ws_stay_plan_of(first);
  if (!plan || atomic_load(&first->left)) {
    ws_stay_end(first);
    return false;
  }
  plan->opened_ms = 0;
  plan->status = 0;
  snprintf(plan->cause, sizeof plan->cause, "out of memory");
  return true;
}

void ws_stay_dialed(struct ws_conn *conn, struct ws_stay *later) {
  struct ws_stay *first = ws_stay_of(conn);
  struct ws_stay_plan *plan = ws_stay_plan_of(first);
  plan->now = later;
  if (!later)
    ws_stay_wait(first, plan, plan->cause);
}

/* ---- parking */

static void ws_stay_park(struct ws_stay *first) {
  ws_conn_enter(&first->conn, WS_CONN_PARKED);
  ws_list_add(&first->conn.group->thread->parked, &first->conn.member);
}

/* Of the parked, the last added come first. */
static void ws_stay_forget_oldest(struct ws_loop_thread *thread) {
  struct ws_stay *oldest = NULL;
  for (struct ws_list_node *node = thread->parked.first; node; node = node->next) {
    struct ws_stay *first = ws_stay_of(ws_conn_of_member(node));
    if (ws_stay_is_late(first) && !atomic_load(&first->left))
      oldest = first;
  }
  if (oldest)
    ws_stay_leave(oldest);
}

static void ws_stay_park_late(struct ws_stay *first) {
  struct ws_loop_thread *thread = first->conn.group->thread;
  if (thread->late >= WS_STAY_LATE_MAX)
    ws_stay_forget_oldest(thread);
  ws_stay_park(first);
  thread->late++;
  ws_stay_wake(first, WS_STAY_LATE_MS);
}

static bool ws_stay_first_outlives(struct ws_stay *first) {
  struct ws_stay_plan *plan = ws_stay_plan_of(first);
  bool over = !first->conn.admitted || atomic_load(&first->left) || ws_stay_is_violation(&first->conn) ||
              ws_loop_threads_are_ending();
  if (plan) {
    ws_stay_park(first);
    ws_stay_after_end(first, plan, &first->conn);
    return true;
  }
  first->over = over;
  if (!over)
    ws_stay_park_late(first);
  return !over;
}

bool ws_stay_outlives(struct ws_conn *conn) {
  struct ws_stay *stay = ws_stay_of(conn);
  struct ws_stay *first = stay->first;
  if (stay == first)
    return ws_stay_first_outlives(first);
  struct ws_stay_plan *plan = ws_stay_plan_of(first);
  plan->now = NULL;
  atomic_store(&plan->now_id, 0);
  if (conn->admitted)
    ws_stay_after_end(first, plan, conn);
  else
    ws_stay_after_failure(first, plan, stay->distrusts);
  return false;
}

/* ---- later connections */

void ws_stay_refused(struct ws_stay *later, const struct ws_http_head *head) {
  struct ws_stay_plan *plan = ws_stay_plan_of(later);
  struct ws_slice after;
  plan->status = head->status;
  if (ws_http_head_find(head, "Retry-After", &after) == 1)
    plan->retry_after_ms = ws_retry_after(after, time(NULL), WS_STAY_RETRY_AFTER_MAX) * 1000;
}

void ws_stay_failed(struct ws_stay *later, const char *cause) {
  struct ws_stay_plan *plan = ws_stay_plan_of(later);
  snprintf(plan->cause, sizeof plan->cause, "%s", cause);
}

void ws_stay_opened(struct ws_stay *later) {
  struct ws_stay_plan *plan = ws_stay_plan_of(later);
  plan->opened_ms = ws_clock_ms();
  if (atomic_load(&later->first->conn.hushed))
    atomic_store(&later->conn.hushed, true);
  atomic_store(&plan->now_id, ws_conn_handle(&later->conn));
}

/* The handler may set another in its place, and is kept until it has returned. */
static enum ws_verdict ws_stay_call_open(struct ws_stay_plan *plan, struct ws_call *call, void *record) {
  void **handler = plan->handler;
  plan->handler = NULL;
  enum ws_verdict verdict = ws_call_open(call, *handler, record);
  if (plan->handler)
    ws_roots_drop(handler);
  else
    plan->handler = handler;
  return verdict;
}

void ws_stay_greet(struct ws_stay *later) {
  struct ws_conn *conn = &later->conn;
  void *record = ws_awake_record(conn);
  struct ws_call *call = record ? ws_conn_call_begin(conn, "open") : NULL;
  if (!call) {
    ws_end_fail(conn, WS_CLOSE_INTERNAL_ERROR, "out of memory", NULL);
    return;
  }
  enum ws_verdict verdict = ws_stay_call_open(ws_stay_plan_of(later), call, record);
  if (verdict == WS_VERDICT_ERROR)
    ws_log(WS_LOG_WARN, "connection %" PRId64 ": the open handler failed: %s", conn->id, call->message);
  if (verdict != WS_VERDICT_SUCCESS)
    ws_end_fail(conn, WS_CLOSE_INTERNAL_ERROR, verdict == WS_VERDICT_ERROR ? "the handler failed" : "out of memory",
                NULL);
  ws_conn_call_end(conn, call);
}

/* ---- what the program asks for */

/* The new plan's settings, with the state of the old one, which later connections know. */
static void ws_stay_replace(struct ws_stay_plan *old, struct ws_stay_plan *plan) {
  void **handler = old->handler;
  old->handler = plan->handler;
  old->backoff = plan->backoff;
  plan->handler = handler;
  ws_stay_plan_free(plan);
}

void ws_stay_set(struct ws_conn *conn, struct ws_stay_plan *plan) {
  struct ws_stay *first = ws_stay_of(conn)->first;
  struct ws_stay_plan *old = ws_stay_plan_of(first);
  if (first->over || atomic_load(&first->left)) {
    ws_log(WS_LOG_INFO, "connection %" PRId64 " is not dialed again: it has ended already", first->conn.id);
    ws_stay_plan_free(plan);
  } else if (old) {
    ws_stay_replace(old, plan);
  } else {
    bool late = ws_stay_is_late(first);
    atomic_store_explicit(&first->plan, plan, memory_order_release);
    if (late) {
      first->conn.group->thread->late--;
      ws_stay_wait(first, plan, "it has ended");
    }
  }
}

void ws_stay_close(struct ws_conn *conn, int code, const char *reason, size_t n) {
  struct ws_stay *first = ws_stay_of(conn)->first;
  const struct ws_stay_plan *plan = ws_stay_plan_of(first);
  if (first->over)
    return;
  bool left = atomic_exchange(&first->left, true);
  if (!ws_stay_is_parked(first))
    ws_end_close(&first->conn, code, reason, n);
  else if (plan && plan->now)
    ws_end_close(&plan->now->conn, code, reason, n);
  else if (!left)
    ws_stay_give_up(first, WS_LOG_INFO, "the program has closed it");
}

/* ---- look-ups */

bool ws_stay_returns(const struct ws_conn *conn) {
  const struct ws_stay *first = ws_stay_of(conn)->first;
  return ws_stay_plan_of(first) && !atomic_load(&first->left);
}

int64_t ws_stay_now(const struct ws_conn *conn) {
  struct ws_stay_plan *plan = ws_stay_plan_of(ws_stay_of(conn)->first);
  return plan ? atomic_load(&plan->now_id) : -1;
}

bool ws_stay_has_left(const struct ws_conn *conn) {
  return atomic_load(&ws_stay_of(conn)->first->left);
}
