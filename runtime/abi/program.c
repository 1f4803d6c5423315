#include "program.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "client/client.h"
#include "conn/loop_thread.h"
#include "conn/turn.h"
#include "io/sys.h"
#include "io/wait.h"
#include "io/why.h"
#include "osprey/log.h"
#include "osprey/roots.h"
#include "server/server_stop.h"
#include "signals.h"
#include "ticker.h"

enum {
  WS_PROGRAM_END_AGAIN_MS = 1000, /* if the servers were already waited for, in vain */
  WS_PROGRAM_WATCH_MS = 500,      /* how often websocketKeepAlive looks for handlers that hold a loop thread */
  WS_PROGRAM_END_LOOK_MS = 20,    /* how often exit() in a handler checks the other loop threads */
};

static pthread_once_t ws_program_once = PTHREAD_ONCE_INIT;

/* ---- sleep */

static pthread_mutex_t ws_program_sleep_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ws_program_sleep_condition; /* of the monotonic clock */
static pthread_once_t ws_program_sleep_once = PTHREAD_ONCE_INIT;

static void ws_program_sleep_init(void) {
  ws_sys_condition_init(&ws_program_sleep_condition);
}

void ws_program_sleep(int64_t ms) {
  struct timespec until;
  pthread_once(&ws_program_sleep_once, ws_program_sleep_init);
  clock_gettime(CLOCK_MONOTONIC, &until);
  int64_t ns = until.tv_nsec + ms % 1000 * 1000000;
  until.tv_sec += (time_t)(ms / 1000 + ns / 1000000000);
  until.tv_nsec = ns % 1000000000;
  int expired = ms <= 0;
  pthread_mutex_lock(&ws_program_sleep_lock);
  while (!expired && !ws_loop_threads_are_ending())
    expired = ws_sys_condition_wait(&ws_program_sleep_condition, &ws_program_sleep_lock, &until);
  pthread_mutex_unlock(&ws_program_sleep_lock);
}

static void ws_program_set_ending(bool ending) {
  pthread_once(&ws_program_sleep_once, ws_program_sleep_init);
  pthread_mutex_lock(&ws_program_sleep_lock);
  ws_loop_threads_set_ending(ending);
  pthread_cond_broadcast(&ws_program_sleep_condition);
  pthread_mutex_unlock(&ws_program_sleep_lock);
  if (ending)
    ws_tickers_end();
}

/* ---- the end of the program */

static void ws_program_close_clients(struct ws_loop *loop, struct ws_task *task) {
  (void)loop;
  (void)task;
  ws_clients_close(ws_loop_thread_current());
}

/* Posts the close of all clients to every loop thread but `here`. Once in a process. */
static void ws_program_post_close(const struct ws_loop_thread *here) {
  static struct ws_task tasks[WS_LOOP_THREADS_MAX];
  for (unsigned i = 0; i < ws_loop_threads_count(); i++) {
    struct ws_loop_thread *thread = ws_loop_thread_at(i);
    tasks[i].run = ws_program_close_clients;
    if (thread != here)
      ws_loop_post(thread->loop, &tasks[i]);
  }
}

static bool ws_program_has_output(const struct ws_list *members) {
  for (struct ws_list_node *node = members->first; node; node = node->next) {
    const struct ws_conn *conn = ws_conn_of_member(node);
    if (ws_conn_state(conn) != WS_CONN_ENDED && ws_activity_backlog(&conn->stream, &conn->out) > 0)
      return true;
  }
  return false;
}

static void ws_program_look_for_output(const struct ws_server *server, void *context) {
  bool *found = context;
  unsigned index = ws_loop_thread_current()->index;
  bool listens = ws_server_state(server) != WS_SERVER_CREATED && server->shares;
  *found = *found || (listens && ws_program_has_output(&server->shares[index].connections));
}

/* Returns true while connections are left, except on `here` those whose handlers wait for the end: of these, only the
 * output is awaited. */
static bool ws_program_is_busy(const struct ws_loop_thread *here) {
  bool output = ws_program_has_output(&here->clients);
  ws_servers_each(ws_program_look_for_output, &output);
  bool busy = output || here->connections > here->handling - here->ticking;
  for (unsigned i = 0; i < ws_loop_threads_count() && !busy; i++)
    busy = ws_loop_thread_at(i) != here && ws_loop_thread_at(i)->connections > 0;
  return busy;
}

