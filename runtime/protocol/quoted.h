#pragma once
/* The values of quoted strings (RFC 9110 section 5.6.4). */
#include "slice.h"

enum { WS_QUOTED_MAX = 64 }; /* bytes of an escaped value that are looked at */

/* Returns the value of what stands between the quotes. Without a backslash this is `text` itself. Otherwise it is in
 * `room`, and cut off there: no value that is looked for is so long. A lone backslash at the end stays. */
struct ws_slice ws_quoted_value(struct ws_slice text, char room[WS_QUOTED_MAX]);
