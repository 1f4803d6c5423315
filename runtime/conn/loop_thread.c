#include "loop_thread.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conn.h"
#include "osprey/hooks.h"
#include "io/sys.h"
#include "osprey/log.h"

struct ws_joinable {
  struct ws_loop_thread thread;
  pthread_t pthread;
  bool started;
  bool stop; /* its own thread's */
  struct ws_task stop_task;
};

static pthread_mutex_t ws_loop_threads_lock = PTHREAD_MUTEX_INITIALIZER;
static struct ws_joinable *ws_loop_threads;
static _Atomic unsigned ws_loop_threads_running; /* how many; 0: not started */
static _Atomic unsigned ws_loop_threads_turn;
static _Thread_local struct ws_loop_thread *ws_loop_thread_here;

/* OSPREY_WS_LOOPS, 1 where it is not set or not a number in range. */
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

static void *ws_loop_thread_run(void *context) {
  struct ws_joinable *self = context;
  ws_loop_thread_here = &self->thread;
  while (!self->stop) {
    if (ws_loop_turn(self->thread.loop, -1))
      ws_log(WS_LOG_ERROR, "the loop cannot wait: %s", strerror(errno));
  }
  return NULL;
}

static void ws_loop_thread_stop(struct ws_loop *loop, struct ws_task *task) {
  struct ws_joinable *self = (struct ws_joinable *)(void *)((char *)task - offsetof(struct ws_joinable, stop_task));
  (void)loop;
  self->stop = true;
}

/* Signals are for the program's own threads. */
static int ws_loop_thread_spawn(struct ws_joinable *self) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int error = ws_sys_thread(&self->pthread, ws_loop_thread_run, self);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  self->started = error == 0;
  return error;
}

static void ws_loop_thread_deinit(struct ws_loop_thread *thread) {
  for (int bits = 0; bits <= WS_DEFLATE_BITS_MAX; bits++)
    ws_deflater_free(thread->deflaters[bits]);
  ws_loop_free(thread->loop);
  thread->loop = NULL;
  ws_call_deinit(&thread->call);
}

static const char *ws_loop_thread_init(struct ws_loop_thread *thread, unsigned index) {
  thread->index = index;
  thread->flush.run = ws_conn_flush_dirty;
  thread->read_on.run = ws_conn_read_on;
  thread->unread_end = &thread->unread;
  if (ws_call_init(&thread->call))
    return "out of memory";
  thread->loop = ws_loop_new();
  if (thread->loop)
    return NULL;
  const char *why = strerror(errno);
  ws_call_deinit(&thread->call);
  return why;
}

/* Makes and starts worker i; the reason where that fails, with nothing left behind. */
static const char *ws_loop_thread_begin(struct ws_joinable *self, unsigned index) {
  const char *why = ws_loop_thread_init(&self->thread, index);
  if (why)
    return why;
  self->stop_task.run = ws_loop_thread_stop;
  int error = ws_loop_thread_spawn(self);
  if (!error)
    return NULL;
  ws_loop_thread_deinit(&self->thread);
  return strerror(error);
}

/* Stops and joins those that run, but for `here`. False: one is stuck in a handler, and keeps everything. */
static bool ws_loop_threads_join(struct ws_joinable *threads, unsigned count, const struct ws_loop_thread *here,
                                 int64_t patience_s) {
  struct timespec until;
  bool all = true;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += patience_s;
  for (unsigned i = 0; i < count; i++) {
    if (&threads[i].thread != here)
      ws_loop_post(threads[i].thread.loop, &threads[i].stop_task);
  }
  for (unsigned i = 0; i < count; i++) {
    if (&threads[i].thread != here)
      all = pthread_timedjoin_np(threads[i].pthread, NULL, &until) == 0 && all;
  }
  return all;
}

static void ws_loop_threads_free(struct ws_joinable *threads, unsigned count) {
  for (unsigned i = 0; i < count; i++)
    ws_loop_thread_deinit(&threads[i].thread);
  ws_mem_free(threads);
}

static const char *ws_loop_threads_begin(void) {
  unsigned count = ws_loop_threads_wanted();
  struct ws_joinable *threads = ws_mem_calloc(count, sizeof *threads);
  if (!threads)
    return "out of memory";
  osp_mem_notify_multithreaded();
  for (unsigned i = 0; i < count; i++) {
    const char *why = ws_loop_thread_begin(&threads[i], i);
    if (why) {
      if (ws_loop_threads_join(threads, i, NULL, 1))
        ws_loop_threads_free(threads, i);
      return why;
    }
  }
  ws_loop_threads = threads;
  atomic_store(&ws_loop_threads_running, count);
  return NULL;
}

int ws_loop_threads_start(const char *op, struct ws_error *error) {
  const char *why = NULL;
  if (atomic_load_explicit(&ws_loop_threads_running, memory_order_acquire))
    return 0;
  pthread_mutex_lock(&ws_loop_threads_lock);
  if (!atomic_load(&ws_loop_threads_running))
    why = ws_loop_threads_begin();
  pthread_mutex_unlock(&ws_loop_threads_lock);
  if (why)
    ws_error_system(error, op, why);
  return why ? -1 : 0;
}

bool ws_loop_threads_end(void) {
  unsigned count = atomic_load(&ws_loop_threads_running);
  if (count == 0)
    return true;
  if (!ws_loop_threads_join(ws_loop_threads, count, NULL, 1))
    return false;
  ws_loop_threads_free(ws_loop_threads, count);
  ws_loop_threads = NULL;
  atomic_store(&ws_loop_threads_running, 0);
  return true;
}

bool ws_loop_threads_end_others(const struct ws_loop_thread *here) {
  return ws_loop_threads_join(ws_loop_threads, ws_loop_threads_count(), here, 1);
}

unsigned ws_loop_threads_count(void) {
  return atomic_load_explicit(&ws_loop_threads_running, memory_order_acquire);
}

struct ws_loop_thread *ws_loop_thread_at(unsigned index) {
  return &ws_loop_threads[index].thread;
}

struct ws_loop_thread *ws_loop_thread_current(void) {
  return ws_loop_thread_here;
}

struct ws_loop_thread *ws_loop_thread_next(void) {
  if (ws_loop_thread_here)
    return ws_loop_thread_here;
  return ws_loop_thread_at(atomic_fetch_add_explicit(&ws_loop_threads_turn, 1, memory_order_relaxed) %
                           ws_loop_threads_count());
}

struct ws_call *ws_loop_thread_call_acquire(struct ws_loop_thread *thread) {
  if (!thread->call_taken) {
    thread->call_taken = true;
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
    thread->call_taken = false;
  } else {
    ws_call_deinit(call);
    ws_mem_free(call);
  }
}
