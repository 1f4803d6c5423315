#pragma once
/* Waiting for SIGINT or SIGTERM. Handlers are installed only while a thread waits; what was there before is put
 * back. */

/* Blocks until a signal arrives; every waiting thread returns. 0, or -1 with errno. */
int ws_signals_wait(void);
