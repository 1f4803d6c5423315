#include "loop_thread.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "handle.h"
#include "io/sys.h"
#include "io/wait.h"
#include "io/why.h"
#include "osprey/hooks.h"
#include "osprey/log.h"

enum {
  WS_LOOP_THREADS_JOIN_MS = 1000,
  WS_LOOP_THREADS_LOOK_MS = 100,      /* how often a waiting thread looks for handlers that hold a loop */
  WS_LOOP_THREADS_HELD_LOG_MS = 1000, /* the time after which a handler is logged */
};

/* A loop thread, and what it takes to stop and join it. */
struct ws_loop_thread_slot {
  struct ws_loop_thread self;
  pthread_t pthread;
  struct ws_task stop_task;
  bool stop; /* its own thread's */
  atomic_bool over;
};

static pthread_mutex_t ws_loop_threads_lock = PTHREAD_MUTEX_INITIALIZER;
static struct ws_loop_thread_slot *ws_loop_threads;
static _Atomic unsigned ws_loop_threads_running; /* their number; 0: not started */
static _Atomic unsigned ws_loop_threads_turn;
static _Thread_local struct ws_loop_thread *ws_loop_thread_here;

/* OSPREY_WS_LOOPS; 1 if it is unset or not a number in range. */
static unsigned ws_loop_threads_wanted(void) {
  const char *text = getenv("OSPREY_WS_LOOPS");
  if (!text || !*text)
    return 1;
  char *end;
  long count = strtol(text, &end, 10);
  if (*end || count < 1 || count > WS_LOOP_THREADS_MAX) {
    ws_log(WS_LOG_WARN, "OSPREY_WS_LOOPS is a number from 1 to %d, not \"%s\"", WS_LOOP_THREADS_MAX, text);
    return 1;
  }
  return (unsigned)count;
}

/* ---- one thread */

static void *ws_loop_thread_main(void *context) {
  struct ws_loop_thread_slot *slot = context;
  ws_loop_thread_here = &slot->self;
  ws_log_never_wait();
  while (!slot->stop) {
    if (ws_loop_turn(slot->self.loop, -1))
      ws_log(WS_LOG_ERROR, "the loop cannot wait: %s", ws_why_errno(errno));
  }
  atomic_store(&slot->over, true);
  ws_wait_notify();
  return NULL;
}

static void ws_loop_thread_stop(struct ws_loop *loop, struct ws_task *task) {
  (void)loop;
  ws_container_of(task, struct ws_loop_thread_slot, stop_task)->stop = true;
}

static void ws_loop_thread_deinit(struct ws_loop_thread *thread) {
  for (int window = 0; window < WS_WINDOWS; window++)
    ws_deflater_free(thread->deflaters[window]);
  ws_timer_deinit(thread->loop, &thread->resume_later);
  ws_loop_free(thread->loop);
  thread->loop = NULL;
  ws_call_deinit(&thread->call);
}

/* Returns the reason on failure, with nothing left behind; NULL on success. */
static const char *ws_loop_thread_init(struct ws_loop_thread *thread, unsigned index,
                                       const struct ws_loop_thread_work *work) {
  thread->index = index;
  thread->end_of_turn.run = work->end_of_turn;
  thread->resume.run = work->resume;
  thread->shake.run = work->shake;
  thread->compress.run = work->compress;
  ws_queue_init(&thread->queued);
  ws_queue_init(&thread->writing);
  ws_queue_init(&thread->ending);
  ws_queue_init(&thread->receivers);
  for (int kind = 0; kind < WS_BUFFERED; kind++)
    ws_queue_init(&thread->buffered[kind]);
  ws_queue_init(&thread->shaking);
  ws_queue_init(&thread->compressing);
  ws_queue_init(&thread->awake.queue);
  ws_queue_init(&thread->awake_keeping.queue);
  if (ws_call_init(&thread->call))
    return "out of memory";
  thread->loop = ws_loop_new();
  if (thread->loop && ws_timer_init(thread->loop, &thread->resume_later, work->resume_later) == 0 &&
      ws_timer_init(thread->loop, &thread->awake_timer, work->awake) == 0)
    return NULL;
  const char *why = ws_why_errno(errno);
  ws_loop_free(thread->loop);
  thread->loop = NULL;
  ws_call_deinit(&thread->call);
  return why;
}

/* Signals are left to the program's own threads. Returns as ws_loop_thread_init. */
static const char *ws_loop_thread_begin(struct ws_loop_thread_slot *slot, unsigned index,
                                        const struct ws_loop_thread_work *work) {
  sigset_t all, before;
  const char *why = ws_loop_thread_init(&slot->self, index, work);
  if (why)
    return why;
  slot->stop_task.run = ws_loop_thread_stop;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int error = ws_sys_thread(&slot->pthread, ws_loop_thread_main, slot);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (!error)
    return NULL;
  ws_loop_thread_deinit(&slot->self);
  return ws_why_errno(error);
}

