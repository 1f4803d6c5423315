#pragma once
/* How a cluster comes to a server, and leaves it (cluster_ops.h). Any thread; the server is pinned. */
#include <stdbool.h>

#include "cluster_ops.h"
#include "server.h"

/* Returns 0 if the server may join a cluster now, else -1 with the error set. */
int ws_server_cluster_check(struct ws_server *server, struct ws_error *error);

/* Gives the server its cluster, which it frees. 0, or -1 with the error set: the cluster is still the caller's. */
int ws_server_cluster_join(struct ws_server *server, struct ws_cluster *cluster, struct ws_error *error);

/* Call this once after `stop`: the last part of the server that is over ends it, which may free it and the cluster. */
void ws_server_cluster_over(struct ws_server *server);

/* Returns true if the topic has subscribers in this process. */
bool ws_server_cluster_has(struct ws_server *server, const char *topic);
