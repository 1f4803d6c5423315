#pragma once
/* Which hosts a server allows in the Host header. */
#include <stdbool.h>
#include <stddef.h>

#include "url.h"

/* Returns true for a host of the list, whose elements are host [ ":" port ] with IPv6 addresses in their canonical form
 * (RFC 5952). One without a port stands for all its ports. */
bool ws_host_is_listed(const struct ws_authority *host, const char *const *hosts, size_t count);

/* Returns true for the host of an origin of the list, with any port. */
bool ws_host_has_origin(const struct ws_authority *host, const char *const *origins, size_t count);
