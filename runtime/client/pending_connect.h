#pragma once
/* A connect in progress, shared by its caller and the loop thread that performs it.
 *
 * A caller on another thread waits (io/wait.h). A caller on the loop thread turns the loop. If the deadline passes, the
 * caller abandons the connect, because the loop may be stuck in a handler; the loop thread then closes the connection.
 * There are two references; dropping the last one frees the struct.
 */
#include <stdbool.h>
#include <stdint.h>

#include "conn/loop_thread.h"
#include "osprey/error.h"

struct ws_pending_connect;

/* Returns a connect with two references, or NULL if out of memory. */
struct ws_pending_connect *ws_pending_connect_new(void);

/* Frees a connect that was not passed to a loop thread. NULL has no effect. */
void ws_pending_connect_free(struct ws_pending_connect *connect);

/* Settles the connect with an ID, or with 0 and an error, and drops the loop thread's reference. Returns false if the
 * caller has abandoned the connect. */
bool ws_pending_connect_settle(struct ws_pending_connect *connect, int64_t id, const struct ws_error *error);

/* Waits until the connect is settled or the deadline has passed (ms of ws_clock_ms), and drops the caller's reference.
 * Returns the ID; or 0 with *error set, or unset if the connect was abandoned. `here` is the caller's loop thread. */
int64_t ws_pending_connect_await(struct ws_pending_connect *connect, struct ws_loop_thread *here, int64_t deadline_ms,
                                 struct ws_error *error);
