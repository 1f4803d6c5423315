#include "timer_heap.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

void ws_timer_heap_deinit(struct ws_timer_heap *heap) {
  ws_mem_free(heap->entries);
  *heap = (struct ws_timer_heap){0};
}

int ws_timer_heap_add(struct ws_timer_heap *heap) {
  if (heap->seats == heap->room) {
    uint32_t room = heap->room ? heap->room * 2 : 16;
    /* realloc would stay in the arena of the thread that made the loop, where no connection uses what it leaves. */
    struct ws_timer_entry *entries = ws_mem_alloc(room * sizeof *entries);
    if (!entries)
      return -1;
    if (heap->count > 0)
      memcpy(entries, heap->entries, heap->count * sizeof *entries);
    ws_mem_free(heap->entries);
    heap->entries = entries;
    heap->room = room;
  }
  heap->seats++;
  return 0;
}

void ws_timer_heap_remove(struct ws_timer_heap *heap, struct ws_timer *timer) {
  ws_timer_heap_disarm(heap, timer);
  heap->seats--;
}

static void ws_timer_heap_place(struct ws_timer_heap *heap, uint32_t at, struct ws_timer_entry entry) {
  heap->entries[at] = entry;
  entry.timer->slot = at + 1;
}

/* Moves the hole `at` towards the root until the entry fits in it. */
static void ws_timer_heap_rise(struct ws_timer_heap *heap, uint32_t at, struct ws_timer_entry entry) {
  while (at > 0) {
    uint32_t parent = (at - 1) / 2;
    if (heap->entries[parent].deadline <= entry.deadline)
      break;
    ws_timer_heap_place(heap, at, heap->entries[parent]);
    at = parent;
  }
  ws_timer_heap_place(heap, at, entry);
}

/* Moves the hole `at` towards the leaves until the entry fits in it. */
static void ws_timer_heap_sink(struct ws_timer_heap *heap, uint32_t at, struct ws_timer_entry entry) {
  for (;;) {
    uint32_t child = 2 * at + 1;
    if (child >= heap->count)
      break;
    if (child + 1 < heap->count && heap->entries[child + 1].deadline < heap->entries[child].deadline)
      child++;
    if (heap->entries[child].deadline >= entry.deadline)
      break;
    ws_timer_heap_place(heap, at, heap->entries[child]);
    at = child;
  }
  ws_timer_heap_place(heap, at, entry);
}

/* Puts an entry that may belong above or below the hole `at` in its place. */
static void ws_timer_heap_settle(struct ws_timer_heap *heap, uint32_t at, struct ws_timer_entry entry) {
  if (at > 0 && entry.deadline < heap->entries[(at - 1) / 2].deadline)
    ws_timer_heap_rise(heap, at, entry);
  else
    ws_timer_heap_sink(heap, at, entry);
}

void ws_timer_heap_arm(struct ws_timer_heap *heap, struct ws_timer *timer, int64_t deadline_ms) {
  struct ws_timer_entry entry = {deadline_ms, timer};
  if (timer->slot)
    ws_timer_heap_settle(heap, timer->slot - 1, entry);
  else
    ws_timer_heap_rise(heap, heap->count++, entry);
}

void ws_timer_heap_disarm(struct ws_timer_heap *heap, struct ws_timer *timer) {
  if (!timer->slot)
    return;
  uint32_t at = timer->slot - 1;
  timer->slot = 0;
  struct ws_timer_entry last = heap->entries[--heap->count];
  if (at != heap->count)
    ws_timer_heap_settle(heap, at, last);
}

int64_t ws_timer_heap_next(const struct ws_timer_heap *heap) {
  return heap->count ? heap->entries[0].deadline : INT64_MAX;
}

void ws_timer_heap_run(struct ws_timer_heap *heap, struct ws_loop *loop, int64_t now_ms) {
  int64_t until_ms = ws_clock_coarse_ms() + WS_TIMER_HEAP_MS;
  for (uint32_t most = heap->count; most > 0 && ws_timer_heap_next(heap) <= now_ms; most--) {
    struct ws_timer *timer = heap->entries[0].timer;
    ws_timer_heap_disarm(heap, timer);
    timer->fire(loop, timer);
    if (ws_clock_coarse_ms() > until_ms)
      break;
  }
}
