#pragma once
/* Lets a thread that is not a loop's wait for an event on a loop: room in a queue, a close, a handshake, a stop.
 *
 * All waits share one lock and one condition, because waits are rare and long compared with a wake-up. Without a
 * waiting thread, a notification costs one atomic load.
 */
#include <stdbool.h>
#include <stdint.h>

/* Waits until ready(context) returns true, or until the deadline (ms of ws_clock_ms). ready() may only read atomics, or
 * take ownership of something atomically. Returns the last result of ready(). Not on a loop thread.
 */
bool ws_wait_until(int64_t deadline_ms, bool (*ready)(void *context), void *context);

/* Call this after a change that a thread may wait for. Any thread. */
void ws_wait_notify(void);
