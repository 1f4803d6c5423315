#pragma once
/* A server's connections: accepting, the caps, the handshake, and the calls of the server's handlers. */
#include "server.h"

/* Connections past a cap that are answered, so that the client learns why; further ones are closed. */
enum { WS_REFUSED_MAX = 256 };

/* For the listeners of a server. */
extern const struct ws_listener_events ws_server_conn_events;

/* For the groups of a server. */
extern const struct ws_conn_ops ws_server_conn_ops;
