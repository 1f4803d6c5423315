#include "program.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "client/client.h"
#include "conn/loop_thread.h"
#include "conn/turn.h"
#include "osprey/log.h"
#include "osprey/roots.h"
#include "server/server_stop.h"
#include "signals.h"

enum {
  WS_PROGRAM_END_TIMEOUT_MS = 5000,
  WS_PROGRAM_END_AGAIN_MS = 1000, /* if the servers were already waited for, in vain */
  WS_PROGRAM_END_LOOK_MS = 20,    /* how often exit() in a handler checks the other loop threads */
};

static pthread_once_t ws_program_once = PTHREAD_ONCE_INIT;

/* ---- the end of the program */

static void ws_program_close_clients(struct ws_loop *loop, struct ws_task *task) {
  (void)loop;
  ws_clients_close(ws_loop_thread_current());
  ws_mem_free(task);
}

/* Posts the close of all clients to every loop thread but `here`. Without memory for that, the process cuts them
 * off. */
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

/* Returns true while connections are left, except on `here` those whose handlers wait for the end. */
static bool ws_program_is_busy(const struct ws_loop_thread *here) {
  bool busy = here->connections > here->handling;
  for (unsigned i = 0; i < ws_loop_threads_count() && !busy; i++)
    busy = ws_loop_thread_at(i) != here && ws_loop_thread_at(i)->connections > 0;
  return busy;
}

/* exit() in a handler: turns the handler's loop until no other connection is left on it, then joins the other loop
 * threads, which must not run while exit() goes on. */
static void ws_program_end_nested(struct ws_loop_thread *thread, int64_t deadline_ms) {
  ws_clients_close(thread);
  ws_program_post_close(thread);
  int64_t now;
  while (ws_program_is_busy(thread) && (now = ws_clock_ms()) < deadline_ms)
    ws_loop_turn(thread->loop, deadline_ms - now < WS_PROGRAM_END_LOOK_MS ? deadline_ms - now : WS_PROGRAM_END_LOOK_MS);
  ws_loop_threads_end_others(thread);
}

static _Atomic bool ws_program_waited_in_vain;

static void ws_program_end(void) {
  bool again = atomic_load(&ws_program_waited_in_vain);
  int64_t deadline_ms = ws_clock_ms() + (again ? WS_PROGRAM_END_AGAIN_MS : WS_PROGRAM_END_TIMEOUT_MS);
  ws_server_stop_all();
  if (ws_loop_thread_current()) {
    ws_program_end_nested(ws_loop_thread_current(), deadline_ms);
    return;
  }
  ws_program_post_close(NULL);
  ws_server_stop_wait_all(deadline_ms);
  ws_clients_wait_all(deadline_ms);
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
  /* OpenSSL registers its clean-up at exit first, so that it runs after ours. */
  OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CRYPTO_STRINGS, NULL);
  atexit(ws_program_end);
}

int ws_program_start(const char *op, struct ws_error *error) {
  pthread_once(&ws_program_once, ws_program_init);
  return ws_loop_threads_start(op, &ws_turn_work, error);
}

int ws_program_keep_alive(struct ws_error *error) {
  if (ws_loop_thread_current()) {
    ws_error_on_loop(error, "keep alive");
    return -1;
  }
  if (ws_signals_wait()) {
    ws_error_system(error, "keep alive", strerror(errno));
    return -1;
  }
  ws_server_stop_all();
  if (!ws_server_stop_wait_all(ws_clock_ms() + WS_STOP_TIMEOUT_MS + WS_STOP_GRACE_MS)) {
    ws_server_stop_log_late();
    atomic_store(&ws_program_waited_in_vain, true);
  }
  return 0;
}
