#include "server_stop.h"

#include <inttypes.h>

#include "base/clock.h"
#include "conn/end.h"
#include "io/wait.h"
#include "osprey/log.h"
#include "protocol/close_code.h"
#include "cluster_ops.h"

static void ws_server_stop_run(struct ws_loop *loop, struct ws_task *task) {
  struct ws_server_share *share = ws_container_of(task, struct ws_server_share, stop_task);
  (void)loop;
  ws_listener_stop(&share->listener);
  if (atomic_fetch_sub(&share->server->listening, 1) == 1)
    ws_bound_close(&share->server->bound);
  for (struct ws_list_node *node = share->connections.first; node; node = node->next)
    ws_end_close(ws_conn_of_member(node), WS_CLOSE_GOING_AWAY, "", 0);
  share->stopping = true;
  ws_server_share_check(share);
}

/* A share whose listen task is still posted is stopped behind it: run at once, this could be the last share and free
 * the server under that task. */
static void ws_server_stop_post(struct ws_server *server) {
  struct ws_loop_thread *here = ws_loop_thread_current();
  for (unsigned i = 0; i < server->share_count; i++) {
    struct ws_server_share *share = &server->shares[i];
    share->stop_task.run = ws_server_stop_run;
    if (share->group.thread == here && share->started)
      ws_server_stop_run(here->loop, &share->stop_task);
    else
      ws_loop_post(share->group.thread->loop, &share->stop_task);
  }
}

bool ws_server_stop(struct ws_server *server) {
  pthread_mutex_lock(&server->lock);
  enum ws_server_state before = ws_server_state(server);
  /* A broadcast of another thread is posted before the stop, or is an Err. */
  pthread_mutex_lock(&server->topics.lock);
  atomic_store_explicit(&server->state, WS_SERVER_STOPPED, memory_order_release);
  pthread_mutex_unlock(&server->topics.lock);
  pthread_mutex_unlock(&server->lock);
  if (before == WS_SERVER_STOPPED)
    return false;
  if (server->topics.cluster)
    server->topics.cluster->ops->stop(server->topics.cluster);
  if (before == WS_SERVER_CREATED) {
    ws_bound_close(&server->bound);
    if (!server->topics.cluster)
      ws_server_finish(server);
  } else {
    ws_wait_notify();
    ws_server_stop_post(server);
  }
  return true;
}

void ws_server_stop_all(void) {
  struct ws_server *server;
  /* A stop takes the server off the list: no walk. */
  while ((server = ws_servers_pin_running()) != NULL) {
    ws_server_stop(server);
    ws_server_unpin(server);
  }
}

/* ---- waiting */

static bool ws_server_stop_is_done(void *context) {
  struct ws_server *server = context;
  return atomic_load(&server->done);
}

static bool ws_server_stop_is_done_all(void *context) {
  (void)context;
  return ws_servers_are_done();
}

static void ws_server_stop_log(const struct ws_server *server, void *context) {
  (void)context;
  ws_log(WS_LOG_WARN,
         "server %" PRId64 " has not stopped in time: a handler still runs, and connections are left: %" PRIu32,
         server->id, atomic_load(&server->connections));
}

static void ws_server_stop_compare(const struct ws_server *server, void *context) {
  int64_t *longest = context;
  if (server->rules.limits.close_timeout_ms > *longest)
    *longest = server->rules.limits.close_timeout_ms;
}

int64_t ws_server_stop_longest_ms(void) {
  struct ws_limits client;
  ws_limits_init(&client);
  ws_servers_each(ws_server_stop_compare, &client.close_timeout_ms);
  return client.close_timeout_ms;
}

void ws_server_stop_wait(struct ws_server *server) {
  int64_t deadline_ms = ws_clock_ms() + server->rules.limits.close_timeout_ms + WS_STOP_GRACE_MS;
  if (!ws_loop_threads_wait(deadline_ms, ws_server_stop_is_done, server))
    ws_server_stop_log(server, NULL);
}

bool ws_server_stop_wait_all(int64_t deadline_ms) {
  return ws_loop_threads_wait(deadline_ms, ws_server_stop_is_done_all, NULL);
}

void ws_server_stop_log_late(void) {
  ws_servers_each(ws_server_stop_log, NULL);
}
