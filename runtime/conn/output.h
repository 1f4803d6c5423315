#pragma once
/* Frames into a connection's output queue. On its loop thread. The queue is written at the end of the turn
 * (flush.h). */
#include <stddef.h>
#include <stdint.h>

#include "conn.h"

/* Queues a frame whose first byte is `head`, masked if this end is a client, and charges it. 0, or -1: no memory or no
 * random bytes; nothing was queued. */
int ws_output_frame(struct ws_conn *conn, uint8_t head, const uint8_t *payload, size_t n);

/* Queues a copy of bytes that are no frame (an HTTP head). 0, or -1: no memory, nothing was queued. */
int ws_output_bytes(struct ws_conn *conn, const void *bytes, size_t n);

/* As ws_output_bytes; the copy is wiped when it is written. */
int ws_output_secret(struct ws_conn *conn, const void *bytes, size_t n);
/* Puts such a copy in place of the first `replaced` bytes of the queue. On failure those are gone. */
int ws_output_replace(struct ws_conn *conn, size_t replaced, const void *bytes, size_t n);
