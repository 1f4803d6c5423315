#include "worker.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "conn.h"
#include "osprey/hooks.h"
#include "io/sys.h"
#include "osprey/log.h"

struct ws_worker_thread {
  struct ws_worker worker;
  pthread_t thread;
  bool started;
  bool stop; /* its own thread's */
  struct ws_task stop_task;
};

static pthread_mutex_t ws_workers_lock = PTHREAD_MUTEX_INITIALIZER;
static struct ws_worker_thread *ws_workers;
static _Atomic unsigned ws_workers_running; /* how many; 0: not started */
static _Atomic unsigned ws_workers_turn;
static _Thread_local struct ws_worker *ws_worker_here;

/* OSPREY_WS_LOOPS, 1 where it is not set or not a number in range. */
static unsigned ws_workers_wanted(void) {
  const char *text = getenv("OSPREY_WS_LOOPS");
  if (!text || !*text)
    return 1;
  char *end;
  long count = strtol(text, &end, 10);
  if (*end || count < 1 || count > WS_WORKERS_MAX) {
    ws_log(WS_LOG_WARN, "OSPREY_WS_LOOPS is a number from 1 to %d, not \"%s\"", WS_WORKERS_MAX, text);
    return 1;
  }
  return (unsigned)count;
}

static void *ws_worker_run(void *context) {
  struct ws_worker_thread *self = context;
  ws_worker_here = &self->worker;
  while (!self->stop) {
    if (ws_loop_turn(self->worker.loop, -1))
      ws_log(WS_LOG_ERROR, "the loop cannot wait: %s", strerror(errno));
  }
  return NULL;
}

static void ws_worker_stop(struct ws_loop *loop, struct ws_task *task) {
  struct ws_worker_thread *self =
      (struct ws_worker_thread *)(void *)((char *)task - offsetof(struct ws_worker_thread, stop_task));
  (void)loop;
  self->stop = true;
}

/* Signals are for the program's own threads. */
static int ws_worker_spawn(struct ws_worker_thread *self) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int error = ws_sys_thread(&self->thread, ws_worker_run, self);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  self->started = error == 0;
  return error;
}

static void ws_worker_deinit(struct ws_worker *worker) {
  for (int bits = 0; bits <= WS_DEFLATE_BITS_MAX; bits++)
    ws_deflater_free(worker->deflaters[bits]);
  ws_loop_free(worker->loop);
  worker->loop = NULL;
  ws_call_deinit(&worker->call);
}

static const char *ws_worker_init(struct ws_worker *worker, unsigned index) {
  worker->index = index;
  worker->flush.run = ws_conn_flush_dirty;
  worker->read_on.run = ws_conn_read_on;
  worker->unread_end = &worker->unread;
  if (ws_call_init(&worker->call))
    return "out of memory";
  worker->loop = ws_loop_new();
  if (worker->loop)
    return NULL;
  const char *why = strerror(errno);
  ws_call_deinit(&worker->call);
  return why;
}

/* Makes and starts worker i; the reason where that fails, with nothing left behind. */
static const char *ws_worker_begin(struct ws_worker_thread *self, unsigned index) {
  const char *why = ws_worker_init(&self->worker, index);
  if (why)
    return why;
  self->stop_task.run = ws_worker_stop;
  int error = ws_worker_spawn(self);
  if (!error)
    return NULL;
  ws_worker_deinit(&self->worker);
  return strerror(error);
}

/* Stops and joins those that run, but for `here`. False: one is stuck in a handler, and keeps everything. */
static bool ws_workers_join(struct ws_worker_thread *workers, unsigned count, const struct ws_worker *here,
                            int64_t patience_s) {
  struct timespec until;
  bool all = true;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += patience_s;
  for (unsigned i = 0; i < count; i++) {
    if (&workers[i].worker != here)
      ws_loop_post(workers[i].worker.loop, &workers[i].stop_task);
  }
  for (unsigned i = 0; i < count; i++) {
    if (&workers[i].worker != here)
      all = pthread_timedjoin_np(workers[i].thread, NULL, &until) == 0 && all;
  }
  return all;
}

static void ws_workers_free(struct ws_worker_thread *workers, unsigned count) {
  for (unsigned i = 0; i < count; i++)
    ws_worker_deinit(&workers[i].worker);
  ws_sys_free(workers);
}

static const char *ws_workers_begin(void) {
  unsigned count = ws_workers_wanted();
  struct ws_worker_thread *workers = ws_sys_calloc(count, sizeof *workers);
  if (!workers)
    return "out of memory";
  osp_mem_notify_multithreaded();
  for (unsigned i = 0; i < count; i++) {
    const char *why = ws_worker_begin(&workers[i], i);
    if (why) {
      if (ws_workers_join(workers, i, NULL, 1))
        ws_workers_free(workers, i);
      return why;
    }
  }
  ws_workers = workers;
  atomic_store(&ws_workers_running, count);
  return NULL;
}

int ws_workers_start(const char *op, struct ws_error *error) {
  const char *why = NULL;
  if (atomic_load_explicit(&ws_workers_running, memory_order_acquire))
    return 0;
  pthread_mutex_lock(&ws_workers_lock);
  if (!atomic_load(&ws_workers_running))
    why = ws_workers_begin();
  pthread_mutex_unlock(&ws_workers_lock);
  if (why)
    ws_error_system(error, op, why);
  return why ? -1 : 0;
}

bool ws_workers_end(void) {
  unsigned count = atomic_load(&ws_workers_running);
  if (count == 0)
    return true;
  if (!ws_workers_join(ws_workers, count, NULL, 1))
    return false;
  ws_workers_free(ws_workers, count);
  ws_workers = NULL;
  atomic_store(&ws_workers_running, 0);
  return true;
}

bool ws_workers_end_others(const struct ws_worker *here) {
  return ws_workers_join(ws_workers, ws_workers_count(), here, 1);
}

unsigned ws_workers_count(void) {
  return atomic_load_explicit(&ws_workers_running, memory_order_acquire);
}

struct ws_worker *ws_worker_at(unsigned index) {
  return &ws_workers[index].worker;
}

struct ws_worker *ws_worker_current(void) {
  return ws_worker_here;
}

struct ws_worker *ws_worker_next(void) {
  if (ws_worker_here)
    return ws_worker_here;
  return ws_worker_at(atomic_fetch_add_explicit(&ws_workers_turn, 1, memory_order_relaxed) % ws_workers_count());
}

struct ws_call *ws_worker_take_call(struct ws_worker *worker) {
  if (!worker->call_taken) {
    worker->call_taken = true;
    return &worker->call;
  }
  struct ws_call *call = ws_sys_malloc(sizeof *call);
  if (call && ws_call_init(call)) {
    ws_sys_free(call);
    call = NULL;
  }
  return call;
}

void ws_worker_give_call(struct ws_worker *worker, struct ws_call *call) {
  if (call == &worker->call) {
    worker->call_taken = false;
  } else {
    ws_call_deinit(call);
    ws_sys_free(call);
  }
}
