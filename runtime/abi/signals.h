#pragma once
/* Waiting for SIGINT or SIGTERM. Handlers are installed only while a thread waits; what was there before is put
 * back. */

#include <stdint.h>

/* Blocks until a signal arrives; every waiting thread returns. Calls `meanwhile` every `every_ms`. 0, or -1 with
 * errno. */
int ws_signals_wait(int64_t every_ms, void (*meanwhile)(void *context), void *context);
