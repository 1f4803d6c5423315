#pragma once
/* Checks of arguments that more than one builtin takes. */
#include "osprey/error.h"

/* Header lines of a client's request. 0, or -1 with the error naming the one that is wrong, but not its value. */
int ws_headers_check(const char *op, const char *headers, struct ws_error *error);

/* A comma-separated list of distinct subprotocols, or "". 0, or -1 with the error naming the one that is wrong. */
int ws_protocols_check(const char *op, const char *protocols, struct ws_error *error);
