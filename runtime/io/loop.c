/* Nested turns and removals in callbacks never use a stale pointer:
 *  - events: a turn collects them into a batch on its stack, and the batches of nested turns are linked. Removing a
 *    watch deletes its events from all batches, and its interest from the kernel;
 *  - timers, tasks and deferred work are taken from the loop's lists one at a time, immediately before the call. An
 *    inner turn continues where the outer turn is.
 *
 * Wake-ups: the loop sets `asleep`, then checks for posted tasks. A poster posts, then checks `asleep`. All four
 * operations are sequentially consistent, so at least one side sees the other's write.
 */
#include "loop.h"

#include <errno.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/path.h"
#include "loop_state.h"
#include "sys.h"

/* The receive buffer is page-aligned, as most kernel sources are. "rep movsb" is several times slower if the
 * destination is a few bytes further into its page than the source, as with malloc's memory: an echo of 64 KiB took 50
 * % longer.
 */
enum { WS_LOOP_PAGE = 4096 };

static void ws_loop_woken(struct ws_loop *loop, struct ws_watch *watch, unsigned events) {
  (void)loop;
  (void)events;
  ws_sys_waker_clear(watch->fd);
}

static const struct ws_poller_ops *ws_loop_choose_poller(void) {
  const char *choice = getenv("OSPREY_WS_POLLER");
  return choice && strcmp(choice, "poll") == 0 ? &ws_poll_ops : &WS_SYS_POLLER;
}

/* Makes the poller and the waker, which can fail. */
static int ws_loop_open(struct ws_loop *loop) {
  loop->ops = ws_loop_choose_poller();
  loop->poller = loop->ops->new ();
  if (!loop->poller)
    return -1;
  bool opened = ws_sys_waker_open(loop->waker_ends) == 0;
  loop->waker = (struct ws_watch){.ready = ws_loop_woken, .fd = loop->waker_ends[0]};
  if (opened && ws_loop_watch(loop, &loop->waker, WS_READ) == 0)
    return 0;
  int error = errno;
  if (opened)
    ws_sys_waker_close(loop->waker_ends);
  loop->ops->free(loop->poller);
  errno = error;
  return -1;
}

struct ws_loop *ws_loop_new(void) {
  struct ws_loop *loop = ws_mem_aligned_alloc(_Alignof(struct ws_loop), sizeof *loop);
  if (!loop)
    return NULL;
  memset(loop, 0, sizeof *loop);
  if (ws_loop_open(loop)) {
    ws_mem_free(loop);
    return NULL;
  }
  loop->deferred_end = &loop->deferred;
  loop->tasks_end = &loop->tasks;
  ws_pool_init(&loop->pool);
  loop->listened = ws_loop_refresh(loop);
  return loop;
}

int64_t ws_loop_now(const struct ws_loop *loop) {
  return loop->now;
}

int64_t ws_loop_refresh(struct ws_loop *loop) {
  return loop->now = ws_clock_ms();
}

bool ws_loop_turn_exceeds(const struct ws_loop *loop, int64_t ms, int64_t now_ns) {
  return now_ns >= (loop->listened + ms + 1) * WS_CLOCK_NS;
}

int64_t ws_loop_away(const struct ws_loop *loop) {
  int64_t busy_ms = loop->now - loop->listened - WS_LOOP_AWAY_MS;
  return loop->away + (busy_ms > 0 ? busy_ms : 0);
}

struct ws_pool *ws_loop_pool(struct ws_loop *loop) {
  return &loop->pool;
}

struct ws_timer_heap *ws_loop_timers(struct ws_loop *loop) {
  return &loop->timers;
}

static void ws_loop_strike(struct ws_loop *loop, const struct ws_watch *watch) {
  for (struct ws_loop_batch *batch = loop->batch; batch; batch = batch->outer)
    for (int i = 0; i < batch->count; i++)
      if (batch->ready[i].watch == watch)
        batch->ready[i].watch = NULL;
}

int ws_loop_watch(struct ws_loop *loop, struct ws_watch *watch, unsigned interest) {
  if (interest == watch->interest)
    return 0;
  if (loop->ops->set(loop->poller, watch, interest))
    return -1;
  loop->watches += (interest != 0) - (watch->interest != 0);
  watch->interest = (uint8_t)interest;
  if (interest == 0)
    ws_loop_strike(loop, watch);
  return 0;
}

void ws_loop_post(struct ws_loop *loop, struct ws_task *task) {
  task->next = atomic_load_explicit(&loop->posted, memory_order_relaxed);
  while (!atomic_compare_exchange_weak(&loop->posted, &task->next, task))
    ;
  if (atomic_load(&loop->asleep) && atomic_exchange(&loop->asleep, false))
    ws_loop_wake(loop);
}

