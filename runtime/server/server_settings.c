#include "server_settings.h"

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

static int ws_server_settings_add_origin(struct ws_server *server, const char *origin) {
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
