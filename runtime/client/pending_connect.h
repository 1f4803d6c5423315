#pragma once
/* A connect in progress, shared by its caller and the loop thread that carries it out.
 *
 * A caller on another thread waits (io/wait.h); one on the loop thread itself turns the loop. A caller that has waited
 * long enough abandons the connect (the loop may be stuck in a handler); the loop thread then closes the connection.
 * Whoever gives up the last of the two references frees it.
 */
#include <stdbool.h>
#include <stdint.h>

#include "conn/loop_thread.h"
#include "osprey/error.h"

struct ws_pending_connect;

/* With two references. NULL: no memory. */
struct ws_pending_connect *ws_pending_connect_new(void);

/* Frees one that no loop thread was given. NULL does nothing. */
void ws_pending_connect_free(struct ws_pending_connect *connect);

/* The loop thread's part is over: an ID, or 0 with an error. Gives its reference up. Returns false if the caller has
 * abandoned the connect. */
bool ws_pending_connect_settle(struct ws_pending_connect *connect, int64_t id, const struct ws_error *error);

/* The caller's part: waits until the connect is settled or the deadline has passed (ms of ws_clock_ms), and gives its
 * reference up. The ID, or 0: *error is set, or unset if the connect was abandoned. `here` is the caller's loop
 * thread. */
int64_t ws_pending_connect_await(struct ws_pending_connect *connect, struct ws_loop_thread *here, int64_t deadline_ms,
                                 struct ws_error *error);