void ws_loop_wake(struct ws_loop *loop) {
  int saved = errno;
  ws_sys_waker_wake(loop->waker_ends[1]);
  errno = saved;
}

bool ws_loop_is_waiting(const struct ws_loop *loop) {
  return atomic_load(&loop->asleep);
}

bool ws_loop_has_work(const struct ws_loop *loop) {
  return atomic_load(&loop->posted) || loop->ops->has_ready(loop->poller);
}

bool ws_loop_is_behind(const struct ws_loop *loop) {
  return loop->tasks != NULL;
}

/* Appends the posted tasks in reverse, because `posted` has the newest first. */
WS_ASIDE static void ws_loop_collect_tasks(struct ws_loop *loop) {
  struct ws_task *task = atomic_exchange(&loop->posted, NULL);
  struct ws_task *first = NULL;
  struct ws_task *last = task;
  while (task) {
    struct ws_task *next = task->next;
    task->next = first;
    first = task;
    task = next;
  }
  *loop->tasks_end = first;
  loop->tasks_end = &last->next;
}

/* Those that a turn has no time for run in the next one: what is readable comes before them. */
enum { WS_LOOP_TASKS_MS = 4 };

WS_ASIDE static void ws_loop_run_collected(struct ws_loop *loop) {
  int64_t until_ms = ws_clock_coarse_ms() + WS_LOOP_TASKS_MS;
  while (loop->tasks) {
    struct ws_task *task = loop->tasks;
    loop->tasks = task->next;
    if (!loop->tasks)
      loop->tasks_end = &loop->tasks;
    task->run(loop, task);
    if (ws_clock_coarse_ms() > until_ms)
      break;
  }
}

static void ws_loop_run_tasks(struct ws_loop *loop) {
  if (atomic_load_explicit(&loop->posted, memory_order_relaxed))
    ws_loop_collect_tasks(loop);
  if (loop->tasks)
    ws_loop_run_collected(loop);
}

void ws_loop_defer(struct ws_loop *loop, struct ws_deferred *work) {
  if (work->link)
    return;
  work->next = NULL;
  work->link = loop->deferred_end;
  *loop->deferred_end = work;
  loop->deferred_end = &work->next;
  loop->deferred_count++;
}

void ws_loop_undefer(struct ws_loop *loop, struct ws_deferred *work) {
  if (!work->link)
    return;
  *work->link = work->next;
  if (work->next)
    work->next->link = work->link;
  else
    loop->deferred_end = work->link;
  work->link = NULL;
  loop->deferred_count--;
}

/* Runs only the work that was deferred at the start. Work that defers itself again runs after the next wait, which is
 * short.
 */
static void ws_loop_run_deferred(struct ws_loop *loop) {
  for (int most = loop->deferred_count; most > 0 && loop->deferred; most--) {
    struct ws_deferred *work = loop->deferred;
    ws_loop_undefer(loop, work);
    work->run(loop, work);
  }
}

/* Moves loop->now by the coarse clock. It lags, so a wait until a timer is never too short. */
static void ws_loop_catch_up(struct ws_loop *loop) {
  int64_t coarse = ws_clock_coarse_ms();
  if (coarse > loop->now)
    loop->now = coarse;
}

/* Returns how long to wait from loop->now on. */
static int ws_loop_timeout(const struct ws_loop *loop, int64_t max_wait_ms) {
  if (max_wait_ms == 0 || loop->deferred || loop->tasks)
    return 0;
  int64_t next = ws_timer_heap_next(&loop->timers);
  if (next == INT64_MAX)
    return max_wait_ms < 0 ? -1 : (int)(max_wait_ms < INT32_MAX ? max_wait_ms : INT32_MAX);
  int64_t until_timer = next - loop->now;
  if (until_timer < 0)
    until_timer = 0;
  if (max_wait_ms > 0 && max_wait_ms < until_timer)
    until_timer = max_wait_ms;
  return (int)(until_timer < INT32_MAX ? until_timer : INT32_MAX);
}

/* Adds the time since the last wait, as of loop->now. */
static void ws_loop_count_busy(struct ws_loop *loop) {
  loop->away = ws_loop_away(loop);
  loop->listened = loop->now;
}

/* Adds what a wait took beyond its timeout. */
static void ws_loop_count_wait(struct ws_loop *loop, int timeout_ms) {
  int64_t over_ms = timeout_ms < 0 ? 0 : loop->now - loop->listened - timeout_ms - WS_LOOP_AWAY_MS;
  loop->away += over_ms > 0 ? over_ms : 0;
  loop->listened = loop->now;
}

