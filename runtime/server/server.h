#pragma once
/* A server: its address, its settings, and its share of connections on each loop thread.
 *
 *   CREATED    bound; handlers, limits, origins and subprotocols are set under the lock (server_settings.h)
 *   LISTENING  the settings are constant; every loop thread accepts (server_listen.h, server_conn.h)
 *   STOPPED    listeners are closed and connections are closed with 1001; then the ID is retired (server_stop.h)
 *
 * Lifetime: each connection, and each thread that looked the server up, pins its ID; the last unpin frees it.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "address_quota.h"
#include "base/list.h"
#include "conn/conn.h"
#include "conn/held.h"
#include "io/bound.h"
#include "io/listener.h"
#include "io/tls_context.h"
#include "osprey/error.h"
#include "protocol/server_handshake.h"
#include "proxy.h"
#include "request.h"
#include "topics.h"

enum ws_server_state { WS_SERVER_CREATED, WS_SERVER_LISTENING, WS_SERVER_STOPPED };

enum ws_server_event { WS_ON_MESSAGE, WS_ON_OPEN, WS_ON_CLOSE, WS_EVENTS };

struct ws_answer;
struct ws_server;

/* A server on one loop thread, which alone touches it. */
struct ws_server_share {
  struct ws_group group;
  struct ws_list connections;
  struct ws_server *server;
  struct ws_listener listener;
  struct ws_answer *answers; /* of the open handlers on the stack, the innermost first */
  struct ws_task listen_task;
  struct ws_task stop_task;
  bool started; /* listen_task has run */
  bool stopping;
  bool done; /* stopped, and without connections */
};

/* How a server evicts (server_evict.h). Of the thread that the task is posted to, but for the state. */
struct ws_server_round {
  struct ws_task task;
  _Atomic int state;    /* enum ws_server_round_state */
  unsigned at;          /* the share that the task is posted to */
  unsigned heaviest;    /* the share that has a connection with the most so far */
  int64_t most, second; /* what it holds, and the most that one of another share holds */
};

struct ws_server {
  int64_t id;
  pthread_mutex_t lock;
  _Atomic int state; /* enum ws_server_state; changed under the lock */

  struct ws_rules rules;
  struct ws_budget budget;
  struct ws_server_handshake_rules handshake;
  char *path;
  char *protocols;
  char **origins;
  char **hosts;
  struct ws_proxies proxies;
  bool counts;                /* it has metrics */
  void **handlers[WS_EVENTS]; /* roots; NULL: none */

  struct ws_bound bound;
  struct ws_tls_context *tls; /* NULL: plain */
  struct ws_address_quota quota;
  struct ws_requests requests;
  struct ws_topics topics;
  _Atomic uint32_t connections;   /* in their handshake too */
  _Atomic size_t broadcasting;    /* bytes of broadcasts posted outside loop threads (group.ahead: inside) */
  struct ws_server_share *shares; /* one for each loop thread, from listen on */
  unsigned share_count;
  _Atomic unsigned listening; /* shares that accept; the last one closes the port */
  _Atomic unsigned starting;  /* shares that do not accept yet */
  _Atomic bool start_failed;
  _Atomic unsigned busy; /* shares, the cluster, and a round, that are not done */
  struct ws_server_round round;
  _Atomic bool done;
  struct ws_list_node member; /* of all servers, under their lock */
};

static inline enum ws_server_state ws_server_state(const struct ws_server *server) {
  return (enum ws_server_state)atomic_load_explicit(&server->state, memory_order_acquire);
}

/* The share that a connection of a server belongs to. */
static inline struct ws_server_share *ws_server_share_of(const struct ws_conn *conn) {
  return ws_container_of(conn->group, struct ws_server_share, group);
}

/* Binds and registers a server. The ID, or 0 with the error set. */
int64_t ws_server_create(int64_t port, const char *address, const char *path, const char *certificate_file,
                         const char *key_file, struct ws_error *error);

/* Returns 0 if a server can have something at the path, else -1 with the error set. */
int ws_server_check_path(const char *op, const char *path, struct ws_error *error);

/* Gives a pin back, which may free the server. Any thread. */
void ws_server_unpin(struct ws_server *server);

/* Its OPEN connections. Any thread. */
uint32_t ws_server_open_count(const struct ws_server *server);

/* Call this when a connection has left the share, or the share stops. The last share that is done ends the server. */
void ws_server_share_check(struct ws_server_share *share);

/* One of those that made the server busy is done. The last one ends the server. */
void ws_server_leave(struct ws_server *server);

/* Nothing of the server is left: takes it off the list and retires its ID. The server may be freed. */
void ws_server_finish(struct ws_server *server);

/* Pins and returns a server that is not STOPPED; NULL if there is none. */
struct ws_server *ws_servers_pin_running(void);

/* Returns true if no server is left. Any thread. */
bool ws_servers_are_done(void);

/* Calls visit for each server, under the lock of the list. */
void ws_servers_each(void (*visit)(const struct ws_server *server, void *context), void *context);
