#pragma once
/* The event loop: descriptors, posted tasks, deferred work and timers (timer.h) of one thread.
 *
 * A loop is turned by one thread at a time, which is then "on" it. Everything here is for that thread alone, apart from
 * ws_loop_post and ws_loop_wake, which any thread may call (ws_loop_wake in a signal handler too).
 *
 * One turn: wait for the first descriptor, timer or task; call the callbacks of what is ready, of the timers that are
 * due and of the tasks posted; last, run the deferred work. So what many callbacks of a turn add to one output queue is
 * written once.
 *
 * Turns nest: any callback may call ws_loop_turn. The inner turn handles everything that the outer one has not begun
 * yet. Hence the rules for callbacks:
 *  - a callback may remove, close and free any watch, timer, task not posted, or deferred work, its own included: once
 *    removed, it is not called, even where its event had been collected already;
 *  - readiness may be stale: a read or write that finds nothing to do is no error;
 *  - a watch is only called for what it is interested in at that moment (a hang-up or socket error counts as readiness
 *    for whatever it is interested in; one interested in nothing is not called at all).
 *
 * All structs are embedded by their users and cost what is shown; a watch is 16 bytes.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "watch.h"

/* Work handed over by any thread. Its owner keeps it alive until it runs. */
struct ws_task {
  struct ws_task *next;
  void (*run)(struct ws_loop *loop, struct ws_task *task);
};

/* Work for the end of this turn. Zeroed is "not waiting". */
struct ws_deferred {
  struct ws_deferred *next;
  struct ws_deferred **link; /* what points here; NULL while not waiting */
  void (*run)(struct ws_loop *loop, struct ws_deferred *work);
};

/* A new loop, or NULL with errno. It waits by epoll, or by poll(2) where there is none or the environment says
 * OSPREY_WS_POLLER=poll.
 */
struct ws_loop *ws_loop_new(void);

/* Frees the loop, on no callback of it. Tasks still posted are run first, so that what they own is released; watches
 * and timers are forgotten, their owners keep them. NULL does nothing.
 */
void ws_loop_free(struct ws_loop *loop);

/* One turn. Waits at most max_wait_ms (-1: as long as it takes; 0: not at all), less where a timer is due. Returns 0,
 * or -1 with errno where the system's waiting call fails for good.
 */
int ws_loop_turn(struct ws_loop *loop, int64_t max_wait_ms);

/* Milliseconds of the monotonic clock, read once a turn. ws_loop_refresh reads it again (after long work). */
int64_t ws_loop_now(const struct ws_loop *loop);
int64_t ws_loop_refresh(struct ws_loop *loop);

/* Sets what `watch` is interested in; 0 removes it. watch->ready and watch->fd are set by the owner, the whole zeroed
 * before. Must be 0 before fd is closed. Returns 0, or -1 with errno (then the interest is as it was). Removing never
 * fails.
 */
int ws_loop_watch(struct ws_loop *loop, struct ws_watch *watch, unsigned interest);

/* Hands a task to the loop, from any thread: lock-free, and without a system call unless the loop may be asleep. Tasks
 * of one thread run in the order posted. Everything the poster wrote before is seen by the task. The loop must not be
 * freed while a call is under way: let it be freed by one who knows that the posters have ended.
 */
void ws_loop_post(struct ws_loop *loop, struct ws_task *task);

/* Ends the loop's present or next wait. Async-signal-safe. */
void ws_loop_wake(struct ws_loop *loop);

/* Runs `work` at the end of this turn (outside turns: of the next). Waiting already: nothing changes. Never fails. */
void ws_loop_defer(struct ws_loop *loop, struct ws_deferred *work);
/* It will not run. Not waiting: nothing changes. */
void ws_loop_undefer(struct ws_loop *loop, struct ws_deferred *work);

static inline bool ws_deferred_waits(const struct ws_deferred *work) {
  return work->link != NULL;
}

/* The receive buffer that all connections of the loop share: borrowed for as long as its bytes are being handled, and
 * given back. A nested turn finds it borrowed and gets another. NULL when there is no memory. Its content is undefined.
 */
enum { WS_LOOP_BUFFER_SIZE = 256 * 1024 };
uint8_t *ws_loop_buffer_acquire(struct ws_loop *loop);
void ws_loop_buffer_release(struct ws_loop *loop, uint8_t *buffer);

/* The loop's pool of blocks for output (outq.h). */
struct ws_pool;
struct ws_pool *ws_loop_pool(struct ws_loop *loop);

/* The loop's armed timers (timer.h). */
struct ws_timer_heap;
struct ws_timer_heap *ws_loop_timers(struct ws_loop *loop);
