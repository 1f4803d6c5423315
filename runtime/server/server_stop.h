#pragma once
/* Stopping servers. Any thread; those that wait, not on a loop thread. */
#include <stdbool.h>
#include <stdint.h>

#include "server.h"

/* A connection that is still open this long after closeTimeoutMs is blocked by a handler. */
enum { WS_STOP_GRACE_MS = 500 };

/* Starts to stop. Returns false if the server is already stopped. */
bool ws_server_stop(struct ws_server *server);

/* Waits until the server is done; logs it if that takes longer than closeTimeoutMs and the grace, or if a handler holds
 * a loop thread. */
void ws_server_stop_wait(struct ws_server *server);

/* Starts to stop every server. */
void ws_server_stop_all(void);

/* The longest closeTimeoutMs of all servers, and of a client. */
int64_t ws_server_stop_longest_ms(void);

/* Waits until every server is done. Returns false at the deadline (ms of ws_clock_ms), or if a handler holds a loop
 * thread. */
bool ws_server_stop_wait_all(int64_t deadline_ms);

/* Logs each server that is not done. */
void ws_server_stop_log_late(void);
