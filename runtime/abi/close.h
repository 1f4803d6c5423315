#pragma once
/* Closing from a builtin. */
#include <stdint.h>

#include "osprey/error.h"

/* Starts the close handshake with code and reason; on a thread that may wait, waits until the connection is gone. 0, or -1
 * with the error set. */
int ws_close(int64_t id, int code, const char *reason, struct ws_error *error);

/* Checks what a program gave: 0, or -1 with the error set. */
int ws_close_check(int64_t code, const char *reason, struct ws_error *error);
