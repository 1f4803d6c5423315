#pragma once
/* websocketConnect and websocketConnectWith. */
#include <stdint.h>

#include "osprey/error.h"
#include "osprey/value.h"

/* Connects, and returns when the handshake has ended: the ID, or 0 with the error set. Without options (NULL) the
 * handler is given texts only. Any thread; on a loop thread it turns the loop meanwhile. */
int64_t ws_connect(const char *url, const struct ws_options_record *options, void *handler, struct ws_error *error);
