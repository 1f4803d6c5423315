#include "server.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "abi/args.h"
#include "conn/handle.h"
#include "osprey/hooks.h"
#include "osprey/log.h"
#include "protocol/close_code.h"
#include "osprey/roots.h"
#include "conn/send.h"
#include "io/wait.h"

enum { WS_BIND_TIMEOUT_MS = 10000, WS_LISTEN_TIMEOUT_MS = 5000 };

static pthread_mutex_t ws_servers_lock = PTHREAD_MUTEX_INITIALIZER;
static struct ws_server *ws_servers;

/* ---- creating and freeing */

static void ws_server_free(struct ws_server *server) {
  ws_bound_close(&server->bound);
  ws_tls_context_unref(server->tls);
  ws_address_quota_deinit(&server->peers);
  ws_requests_deinit(&server->requests);
  for (size_t i = 0; i < server->handshake.origin_count; i++)
    ws_mem_free(server->origins[i]);
  for (int i = 0; i < WS_EVENTS; i++)
    ws_root_drop(server->handlers[i]);
  ws_mem_free(server->origins);
  ws_mem_free(server->protocols);
  ws_mem_free(server->path);
  ws_mem_free(server->shares);
  pthread_mutex_destroy(&server->lock);
  ws_mem_free(server);
}

void ws_server_unpin(struct ws_server *server) {
  if (ws_handle_unpin(server->id))
    ws_server_free(server);
}

static void ws_servers_add(struct ws_server *server) {
  pthread_mutex_lock(&ws_servers_lock);
  server->next = ws_servers;
  server->link = &ws_servers;
  if (server->next)
    server->next->link = &server->next;
  ws_servers = server;
  pthread_mutex_unlock(&ws_servers_lock);
}

/* Nothing of it is left: the ID ends. The server may be gone afterwards. */
static void ws_server_finish(struct ws_server *server) {
  ws_log(WS_LOG_INFO, "server %" PRId64 " has stopped", server->id);
  pthread_mutex_lock(&ws_servers_lock);
  *server->link = server->next;
  if (server->next)
    server->next->link = server->link;
  pthread_mutex_unlock(&ws_servers_lock);
  atomic_store(&server->done, true);
  if (ws_handle_retire(server->id))
    ws_server_free(server);
  ws_wait_notify();
}

static struct ws_server *ws_server_new(const char *path) {
  struct ws_server *server = ws_mem_calloc(1, sizeof *server);
  if (!server)
    return NULL;
  pthread_mutex_init(&server->lock, NULL);
  ws_address_quota_init(&server->peers);
  ws_requests_init(&server->requests);
  server->rules.role = WS_ROLE_SERVER;
  ws_server_default_limits(server);
  server->path = ws_mem_strdup(path);
  server->handshake.path = server->path;
  if (server->path)
    return server;
  ws_server_free(server);
  return NULL;
}

/* What is wrong with a path, or NULL. */
static const char *ws_path_problem(const char *path) {
  if (path[0] != '/')
    return "does not begin with '/'";
  if (strlen(path) > WS_URL_MAX)
    return "is too long";
  if (strpbrk(path, "?#"))
    return "holds a query or fragment ('?', '#')";
  if (!ws_url_target_valid(ws_slice_of(path)))
    return "holds a space, a control character or a byte outside ASCII";
  return NULL;
}

/* Of a long path the beginning, so that there is room for what is wrong with it. */
static void ws_server_path_wrong(struct ws_error *error, const char *path, const char *problem) {
  enum { SHOWN = 160 };
  char shown[SHOWN + sizeof "…"];
  snprintf(shown, sizeof shown, "%.*s%s", SHOWN, path, strlen(path) > SHOWN ? "…" : "");
  ws_error_path(error, shown, problem);
}

