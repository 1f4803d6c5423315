#pragma once
/* The armed timers of a loop, as a binary heap with the earliest deadline first.
 *
 * A timer takes 16 bytes in its owner and 16 in the heap. ws_timer_heap_add reserves its entry, so that arming never
 * fails. Invariant: count <= seats <= room. Not thread-safe. Owners of timers use timer.h.
 */
#include <stdint.h>

struct ws_loop;

struct ws_timer {
  void (*fire)(struct ws_loop *loop, struct ws_timer *timer);
  uint32_t slot; /* 1 + index of its entry in the heap; 0: disarmed */
};

struct ws_timer_entry {
  int64_t deadline;
  struct ws_timer *timer;
};

/* Zeroed is initialised. */
struct ws_timer_heap {
  struct ws_timer_entry *entries;
  uint32_t count; /* armed */
  uint32_t seats; /* reserved */
  uint32_t room;
};

/* Frees the entries. The timers stay their owners'. */
void ws_timer_heap_deinit(struct ws_timer_heap *heap);

/* Reserves an entry for one more timer. Returns 0, or -1 with errno ENOMEM. */
int ws_timer_heap_add(struct ws_timer_heap *heap);
/* Disarms the timer and gives up its entry. */
void ws_timer_heap_remove(struct ws_timer_heap *heap, struct ws_timer *timer);

/* Arms the timer, or changes its deadline. O(log n). */
void ws_timer_heap_arm(struct ws_timer_heap *heap, struct ws_timer *timer, int64_t deadline_ms);
/* No effect on a disarmed timer. O(log n). */
void ws_timer_heap_disarm(struct ws_timer_heap *heap, struct ws_timer *timer);

/* Returns the earliest deadline, or INT64_MAX if no timer is armed. */
int64_t ws_timer_heap_next(const struct ws_timer_heap *heap);

/* Fires the timers due at now_ms, in the order of their deadlines. Each is disarmed first. Fires at most as many timers
 * as were armed at the start: a callback that re-arms its timer for the past runs again in the next turn. So do those
 * that are left after WS_TIMER_HEAP_MS, behind what is readable by then. A callback may change the heap, or run it
 * again.
 */
enum { WS_TIMER_HEAP_MS = 4 };
void ws_timer_heap_run(struct ws_timer_heap *heap, struct ws_loop *loop, int64_t now_ms);
