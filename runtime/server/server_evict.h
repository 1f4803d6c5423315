#pragma once
/* Eviction in a server with several loop threads: the connection that holds the most on any of them goes first.
 *
 * Whoever finds maxMemoryBytes exceeded starts a round, unless one is under way. One task travels: in a lap, it visits
 * every share in turn and notes what the heaviest connection there holds; then it goes to the share with the heaviest
 * of all, which evicts those that no other share has the like of. Laps follow until the limit is kept.
 *
 * The task waits where a handler keeps a loop. Meanwhile memory must not grow without bound: past an eighth more than
 * maxMemoryBytes, each loop thread evicts connections of its own.
 */
#include "base/path.h"
#include "conn/group.h"

/* For budget->exceeded. The group is that of a share, and a connection of it is on the stack. */
WS_RARE void ws_server_evict(struct ws_group *group);
