#pragma once
/* What a server's connections hold of memory for their peers, in all (maxMemoryBytes). A connection counts what it
 * holds after its input was read and its output was written. Frames that it shares with others are counted once, by
 * themselves (io/chunk.h). On its loop thread. */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "conn.h"

/* Counts the connection anew. Returns true if it holds more than before, or shared frames, and the limit is exceeded:
 * evict.h. */
bool ws_held_count(struct ws_conn *conn);

/* The same for one that holds less than before: it fell asleep. */
void ws_held_slept(struct ws_conn *conn);

/* Bytes by which the limit is exceeded; 0 or less: it is not. */
int64_t ws_held_excess(const struct ws_group *group);

/* Counts what the server holds apart from its connections. Any thread. */
void ws_held_add(struct ws_budget *budget, int64_t bytes);

/* The connection holds nothing any more. */
void ws_held_forget(struct ws_conn *conn);
