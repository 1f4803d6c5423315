#pragma once
/* websocketServerPath, websocketServerPage, websocketServerFile, websocketServerMetrics: what a server has at further
 * paths. Before listen; any thread; the caller has pinned the server. Each returns 0, or -1 with the error set. */
#include "server.h"

/* A path that handshakes may ask for. */
int ws_server_pages_endpoint(struct ws_server *server, const char *path, struct ws_error *error);

/* A page, in place of one that the path has. The body is copied. */
int ws_server_pages_text(struct ws_server *server, const char *path, const char *type, const char *body,
                         struct ws_error *error);

/* The metrics of the server (server_metrics.h), in place of a page that the path has. */
int ws_server_pages_metrics(struct ws_server *server, const char *path, struct ws_error *error);

/* A page with the contents that the file has now. */
int ws_server_pages_file(struct ws_server *server, const char *path, const char *file, struct ws_error *error);
