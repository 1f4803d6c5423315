#pragma once
/* What goes on while calls fail: each is a whole conversation between the runtime and itself, or plain sockets that put up with
 * everything. Builtins may report success or an error at any place; what is said is judged in here (no message twice or out of
 * order), and complained of by ending the process with status 90. Where no fault is armed, all must go well.
 */
#include "support/tls_fixture.h"

/* Ports that are free, for one process; certificate and key of localhost, for all. */
extern int plain_port;
extern int secure_port;
extern struct tls_identity identity;

/* A server and two clients of it, one of which compresses. */
void converse(void);
/* Peers that speak in pieces: heads cut in two, fragments, pings, TLS, a close handler that is set when all is over. */
void converse_in_pieces(void);
/* A handler that connects to its own server, whose handlers run inside it. */
void converse_within(void);
/* Compressed messages, small and large. */
void compress(void);
/* Two loops begin to serve. */
void start_two_loops(void);
/* A server is kept alive until a signal comes. */
void wait_for_a_signal(void);
/* Twenty clients of one server: tables grow. */
void converse_in_a_crowd(void);
/* A client that is pinged before it says anything; one that pings since nothing comes. */
void answer_a_ping(void);
void ask_when_idle(void);
/* A server whose address a resolver has to be asked for. */
void resolve(void);
/* Broadcasts of more than the receiver's socket takes. */
void send_too_much(void);
