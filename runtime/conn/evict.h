#pragma once
/* Keeps a server within maxMemoryBytes: closes the connection that holds the most with 1013, frees what it holds, then
 * goes on with the next. So a client that makes the server hold much loses its own connection rather than those of
 * others. A loop thread knows only the weights of its own connections: the owner of a budget that several of them share
 * compares them (server/server_evict.h). On the group's loop thread. */
#include "base/path.h"
#include "group.h"

/* Tells the owner of the budget that the limit may be exceeded; evicts if it does not want to know. */
WS_RARE void ws_evict(struct ws_group *group);

/* Evicts while the limit is exceeded by more than `spare` bytes and the heaviest connection of the group weighs `least`
 * or more. A connection with a handler on the stack, or one that holds little, is spared. */
WS_RARE void ws_evict_here(struct ws_group *group, int64_t spare, int64_t least);

/* Bytes that the heaviest connection holds of those that may be evicted; 0: there is none. */
WS_RARE int64_t ws_evict_heaviest(const struct ws_group *group);
