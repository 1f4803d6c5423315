#pragma once
/* How a connection ends. This file alone enters the states from CLOSING on.
 *
 * Five verbs end a connection: close (with a handshake), fail (after a violation), refuse (an HTTP handshake), answer
 * (a page) and drop (at once). Five events move an end that has begun: the last posted message, the peer's close frame,
 * its end of the stream, the drained output queue, the timer. All on the connection's loop thread; after each the
 * connection may have ENDED, but it is not freed before the end of the turn.
 *
 * The code and reason that the close handler is given: those of the peer's close frame (1005 if it has no code); else,
 * if this end failed the connection, those it sent; else 1006.
 */
#include <stddef.h>
#include <stdint.h>

#include "base/path.h"
#include "conn.h"

/* An end that has begun takes this long after the last progress of output, and closeTimeoutMs in all. */
enum { WS_CLOSE_TIMEOUT_MS = 5000, WS_LINGER_MS = 1000 };

/* A limit that the peer exceeded, for the log. */
struct ws_exceeded {
  const char *limit;
  int64_t value;
};

/* ---- verbs */

/* Starts the close handshake behind what is queued. `reason` is UTF-8 of n bytes. In the handshake: drops the
 * connection. No effect once it is closing. RFC 6455 section 7.1.2. */
WS_RARE void ws_end_close(struct ws_conn *conn, int code, const char *reason, size_t n);

/* Fails the connection: logs it, sends a close frame, discards all further input. `exceeded` may be NULL. No effect if
 * input is discarded already. RFC 6455 section 7.1.7. */
WS_RARE void ws_end_fail(struct ws_conn *conn, int code, const char *reason, const struct ws_exceeded *exceeded);

/* Replaces what is queued by the HTTP answer that refuses the handshake with this status, and closes behind it. */
WS_RARE void ws_end_refuse(struct ws_conn *conn, int status, const char *answer, size_t n);

/* The HTTP answer that was queued is all that the peer gets: closes behind it, as after a close handshake. In the
 * handshake. */
WS_RARE void ws_end_answer(struct ws_conn *conn);

/* Closes the stream now. In the handshake the role is told the cause; `why` is NULL for WS_DROP_TIMEOUT. */
WS_RARE void ws_end_drop(struct ws_conn *conn, enum ws_drop_cause cause, const char *why);

/* Notes whether the stream takes output, and watches it accordingly. Without memory for that, drops the connection and
 * returns false. */
bool ws_end_block(struct ws_conn *conn, bool blocked);

/* ---- events */

/* The peer's close frame: answered with its code, unless ours is out already. */
WS_RARE void ws_end_close_received(struct ws_conn *conn, int code, const char *reason, size_t n);

/* The peer has ended its side of the stream. Returns true if it is still to get what is queued, as behind a close; it
 * is not read any more. */
WS_RARE bool ws_end_deafen(struct ws_conn *conn);

/* All messages that other threads had posted are queued: a close frame that waited for them follows. */
void ws_end_posted_are_queued(const struct ws_conn *conn);

/* All output was written, in a state from CLOSING on: shuts the stream down if nothing else is awaited. */
WS_RARE void ws_end_drained(struct ws_conn *conn);

/* The timer fired in a state from CLOSING on: drops the connection if its time is over, and logs the bytes given up. */
WS_RARE void ws_end_timeout(struct ws_conn *conn);

/* At the end of the turn, for a connection that has ENDED with no reference left: calls the close handler, retires the
 * ID, frees the memory. An ID that outlives the connection (ops->outlives) is retired, and the memory freed, by
 * ws_end_parked. */
WS_RARE void ws_end_finish(struct ws_conn *conn);
WS_RARE void ws_end_parked(struct ws_conn *conn);

/* Calls a close handler (a root; NULL: none) with the code and reason of the end; logs its Err. */
void ws_end_call_close(struct ws_conn *conn, void **handler);