/* exit() in a handler: turns the handler's loop until no other connection is left on it, then joins the other loop
 * threads, which must not run while exit() goes on. */
static void ws_program_end_nested(struct ws_loop_thread *thread, int64_t deadline_ms) {
  ws_clients_close(thread);
  ws_program_post_close(thread);
  struct ws_loop_threads_seen seen = {0};
  int64_t now;
  while (ws_program_is_busy(thread) && !ws_loop_threads_are_held(&seen, WS_HELD_MS) &&
         (now = ws_clock_ms()) < deadline_ms)
    ws_loop_turn(thread->loop, deadline_ms - now < WS_PROGRAM_END_LOOK_MS ? deadline_ms - now : WS_PROGRAM_END_LOOK_MS);
  ws_loop_threads_end_others(thread);
}

static bool ws_program_is_over(void *context) {
  (void)context;
  return ws_servers_are_done() && ws_clients_are_gone();
}

static _Atomic bool ws_program_waited_in_vain;

static _Atomic bool ws_program_has_ended;

static void ws_program_end(void) {
  bool again = atomic_load(&ws_program_waited_in_vain);
  int64_t timeout_ms = again ? WS_PROGRAM_END_AGAIN_MS : ws_server_stop_longest_ms() + WS_STOP_GRACE_MS;
  int64_t deadline_ms = ws_clock_ms() + timeout_ms;
  atomic_store(&ws_program_has_ended, true);
  ws_program_set_ending(true);
  ws_server_stop_all();
  if (ws_loop_thread_current()) {
    ws_program_end_nested(ws_loop_thread_current(), deadline_ms);
    ws_log_note_omitted(true);
    return;
  }
  ws_program_post_close(NULL);
  ws_loop_threads_wait(deadline_ms, ws_program_is_over, NULL);
  if (!ws_loop_threads_end()) {
    ws_log(WS_LOG_WARN, "the program ends while a handler still runs");
    ws_log_note_omitted(true);
    return;
  }
  ws_log_note_omitted(true);
  ws_clients_free_all();
  ws_roots_free_all();
}

/* ---- the start */

static void ws_program_init(void) {
  ws_sys_hold_standard_descriptors();
  ws_log_init();
  /* Without a clean-up at exit: other threads may be in a builtin, and so in OpenSSL, until the process is gone. */
  OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CRYPTO_STRINGS | OPENSSL_INIT_NO_ATEXIT, NULL);
  atexit(ws_program_end);
}

int ws_program_start(const char *op, struct ws_error *error) {
  pthread_once(&ws_program_once, ws_program_init);
  if (atomic_load(&ws_program_has_ended)) {
    ws_error_system(error, op, WS_END_OF_PROGRAM);
    return -1;
  }
  return ws_loop_threads_start(op, &ws_turn_work, error);
}

static void ws_program_watch(void *context) {
  ws_loop_threads_log_held(context);
  ws_log_note_omitted(false);
}

static bool ws_program_never(void *context) {
  (void)context;
  return false;
}

/* While exit() in a handler ends the program, the thread in websocketKeepAlive stays there: main would return, and its
 * status would become the program's. */
static void ws_program_leave_to_exit(void) {
  enum { LONG_MS = 60000 };
  while (atomic_load(&ws_program_has_ended))
    ws_wait_until(ws_clock_ms() + LONG_MS, ws_program_never, NULL);
}

int ws_program_keep_alive(struct ws_error *error) {
  struct ws_loop_threads_seen seen = {0};
  if (ws_loop_thread_current()) {
    ws_error_on_loop(error, "keep alive");
    return -1;
  }
  if (ws_signals_wait(WS_PROGRAM_WATCH_MS, ws_program_watch, &seen)) {
    ws_error_system(error, "keep alive", ws_why_errno(errno));
    return -1;
  }
  ws_program_leave_to_exit();
  int64_t deadline_ms = ws_clock_ms() + ws_server_stop_longest_ms() + WS_STOP_GRACE_MS;
  ws_program_set_ending(true);
  ws_server_stop_all();
  if (!ws_server_stop_wait_all(deadline_ms)) {
    ws_server_stop_log_late();
    atomic_store(&ws_program_waited_in_vain, true);
  }
  ws_program_leave_to_exit();
  ws_program_set_ending(false);
  return 0;
}
