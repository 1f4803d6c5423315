#include "server_settings.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "conn/args.h"
#include "osprey/roots.h"
#include "protocol/origin.h"

int ws_server_settings_lock(struct ws_server *server, const char *op, struct ws_error *error) {
  pthread_mutex_lock(&server->lock);
  enum ws_server_state state = ws_server_state(server);
  if (state == WS_SERVER_CREATED)
    return 0;
  pthread_mutex_unlock(&server->lock);
  if (state == WS_SERVER_LISTENING)
    ws_error_set_after_listen(error, op, server->id);
  else
    ws_error_stopped(error, op, server->id);
  return -1;
}

int ws_server_settings_handler(struct ws_server *server, const char *op, enum ws_server_event event, void *cell,
                               struct ws_error *error) {
  void **root = ws_roots_keep(cell);
  if (!root) {
    ws_error_memory(error, op);
    return -1;
  }
  int outcome = ws_server_settings_lock(server, op, error);
  if (outcome == 0) {
    void **before = server->handlers[event];
    server->handlers[event] = root;
    root = before;
    pthread_mutex_unlock(&server->lock);
  }
  ws_roots_drop(root);
  return outcome;
}

static int ws_server_settings_check_limit(const struct ws_server *server, const struct ws_limit *limit, int64_t value,
                                          struct ws_error *error) {
  int64_t lowest = ws_limits_lowest(&server->rules.limits, limit);
  if (value >= lowest && value <= limit->high)
    return 0;
  if (lowest != limit->low)
    ws_error_limit_queue(error, value, lowest, limit->high);
  else
    ws_error_limit_range(error, limit->name, value, lowest, limit->high);
  return -1;
}

int ws_server_settings_limit(struct ws_server *server, const char *name, int64_t value, struct ws_error *error) {
  const struct ws_limit *limit = ws_limits_find(name);
  if (!limit) {
    char names[512];
    ws_limits_names(names, sizeof names);
    ws_error_limit_name(error, name, names);
    return -1;
  }
  if (ws_server_settings_lock(server, "limit", error))
    return -1;
  int outcome = ws_server_settings_check_limit(server, limit, value, error);
  if (outcome == 0)
    ws_limits_set(&server->rules.limits, limit, value);
  pthread_mutex_unlock(&server->lock);
  return outcome;
}

/* Appends a copy of the text to a list of `count`. Returns the copy; NULL: no memory. */
static char *ws_server_settings_append(char ***list, size_t count, const char *text) {
  char **longer = ws_mem_realloc(*list, (count + 1) * sizeof *longer);
  if (!longer)
    return NULL;
  *list = longer;
  return longer[count] = ws_mem_strdup(text);
}

static int ws_server_settings_add_origin(struct ws_server *server, const char *origin) {
  char *copy = ws_server_settings_append(&server->origins, server->handshake.origin_count, origin);
  server->handshake.origins = (const char *const *)server->origins;
  if (!copy)
    return -1;
  copy[ws_origin_normalize(copy, ws_slice_of(origin))] = '\0';
  server->handshake.origin_count++;
  return 0;
}

int ws_server_settings_origin(struct ws_server *server, const char *origin, struct ws_error *error) {
  bool any = strcmp(origin, "*") == 0;
  int outcome = 0;
  if (!any && !ws_origin_valid(ws_slice_of(origin))) {
    ws_error_origin(error, origin);
    return -1;
  }
  if (ws_server_settings_lock(server, "allow origin", error))
    return -1;
  if (any)
    server->handshake.any_origin = true;
  else
    outcome = ws_server_settings_add_origin(server, origin);
  pthread_mutex_unlock(&server->lock);
  if (outcome)
    ws_error_memory(error, "allow origin");
  return outcome;
}

/* Writes host [ ":" port ], an IPv6 address in brackets and canonical. Returns false if the text is none. */
static bool ws_server_settings_normal_host(char *to, size_t room, const char *text) {
  char host[INET6_ADDRSTRLEN];
  char port[8] = "";
  struct ws_authority authority;
  struct ws_address address;
  bool bare = ws_address_parse(text, 0, &address) && address.any.sa_family == AF_INET6;
  snprintf(to, room, bare ? "[%s]" : "%s", text);
  if (strlen(text) + 3 > room || ws_url_authority_parse(&authority, ws_slice_of(to)) != WS_URL_OK)
    return false;
  if (authority.kind != WS_HOST_IPV6)
    return true;
  snprintf(host, sizeof host, "%.*s", (int)authority.host.size, authority.host.data);
  if (!ws_address_parse(host, 0, &address))
    return false;
  if (authority.port)
    snprintf(port, sizeof port, ":%u", (unsigned)authority.port);
  inet_ntop(AF_INET6, &address.v6.sin6_addr, host, sizeof host);
  snprintf(to, room, "[%s]%s", host, port);
  return true;
}

int ws_server_settings_host(struct ws_server *server, const char *host, struct ws_error *error) {
  enum { HOST_MAX = 300 }; /* a DNS name has at most 253 bytes */
  char normal[HOST_MAX];
  if (!ws_server_settings_normal_host(normal, sizeof normal, host)) {
    ws_error_host(error, host);
    return -1;
  }
  if (ws_server_settings_lock(server, "allow host", error))
    return -1;
  char *copy = ws_server_settings_append(&server->hosts, server->handshake.host_count, normal);
  server->handshake.hosts = (const char *const *)server->hosts;
  if (copy)
    server->handshake.host_count++;
  pthread_mutex_unlock(&server->lock);
  if (copy)
    return 0;
  ws_error_memory(error, "allow host");
  return -1;
}

int ws_server_settings_proxy(struct ws_server *server, const char *network, struct ws_error *error) {
  struct ws_network parsed;
  struct ws_proxies *proxies = &server->proxies;
  const char *problem = ws_network_parse(network, &parsed);
  if (problem) {
    ws_error_network(error, network, problem);
    return -1;
  }
  if (ws_server_settings_lock(server, "trust proxy", error))
    return -1;
  struct ws_network *longer = ws_mem_realloc(proxies->networks, (proxies->count + 1) * sizeof *longer);
  if (longer) {
    longer[proxies->count++] = parsed;
    proxies->networks = longer;
  }
  pthread_mutex_unlock(&server->lock);
  if (longer)
    return 0;
  ws_error_memory(error, "trust proxy");
  return -1;
}

int ws_server_settings_protocols(struct ws_server *server, const char *protocols, struct ws_error *error) {
  if (ws_args_protocols("protocols", protocols, error))
    return -1;
  char *copy = ws_mem_strdup(protocols);
  if (!copy) {
    ws_error_memory(error, "protocols");
    return -1;
  }
  int outcome = ws_server_settings_lock(server, "protocols", error);
  if (outcome == 0) {
    char *before = server->protocols;
    server->protocols = copy;
    server->handshake.protocols = copy;
    copy = before;
    pthread_mutex_unlock(&server->lock);
  }
  ws_mem_free(copy);
  return outcome;
}
