#pragma once
/* websocketEvery, websocketAfter, websocketCancel: handlers that time calls.
 *
 * A ticker belongs to the first loop thread, which alone touches it, except for `over` and the ID. It ends by itself (a
 * single tick, an Err of its handler), by websocketCancel, or with the program. Its memory lives until its ID is
 * retired and unpinned.
 */
#include <stdbool.h>
#include <stdint.h>

#include "osprey/error.h"

/* Calls the handler (a closure) with the ID every `ms` milliseconds, or once. The ID, or 0 with the error set. Any
 * thread; the loop threads run. */
int64_t ws_ticker_start(const char *op, int64_t ms, bool repeats, void *handler, struct ws_error *error);

/* Ends the ticker: its handler does not start again. Does not wait for a call in progress. 0, or -1 with the error set.
 * Any thread. */
int ws_ticker_cancel(int64_t id, struct ws_error *error);

/* Ends all tickers: at once on the first loop thread, else soon. Any thread. */
void ws_tickers_end(void);
