#pragma once
/* websocketReconnect. */
#include <stdbool.h>
#include <stdint.h>

#include "conn/conn.h"
#include "osprey/error.h"

/* Makes the client of the connection dial again whenever it is lost. `conn` is pinned, or belongs to the calling loop
 * thread (`local`). 0, or -1 with the error set. Any thread. */
int ws_reconnect(struct ws_conn *conn, bool local, int64_t first_ms, int64_t longest_ms, void *handler,
                 struct ws_error *error);
