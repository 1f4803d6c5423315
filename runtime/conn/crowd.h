#pragma once
/* Receivers of broadcasts that do not keep up with what is sent to them.
 *
 * What is broadcast is shared: a sender fills the queues of all receivers at no cost, faster than any of them reads. So
 * once more than half of a receiver's queue is in use it is waited for, until that is a quarter: connections that have
 * sent or caused much are not read meanwhile (input.h). They wait for WS_CROWD_MS at most, or longer while this end
 * compresses for the receiver, and not at all for one whose socket has been full for that long: those who do not read
 * could hold up a sender for ever.
 */
#include <stdbool.h>

#include "base/path.h"
#include "conn.h"

enum { WS_CROWD_MS = 1000 };

/* A broadcast has left more than half of the connection's queue in use. On its loop thread. */
WS_RARE void ws_crowd_join(struct ws_conn *conn);

/* Its queue is short, or gone. On its loop thread. */
WS_RARE void ws_crowd_leave(struct ws_conn *conn);

/* This end has made some of its output ready. On its loop thread. */
void ws_crowd_wait_on(struct ws_conn *conn);

/* Returns true if senders of the group's server wait for a receiver. Any thread. */
bool ws_crowd_is_waited_for(const struct ws_group *group);

static inline void ws_crowd_queued(struct ws_conn *conn) {
  if (ws_outq_bytes(&conn->out) > (size_t)conn->group->rules->limits.max_queued_bytes / 2 && !conn->crowding)
    ws_crowd_join(conn);
}

static inline void ws_crowd_written(struct ws_conn *conn) {
  if (conn->crowding && ws_outq_bytes(&conn->out) <= (size_t)conn->group->rules->limits.max_queued_bytes / 4)
    ws_crowd_leave(conn);
}
