#include "wait.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "sys.h"

static pthread_once_t ws_wait_once = PTHREAD_ONCE_INIT;
static pthread_mutex_t ws_wait_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ws_wait_condition;
static _Atomic unsigned ws_wait_count;

static void ws_wait_init(void) {
  ws_sys_condition_init(&ws_wait_condition);
}

bool ws_wait_until(int64_t deadline_ms, bool (*ready)(void *context), void *context) {
  struct timespec until = {.tv_sec = deadline_ms / 1000, .tv_nsec = deadline_ms % 1000 * 1000000};
  pthread_once(&ws_wait_once, ws_wait_init);
  /* A waiter increments the count before it calls ready(), and a notifier reads the count after its change, so at least
   * one sees the other. */
  atomic_fetch_add(&ws_wait_count, 1);
  pthread_mutex_lock(&ws_wait_lock);
  bool is_ready = ready(context);
  while (!is_ready) {
    int expired = ws_sys_condition_wait(&ws_wait_condition, &ws_wait_lock, &until);
    is_ready = ready(context);
    if (expired)
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
