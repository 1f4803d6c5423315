#pragma once
/* Reading a connection: bytes to its head reader or session, the session's events to handlers. On its loop thread.
 *
 * Fairness. One run of a connection does a bounded amount of work, counted in bytes of messages (as inflated) and a
 * fee for each event, and reads a bounded number of times. Input that was read but not parsed is kept
 * (conn->unparsed), and nothing more is read before it is used up. A connection with such input, or with decrypted
 * input that no readiness announces (TLS), is queued in thread->buffered and resumed at the end of the turn. The work
 * of all resumed connections in a turn is bounded too, so that a connection that is just ready never waits for more
 * than one such turn.
 *
 * Broadcasts cause work that is done later: compression (compress_later.h), writing to many receivers (turn.c), what
 * other loop threads take. A connection whose last run caused as much of it as a run may do is not read again before
 * none is left to do on this thread, and others have little of its own: otherwise a flood of messages that are
 * broadcast would fill the queues of receivers that read well, and what handlers send would come behind it. Who only
 * sent much, or has slow handlers, does not wait for what others have caused.
 */
#include "conn.h"

/* Reads what there is. While a handler of the connection is on the stack, its input waits instead. */
void ws_input_read(struct ws_conn *conn);

/* Resumes queued connections, each once at most, until the work of a turn is done. */
void ws_input_resume(struct ws_loop_thread *thread);

/* They have waited for other loop threads: resumes them in this turn. */
void ws_input_resume_later(struct ws_loop *loop, struct ws_timer *timer);
