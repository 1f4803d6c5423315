#pragma once
/* websocketClose and websocketCloseWith. Any thread. */
#include <stdint.h>

#include "osprey/error.h"

/* Validates the arguments of websocketCloseWith. 0, or -1 with the error set. */
int ws_close_check(int64_t code, const char *reason, struct ws_error *error);

/* Starts the close handshake. Outside a loop thread, waits until the connection has ended or the deadline has passed.
 * Returns 0, or -1 with the error set. */
int ws_close(int64_t id, int code, const char *reason, struct ws_error *error);
