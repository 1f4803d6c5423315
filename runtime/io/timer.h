#pragma once
/* One-shot timers of a loop, in milliseconds of ws_loop_now.
 *
 * A timer fires at its deadline or later, never before. Timers due in the same turn fire in the order of their
 * deadlines. A timer is disarmed before its callback runs; the callback may re-arm it, or deinit and free it or any
 * other timer.
 *
 * Timers are meant to be re-armed lazily: activity only stores a timestamp, and when the timer fires, its owner
 * compares the timestamp and arms the timer for the remainder. All functions are for the loop's thread.
 */
#include <stdbool.h>

#include "loop.h"
#include "timer_heap.h"

/* Initialises a disarmed timer and reserves its place in the loop, so that arming cannot fail. Returns 0, or -1 with
 * errno ENOMEM: the timer then needs no deinit.
 */
static inline int ws_timer_init(struct ws_loop *loop, struct ws_timer *timer,
                                void (*fire)(struct ws_loop *, struct ws_timer *)) {
  if (ws_timer_heap_add(ws_loop_timers(loop)))
    return -1;
  *timer = (struct ws_timer){.fire = fire};
  return 0;
}

/* Disarms the timer and releases its place. Call this once for each successful init. */
static inline void ws_timer_deinit(struct ws_loop *loop, struct ws_timer *timer) {
  ws_timer_heap_remove(ws_loop_timers(loop), timer);
}

/* Arms or re-arms the timer for an absolute time. O(log n). */
static inline void ws_timer_arm(struct ws_loop *loop, struct ws_timer *timer, int64_t deadline_ms) {
  ws_timer_heap_arm(ws_loop_timers(loop), timer, deadline_ms);
}

static inline void ws_timer_disarm(struct ws_loop *loop, struct ws_timer *timer) {
  ws_timer_heap_disarm(ws_loop_timers(loop), timer);
}

static inline bool ws_timer_armed(const struct ws_timer *timer) {
  return timer->slot != 0;
}
