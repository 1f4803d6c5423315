#pragma once
/* Clients of the process that dial again whenever their server is lost: WS-RECONNECT-1, WS-RECONNECT-5, WS-CLOSE-4.
 *
 * In one of three worlds. Their handlers are called in turn: the close handler once for each connection, the open
 * handler once for each but the first. Once websocketClose has returned, nothing comes back, and no message is heard;
 * at its deadline it may return before the close handler is called. */

void stays_start(void);
