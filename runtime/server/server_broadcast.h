#pragma once
/* websocketServerBroadcast. */
#include "server.h"

/* Sends a text message to every open connection. 0, or -1 with the error set. Any thread; the server is pinned. A
 * thread other than a loop's waits while the loop threads are behind with earlier broadcasts. */
int ws_server_broadcast(struct ws_server *server, const char *message, struct ws_error *error);
