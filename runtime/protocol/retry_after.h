#pragma once
/* Retry-After of a response (RFC 9110 section 10.2.3): seconds, or a date in the form that servers must send
 * (IMF-fixdate). */
#include <stdint.h>

#include "slice.h"

/* Returns the seconds from `now` (seconds since 1970), at most `most`; 0 for a time that has passed, or for a value
 * that is neither. */
int64_t ws_retry_after(struct ws_slice value, int64_t now, int64_t most);
