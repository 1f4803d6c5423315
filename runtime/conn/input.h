#pragma once
/* Reading a connection: bytes to its head reader or session, the session's events to handlers. On its loop thread.
 *
 * One connection reads a bounded number of times a turn. TLS may hold decrypted input that no readiness announces:
 * such a connection is queued in thread->buffered and reads on at the end of the turn.
 */
#include "conn.h"

/* Reads what there is. While a handler of the connection is on the stack, its input waits instead. */
void ws_input_read(struct ws_conn *conn);

/* Takes the next connection with buffered input from the queue and reads it. */
void ws_input_resume_next(struct ws_loop_thread *thread);
