#include "ticker.h"

#include <inttypes.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"
#include "conn/handle.h"
#include "conn/loop_thread.h"
#include "io/timer.h"
#include "lookup.h"
#include "osprey/call.h"
#include "osprey/log.h"
#include "osprey/roots.h"

enum { WS_TICKER_THREAD = 0, WS_TICKER_MS_MAX = INT32_MAX };

/* Of about 320 bytes each. The IDs that these leave are enough for all connections. */
enum { WS_TICKERS_MAX = 250000 };

struct ws_ticker {
  struct ws_timer timer;
  struct ws_list_node member; /* of ws_tickers, from its start to its end */
  struct ws_task start_task;  /* these hold a pin while they are posted */
  struct ws_task cancel_task;
  void **handler; /* root; NULL once the ticker has ended */
  int64_t id;
  int64_t next_ms;  /* of the monotonic clock */
  int64_t every_ms; /* 0: once */
  bool running;     /* its handler is on the stack */
  _Atomic bool over;
};

/* The first loop thread's. */
static struct ws_list ws_tickers;
static _Atomic int ws_tickers_count; /* of those that have not ended */

static void ws_ticker_unpin(struct ws_ticker *ticker) {
  if (ws_handle_unpin(ticker->id))
    ws_mem_free(ticker);
}

/* Ends a ticker whose handler is not on the stack. Once. */
static void ws_ticker_finish(struct ws_ticker *ticker) {
  struct ws_loop *loop = ws_loop_thread_current()->loop;
  if (ws_list_contains(&ticker->member)) {
    ws_list_remove(&ticker->member);
    ws_timer_deinit(loop, &ticker->timer);
  }
  ws_roots_drop(ticker->handler);
  ticker->handler = NULL;
  atomic_store(&ticker->over, true);
  atomic_fetch_sub(&ws_tickers_count, 1);
  if (ws_handle_retire(ticker->id))
    ws_mem_free(ticker);
}

/* ---- ticks */

/* Returns false if the ticker is to end. */
static bool ws_ticker_call(struct ws_ticker *ticker) {
  struct ws_loop_thread *thread = ws_loop_thread_current();
  struct ws_call *call = ws_loop_thread_call_acquire(thread);
  if (!call) {
    ws_log(WS_LOG_ERROR, "timer %" PRId64 " has ended: out of memory", ticker->id);
    return false;
  }
  /* The last look, since the call may have waited for memory: a cancel that is over by now was a Success. */
  if (atomic_load(&ticker->over)) {
    ws_loop_thread_call_release(thread, call);
    return false;
  }
  ticker->running = true;
  thread->ticking++;
  ws_loop_thread_handler_begins(thread, "tick", ticker->id, NULL);
  enum ws_verdict verdict = ws_call_tick(call, *ticker->handler, ticker->id);
  if (verdict == WS_VERDICT_ERROR)
    ws_log(WS_LOG_WARN, "timer %" PRId64 " has ended: its handler failed: %s", ticker->id, call->message);
  ws_loop_thread_handler_returns(thread);
  thread->ticking--;
  ticker->running = false;
  ws_loop_thread_call_release(thread, call);
  return verdict == WS_VERDICT_SUCCESS;
}

/* Ticks are due at multiples of the interval from the start. Those that are due by now run as this one. */
static void ws_ticker_advance(struct ws_ticker *ticker) {
  int64_t late_ms = ws_clock_ms() - ticker->next_ms;
  ticker->next_ms += ticker->every_ms * (1 + late_ms / ticker->every_ms);
}

static void ws_ticker_fire(struct ws_loop *loop, struct ws_timer *timer) {
  struct ws_ticker *ticker = ws_container_of(timer, struct ws_ticker, timer);
  if (ticker->every_ms)
    ws_ticker_advance(ticker);
  if (!ws_loop_threads_are_ending() && ws_ticker_call(ticker) && ticker->every_ms && !atomic_load(&ticker->over))
    ws_timer_arm(loop, &ticker->timer, ticker->next_ms);
  else
    ws_ticker_finish(ticker);
}

/* ---- start and end */

static void ws_ticker_begin(struct ws_loop *loop, struct ws_task *task) {
  struct ws_ticker *ticker = ws_container_of(task, struct ws_ticker, start_task);
  bool cancelled = !ticker->handler;
  if (cancelled) {
    /* before its start */
  } else if (ws_timer_init(loop, &ticker->timer, ws_ticker_fire)) {
    ws_log(WS_LOG_ERROR, "timer %" PRId64 " has ended: out of memory", ticker->id);
    ws_ticker_finish(ticker);
  } else {
    ws_list_add(&ws_tickers, &ticker->member);
    ws_timer_arm(loop, &ticker->timer, ticker->next_ms);
  }
  ws_ticker_unpin(ticker);
}

