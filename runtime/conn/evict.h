#pragma once
/* Keeps a server within maxMemoryBytes: closes the connection that holds the most on the calling loop thread with 1013,
 * frees what it holds, then goes on with the next. So a client that makes the server hold much loses its own connection
 * rather than those of others. */
#include "base/path.h"
#include "group.h"

/* No effect within the limit. A connection with a handler on the stack, or one that holds little, is spared. */
WS_RARE void ws_evict(struct ws_group *group);
