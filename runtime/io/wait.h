#pragma once
/* Waiting of threads that are on no loop for something that a loop does: room in a queue, a close, a handshake, a stop.
 *
 * One lock and one condition serve all: a wait is rare and long compared with its wake-up, and a loop that has nothing
 * to wake pays one atomic load.
 */
#include <stdbool.h>
#include <stdint.h>

/* Waits until ready(context), which must only read atomics or take what it finds, or until the deadline (milliseconds
 * of ws_clock_ms). Returns what ready() said last. Not on a loop thread.
 */
bool ws_wait_until(int64_t deadline_ms, bool (*ready)(void *context), void *context);

/* To be called after a change that somebody may wait for. Any thread. */
void ws_wait_notify(void);
