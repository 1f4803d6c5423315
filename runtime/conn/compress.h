#pragma once
/* permessage-deflate on the way out (RFC 7692). On the connection's loop thread: the result depends on the messages
 * before.
 *
 * A connection that keeps its context has a compressor of its own. The others share one per window size on each thread.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conn.h"

/* Returns true if a message of this size is to be compressed: the extension was negotiated, and zlib takes the size. */
bool ws_compress_applies(const struct ws_conn *conn, size_t size);

/* Makes the connection's compressor, unless it has one. NULL: no memory. */
struct ws_compressor *ws_compress_prepare(struct ws_conn *conn);

/* The window of the messages to this connection, if it keeps no context. */
enum ws_window ws_compress_window(const struct ws_conn *conn);

/* The deflater for the connection, made on first use. NULL: no memory. */
struct ws_deflater *ws_compress_deflater(struct ws_conn *conn);

/* Compresses and queues a message; behind unready output, queues it to be compressed later (compress_later.h). 0, or
 * -1: no memory, nothing was queued. If the context had advanced by then, the connection has ENDED, because the peer's
 * context would be out of step. */
int ws_compress_message(struct ws_conn *conn, uint8_t opcode, const uint8_t *payload, size_t n);
