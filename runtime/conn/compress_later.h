#pragma once
/* Compression of broadcasts for receivers that keep a context: when they are written, in their order. On the loop
 * thread.
 *
 * Every such receiver costs a compression of its own, whose result no other can use. So its queue holds the shared
 * frame, unready (io/outq.h), until the socket takes bytes; the frames behind it wait there, uncompressed too, and so
 * the context advances in the order of the wire. Receivers whose turn has come are queued in thread->compressing
 * (ws_conn_queue_compression). A turn compresses a bounded number of bytes, whatever the size of a message: the rest
 * waits for the next turn.
 *
 * A broadcast is thus quickly accepted and slowly done. Whoever causes more of this work than a run may do waits until
 * all of it is done (input.h).
 */
#include <stdbool.h>

#include "conn.h"

/* The first unready piece is sent as it is, without compression, where the queue is full: to compress would take as
 * long as the queues of all receivers are long. Writes. The connection may have ENDED afterwards. */
void ws_compress_later_give_up(struct ws_conn *conn);

/* Compresses and writes for the queued connections, until the work of a turn is done. */
void ws_compress_later_resume(struct ws_loop_thread *thread);
