#include "wait.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "base/clock.h"
#include "sys.h"

static pthread_once_t ws_wait_once = PTHREAD_ONCE_INIT;
static pthread_mutex_t ws_wait_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ws_wait_condition;
static _Atomic unsigned ws_wait_count;

static void ws_wait_init(void) {
  ws_sys_condition_init(&ws_wait_condition);
}

/* The end of a stop of the process wakes the waiter and the loops at once. What has come meanwhile is to be read before
 * the waiter gives up, so a waiter that wakes late waits a little more. */
static bool ws_wait_goes_on(int64_t *deadline_ms) {
  enum { LATE_MS = 500 };
  int64_t now = ws_clock_ms();
  bool late = now - *deadline_ms > LATE_MS;
  if (late)
    *deadline_ms = now + LATE_MS;
  return late;
}

bool ws_wait_until(int64_t deadline_ms, bool (*ready)(void *context), void *context) {
  pthread_once(&ws_wait_once, ws_wait_init);
  /* A waiter increments the count before it calls ready(), and a notifier reads the count after its change, so at least
   * one sees the other. */
  atomic_fetch_add(&ws_wait_count, 1);
  pthread_mutex_lock(&ws_wait_lock);
  bool is_ready = ready(context);
  while (!is_ready) {
    struct timespec until = {.tv_sec = deadline_ms / 1000, .tv_nsec = deadline_ms % 1000 * 1000000};
    int expired = ws_sys_condition_wait(&ws_wait_condition, &ws_wait_lock, &until);
    is_ready = ready(context);
    if (expired && !is_ready && !ws_wait_goes_on(&deadline_ms))
      break;
  }
  pthread_mutex_unlock(&ws_wait_lock);
  atomic_fetch_sub(&ws_wait_count, 1);
  return is_ready;
}

void ws_wait_notify(void) {
  atomic_thread_fence(memory_order_seq_cst);
  if (atomic_load_explicit(&ws_wait_count, memory_order_relaxed) == 0)
    return;
  pthread_once(&ws_wait_once, ws_wait_init);
  pthread_mutex_lock(&ws_wait_lock);
  pthread_cond_broadcast(&ws_wait_condition);
  pthread_mutex_unlock(&ws_wait_lock);
}
