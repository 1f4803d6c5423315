#pragma once
/*
 * What is inside a loop: for loop.c and timer.c only.
 */
#include <stdatomic.h>

#include "loop.h"
#include "poller.h"
#include "pool.h"
#include "timer.h"

enum { WS_LOOP_BATCH = 256, WS_LOOP_SPARE_BUFFERS = 2 };

/* The events that one turn collected. Turns nest, so that batches do: outer ones may hold events not handled yet. */
struct ws_loop_batch {
  struct ws_loop_batch *outer;
  int count;
  struct ws_ready ready[WS_LOOP_BATCH];
};

struct ws_timer_entry {
  int64_t deadline;
  struct ws_timer *timer;
};

/* A binary heap, the earliest first. count <= seats <= room. */
struct ws_timer_heap {
  struct ws_timer_entry *entries;
  uint32_t count; /* armed */
  uint32_t seats; /* initialised */
  uint32_t room;
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

/* The time of the earliest timer, or INT64_MAX. */
int64_t ws_timer_next(const struct ws_loop *loop);
/* Fires those that are due by loop->now. */
void ws_timer_run(struct ws_loop *loop);
