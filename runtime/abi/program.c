#include "program.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "client/client.h"
#include "io/sys.h"
#include "osprey/log.h"
#include "osprey/roots.h"
#include "server/server.h"
#include "io/wait.h"
#include "conn/loop_thread.h"

enum {
  WS_END_TIMEOUT_MS = 5000,
  WS_END_AGAIN_MS = 1000, /* the same where the servers were waited for already, and in vain */
  WS_END_LOOK_MS = 20,    /* how often a loop that ends the program looks how far the others are */
};

static pthread_once_t ws_program_once = PTHREAD_ONCE_INIT;

/* ---- the end of the program */

static void ws_program_close_clients(struct ws_loop *loop, struct ws_task *task) {
  (void)loop;
  ws_clients_close(ws_loop_thread_current());
  ws_mem_free(task);
}

/* Asks every worker but `here` to close its clients; without memory for that they are cut off with the process. */
static void ws_program_post_close(const struct ws_loop_thread *here) {
  for (unsigned i = 0; i < ws_loop_threads_count(); i++) {
    struct ws_loop_thread *thread = ws_loop_thread_at(i);
    struct ws_task *task = thread == here ? NULL : ws_mem_alloc(sizeof *task);
    if (!task)
      continue;
    *task = (struct ws_task){.run = ws_program_close_clients};
    ws_loop_post(thread->loop, task);
  }
}

/* Whether there is anything left to be closed: on the worker itself, connections other than those whose handlers wait for the
 * end. */
static bool ws_program_is_busy(const struct ws_loop_thread *here) {
  bool busy = here->connections > here->handling;
  for (unsigned i = 0; i < ws_loop_threads_count() && !busy; i++)
    busy = ws_loop_thread_at(i) != here && ws_loop_thread_at(i)->connections > 0;
  return busy;
}

/* exit() inside a handler: its own loop is turned here, until only connections like that handler's are left. The other loops
 * end with theirs, and then their threads: what exit() does next, they must not meet. */
static void ws_program_end_nested(struct ws_loop_thread *thread, int64_t deadline_ms) {
  ws_clients_close(thread);
  ws_program_post_close(thread);
  int64_t now;
  while (ws_program_is_busy(thread) && (now = ws_clock_ms()) < deadline_ms)
    ws_loop_turn(thread->loop, deadline_ms - now < WS_END_LOOK_MS ? deadline_ms - now : WS_END_LOOK_MS);
  ws_loop_threads_end_others(thread);
}

static _Atomic bool ws_program_waited_in_vain;

static void ws_program_end(void) {
  bool again = atomic_load(&ws_program_waited_in_vain);
  int64_t deadline_ms = ws_clock_ms() + (again ? WS_END_AGAIN_MS : WS_END_TIMEOUT_MS);
  ws_servers_stop_all();
  if (ws_loop_thread_current()) {
    ws_program_end_nested(ws_loop_thread_current(), deadline_ms);
    return;
  }
  ws_program_post_close(NULL);
  ws_servers_await_all(deadline_ms);
  ws_clients_await_all(deadline_ms);
  if (!ws_loop_threads_end()) {
    ws_log(WS_LOG_WARN, "the program ends while a handler still runs");
    return;
  }
  ws_clients_free_all();
  ws_roots_free_all();
}

/* ---- the start */

static void ws_program_init(void) {
  ws_log_init();
  /* OpenSSL cleans up at exit: after us, since it is set up before us. */
  OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CRYPTO_STRINGS, NULL);
  atexit(ws_program_end);
}

int ws_program_start(const char *op, struct ws_error *error) {
  pthread_once(&ws_program_once, ws_program_init);
  return ws_loop_threads_start(op, error);
}

/* ---- waiting for a signal */

static int ws_signal_pipe[2] = {-1, -1};

static void ws_signal_received(int signal) {
  int saved = errno;
  uint8_t byte = (uint8_t)signal;
  (void)!ws_sys_write(ws_signal_pipe[1], &byte, 1);
  errno = saved;
}

/* One byte a signal, left in the pipe, so that every thread that waits sees it. */
static void ws_signal_wait(void) {
  struct pollfd watched = {.fd = ws_signal_pipe[0], .events = POLLIN};
  while (ws_sys_poll(&watched, 1, -1) < 1)
    ;
}

static pthread_mutex_t ws_signal_lock = PTHREAD_MUTEX_INITIALIZER;
static int ws_signal_waiters;
static struct sigaction ws_signal_before[2];
static const int ws_signals[2] = {SIGINT, SIGTERM};

/* The first waiter installs the handlers, the last one puts back what was there. */
static int ws_signal_begin(void) {
  int outcome = 0;
  pthread_mutex_lock(&ws_signal_lock);
  if (ws_signal_waiters == 0)
    outcome = ws_sys_pipe(ws_signal_pipe);
  if (outcome == 0 && ws_signal_waiters++ == 0) {
    struct sigaction action = {.sa_handler = ws_signal_received, .sa_flags = SA_RESTART};
    for (int i = 0; i < 2; i++)
      sigaction(ws_signals[i], &action, &ws_signal_before[i]);
  }
  pthread_mutex_unlock(&ws_signal_lock);
  return outcome;
}

static void ws_signal_end(void) {
  pthread_mutex_lock(&ws_signal_lock);
  if (--ws_signal_waiters == 0) {
    for (int i = 0; i < 2; i++)
      sigaction(ws_signals[i], &ws_signal_before[i], NULL);
    for (int i = 0; i < 2; i++)
      ws_sys_close(ws_signal_pipe[i]);
  }
  pthread_mutex_unlock(&ws_signal_lock);
}

int ws_program_keep_alive(struct ws_error *error) {
  if (ws_loop_thread_current()) {
    ws_error_on_loop(error, "keep alive");
    return -1;
  }
  if (ws_signal_begin()) {
    ws_error_system(error, "keep alive", strerror(errno));
    return -1;
  }
  ws_signal_wait();
  ws_signal_end();
  ws_servers_stop_all();
  if (!ws_servers_await_all(ws_clock_ms() + WS_STOP_TIMEOUT_MS + WS_STOP_GRACE_MS)) {
    ws_servers_log_late();
    atomic_store(&ws_program_waited_in_vain, true);
  }
  return 0;
}
