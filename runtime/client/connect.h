#pragma once
/* websocketConnect and websocketConnectWith. */
#include <stdint.h>

#include "osprey/error.h"
#include "osprey/value.h"

/* Connects, and waits for the end of the handshake. Returns the ID, or 0 with the error set. If `options` is NULL, the
 * handler receives only texts. Any thread; on a loop thread it turns the loop while it waits. */
int64_t ws_connect(const char *url, const struct ws_options_record *options, void *handler, struct ws_error *error);
