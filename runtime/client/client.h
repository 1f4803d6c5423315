#pragma once
/* Client connections: connecting, and the end that a program learns of. */
#include <stdbool.h>
#include <stdint.h>

#include "conn/conn.h"
#include "osprey/error.h"
#include "osprey/value.h"

/* websocketConnect (options NULL: `handler` hears texts only) and websocketConnectWith. The ID, or 0 with the error set. On
 * a loop thread it turns the loop until the handshake has ended. */
int64_t ws_client_connect(const char *url, const struct ws_options_record *options, void *handler,
                          struct ws_error *error);

/* websocketOnClose. 0, or -1 with the error set. */
int ws_client_on_close(int64_t id, void *handler, struct ws_error *error);

/* The subprotocol, "" for none. Shared. */
const char *ws_client_protocol(const struct ws_conn *conn);

/* Starts to close every client connection of the worker with 1001; those that connect fail. On its thread. */
void ws_clients_close(struct ws_loop_thread *thread);

/* Waits until there is none on any thread, or the deadline. Then frees what all had in common, when no worker runs. */
void ws_clients_await_all(int64_t deadline_ms);
void ws_clients_free_all(void);