/* ---- all threads */

/* pthread_clockjoin_np is not in every C library, and pthread_timedjoin_np follows the wall clock. So the thread
 * says that its loop is over, which the wait is for. */
static bool ws_loop_thread_is_over(void *context) {
  return atomic_load(&((struct ws_loop_thread_slot *)context)->over);
}

static bool ws_loop_thread_join(struct ws_loop_thread_slot *slot, int64_t until_ms) {
  return ws_wait_until(until_ms, ws_loop_thread_is_over, slot) && pthread_join(slot->pthread, NULL) == 0;
}

/* Stops and joins the first `count`, except for `here`. Returns false if one is stuck in a handler. */
static bool ws_loop_threads_join(struct ws_loop_thread_slot *slots, unsigned count, const struct ws_loop_thread *here) {
  int64_t until_ms = ws_clock_ms() + WS_LOOP_THREADS_JOIN_MS;
  bool all = true;
  for (unsigned i = 0; i < count; i++) {
    if (&slots[i].self != here)
      ws_loop_post(slots[i].self.loop, &slots[i].stop_task);
  }
  for (unsigned i = 0; i < count; i++) {
    if (&slots[i].self != here)
      all = ws_loop_thread_join(&slots[i], until_ms) && all;
  }
  return all;
}

static void ws_loop_threads_free(struct ws_loop_thread_slot *slots, unsigned count) {
  for (unsigned i = 0; i < count; i++)
    ws_loop_thread_deinit(&slots[i].self);
  ws_mem_free(slots);
}

static const char *ws_loop_threads_begin(const struct ws_loop_thread_work *work) {
  unsigned count = ws_loop_threads_wanted();
  struct ws_loop_thread_slot *slots = ws_mem_calloc(count, sizeof *slots);
  if (!slots)
    return "out of memory";
  osp_mem_notify_multithreaded();
  for (unsigned i = 0; i < count; i++) {
    const char *why = ws_loop_thread_begin(&slots[i], i, work);
    if (why) {
      if (ws_loop_threads_join(slots, i, NULL))
        ws_loop_threads_free(slots, i);
      return why;
    }
  }
  ws_loop_threads = slots;
  atomic_store(&ws_loop_threads_running, count);
  return NULL;
}

int ws_loop_threads_start(const char *op, const struct ws_loop_thread_work *work, struct ws_error *error) {
  const char *why = NULL;
  if (atomic_load_explicit(&ws_loop_threads_running, memory_order_acquire))
    return 0;
  pthread_mutex_lock(&ws_loop_threads_lock);
  if (!atomic_load(&ws_loop_threads_running))
    why = ws_loop_threads_begin(work);
  pthread_mutex_unlock(&ws_loop_threads_lock);
  if (why)
    ws_error_system(error, op, why);
  return why ? -1 : 0;
}

bool ws_loop_threads_end(void) {
  unsigned count = atomic_load(&ws_loop_threads_running);
  if (count == 0)
    return true;
  if (!ws_loop_threads_join(ws_loop_threads, count, NULL))
    return false;
  for (unsigned i = 0; i < count; i++)
    ws_call_deinit(&ws_loop_threads[i].self.call);
  return true;
}

bool ws_loop_threads_end_others(const struct ws_loop_thread *here) {
  return ws_loop_threads_join(ws_loop_threads, ws_loop_threads_count(), here);
}

/* ---- handlers that hold a loop thread */

/* Only the thread itself writes: a plain addition of an atomic. */
static void ws_loop_thread_count_call(struct ws_loop_thread *thread, int handling) {
  uint32_t calls = atomic_load_explicit(&thread->calls, memory_order_relaxed);
  atomic_store_explicit(&thread->handling, handling, memory_order_relaxed);
  atomic_store_explicit(&thread->calls, calls + 1, memory_order_relaxed);
}

/* All handlers on the stack but the innermost wait for a connect, whose nesting is bounded. */
void ws_loop_thread_handler_begins(struct ws_loop_thread *thread, const char *kind, int64_t id, struct ws_conn *conn) {
  int handling = atomic_load_explicit(&thread->handling, memory_order_relaxed) + 1;
  assert(handling < WS_LOOP_THREAD_RUNS);
  struct ws_loop_thread_run *run = &thread->runs[handling];
  atomic_store_explicit(&run->kind, kind, memory_order_relaxed);
  atomic_store_explicit(&run->id, id, memory_order_relaxed);
  run->conn = conn;
  ws_loop_thread_count_call(thread, handling);
}

