#pragma once
/* websocketServerListen. */
#include "server.h"

/* Starts to accept on every loop thread, and returns once they do; on a loop thread at once. 0, or -1 with the error
 * set. The server is pinned by the caller. */
int ws_server_listen(struct ws_server *server, struct ws_error *error);
