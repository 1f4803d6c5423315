#pragma once
/* Stopping servers. Any thread; those that wait, not on a loop thread. */
#include <stdbool.h>
#include <stdint.h>

#include "server.h"

/* The connections of a stopping server have WS_STOP_TIMEOUT_MS to close; what is left after the grace is held by a
 * handler. */
enum { WS_STOP_TIMEOUT_MS = 5000, WS_STOP_GRACE_MS = 500 };

/* Starts to stop. Returns false if the server is already stopped. */
bool ws_server_stop(struct ws_server *server);

/* Waits until the server is done; logs it if that takes longer than the timeout and the grace. */
void ws_server_stop_wait(struct ws_server *server);

/* Starts to stop every server. */
void ws_server_stop_all(void);

/* Waits until every server is done. Returns false at the deadline (ms of ws_clock_ms). */
bool ws_server_stop_wait_all(int64_t deadline_ms);

/* Logs each server that is not done. */
void ws_server_stop_log_late(void);
