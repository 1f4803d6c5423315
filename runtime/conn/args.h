#pragma once
/* Arguments of builtins that both roles validate. Any thread. */
#include "osprey/error.h"

/* A list of subprotocols, comma-separated; blank is none. 0, or -1 with the error set. */
int ws_args_protocols(const char *op, const char *protocols, struct ws_error *error);
