#pragma once
/* Receivers of broadcasts that do not keep up with what is sent to them.
 *
 * What is broadcast is shared: a sender fills the queues of all receivers at no cost, faster than any of them reads. So
 * once more than half of a receiver's queue is in use it is waited for, until that is a quarter: connections that
 * broadcast much, or may be about to, are not read meanwhile (input.h). They wait for WS_CROWD_MS at most, or longer
 * while this end compresses for the receiver, and not at all for one whose socket has been full for that long: those
 * who do not read could hold up a sender for ever. Receivers that become slow one after the other could too, so the
 * wait is interrupted after each WS_CROWD_MS.
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

/* Counts what the messages of a run of the connection have broadcast: bytes, whatever the number of receivers. On its
 * loop thread. */
WS_RARE void ws_crowd_sent(struct ws_conn *conn, int64_t bytes);

/* Returns true if the connection is to wait for a receiver. `large`: it has sent a large part of a message, which may
 * be broadcast when it is complete. On its loop thread. */
bool ws_crowd_delays(const struct ws_conn *conn, bool large);

static inline void ws_crowd_queued(struct ws_conn *conn) {
  if (ws_outq_bytes(&conn->out) > (size_t)conn->group->rules->limits.max_queued_bytes / 2 && !conn->crowding)
    ws_crowd_join(conn);
}

static inline void ws_crowd_written(struct ws_conn *conn) {
  if (conn->crowding && ws_outq_bytes(&conn->out) <= (size_t)conn->group->rules->limits.max_queued_bytes / 4)
    ws_crowd_leave(conn);
}
