#pragma once
/* websocketServerListen. */
#include "server.h"

/* Starts to accept on every loop thread. Waits until all accept, except on a loop thread. Returns 0, or -1 with the
 * error set. The caller has pinned the server. */
int ws_server_listen(struct ws_server *server, struct ws_error *error);
