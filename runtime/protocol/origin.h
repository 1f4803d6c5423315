#pragma once
/* Web origins (RFC 6454): scheme "://" host [ ":" port ], as the Origin header of a browser contains them.
 */
#include <stdbool.h>
#include <stddef.h>

#include "slice.h"
#include "url.h"

/* Returns true for a serialized origin (RFC 6454 section 6.2) of a page. "ws" and "wss" are not schemes of pages;
 * "null" is not valid. */
bool ws_origin_valid(struct ws_slice origin);

/* Writes a valid origin as browsers do: in lower case, without the scheme's default port. Returns its size, which is at
 * most the argument's. */
size_t ws_origin_normalize(char *to, struct ws_slice origin);

/* Sets the host and port of an origin. Returns false if it is no origin. */
bool ws_origin_host(struct ws_slice origin, struct ws_authority *host);

/* Returns true for an http or https origin whose host and port are those of `host`, the server's Host header.
 *
 * The scheme may differ from the server's: behind a proxy that terminates TLS, the browser's scheme is https and the
 * server's is ws. A Host without a port therefore has the default port of the origin's scheme. */
bool ws_origin_is_host(struct ws_slice origin, const struct ws_authority *host);
