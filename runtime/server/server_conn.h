#pragma once
/* A server's connections: accepting, the caps, the handshake, and the calls of the server's handlers. */
#include "server.h"

/* For the listeners of a server. */
extern const struct ws_listener_events ws_server_conn_events;

/* For the groups of a server. */
extern const struct ws_conn_ops ws_server_conn_ops;
