#pragma once
/* A client connection: its handshake, its handlers, its end. On its loop thread, unless said otherwise. */
#include <stdint.h>

#include "conn/conn.h"
#include "io/why.h"
#include "osprey/value.h"
#include "pending_connect.h"

struct ws_client;

/* Makes a client with copies of all arguments (`options` may be NULL). Once started, it settles `connect`. Returns NULL
 * with the reason in `why`. Any thread. */
struct ws_client *ws_client_new(const char *url, const struct ws_options_record *options, void *handler,
                                struct ws_pending_connect *connect, struct ws_why *why);

/* The time limit of the connect, from the options. */
int64_t ws_client_timeout_ms(const struct ws_client *client);

/* Passes the client to a loop thread, which dials. `timeout_ms` is for the error message. Any thread. */
void ws_client_start(struct ws_client *client, struct ws_loop_thread *thread, int64_t deadline_ms, int64_t timeout_ms);

/* Sets the close handler and takes it (a root). Calls it at once if the connection has ended. */
void ws_client_set_on_close(struct ws_conn *conn, void **handler);

/* Starts to close every client of the thread with 1001. Handshakes in progress fail. */
void ws_clients_close(struct ws_loop_thread *thread);

/* Returns true if no client is left on any thread. Any thread. */
bool ws_clients_are_gone(void);

/* Frees the state that all clients share, after the loop threads have ended. */
void ws_clients_free_all(void);
