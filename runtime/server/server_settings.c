/* What can be set of a server before it listens: handlers, limits, origins, subprotocols. */
#include <string.h>

#include "base/mem.h"
#include "abi/args.h"
#include "osprey/roots.h"
#include "server.h"
#include "server_limits.h"

/* Whether the server can still be set up; the caller holds the lock. */
static int ws_server_check_settable(struct ws_server *server, const char *op, struct ws_error *error) {
  switch (ws_server_state(server)) {
  case WS_SERVER_CREATED:
    return 0;
  case WS_SERVER_LISTENING:
    ws_error_set_after_listen(error, op, server->id);
    return -1;
  default:
    ws_error_stopped(error, op, server->id);
    return -1;
  }
}

/* ---- limits */

static const struct {
  const char *name;
  int64_t initial, low, high;
} ws_limits[] = {
#define WS_LIMIT(name, initial, low, high) {#name, initial, low, high},
    WS_LIMITS(WS_LIMIT)
#undef WS_LIMIT
};

static void ws_server_apply_limit(struct ws_server *server, enum ws_limit limit, int64_t value) {
  struct ws_rules *rules = &server->rules;
  switch (limit) {
  case WS_LIMIT_maxMessageBytes:
    rules->max_message_bytes = (uint32_t)value;
    /* A queue always has room for one message. */
    if (rules->max_queued_bytes < (size_t)value + WS_FRAME_HEADER_MAX)
      rules->max_queued_bytes = (size_t)value + WS_FRAME_HEADER_MAX;
    break;
  case WS_LIMIT_maxFragments:
    rules->max_fragments = (uint32_t)value;
    break;
  case WS_LIMIT_maxQueuedBytes:
    rules->max_queued_bytes = (size_t)value;
    break;
  case WS_LIMIT_maxConnections:
    server->max_connections = (uint32_t)value;
    break;
  case WS_LIMIT_maxConnectionsPerAddress:
    server->max_connections_per_address = (uint32_t)value;
    break;
  case WS_LIMIT_maxMessagesPerSecond:
    rules->max_messages_per_second = (uint32_t)value;
    break;
  case WS_LIMIT_handshakeTimeoutMs:
    server->handshake_timeout_ms = (uint32_t)value;
    break;
  case WS_LIMIT_idleTimeoutMs:
    rules->idle_timeout_ms = (uint32_t)value;
    break;
  case WS_LIMIT_compression:
    server->handshake.compression = value != 0;
    break;
  case WS_LIMIT_maxCompressionRatio:
    rules->max_ratio = (uint16_t)value;
    break;
  default:
    break;
  }
}

void ws_server_default_limits(struct ws_server *server) {
  for (size_t i = 0; i < WS_LIMIT_COUNT; i++)
    ws_server_apply_limit(server, (enum ws_limit)i, ws_limits[i].initial);
}

/* "maxMessageBytes, maxFragments, …" */
static void ws_limit_names(char *to, size_t room) {
  size_t used = 0;
  for (size_t i = 0; i < WS_LIMIT_COUNT; i++)
    used += (size_t)snprintf(to + used, room - used, "%s%s", i ? ", " : "", ws_limits[i].name);
}

static int ws_server_check_limit(const struct ws_server *server, enum ws_limit limit, int64_t value,
                                 struct ws_error *error) {
  int64_t least = (int64_t)server->rules.max_message_bytes;
  if (limit == WS_LIMIT_maxQueuedBytes && (value < least || value > ws_limits[limit].high)) {
    ws_error_limit_queue(error, value, least, ws_limits[limit].high);
    return -1;
  }
  if (value < ws_limits[limit].low || value > ws_limits[limit].high) {
    ws_error_limit_range(error, ws_limits[limit].name, value, ws_limits[limit].low, ws_limits[limit].high);
    return -1;
  }
  return 0;
}

int ws_server_set_limit(struct ws_server *server, const char *limit, int64_t value, struct ws_error *error) {
  size_t i = 0;
  while (i < WS_LIMIT_COUNT && strcmp(limit, ws_limits[i].name) != 0)
    i++;
  if (i == WS_LIMIT_COUNT) {
    char names[256];
    ws_limit_names(names, sizeof names);
    ws_error_limit_name(error, limit, names);
    return -1;
  }
  pthread_mutex_lock(&server->lock);
  int outcome = ws_server_check_settable(server, "limit", error);
  if (outcome == 0)
    outcome = ws_server_check_limit(server, (enum ws_limit)i, value, error);
  if (outcome == 0)
    ws_server_apply_limit(server, (enum ws_limit)i, value);
  pthread_mutex_unlock(&server->lock);
  return outcome;
}

/* ---- handlers, origins, subprotocols */

int ws_server_set_handler(struct ws_server *server, const char *op, enum ws_server_event event, void *cell,
                          struct ws_error *error) {
  void **root = ws_root_keep(cell);
  if (!root) {
    ws_error_memory(error, op);
    return -1;
  }
  pthread_mutex_lock(&server->lock);
  int outcome = ws_server_check_settable(server, op, error);
  if (outcome == 0) {
    void **before = server->handlers[event];
    server->handlers[event] = root;
    root = before;
  }
  pthread_mutex_unlock(&server->lock);
  ws_root_drop(root);
  return outcome;
}

static int ws_server_add_origin(struct ws_server *server, const char *origin) {
  size_t count = server->handshake.origin_count;
  char **origins = ws_mem_realloc(server->origins, (count + 1) * sizeof *origins);
  if (!origins)
    return -1;
  server->origins = origins;
  char *copy = ws_mem_strdup(origin);
  if (!copy)
    return -1;
  copy[ws_origin_normalize(copy, ws_slice_of(origin))] = '\0';
  origins[count] = copy;
  server->handshake.origins = (const char *const *)origins;
  server->handshake.origin_count = count + 1;
  return 0;
}

int ws_server_allow_origin(struct ws_server *server, const char *origin, struct ws_error *error) {
  bool any = strcmp(origin, "*") == 0;
  if (!any && !ws_origin_valid(ws_slice_of(origin))) {
    ws_error_origin(error, origin);
    return -1;
  }
  pthread_mutex_lock(&server->lock);
  int outcome = ws_server_check_settable(server, "allow origin", error);
  if (outcome == 0) {
    if (any)
      server->handshake.any_origin = true;
    else
      outcome = ws_server_add_origin(server, origin);
    if (outcome)
      ws_error_memory(error, "allow origin");
  }
  pthread_mutex_unlock(&server->lock);
  return outcome;
}

int ws_server_set_protocols(struct ws_server *server, const char *protocols, struct ws_error *error) {
  if (ws_protocols_check("protocols", protocols, error))
    return -1;
  char *copy = ws_mem_strdup(protocols);
  if (!copy) {
    ws_error_memory(error, "protocols");
    return -1;
  }
  pthread_mutex_lock(&server->lock);
  int outcome = ws_server_check_settable(server, "protocols", error);
  if (outcome == 0) {
    char *before = server->protocols;
    server->protocols = copy;
    server->handshake.protocols = copy;
    copy = before;
  }
  pthread_mutex_unlock(&server->lock);
  ws_mem_free(copy);
  return outcome;
}
