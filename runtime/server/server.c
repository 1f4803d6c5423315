#include "server.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "conn/handle.h"
#include "conn/values.h"
#include "io/wait.h"
#include "osprey/log.h"
#include "osprey/roots.h"
#include "page.h"
#include "protocol/url.h"
#include "cluster_ops.h"

enum { WS_BIND_TIMEOUT_MS = 10000 };

static pthread_mutex_t ws_servers_lock = PTHREAD_MUTEX_INITIALIZER;
static struct ws_list ws_servers;

/* ---- the end of a server */

static void ws_server_free(struct ws_server *server) {
  if (server->topics.cluster)
    server->topics.cluster->ops->free(server->topics.cluster);
  ws_bound_close(&server->bound);
  ws_tls_context_unref(server->tls);
  ws_address_quota_deinit(&server->quota);
  ws_requests_deinit(&server->requests);
  ws_topics_deinit(&server->topics);
  for (size_t i = 0; i < server->handshake.origin_count; i++)
    ws_mem_free(server->origins[i]);
  for (int i = 0; i < WS_EVENTS; i++)
    ws_roots_drop(server->handlers[i]);
  for (size_t i = 0; i < server->handshake.host_count; i++)
    ws_mem_free(server->hosts[i]);
  ws_mem_free(server->origins);
  ws_mem_free(server->hosts);
  ws_mem_free(server->proxies.networks);
  ws_pages_free(&server->handshake.routes);
  ws_mem_free(server->budget.tallies);
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

void ws_server_finish(struct ws_server *server) {
  int64_t id = server->id;
  ws_log(WS_LOG_INFO, "server %" PRId64 " has stopped", id);
  pthread_mutex_lock(&ws_servers_lock);
  ws_list_remove(&server->member);
  pthread_mutex_unlock(&ws_servers_lock);
  atomic_store(&server->done, true);
  bool unpinned = ws_handle_retire(id);
  ws_values_drop(id);
  if (unpinned)
    ws_server_free(server);
  ws_wait_notify();
}

void ws_server_leave(struct ws_server *server) {
  if (atomic_fetch_sub(&server->busy, 1) == 1)
    ws_server_finish(server);
}

void ws_server_share_check(struct ws_server_share *share) {
  if (!share->stopping || share->done || share->connections.first)
    return;
  share->done = true;
  ws_server_leave(share->server);
}

/* ---- creating */

static struct ws_server *ws_server_new(const char *path) {
  struct ws_server *server = ws_mem_calloc(1, sizeof *server);
  if (!server)
    return NULL;
  pthread_mutex_init(&server->lock, NULL);
  ws_address_quota_init(&server->quota);
  ws_requests_init(&server->requests);
  ws_topics_init(&server->topics, &server->budget);
  server->rules.role = WS_ROLE_SERVER;
  ws_limits_init(&server->rules.limits);
  server->path = ws_mem_strdup(path);
  server->handshake.path = server->path;
  if (server->path)
    return server;
  ws_server_free(server);
  return NULL;
}

/* Returns what is wrong with the path; NULL if nothing. */
static const char *ws_server_path_problem(const char *path) {
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

/* Shows the beginning of a long path, so that the problem fits into the error. */
int ws_server_check_path(const char *op, const char *path, struct ws_error *error) {
  enum { SHOWN = 160 };
  char shown[SHOWN + sizeof "…"];
  const char *problem = ws_server_path_problem(path);
  if (!problem)
    return 0;
  snprintf(shown, sizeof shown, "%.*s%s", SHOWN, path, strlen(path) > SHOWN ? "…" : "");
  ws_error_path(error, op, shown, problem);
  return -1;
}

/* Copies the address without the brackets of IPv6. Returns false if it is too long or holds a character no address
 * has. */
static bool ws_server_address_plain(const char *address, char *plain, size_t room) {
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

/* Returns true for "192.0.2.1:80", "localhost:80", "[::1]:80". */
static bool ws_server_address_has_port(const char *address) {
  const char *colon = strrchr(address, ':');
  struct ws_address parsed;
  if (!colon || ws_address_parse(address, 0, &parsed))
    return false;
  return strspn(colon + 1, "0123456789") == strlen(colon + 1) && (strchr(address, ':') == colon || colon[-1] == ']');
}

/* Returns the ID of a server of this program bound to one of the addresses; 0 if there is none. Two sockets that do not
 * listen yet may be bound to one port. */
static int64_t ws_servers_holder(const struct ws_bound *bound, char text[static WS_ADDRESS_TEXT]) {
  int64_t holder = 0;
  pthread_mutex_lock(&ws_servers_lock);
  for (struct ws_list_node *node = ws_servers.first; node && !holder; node = node->next) {
    const struct ws_server *server = ws_container_of(node, struct ws_server, member);
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
  if (port < 1 || port > 65535)
    ws_error_port(error, port);
  else if (strchr(address, '/'))
    ws_error_address_url(error, address);
  else if (ws_server_address_has_port(address))
    ws_error_address_port(error, address);
  else if (!ws_server_address_plain(address, plain, sizeof plain))
    ws_error_address(error, address);
  else
    ws_server_check_path("create server", path, error);
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
  if (!id) {
    ws_server_free(server);
    return 0;
  }
  pthread_mutex_lock(&ws_servers_lock);
  ws_list_add(&ws_servers, &server->member);
  pthread_mutex_unlock(&ws_servers_lock);
  return id;
}

/* ---- queries */

uint32_t ws_server_open_count(const struct ws_server *server) {
  uint32_t count = 0;
  if (ws_server_state(server) == WS_SERVER_CREATED)
    return 0;
  for (unsigned i = 0; i < server->share_count; i++)
    count += atomic_load_explicit(&server->shares[i].group.open, memory_order_relaxed);
  return count;
}

struct ws_server *ws_servers_pin_running(void) {
  struct ws_server *found = NULL;
  enum ws_handle_state ignored;
  pthread_mutex_lock(&ws_servers_lock);
  for (struct ws_list_node *node = ws_servers.first; node && !found; node = node->next) {
    struct ws_server *server = ws_container_of(node, struct ws_server, member);
    if (ws_server_state(server) != WS_SERVER_STOPPED)
      found = ws_handle_pin(WS_HANDLE_SERVER, server->id, &ignored);
  }
  pthread_mutex_unlock(&ws_servers_lock);
  return found;
}

bool ws_servers_are_done(void) {
  pthread_mutex_lock(&ws_servers_lock);
  bool none = ws_servers.first == NULL;
  pthread_mutex_unlock(&ws_servers_lock);
  return none;
}

void ws_servers_each(void (*visit)(const struct ws_server *server, void *context), void *context) {
  pthread_mutex_lock(&ws_servers_lock);
  for (struct ws_list_node *node = ws_servers.first; node; node = node->next)
    visit(ws_container_of(node, struct ws_server, member), context);
  pthread_mutex_unlock(&ws_servers_lock);
}
