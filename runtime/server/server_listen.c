#include "server_listen.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/mem.h"
#include "conn/tally.h"
#include "io/sys.h"
#include "io/wait.h"
#include "osprey/log.h"
#include "server_conn.h"
#include "server_evict.h"
#include "server_stop.h"

enum { WS_LISTEN_TIMEOUT_MS = 5000 };

static void ws_server_listen_run(struct ws_loop *loop, struct ws_task *task) {
  struct ws_server_share *share = ws_container_of(task, struct ws_server_share, listen_task);
  struct ws_server *server = share->server;
  struct ws_why why;
  share->started = true;
  if (ws_server_state(server) != WS_SERVER_STOPPED &&
      ws_listener_start(&share->listener, loop, &server->bound, server->share_count > 1, &ws_server_conn_events,
                        &why)) {
    ws_log(WS_LOG_ERROR, "server %" PRId64 ": %s", server->id, why.text);
    atomic_store(&server->start_failed, true);
  }
  atomic_fetch_sub(&server->starting, 1);
  ws_wait_notify();
}

static int ws_server_listen_make_shares(struct ws_server *server) {
  unsigned count = ws_loop_threads_count();
  server->shares = ws_mem_calloc(count, sizeof *server->shares);
  if (!server->shares)
    return -1;
  if (server->counts && !server->budget.tallies)
    server->budget.tallies = ws_mem_calloc(count, sizeof *server->budget.tallies);
  if (server->counts && !server->budget.tallies)
    goto no_tallies;
  server->share_count = count;
  server->topics.loops = count;
  server->budget.exceeded = count > 1 ? ws_server_evict : NULL;
  int64_t half_ms = (server->rules.limits.idle_timeout_ms + 1) / 2;
  server->rules.ping_after_ms = half_ms < WS_PING_AFTER_MS ? half_ms : WS_PING_AFTER_MS;
  for (unsigned i = 0; i < count; i++) {
    struct ws_server_share *share = &server->shares[i];
    share->server = server;
    share->listen_task.run = ws_server_listen_run;
    share->group.ops = &ws_server_conn_ops;
    share->group.rules = &server->rules;
    share->group.thread = ws_loop_thread_at(i);
    share->group.members = &share->connections;
    share->group.budget = &server->budget;
    share->group.tally = server->budget.tallies ? &server->budget.tallies[i] : NULL;
    share->group.on_message = server->handlers[WS_ON_MESSAGE];
  }
  atomic_store(&server->listening, count);
  atomic_store(&server->starting, count);
  atomic_fetch_add(&server->busy, count); /* beside the cluster, if there is one */
  return 0;
no_tallies:
  ws_mem_free(server->shares);
  server->shares = NULL;
  return -1;
}

/* Those that clients may have, and what the program had by default. What stopped servers wanted is not given back. */
static void ws_server_listen_want_descriptors(const struct ws_limits *limits) {
  enum { USUAL = 1024 };
  static _Atomic int64_t wanted = USUAL;
  int64_t more = limits->max_connections + WS_REFUSED_MAX;
  ws_sys_want_descriptors((rlim_t)(atomic_fetch_add(&wanted, more) + more));
}

static int ws_server_listen_begin(struct ws_server *server, struct ws_error *error) {
  struct ws_loop_thread *here = ws_loop_thread_current();
  struct ws_why why;
  if (ws_server_state(server) == WS_SERVER_LISTENING) {
    ws_error_listens_already(error, server->id);
    return -1;
  }
  if (ws_server_state(server) == WS_SERVER_STOPPED) {
    ws_error_stopped(error, "listen", server->id);
    return -1;
  }
  if (ws_bound_listen(&server->bound, &why)) {
    ws_error_listen(error, why.text);
    return -1;
  }
  ws_server_listen_want_descriptors(&server->rules.limits);
  if (ws_server_listen_make_shares(server)) {
    ws_error_memory(error, "listen");
    return -1;
  }
  server->handshake.compression = server->rules.limits.compression != WS_COMPRESSION_OFF;
  server->handshake.no_context = server->rules.limits.compression == WS_COMPRESSION_WITHOUT_CONTEXT;
  atomic_store_explicit(&server->state, WS_SERVER_LISTENING, memory_order_release);
  for (unsigned i = 0; i < server->share_count; i++) {
    struct ws_server_share *share = &server->shares[i];
    if (share->group.thread == here)
      ws_server_listen_run(here->loop, &share->listen_task);
    else
      ws_loop_post(share->group.thread->loop, &share->listen_task);
  }
  return 0;
}

/* Returns true if every loop thread accepts, or none ever will. */
static bool ws_server_listen_is_settled(void *context) {
  struct ws_server *server = context;
  return atomic_load(&server->starting) == 0 || ws_server_state(server) == WS_SERVER_STOPPED;
}

int ws_server_listen(struct ws_server *server, struct ws_error *error) {
  pthread_mutex_lock(&server->lock);
  int outcome = ws_server_listen_begin(server, error);
  pthread_mutex_unlock(&server->lock);
  if (outcome)
    return -1;
  if (!ws_loop_thread_current())
    ws_wait_until(ws_clock_ms() + WS_LISTEN_TIMEOUT_MS, ws_server_listen_is_settled, server);
  if (ws_server_state(server) == WS_SERVER_STOPPED) {
    ws_error_stopped(error, "listen", server->id);
    return -1;
  }
  if (atomic_load(&server->start_failed)) {
    ws_server_stop(server);
    ws_error_listen(error, "the loop could not watch the port (see the log)");
    return -1;
  }
  if (ws_log_wants(WS_LOG_INFO)) {
    char text[WS_ADDRESS_TEXT];
    ws_log(WS_LOG_INFO, "server %" PRId64 " listens on %s%s%s", server->id, server->tls ? "wss://" : "ws://",
           ws_address_format(&server->bound.addresses[0], text), server->path);
  }
  return 0;
}