/* Without a place in the loop yet. NULL: no memory, or no ID is left. */
static struct ws_ticker *ws_ticker_new(int64_t ms, bool repeats, void *handler) {
  struct ws_ticker *ticker = ws_mem_calloc(1, sizeof *ticker);
  if (!ticker)
    return NULL;
  ticker->start_task.run = ws_ticker_begin;
  ticker->next_ms = ws_clock_ms() + ms;
  ticker->every_ms = repeats ? ms : 0;
  ticker->handler = ws_roots_keep(handler);
  ticker->id = ticker->handler ? ws_handle_issue(WS_HANDLE_TIMER, ticker, WS_TICKER_THREAD) : 0;
  if (ticker->id)
    return ticker;
  ws_roots_drop(ticker->handler);
  ws_mem_free(ticker);
  return NULL;
}

int64_t ws_ticker_start(const char *op, int64_t ms, bool repeats, void *handler, struct ws_error *error) {
  struct ws_loop_thread *thread = ws_loop_thread_at(WS_TICKER_THREAD);
  if (ms < 1 || ms > WS_TICKER_MS_MAX) {
    ws_error_interval(error, op, ms, WS_TICKER_MS_MAX);
    return 0;
  }
  if (ws_loop_threads_are_ending()) {
    ws_error_system(error, op, WS_END_OF_PROGRAM);
    return 0;
  }
  if (atomic_fetch_add(&ws_tickers_count, 1) >= WS_TICKERS_MAX) {
    atomic_fetch_sub(&ws_tickers_count, 1);
    ws_error_timers_full(error, op, WS_TICKERS_MAX);
    return 0;
  }
  struct ws_ticker *ticker = ws_ticker_new(ms, repeats, handler);
  if (!ticker) {
    atomic_fetch_sub(&ws_tickers_count, 1);
    ws_error_memory(error, op);
    return 0;
  }
  int64_t id = ticker->id;
  ws_handle_pin_again(id); /* given back by ws_ticker_begin */
  if (ws_loop_thread_current() == thread)
    ws_ticker_begin(thread->loop, &ticker->start_task);
  else
    ws_loop_post(thread->loop, &ticker->start_task);
  return id;
}

static void ws_ticker_cancel_run(struct ws_loop *loop, struct ws_task *task) {
  struct ws_ticker *ticker = ws_container_of(task, struct ws_ticker, cancel_task);
  (void)loop;
  if (ticker->handler && !ticker->running)
    ws_ticker_finish(ticker);
  ws_ticker_unpin(ticker);
}

int ws_ticker_cancel(int64_t id, struct ws_error *error) {
  struct ws_ticker *ticker = ws_lookup_timer("cancel", id, error);
  if (!ticker)
    return -1;
  if (atomic_exchange(&ticker->over, true)) {
    ws_error_timer_over(error, "cancel", id);
    ws_ticker_unpin(ticker);
    return -1;
  }
  struct ws_loop_thread *thread = ws_loop_thread_at(WS_TICKER_THREAD);
  ticker->cancel_task.run = ws_ticker_cancel_run;
  if (ws_loop_thread_current() == thread)
    ws_ticker_cancel_run(thread->loop, &ticker->cancel_task);
  else
    ws_loop_post(thread->loop, &ticker->cancel_task);
  return 0;
}

static void ws_tickers_end_here(struct ws_loop *loop, struct ws_task *task) {
  struct ws_list_node *next;
  (void)loop;
  for (struct ws_list_node *node = ws_tickers.first; node; node = next) {
    struct ws_ticker *ticker = ws_container_of(node, struct ws_ticker, member);
    next = node->next;
    atomic_store(&ticker->over, true);
    if (!ticker->running)
      ws_ticker_finish(ticker);
  }
  ws_mem_free(task);
}

void ws_tickers_end(void) {
  if (ws_loop_threads_count() == 0)
    return;
  struct ws_loop_thread *thread = ws_loop_thread_at(WS_TICKER_THREAD);
  if (ws_loop_thread_current() == thread) {
    ws_tickers_end_here(thread->loop, NULL);
    return;
  }
  struct ws_task *task = ws_mem_alloc(sizeof *task);
  if (!task)
    return; /* each ends when it is due: ws_ticker_fire */
  *task = (struct ws_task){.run = ws_tickers_end_here};
  ws_loop_post(thread->loop, task);
}
