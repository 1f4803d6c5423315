#pragma once
/* websocketOnClose. */
#include <stdbool.h>
#include <stdint.h>

#include "conn/conn.h"
#include "osprey/error.h"

/* Sets the close handler of a client connection, or posts its call if the connection has ended. `conn` is pinned, or
 * belongs to the calling loop thread (`local`); it is NULL if recently_closed.h has the connection. Returns 0, or -1
 * with the error set. Any thread. */
int ws_on_close(struct ws_conn *conn, bool local, int64_t id, void *handler, struct ws_error *error);
