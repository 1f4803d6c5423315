#pragma once
/* The settings of a server before it listens: handlers, limits, origins, hosts, subprotocols. Any thread; the caller
 * has pinned the server. Each returns 0, or -1 with the error set: an invalid value, out of memory, or a server that
 * already listens. */
#include "server.h"

/* Takes the lock if the server can still be set up. */
int ws_server_settings_lock(struct ws_server *server, const char *op, struct ws_error *error);

/* `cell` is the handler's closure cell. It is borrowed and retained. */
int ws_server_settings_handler(struct ws_server *server, const char *op, enum ws_server_event event, void *cell,
                               struct ws_error *error);
int ws_server_settings_limit(struct ws_server *server, const char *name, int64_t value, struct ws_error *error);
int ws_server_settings_origin(struct ws_server *server, const char *origin, struct ws_error *error);
int ws_server_settings_host(struct ws_server *server, const char *host, struct ws_error *error);
int ws_server_settings_proxy(struct ws_server *server, const char *network, struct ws_error *error);
int ws_server_settings_protocols(struct ws_server *server, const char *protocols, struct ws_error *error);