/* Waits from loop->now on. */
static int ws_loop_wait(struct ws_loop *loop, struct ws_loop_batch *batch, int timeout_ms) {
  ws_loop_count_busy(loop);
  if (timeout_ms != 0) {
    atomic_store(&loop->asleep, true);
    if (atomic_load(&loop->posted))
      timeout_ms = 0;
  }
  int count = loop->ops->wait(loop->poller, batch->ready, WS_LOOP_BATCH, timeout_ms);
  /* The wait of a process that was stopped is interrupted (signal(7)), and no signal is handled on a loop's thread: in
   * all of it nobody may have listened. Input that arrived meanwhile comes before timers. */
  if (count < 0 && errno == EINTR) {
    timeout_ms = 0;
    count = loop->ops->wait(loop->poller, batch->ready, WS_LOOP_BATCH, 0);
  }
  int error = errno;
  atomic_store_explicit(&loop->asleep, false, memory_order_relaxed);
  ws_loop_refresh(loop);
  ws_loop_count_wait(loop, timeout_ms);
  batch->count = count < 0 ? 0 : count;
  errno = error;
  return count < 0 && error != EINTR ? -1 : 0;
}

static void ws_loop_dispatch(struct ws_loop *loop, const struct ws_loop_batch *batch) {
  for (int i = 0; i < batch->count; i++) {
    struct ws_watch *watch = batch->ready[i].watch;
    unsigned events = watch ? batch->ready[i].events & watch->interest : 0;
    if (events)
      watch->ready(loop, watch, events);
  }
}

/* The pollers return ready descriptors in turn: as many batches as hold all watches hold each that was ready. */
WS_ASIDE static void ws_loop_dispatch_batches(struct ws_loop *loop, struct ws_loop_batch *batch, int64_t turn_ms) {
  int more = loop->watches / WS_LOOP_BATCH;
  while (batch->count == WS_LOOP_BATCH && more-- > 0 && ws_timer_heap_next(&loop->timers) <= turn_ms) {
    ws_loop_catch_up(loop);
    ws_loop_wait(loop, batch, 0);
    ws_loop_dispatch(loop, batch);
  }
}

/* Calls what else was ready when the turn began, if a timer is due. */
static void ws_loop_dispatch_rest(struct ws_loop *loop, struct ws_loop_batch *batch, int64_t turn_ms) {
  if (batch->count == WS_LOOP_BATCH)
    ws_loop_dispatch_batches(loop, batch, turn_ms);
}

int ws_loop_turn(struct ws_loop *loop, int64_t max_wait_ms) {
  struct ws_loop_batch batch;
  batch.outer = loop->batch;
  batch.count = 0;
  loop->batch = &batch;

  ws_loop_catch_up(loop);
  int result = ws_loop_wait(loop, &batch, ws_loop_timeout(loop, max_wait_ms));
  int error = errno;
  int64_t turn_ms = loop->now;
  ws_loop_dispatch(loop, &batch);
  ws_loop_dispatch_rest(loop, &batch, turn_ms);
  loop->batch = batch.outer;
  if (ws_timer_heap_next(&loop->timers) <= turn_ms)
    ws_timer_heap_run(&loop->timers, loop, turn_ms);
  ws_loop_run_tasks(loop);
  ws_loop_run_deferred(loop);
  errno = error;
  return result;
}

uint8_t *ws_loop_buffer_acquire(struct ws_loop *loop) {
  if (loop->buffer_count > 0)
    return loop->buffers[--loop->buffer_count];
  return ws_mem_aligned_alloc(WS_LOOP_PAGE, WS_LOOP_BUFFER_SIZE);
}

void ws_loop_buffer_release(struct ws_loop *loop, uint8_t *buffer) {
  if (loop->buffer_count < WS_LOOP_SPARE_BUFFERS)
    loop->buffers[loop->buffer_count++] = buffer;
  else
    ws_mem_free(buffer);
}

void ws_loop_free(struct ws_loop *loop) {
  if (!loop)
    return;
  while (loop->tasks || atomic_load(&loop->posted))
    ws_loop_run_tasks(loop);
  ws_loop_watch(loop, &loop->waker, 0);
  ws_sys_waker_close(loop->waker_ends);
  loop->ops->free(loop->poller);
  ws_timer_heap_deinit(&loop->timers);
  while (loop->buffer_count > 0)
    ws_mem_free(loop->buffers[--loop->buffer_count]);
  ws_pool_deinit(&loop->pool);
  ws_mem_free(loop);
}
