#include "timers.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "conn/loop_thread.h"
#include "oracle.h"
#include "osp_ws.h"
#include "osprey/hooks.h"
#include "plan.h"
#include "program.h"
#include "sim.h"

/* TIMERS_MOST: WS-EVERY-7. Ticks may be late by what handlers take in a turn: one of them 6 s. */
enum { TIMERS = 40, TIMERS_MOST = 250000, LATE_US = 12000000, FILL_MS = 100000000 };

struct timer {
  void *cell[2]; /* a closure: code, and the timer */
  int64_t id, ms, started, away;
  bool every, cancelled, running;
  int ticks;
};

static struct timer timers[TIMERS];
static int timer_count;
static struct sim_random chance;

#define CALL(what, expression)                                                                                         \
  ({                                                                                                                   \
    char *error_ = NULL;                                                                                               \
    char **error = &error_;                                                                                            \
    struct oracle_call call_ = oracle_call_begins(what);                                                               \
    (void)(expression);                                                                                                \
    oracle_call_ends(&call_, 0, error_);                                                                               \
    bool ok_ = !error_;                                                                                                \
    osp_release(error_);                                                                                               \
    ok_;                                                                                                               \
  })

static int64_t in(int64_t low, int64_t high) {
  return sim_random_in(&chance, low, high);
}

/* A tick is due at a multiple of the interval from the start: WS-EVERY-1, WS-EVERY-3, WS-AFTER-1, WS-CANCEL-1. */
static void *timers_tick(void *cell, int64_t id) {
  struct timer *timer = ((void **)cell)[1];
  int64_t us = sim_now() - timer->started + SIM_MS;
  if (timer->cancelled || timer->running || (timer->ticks > 0 && !timer->every) || (timer->id && timer->id != id))
    sim_fail("4 handlers", "timer %" PRId64 " ticks, which %s", id, timer->cancelled ? "is cancelled" : "has ended");
  if (us < (timer->ticks + 1) * timer->ms * SIM_MS)
    sim_fail("4 handlers",
             "timer %" PRId64 " ticks for the %d. time after %" PRId64 " us, and its interval is %" PRId64, id,
             timer->ticks + 1, us, timer->ms);
  sim_note("timer %" PRId64 " ticks", id);
  timer->ticks++;
  timer->running = true;
  if (timer->ms % 4 == 1)
    sim_sleep(timer->ms % 100 * SIM_MS);
  timer->running = false;
  return osp_alloc_tagged(24, 0x401);
}

static void start_one(void) {
  if (timer_count == TIMERS)
    return;
  struct timer *timer = &timers[timer_count++];
  *timer = (struct timer){.cell = {(void *)timers_tick, timer},
                          .ms = in(0, 1) ? in(1, 300) : in(300, 5000),
                          .started = sim_now(),
                          .away = sim_away_in_all(0) + sim_stopped_us(),
                          .every = in(0, 1)};
  bool ok = timer->every ? CALL("every", timer->id = osp_ws_every(timer->ms, timer->cell, error))
                         : CALL("after", timer->id = osp_ws_after(timer->ms, timer->cell, error));
  timer->cancelled = !ok;
}

static void cancel_one(struct timer *timer) {
  if (timer->id && !timer->cancelled && CALL("cancel", osp_ws_cancel(timer->id, error)))
    timer->cancelled = true;
}

static void check_one(const struct timer *timer) {
  int64_t held = sim_away_in_all(0) + sim_stopped_us() - timer->away;
  if (timer->id && !timer->cancelled && timer->ticks == 0 && !ws_loop_threads_are_ending() &&
      sim_now() - timer->started - held > timer->ms * SIM_MS + LATE_US)
    sim_fail("5 time", "timer %" PRId64 " of %" PRId64 " ms has not ticked after %" PRId64 " ms", timer->id, timer->ms,
             (sim_now() - timer->started) / SIM_MS);
}

static void timers_run(void *context) {
  (void)context;
  for (int i = 0; i < 60 && !ws_loop_threads_are_ending(); i++) {
    start_one();
    sim_sleep(in(0, 400) * SIM_MS);
    cancel_one(&timers[in(0, timer_count - 1)]);
    check_one(&timers[in(0, timer_count - 1)]);
  }
}

/* One more than a program may have is an Err, until one of them has ended: WS-EVERY-7. */
static void timers_fill(void *context) {
  static struct timer filler;
  int64_t id = 0, latest = 0;
  int count = 0;
  char *full = NULL;
  (void)context;
  sim_sleep(20 * SIM_S);
  filler = (struct timer){.cell = {(void *)timers_tick, &filler}, .ms = FILL_MS, .started = sim_now()};
  while (!ws_loop_threads_are_ending() && count <= TIMERS_MOST) {
    id = osp_ws_after(FILL_MS, filler.cell, &full);
    if (full)
      break;
    latest = id;
    if (count++ % 4096 == 0)
      sim_sleep(SIM_MS);
  }
  osp_release(full);
  if (ws_loop_threads_are_ending())
    return;
  if (count > TIMERS_MOST || count < TIMERS_MOST - TIMERS)
    sim_fail("3 memory", "a program may start %d timers, and %d are the most", count, TIMERS_MOST);
  CALL("after", osp_ws_after(FILL_MS, filler.cell, error));
  CALL("cancel", osp_ws_cancel(latest, error));
  /* It ends on its loop's thread, which a handler or a stop of the process may keep for all of one wait. */
  bool room = false;
  for (int tries = 0; tries < 6 && !room && !ws_loop_threads_are_ending(); tries++) {
    sim_sleep(10 * SIM_S);
    room = CALL("after", osp_ws_after(FILL_MS, filler.cell, error));
  }
  if (!room && !plan.stuck && !ws_loop_threads_are_ending())
    sim_fail("4 sentences", "a timer that has ended makes no room for another");
}

void timers_start(void) {
  if (plan.theme != THEME_BURST)
    return;
  chance.state = sim_mix(plan.seed ^ 0x71c);
  int64_t which = in(0, 47);
  if (which == 0)
    sim_thread_new("filling", true, timers_fill, NULL);
  else if (which % 2)
    sim_thread_new("timing", true, timers_run, NULL);
}
