#pragma once
/* The state of a loop. Private to loop.c; its unit test looks inside.
 */
#include <stdatomic.h>

#include "loop.h"
#include "poller.h"
#include "pool.h"
#include "timer_heap.h"

enum { WS_LOOP_BATCH = 256, WS_LOOP_SPARE_BUFFERS = 2 };

/* The events that one turn collected. Turns nest, so that batches do: outer ones may hold events not handled yet. */
struct ws_loop_batch {
  struct ws_loop_batch *outer;
  int count;
  struct ws_ready ready[WS_LOOP_BATCH];
};

struct ws_loop {
  const struct ws_poller_ops *ops;
  struct ws_poller *poller;
  struct ws_loop_batch *batch; /* of the innermost turn */
  struct ws_timer_heap timers;
  int64_t now;

  struct ws_deferred *deferred;
  struct ws_deferred **deferred_end;
  int deferred_count;

  /* Tasks in the order they run. They were taken from `posted` in one exchange. */
  struct ws_task *tasks;
  struct ws_task **tasks_end;

  struct ws_watch waker;
  uint8_t *buffers[WS_LOOP_SPARE_BUFFERS];
  int buffer_count;
  struct ws_pool pool;

  /* Shared with other threads, on a cache line of their own. */
  _Alignas(64) _Atomic(struct ws_task *) posted; /* the last posted first */
  atomic_bool asleep;                            /* the loop may be waiting: whoever posts wakes it */
};