void ws_loop_thread_handler_returns(struct ws_loop_thread *thread) {
  ws_loop_thread_count_call(thread, atomic_load_explicit(&thread->handling, memory_order_relaxed) - 1);
}

/* Milliseconds for which the handler now on the thread has run, as far as `seen` tells; 0 if there is none, or if the
 * thread waits for events behind one (a connect). */
static int64_t ws_loop_thread_held_ms(struct ws_loop_threads_seen *seen, const struct ws_loop_thread *thread) {
  struct ws_loop_thread_seen *before = &seen->thread[thread->index];
  int64_t now = ws_clock_ms();
  uint32_t calls = atomic_load(&thread->calls);
  bool waits = thread == ws_loop_thread_here || ws_loop_is_waiting(thread->loop);
  if (waits || atomic_load(&thread->handling) == 0 || before->since_ms == 0 || calls != before->calls)
    *before = (struct ws_loop_thread_seen){.since_ms = now, .calls = calls};
  return now - before->since_ms;
}

bool ws_loop_threads_are_held(struct ws_loop_threads_seen *seen, int64_t over_ms) {
  bool held = false;
  for (unsigned i = 0; i < ws_loop_threads_count(); i++)
    held = ws_loop_thread_held_ms(seen, ws_loop_thread_at(i)) >= over_ms || held;
  return held;
}

void ws_loop_threads_log_held(struct ws_loop_threads_seen *seen) {
  for (unsigned i = 0; i < ws_loop_threads_count(); i++) {
    struct ws_loop_thread *thread = ws_loop_thread_at(i);
    int64_t held_ms = ws_loop_thread_held_ms(seen, thread);
    const struct ws_loop_thread_run *run = ws_loop_thread_run(thread);
    const char *kind = atomic_load(&run->kind);
    int64_t id = atomic_load(&run->id);
    if (held_ms < WS_LOOP_THREADS_HELD_LOG_MS || !kind || seen->thread[i].logged || !ws_loop_has_work(thread->loop))
      continue;
    ws_log(WS_LOG_WARN, "the %s handler of %s %" PRId64 " has run for %.1f s while others wait for it", kind,
           ws_handle_kind_name(ws_handle_kind_of(id)), id, (double)held_ms / 1000);
    seen->thread[i].logged = true;
  }
}

bool ws_loop_threads_wait(int64_t deadline_ms, bool (*ready)(void *context), void *context) {
  struct ws_loop_threads_seen seen = {0};
  int64_t now;
  while (!ws_loop_threads_are_held(&seen, WS_HELD_MS) && (now = ws_clock_ms()) < deadline_ms) {
    int64_t look_ms = now + WS_LOOP_THREADS_LOOK_MS;
    if (ws_wait_until(look_ms < deadline_ms ? look_ms : deadline_ms, ready, context))
      return true;
  }
  return ready(context);
}

/* ---- the end of the program */

static atomic_bool ws_loop_threads_ending;

void ws_loop_threads_set_ending(bool ending) {
  atomic_store(&ws_loop_threads_ending, ending);
}

bool ws_loop_threads_are_ending(void) {
  return atomic_load(&ws_loop_threads_ending);
}

/* ---- queries */

unsigned ws_loop_threads_count(void) {
  return atomic_load_explicit(&ws_loop_threads_running, memory_order_acquire);
}

struct ws_loop_thread *ws_loop_thread_at(unsigned index) {
  return &ws_loop_threads[index].self;
}

struct ws_loop_thread *ws_loop_thread_current(void) {
  return ws_loop_thread_here;
}

struct ws_loop_thread *ws_loop_thread_next(void) {
  if (ws_loop_thread_here)
    return ws_loop_thread_here;
  unsigned turn = atomic_fetch_add_explicit(&ws_loop_threads_turn, 1, memory_order_relaxed);
  return ws_loop_thread_at(turn % ws_loop_threads_count());
}

struct ws_call *ws_loop_thread_call_acquire(struct ws_loop_thread *thread) {
  if (!thread->call_in_use) {
    thread->call_in_use = true;
    return &thread->call;
  }
  struct ws_call *call = ws_mem_alloc(sizeof *call);
  if (call && ws_call_init(call)) {
    ws_mem_free(call);
    call = NULL;
  }
  return call;
}

void ws_loop_thread_call_release(struct ws_loop_thread *thread, struct ws_call *call) {
  if (call == &thread->call) {
    thread->call_in_use = false;
  } else {
    ws_call_deinit(call);
    ws_mem_free(call);
  }
}
