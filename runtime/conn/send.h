#pragma once
/* Sending a message on a connection, from any thread.
 *
 * On the connection's loop thread the message is encoded straight into the output queue, which is written at the end of
 * the turn. On any other thread it is encoded into a block, charged to the queue (so that a full queue is noticed at
 * once) and posted to the loop thread, without a lock. A message to be compressed is posted as it is. A loop thread
 * posts to itself while earlier messages wait there: of its own (server/server_broadcast.h), or of other threads for
 * the same connection. So messages go out in the order of the calls, whichever threads call.
 */
#include <stdbool.h>
#include <stddef.h>

#include "conn.h"
#include "osprey/error.h"
#include "outgoing.h"

/* How long a thread other than a loop's waits for room, and how many messages may be on their way to the loop
 * thread. */
enum { WS_SEND_TIMEOUT_MS = 5000, WS_SEND_POSTED_MAX = 65536 };

/* Sends to a connection that is pinned, or `local`: of the calling loop thread. 0, or -1 with the error set. */
int ws_send(struct ws_conn *conn, bool local, const struct ws_outgoing *out, struct ws_error *error);

/* The same in few steps, for a small message from a server's connection, which is open and has a reference, to its
 * client: `out` is plain. On the loop thread. Returns false if anything needs more than that; nothing has happened
 * then. */
bool ws_send_straight(struct ws_conn *conn, const struct ws_outgoing *out);

/* Charges n bytes to the queue, flushing first if needed. Returns false if the queue is full; the flush may have ended
 * the connection. On the loop thread. */
bool ws_send_reserve(struct ws_conn *conn, size_t n);