/* The address without the brackets of an IPv6 one. False: it holds what no address can, or is too long. */
static bool ws_address_plain(const char *address, char *plain, size_t room) {
  size_t n = strlen(address);
  bool bracketed = n >= 2 && address[0] == '[' && address[n - 1] == ']';
  if (n == 0 || n >= room)
    return false;
  for (const char *p = address; *p; p++) {
    if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 0x7F)
      return false;
  }
  memcpy(plain, address + bracketed, n - 2u * bracketed);
  plain[n - 2u * bracketed] = '\0';
  return plain[0] != '\0';
}

/* "192.0.2.1:80", "localhost:80", "[::1]:80" */
static bool ws_address_has_port(const char *address) {
  const char *colon = strrchr(address, ':');
  struct ws_address parsed;
  if (!colon || ws_address_parse(address, 0, &parsed))
    return false;
  return strspn(colon + 1, "0123456789") == strlen(colon + 1) && (strchr(address, ':') == colon || colon[-1] == ']');
}

/* Another server of this program that has one of the addresses: binding alone does not always tell. 0 or its ID. */
static int64_t ws_servers_holder(const struct ws_bound *bound, char text[static WS_ADDRESS_TEXT]) {
  int64_t holder = 0;
  pthread_mutex_lock(&ws_servers_lock);
  for (struct ws_server *server = ws_servers; server && !holder; server = server->next) {
    if (ws_server_state(server) != WS_SERVER_CREATED)
      continue;
    for (int i = 0; i < server->bound.count * bound->count && !holder; i++) {
      const struct ws_address *theirs = &server->bound.addresses[i / bound->count];
      const struct ws_address *ours = &bound->addresses[i % bound->count];
      if (memcmp(theirs, ours, ws_address_length(ours)) == 0) {
        holder = server->id;
        ws_address_format(ours, text);
      }
    }
  }
  pthread_mutex_unlock(&ws_servers_lock);
  return holder;
}

/* Binds, and reads certificate and key. 0, or -1 with the error set. */
static int ws_server_acquire(struct ws_server *server, uint16_t port, const char *address, const char *certificate_file,
                             const char *key_file, struct ws_error *error) {
  struct ws_why why;
  if (certificate_file) {
    server->tls = ws_tls_context_new_server(certificate_file, key_file, &why);
    if (!server->tls) {
      ws_error_create(error, why.text);
      return -1;
    }
  }
  if (ws_bound_open(&server->bound, address, port, WS_BIND_TIMEOUT_MS, &why)) {
    ws_error_create(error, why.text);
    return -1;
  }
  char text[WS_ADDRESS_TEXT];
  int64_t holder = ws_servers_holder(&server->bound, text);
  if (holder) {
    ws_error_port_taken(error, text, holder);
    return -1;
  }
  server->handshake.loopback = ws_bound_is_loopback(&server->bound);
  return 0;
}

int64_t ws_server_create(int64_t port, const char *address, const char *path, const char *certificate_file,
                         const char *key_file, struct ws_error *error) {
  char plain[256];
  const char *problem = ws_path_problem(path);
  if (port < 1 || port > 65535)
    ws_error_port(error, port);
  else if (ws_address_has_port(address))
    ws_error_address_port(error, address);
  else if (!ws_address_plain(address, plain, sizeof plain))
    ws_error_address(error, address);
  else if (problem)
    ws_server_path_wrong(error, path, problem);
  if (ws_error_is_set(error))
    return 0;
  struct ws_server *server = ws_server_new(path);
  if (!server) {
    ws_error_memory(error, "create server");
    return 0;
  }
  if (ws_server_acquire(server, (uint16_t)port, plain, certificate_file, key_file, error) == 0) {
    server->id = ws_handle_issue(WS_HANDLE_SERVER, server, WS_HANDLE_NO_OWNER);
    if (!server->id)
      ws_error_too_many(error, "create server", "servers");
  }
  int64_t id = server->id;
  if (id)
    ws_servers_add(server);
  else
    ws_server_free(server);
  return id;
}

/* ---- listening */

