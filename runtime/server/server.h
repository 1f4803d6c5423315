#pragma once
/* A server: an address, its settings, and its share of connections on each thread.
 *
 *   CREATED    bound; handlers, limits, origins and subprotocols are set, under the lock
 *   LISTENING  the settings are constant; every worker accepts
 *   STOPPED    it was told to stop: listeners go, connections are closed with 1001; then the ID is retired
 *
 * Lifetime: each connection, and each thread that looked the server up, holds a pin of its ID; the last one frees it.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conn/conn.h"
#include "osprey/error.h"
#include "io/listener.h"
#include "io/tls_context.h"
#include "conn/address_quota.h"
#include "protocol/handshake.h"
#include "request.h"

enum ws_server_state { WS_SERVER_CREATED, WS_SERVER_LISTENING, WS_SERVER_STOPPED };

/* How long a stop is waited for: its connections cut off what is left in WS_STOP_TIMEOUT_MS, and what is there still after the grace is
 * held by a handler. */
enum { WS_STOP_TIMEOUT_MS = 5000, WS_STOP_GRACE_MS = 500 };

enum ws_server_event { WS_ON_MESSAGE, WS_ON_OPEN, WS_ON_CLOSE, WS_EVENTS };

struct ws_server;

/* A server on one thread. */
struct ws_share {
  struct ws_group group;
  struct ws_server *server;
  struct ws_listener listener;
  struct ws_task listen_task;
  struct ws_task stop_task;
  bool started; /* listen_task has run: it lies in no queue */
  bool stopping;
  bool done;
};

struct ws_server {
  int64_t id;
  pthread_mutex_t lock;
  _Atomic int state; /* enum ws_server_state; changed under the lock */

  struct ws_rules rules;
  uint32_t max_connections;
  uint32_t max_connections_per_address; /* 0: no cap */
  uint32_t handshake_timeout_ms;
  struct ws_server_rules handshake;
  char *path;
  char *protocols;
  char **origins;
  void **handlers[WS_EVENTS]; /* roots, NULL: none */

  struct ws_bound bound;
  struct ws_tls_context *tls; /* NULL: plain */
  struct ws_address_quota peers;
  struct ws_requests requests;
  _Atomic uint32_t connections; /* those in their handshake included */
  _Atomic size_t broadcasting;  /* bytes of broadcasts on their way to other workers */
  struct ws_share *shares;      /* one for each thread, from listen on */
  unsigned share_count;
  _Atomic unsigned listening; /* shares that still accept; the last one closes the port */
  _Atomic unsigned starting;  /* shares that have not begun to accept */
  _Atomic bool start_failed;
  _Atomic unsigned busy; /* shares that have connections, or may get some */
  _Atomic bool done;
  struct ws_server *next, **link; /* of all servers, under their lock */
};

static inline enum ws_server_state ws_server_state(const struct ws_server *server) {
  return (enum ws_server_state)atomic_load_explicit(&server->state, memory_order_acquire);
}

/* Builtins. Each returns 0 (or an ID), or -1 (0) with the error set. The server is pinned by the caller. */
int64_t ws_server_create(int64_t port, const char *address, const char *path, const char *certificate_file,
                         const char *key_file, struct ws_error *error);
int ws_server_listen(struct ws_server *server, struct ws_error *error);
int ws_server_broadcast(struct ws_server *server, const char *message, struct ws_error *error);
uint32_t ws_server_open_count(const struct ws_server *server);

/* server_settings.c: builtins too, an error once the server listens. */
int ws_server_set_handler(struct ws_server *server, const char *op, enum ws_server_event event, void *cell,
                          struct ws_error *error);
int ws_server_set_limit(struct ws_server *server, const char *limit, int64_t value, struct ws_error *error);
int ws_server_allow_origin(struct ws_server *server, const char *origin, struct ws_error *error);
int ws_server_set_protocols(struct ws_server *server, const char *protocols, struct ws_error *error);
void ws_server_default_limits(struct ws_server *server);

/* Starts to stop. False: it is stopped already. */
bool ws_server_stop(struct ws_server *server);
/* Waits until everything of it has ended; logs it where a handler holds that up for too long. Not on a loop thread. */
void ws_server_await(struct ws_server *server);

void ws_server_unpin(struct ws_server *server);

/* Starts to stop every server. */
void ws_servers_stop_all(void);
/* Waits until there is none, or the deadline. False: there is one. */
bool ws_servers_await_all(int64_t deadline_ms);
/* Logs those that have not stopped. */
void ws_servers_log_late(void);

/* accept.c: a new connection of a share. */
extern const struct ws_listener_events ws_server_conn_events;
extern const struct ws_conn_ops ws_server_conn_ops;
/* A connection has left, or the share stops: it is done when both are true. */
void ws_share_check(struct ws_share *share);
