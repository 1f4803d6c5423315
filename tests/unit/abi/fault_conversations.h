#pragma once
/* Conversations of the runtime with itself, or with tolerant peers, during which calls fail.
 *
 * Each builtin may succeed or fail. A conversation checks that no message arrives twice or out of order, and without an
 * armed fault that everything succeeds; otherwise it ends the process with status 90.
 */
#include "support/tls_fixture.h"

/* Free ports, chosen for each process, and a certificate of localhost. */
extern int plain_port;
extern int secure_port;
extern struct tls_identity identity;

/* A server and two clients, one of which compresses. */
void converse(void);
/* Heads cut in two, fragments, pings, TLS, and a close handler that is set after the end. */
void converse_in_pieces(void);
/* A handler that connects to its own server, whose handlers run inside it. */
void converse_within(void);
/* Compressed messages, small and large. */
void compress(void);
/* Two loops start. */
void start_two_loops(void);
/* A server waits for a signal. */
void wait_for_a_signal(void);
/* Twenty clients of one server, so that tables grow. */
void converse_in_a_crowd(void);
/* A client is pinged before it sends anything; an idle client pings. */
void answer_a_ping(void);
void ask_when_idle(void);
/* The address of a server needs the resolver. */
void resolve(void);
/* Values and timers, from main and in handlers. */
void keep_and_tick(void);
/* A connect that is refused by an open handler. */
void connect_in_vain(void);
/* More messages in one piece than a run handles. */
void flood(void);
/* Handlers are set and called when the next root needs memory. */
void run_out_of_roots(void);
/* Topics, from main and in handlers. */
void meet_in_rooms(void);
/* Clients dial again, and one still waits for that when the program ends. */
void come_back(void);
/* Pages, a file, metrics and a further path of a server. */
void ask_for_pages(void);
/* Broadcasts exceed the receiver's socket buffer. */
void send_too_much(void);
