#pragma once
/* The state of a loop. Private to loop.c and its unit test. */
#include <stdatomic.h>

#include "loop.h"
#include "poller.h"
#include "pool.h"
#include "timer_heap.h"

enum { WS_LOOP_BATCH = 256, WS_LOOP_SPARE_BUFFERS = 2 };

/* The events that one turn collected. Turns nest, and so do batches: an outer batch may contain events that are not
 * handled yet. */
struct ws_loop_batch {
  struct ws_loop_batch *outer;
  int count;
  struct ws_ready ready[WS_LOOP_BATCH];
};

struct ws_loop {
  const struct ws_poller_ops *ops;
  void *poller;
  struct ws_loop_batch *batch; /* of the innermost turn */
  struct ws_timer_heap timers;
  int64_t now;
  int64_t listened; /* when the latest wait returned */
  int64_t away;

  struct ws_deferred *deferred;
  struct ws_deferred **deferred_end;
  int deferred_count;
  int watches; /* with an interest */

  /* Tasks taken from `posted` in one exchange, in the order in which they run. */
  struct ws_task *tasks;
  struct ws_task **tasks_end;

  struct ws_watch waker;
  int waker_ends[2]; /* ws_sys_waker_open */
  uint8_t *buffers[WS_LOOP_SPARE_BUFFERS];
  int buffer_count;
  struct ws_pool pool;

  /* Shared with other threads, on a cache line of their own. */
  _Alignas(64) _Atomic(struct ws_task *) posted; /* newest first */
  atomic_bool asleep;                            /* the loop may be waiting: a poster must wake it */
};
