#pragma once
/* One message to many connections: encoded once, its frame shared by all output queues.
 *
 * Receivers that compress without keeping a context share one compressed frame per window size and loop thread; a
 * receiver with a context is compressed for by itself, when the frame is written (compress_later.h).
 */
#include <stddef.h>
#include <stdint.h>

#include "conn.h"
#include "io/outq.h"
#include "outgoing.h"

/* The message as a frame of a server; constant, shared by threads. */
struct ws_broadcast {
  struct ws_chunk *frame;
  size_t offset; /* of the payload in the frame */
  uint8_t opcode;
};

/* Encodes the message; the budget counts it. 0, or -1: no memory. The caller owns broadcast->frame. */
int ws_broadcast_init(struct ws_broadcast *broadcast, const struct ws_outgoing *out, _Atomic int64_t *budget);

/* Returns true if the connection takes a broadcast now. `posted`: another thread posted the broadcast, so it goes
 * before a close frame that is posted behind it. */
static inline bool ws_broadcast_reaches(const struct ws_conn *conn, bool posted) {
  return ws_conn_state(conn) == WS_CONN_OPEN || (posted && conn->close_posted);
}

/* What was broadcast in an earlier turn is written first: otherwise it would be broadcast faster than written, and the
 * queues of receivers that read well would grow to their limit.
 *
 * Queues the message to the connections that `next` returns until it returns NULL, all of which it reaches, on their
 * loop thread. Fails a connection whose queue is full. */
void ws_broadcast_send(const struct ws_broadcast *broadcast, struct ws_conn *(*next)(void *walk), void *walk);
