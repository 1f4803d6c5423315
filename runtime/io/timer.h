#pragma once
/*
 * One-shot timers of a loop, in milliseconds of ws_loop_now.
 *
 * A timer is 16 bytes in its owner and 16 in the loop's heap. Its seat there is reserved by ws_timer_init, so that arming
 * never fails. Meant to be re-armed lazily: activity only stores a time stamp; when the timer fires, its owner looks at
 * the stamp and arms it for the remainder.
 *
 * A timer fires at its deadline or later, never before; those due in one turn fire in the order of their deadlines. It
 * is disarmed before its callback, which may arm it again, or deinit and free it.
 */
#include <stdbool.h>
#include <stdint.h>

struct ws_loop;

struct ws_timer {
  void (*fire)(struct ws_loop *loop, struct ws_timer *timer);
  uint32_t slot; /* 1 + its place in the heap; 0 while not armed */
};

/* Prepares the timer, disarmed, and reserves its seat. Returns 0, or -1 with errno ENOMEM: then it needs no deinit. */
int ws_timer_init(struct ws_loop *loop, struct ws_timer *timer, void (*fire)(struct ws_loop *, struct ws_timer *));
/* Disarms it and gives up the seat. Once for each successful init. */
void ws_timer_deinit(struct ws_loop *loop, struct ws_timer *timer);

/* Arms or re-arms it for an absolute time. O(log n). */
void ws_timer_arm(struct ws_loop *loop, struct ws_timer *timer, int64_t deadline_ms);
void ws_timer_disarm(struct ws_loop *loop, struct ws_timer *timer);

static inline bool ws_timer_armed(const struct ws_timer *timer) {
  return timer->slot != 0;
}
