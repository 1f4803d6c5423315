#pragma once
/* What the loop calls for a connection: readiness, the timer, and the work at the end of a turn. */
#include <stdint.h>

#include "conn.h"

/* For ws_loop_threads_start. */
extern const struct ws_loop_thread_work ws_turn_work;

/* Makes the zeroed connection, whose stream may be open already, a member of its group. 0, or -1: no memory. */
int ws_turn_init(struct ws_conn *conn, struct ws_group *group);

/* Starts on the open stream, with a deadline for the whole handshake (ms of ws_clock_ms). The connection may have ENDED
 * afterwards. */
void ws_turn_start(struct ws_conn *conn, int64_t deadline_ms);
