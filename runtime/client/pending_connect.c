#include "pending_connect.h"

#include <stdatomic.h>

#include "base/mem.h"
#include "io/wait.h"

enum { WS_CONNECT_PENDING, WS_CONNECT_SETTLED, WS_CONNECT_ABANDONED };

enum { WS_CONNECT_GRACE_MS = 500 }; /* for the loop thread to notice the deadline before the caller does */

struct ws_pending_connect {
  _Atomic int state;
  _Atomic int references;
  int64_t id;
  struct ws_error error;
};

struct ws_pending_connect *ws_pending_connect_new(void) {
  struct ws_pending_connect *connect = ws_mem_calloc(1, sizeof *connect);
  if (connect)
    atomic_store(&connect->references, 2);
  return connect;
}

void ws_pending_connect_free(struct ws_pending_connect *connect) {
  ws_mem_free(connect);
}

static void ws_pending_connect_unref(struct ws_pending_connect *connect) {
  if (atomic_fetch_sub(&connect->references, 1) == 1)
    ws_mem_free(connect);
}

bool ws_pending_connect_settle(struct ws_pending_connect *connect, int64_t id, const struct ws_error *error) {
  int pending = WS_CONNECT_PENDING;
  connect->id = id;
  if (error)
    connect->error = *error;
  bool heard = atomic_compare_exchange_strong(&connect->state, &pending, WS_CONNECT_SETTLED);
  ws_wait_notify();
  ws_pending_connect_unref(connect);
  return heard;
}

static bool ws_pending_connect_is_settled(void *context) {
  struct ws_pending_connect *connect = context;
  return atomic_load(&connect->state) != WS_CONNECT_PENDING;
}

/* Turns the loop until the connect is settled; the loop thread's own timers keep the deadline. */
static void ws_pending_connect_turn(struct ws_pending_connect *connect, struct ws_loop_thread *here,
                                    int64_t deadline_ms) {
  int64_t outer_ms = here->nested_deadline;
  here->nested_deadline = deadline_ms;
  here->nesting++;
  while (!ws_pending_connect_is_settled(connect) && ws_loop_turn(here->loop, -1) == 0)
    ;
  here->nesting--;
  here->nested_deadline = outer_ms;
}

int64_t ws_pending_connect_await(struct ws_pending_connect *connect, struct ws_loop_thread *here, int64_t deadline_ms,
                                 struct ws_error *error) {
  int pending = WS_CONNECT_PENDING;
  int64_t id = 0;
  if (here)
    ws_pending_connect_turn(connect, here, deadline_ms);
  else
    ws_wait_until(deadline_ms + WS_CONNECT_GRACE_MS, ws_pending_connect_is_settled, connect);
  if (!atomic_compare_exchange_strong(&connect->state, &pending, WS_CONNECT_ABANDONED)) {
    id = connect->id;
    if (!id)
      *error = connect->error;
  }
  ws_pending_connect_unref(connect);
  return id;
}
