#pragma once
/* The event loop: descriptors, posted tasks, deferred work and timers (timer.h) of one thread.
 *
 * One thread at a time turns a loop. Only that thread may call the functions here, except for ws_loop_post (any thread)
 * and ws_loop_wake (any thread and signal handlers).
 *
 * One turn: wait for the first descriptor, timer or task; call the callbacks of what is ready, of the timers that are
 * due and of the tasks posted; last, run the deferred work. So what many callbacks of a turn add to one output queue is
 * written once.
 *
 * Input comes before time. Before a timer fires, every descriptor that was ready when the turn began has been called,
 * however many there are. So a timer's owner that looks for input since a deadline finds what had arrived by then.
 * ws_loop_away tells how long the loop was kept from its descriptors.
 *
 * Turns nest: any callback may call ws_loop_turn. The inner turn handles everything that the outer one has not begun
 * yet. Hence the rules for callbacks:
 *  - a callback may remove, close and free any watch, timer, deferred work or unposted task, its own included. What is
 *    removed is not called, even if its event has already been collected;
 *  - readiness may be stale: a read or write that has nothing to do is not an error;
 *  - a watch is called only for its current interest. A hang-up or a socket error counts as readiness for any interest.
 *    A watch without an interest is not called.
 *
 * Users embed all structs. A watch takes 16 bytes.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "watch.h"

/* Work posted from any thread. The owner keeps it alive until it runs. */
struct ws_task {
  struct ws_task *next;
  void (*run)(struct ws_loop *loop, struct ws_task *task);
};

/* Work for the end of the turn. Zeroed means not deferred. */
struct ws_deferred {
  struct ws_deferred *next;
  struct ws_deferred **link; /* the pointer to this one; NULL while not deferred */
  void (*run)(struct ws_loop *loop, struct ws_deferred *work);
};

/* Returns a new loop, or NULL with errno. The loop uses epoll, or poll(2) if epoll is unavailable or the environment
 * has OSPREY_WS_POLLER=poll.
 */
struct ws_loop *ws_loop_new(void);

/* Frees the loop, outside its callbacks. Runs the posted tasks first, so that they release what they own. The owners
 * keep their watches and timers. NULL has no effect.
 */
void ws_loop_free(struct ws_loop *loop);

/* Runs one turn. Waits at most max_wait_ms (-1: without limit, 0: not at all), or until the next timer is due. Returns
 * 0, or -1 with errno if the system's waiting call fails permanently.
 */
int ws_loop_turn(struct ws_loop *loop, int64_t max_wait_ms);

/* Milliseconds of the monotonic clock, read once per turn. ws_loop_refresh reads it again, for use after long work. */
int64_t ws_loop_now(const struct ws_loop *loop);
int64_t ws_loop_refresh(struct ws_loop *loop);

/* Returns true if over `ms` full milliseconds lie between the end of the latest wait and `now_ns`, of
 * ws_clock_coarse_ns, which lags. */
bool ws_loop_turn_exceeds(const struct ws_loop *loop, int64_t ms, int64_t now_ns);

/* Milliseconds, from the making of the loop until ws_loop_now, in which it was kept from its descriptors by a callback
 * that ran for long, or by a process that was stopped. The first WS_LOOP_AWAY_MS of each such time do not count. So
 * whoever judges by ws_loop_now and forgives ws_loop_away judges by one moment, however late in a turn that is.
 */
enum { WS_LOOP_AWAY_MS = 250 };
int64_t ws_loop_away(const struct ws_loop *loop);

/* Sets the interest of `watch`; 0 removes it. The owner zeroes the watch, then sets watch->ready and watch->fd. The
 * interest must be 0 before fd is closed. Returns 0, or -1 with errno and the interest unchanged. Removing never fails.
 */
int ws_loop_watch(struct ws_loop *loop, struct ws_watch *watch, unsigned interest);

/* Posts a task to the loop. Any thread. Lock-free, and without a system call unless the loop may be asleep. The task
 * runs exactly once, on the loop's thread; tasks of one thread run in the order posted. The task sees every write that
 * the poster made before. The loop must not be freed during a call, so free it only after all posters have ended.
 */
void ws_loop_post(struct ws_loop *loop, struct ws_task *task);

/* Ends the current or the next wait of the loop. Async-signal-safe. */
void ws_loop_wake(struct ws_loop *loop);

/* Returns true while the loop waits for events, and true if events or tasks wait for the loop, as far as can be told.
 * Any thread.
 */
bool ws_loop_is_waiting(const struct ws_loop *loop);
bool ws_loop_has_work(const struct ws_loop *loop);

/* Returns true if a turn had no time for all tasks that were posted. The loop's thread. */
bool ws_loop_is_behind(const struct ws_loop *loop);

/* Runs `work` once at the end of this turn, or of the next turn if called outside a turn. No effect if it is already
 * deferred. Never fails. Work that defers itself again runs in the next turn, after events. */
void ws_loop_defer(struct ws_loop *loop, struct ws_deferred *work);
/* Cancels deferred work. No effect if it is not deferred. */
void ws_loop_undefer(struct ws_loop *loop, struct ws_deferred *work);

static inline bool ws_deferred_waits(const struct ws_deferred *work) {
  return work->link != NULL;
}

/* Lends the receive buffer that all connections of the loop share, while the caller handles its bytes. A nested turn
 * gets another buffer. Returns NULL if out of memory. The content is undefined.
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
