#include "timer.h"

#include <errno.h>

#include "base/mem.h"
#include "loop_state.h"

int ws_timer_init(struct ws_loop *loop, struct ws_timer *timer, void (*fire)(struct ws_loop *, struct ws_timer *)) {
  struct ws_timer_heap *heap = &loop->timers;
  if (heap->seats == heap->room) {
    uint32_t room = heap->room ? heap->room * 2 : 16;
    struct ws_timer_entry *entries = ws_mem_realloc(heap->entries, room * sizeof *entries);
    if (!entries)
      return -1;
    heap->entries = entries;
    heap->room = room;
  }
  heap->seats++;
  *timer = (struct ws_timer){.fire = fire};
  return 0;
}

void ws_timer_deinit(struct ws_loop *loop, struct ws_timer *timer) {
  ws_timer_disarm(loop, timer);
  loop->timers.seats--;
}

static void ws_timer_place(struct ws_timer_heap *heap, uint32_t at, struct ws_timer_entry entry) {
  heap->entries[at] = entry;
  entry.timer->slot = at + 1;
}

/* Puts the entry where it belongs on the way from the hole `at` to the root. */
static void ws_timer_rise(struct ws_timer_heap *heap, uint32_t at, struct ws_timer_entry entry) {
  while (at > 0) {
    uint32_t parent = (at - 1) / 2;
    if (heap->entries[parent].deadline <= entry.deadline)
      break;
    ws_timer_place(heap, at, heap->entries[parent]);
    at = parent;
  }
  ws_timer_place(heap, at, entry);
}

/* The same, on the way from the hole towards the leaves. */
static void ws_timer_sink(struct ws_timer_heap *heap, uint32_t at, struct ws_timer_entry entry) {
  for (;;) {
    uint32_t child = 2 * at + 1;
    if (child >= heap->count)
      break;
    if (child + 1 < heap->count && heap->entries[child + 1].deadline < heap->entries[child].deadline)
      child++;
    if (heap->entries[child].deadline >= entry.deadline)
      break;
    ws_timer_place(heap, at, heap->entries[child]);
    at = child;
  }
  ws_timer_place(heap, at, entry);
}

/* Fills the hole `at` with an entry that may belong above or below it. */
static void ws_timer_settle(struct ws_timer_heap *heap, uint32_t at, struct ws_timer_entry entry) {
  if (at > 0 && entry.deadline < heap->entries[(at - 1) / 2].deadline)
    ws_timer_rise(heap, at, entry);
  else
    ws_timer_sink(heap, at, entry);
}

void ws_timer_arm(struct ws_loop *loop, struct ws_timer *timer, int64_t deadline_ms) {
  struct ws_timer_heap *heap = &loop->timers;
  struct ws_timer_entry entry = {deadline_ms, timer};
  if (timer->slot)
    ws_timer_settle(heap, timer->slot - 1, entry);
  else
    ws_timer_rise(heap, heap->count++, entry);
}

void ws_timer_disarm(struct ws_loop *loop, struct ws_timer *timer) {
  struct ws_timer_heap *heap = &loop->timers;
  if (!timer->slot)
    return;
  uint32_t at = timer->slot - 1;
  timer->slot = 0;
  struct ws_timer_entry last = heap->entries[--heap->count];
  if (at != heap->count)
    ws_timer_settle(heap, at, last);
}

int64_t ws_timer_next(const struct ws_loop *loop) {
  return loop->timers.count ? loop->timers.entries[0].deadline : INT64_MAX;
}

/* At most as many as were armed: one that re-arms itself for the past comes again in the next turn. */
void ws_timer_run(struct ws_loop *loop) {
  uint32_t most = loop->timers.count;
  for (; most > 0 && ws_timer_next(loop) <= loop->now; most--) {
    struct ws_timer *timer = loop->timers.entries[0].timer;
    ws_timer_disarm(loop, timer);
    timer->fire(loop, timer);
  }
}