/* The share accepts no more; the last one closes the port. */
static void ws_share_stop_listening(struct ws_share *share) {
  struct ws_server *server = share->server;
  ws_listener_stop(&share->listener);
  if (atomic_fetch_sub(&server->listening, 1) == 1)
    ws_bound_close(&server->bound);
}

static void ws_share_listen(struct ws_loop *loop, struct ws_task *task) {
  struct ws_share *share = (struct ws_share *)(void *)((char *)task - offsetof(struct ws_share, listen_task));
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

void ws_share_check(struct ws_share *share) {
  if (!share->stopping || share->done || share->group.first)
    return;
  share->done = true;
  if (atomic_fetch_sub(&share->server->busy, 1) == 1)
    ws_server_finish(share->server);
}

static void ws_share_stop(struct ws_loop *loop, struct ws_task *task) {
  struct ws_share *share = (struct ws_share *)(void *)((char *)task - offsetof(struct ws_share, stop_task));
  struct ws_conn *conn = share->group.first;
  (void)loop;
  ws_share_stop_listening(share);
  /* Ending a connection may run its close handler, which may end others: both hands hold on. */
  if (conn)
    ws_conn_ref(conn);
  while (conn) {
    struct ws_conn *next = conn->next;
    if (next)
      ws_conn_ref(next);
    ws_conn_close(conn, WS_CLOSE_GOING_AWAY, "", 0);
    ws_conn_unref(conn);
    conn = next;
  }
  share->stopping = true;
  ws_share_check(share);
}

static int ws_server_make_shares(struct ws_server *server) {
  unsigned count = ws_loop_threads_count();
  server->shares = ws_mem_calloc(count, sizeof *server->shares);
  if (!server->shares)
    return -1;
  server->share_count = count;
  for (unsigned i = 0; i < count; i++) {
    struct ws_share *share = &server->shares[i];
    share->group = (struct ws_group){
        .ops = &ws_server_conn_ops,
        .rules = &server->rules,
        .thread = ws_loop_thread_at(i),
        .server = server,
    };
    share->server = server;
    share->listen_task.run = ws_share_listen;
    share->stop_task.run = ws_share_stop;
  }
  atomic_store(&server->listening, count);
  atomic_store(&server->starting, count);
  atomic_store(&server->busy, count);
  return 0;
}

static void ws_server_post_listen(struct ws_server *server) {
  struct ws_loop_thread *here = ws_loop_thread_current();
  for (unsigned i = 0; i < server->share_count; i++) {
    struct ws_share *share = &server->shares[i];
    if (share->group.thread == here)
      ws_share_listen(here->loop, &share->listen_task);
    else
      ws_loop_post(share->group.thread->loop, &share->listen_task);
  }
}

/* A share whose listen task still lies in its worker's queue is stopped behind it: stopped at once, it could be the last one,
 * and the server be freed under the task. */
static void ws_server_post_stop(struct ws_server *server) {
  struct ws_loop_thread *here = ws_loop_thread_current();
  for (unsigned i = 0; i < server->share_count; i++) {
    struct ws_share *share = &server->shares[i];
    if (share->group.thread == here && share->started)
      ws_share_stop(here->loop, &share->stop_task);
    else
      ws_loop_post(share->group.thread->loop, &share->stop_task);
  }
}

static int ws_server_begin_listening(struct ws_server *server, struct ws_error *error) {
  struct ws_why why;
  switch (ws_server_state(server)) {
  case WS_SERVER_LISTENING:
    ws_error_listens_already(error, server->id);
    return -1;
  case WS_SERVER_STOPPED:
    ws_error_stopped(error, "listen", server->id);
    return -1;
  default:
    break;
  }
  if (ws_bound_listen(&server->bound, &why)) {
    ws_error_listen(error, why.text);
    return -1;
  }
  if (ws_server_make_shares(server)) {
    ws_error_memory(error, "listen");
    return -1;
  }
  atomic_store_explicit(&server->state, WS_SERVER_LISTENING, memory_order_release);
  ws_server_post_listen(server);
  return 0;
}

/* Whether listening has begun on every thread, or never will. */
static bool ws_server_has_started(void *context) {
  struct ws_server *server = context;
  return atomic_load(&server->starting) == 0 || ws_server_state(server) == WS_SERVER_STOPPED;
}

int ws_server_listen(struct ws_server *server, struct ws_error *error) {
  pthread_mutex_lock(&server->lock);
  int outcome = ws_server_begin_listening(server, error);
  pthread_mutex_unlock(&server->lock);
  if (outcome)
    return -1;
  if (!ws_loop_thread_current())
    ws_wait_until(ws_clock_ms() + WS_LISTEN_TIMEOUT_MS, ws_server_has_started, server);
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

/* ---- stopping */

bool ws_server_stop(struct ws_server *server) {
  pthread_mutex_lock(&server->lock);
  enum ws_server_state before = ws_server_state(server);
  atomic_store_explicit(&server->state, WS_SERVER_STOPPED, memory_order_release);
  pthread_mutex_unlock(&server->lock);
  if (before == WS_SERVER_STOPPED)
    return false;
  if (before == WS_SERVER_CREATED) {
    ws_bound_close(&server->bound);
    ws_server_finish(server);
  } else {
    ws_wait_notify();
    ws_server_post_stop(server);
  }
  return true;
}

static bool ws_server_is_done(void *context) {
  struct ws_server *server = context;
  return atomic_load(&server->done);
}

static void ws_server_log_late(const struct ws_server *server) {
  ws_log(WS_LOG_WARN,
         "server %" PRId64 " has not stopped in time: a handler still runs, and connections are left: %" PRIu32,
         server->id, atomic_load(&server->connections));
}

void ws_server_await(struct ws_server *server) {
  int64_t deadline_ms = ws_clock_ms() + WS_STOP_TIMEOUT_MS + WS_STOP_GRACE_MS;
  if (!ws_wait_until(deadline_ms, ws_server_is_done, server))
    ws_server_log_late(server);
}

void ws_servers_stop_all(void) {
  /* Stopping takes servers off the list: find and pin one at a time. */
  for (;;) {
    enum ws_handle_state ignored;
    struct ws_server *found = NULL;
    pthread_mutex_lock(&ws_servers_lock);
    for (struct ws_server *server = ws_servers; server && !found; server = server->next) {
      if (ws_server_state(server) != WS_SERVER_STOPPED)
        found = ws_handle_pin(WS_HANDLE_SERVER, server->id, &ignored);
    }
    pthread_mutex_unlock(&ws_servers_lock);
    if (!found)
      return;
    ws_server_stop(found);
    ws_server_unpin(found);
  }
}

static bool ws_servers_are_done(void *context) {
  (void)context;
  pthread_mutex_lock(&ws_servers_lock);
  bool none = ws_servers == NULL;
  pthread_mutex_unlock(&ws_servers_lock);
  return none;
}

bool ws_servers_await_all(int64_t deadline_ms) {
  return ws_wait_until(deadline_ms, ws_servers_are_done, NULL);
}

void ws_servers_log_late(void) {
  pthread_mutex_lock(&ws_servers_lock);
  for (const struct ws_server *server = ws_servers; server; server = server->next)
    ws_server_log_late(server);
  pthread_mutex_unlock(&ws_servers_lock);
}

/* ---- broadcasting */

struct ws_broadcast_task {
  struct ws_task task;
  struct ws_share *share; /* its server is pinned */
  struct ws_broadcast broadcast;
};

static void ws_share_broadcast(struct ws_share *share, const struct ws_broadcast *broadcast) {
  struct ws_compressed compressed[WS_DEFLATE_BITS_MAX + 1] = {0};
  struct ws_conn *conn = share->group.first;
  if (conn)
    ws_conn_ref(conn);
  while (conn) {
    struct ws_conn *next = conn->next;
    if (next)
      ws_conn_ref(next);
    if (ws_conn_state(conn) == WS_CONN_OPEN)
      ws_broadcast_to(conn, broadcast, compressed);
    ws_conn_unref(conn);
    conn = next;
  }
  for (int bits = 0; bits <= WS_DEFLATE_BITS_MAX; bits++)
    ws_chunk_unref(compressed[bits].chunk);
}

static void ws_broadcast_run(struct ws_loop *loop, struct ws_task *task) {
  struct ws_broadcast_task *work = (struct ws_broadcast_task *)task;
  struct ws_server *server = work->share->server;
  (void)loop;
  ws_share_broadcast(work->share, &work->broadcast);
  atomic_fetch_sub(&server->broadcasting, work->broadcast.frame->size);
  ws_chunk_unref(work->broadcast.frame);
  ws_mem_free(work);
  ws_server_unpin(server);
  ws_wait_notify();
}

static int ws_share_post_broadcast(struct ws_share *share, const struct ws_broadcast *broadcast) {
  struct ws_broadcast_task *work = ws_mem_alloc(sizeof *work);
  if (!work)
    return -1;
  *work = (struct ws_broadcast_task){.task.run = ws_broadcast_run, .share = share, .broadcast = *broadcast};
  ws_chunk_ref(broadcast->frame);
  ws_handle_pin_again(share->server->id);
  atomic_fetch_add(&share->server->broadcasting, broadcast->frame->size);
  ws_loop_post(share->group.thread->loop, &work->task);
  return 0;
}

/* Whether the loops have kept up with the broadcasts so far. */
static bool ws_server_keeps_up(void *context) {
  struct ws_server *server = context;
  return atomic_load(&server->broadcasting) < server->rules.max_queued_bytes ||
         ws_server_state(server) != WS_SERVER_LISTENING;
}

static int ws_server_distribute(struct ws_server *server, const struct ws_broadcast *broadcast,
                                struct ws_error *error) {
  struct ws_loop_thread *here = ws_loop_thread_current();
  for (unsigned i = 0; i < server->share_count; i++) {
    struct ws_share *share = &server->shares[i];
    if (share->group.thread == here) {
      ws_share_broadcast(share, broadcast);
    } else if (ws_share_post_broadcast(share, broadcast)) {
      ws_error_memory(error, "broadcast");
      return -1;
    }
  }
  return 0;
}

static int ws_server_check_listening(struct ws_server *server, struct ws_error *error) {
  if (ws_server_state(server) == WS_SERVER_LISTENING)
    return 0;
  if (ws_server_state(server) == WS_SERVER_CREATED)
    ws_error_not_listening(error, "broadcast", server->id);
  else
    ws_error_stopped(error, "broadcast", server->id);
  return -1;
}

int ws_server_broadcast(struct ws_server *server, const char *message, struct ws_error *error) {
  struct ws_outgoing out;
  struct ws_broadcast broadcast;
  if (ws_server_check_listening(server, error) || ws_outgoing_text(&out, "broadcast", message, error))
    return -1;
  if (out.size > server->rules.max_queued_bytes) {
    ws_error_too_big(error, "broadcast", out.size, server->rules.max_queued_bytes);
    return -1;
  }
  bool room = ws_server_keeps_up(server);
  if (!room && !ws_loop_thread_current())
    room = ws_wait_until(ws_clock_ms() + WS_SEND_TIMEOUT_MS, ws_server_keeps_up, server);
  if (!room) {
    ws_error_broadcasts_pending(error, server->id);
    return -1;
  }
  if (ws_broadcast_encode(&broadcast, &out)) {
    ws_error_memory(error, "broadcast");
    return -1;
  }
  int outcome = ws_server_distribute(server, &broadcast, error);
  ws_chunk_unref(broadcast.frame);
  return outcome;
}

uint32_t ws_server_open_count(const struct ws_server *server) {
  uint32_t count = 0;
  if (ws_server_state(server) == WS_SERVER_CREATED)
    return 0;
  for (unsigned i = 0; i < server->share_count; i++)
    count += atomic_load_explicit(&server->shares[i].group.open, memory_order_relaxed);
  return count;
}
