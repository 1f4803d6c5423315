#pragma once
/* The C functions of the public Osprey compiler's old runtime, implemented by this runtime.
 *
 * Link libosprey_ws_compat.a before the archive that defines the old functions, and libosprey_ws.a after it. Clients
 * discard received text messages, because the old interface has no handler for them. Unlike the old one, a server
 * checks path and origin, and sends neither a welcome nor an echo. The environment has a say in that, for this
 * interface alone: OSPREY_WS_COMPAT_ORIGINS and OSPREY_WS_COMPAT_ECHO (spec/codegen.md).
 *
 * Strings are borrowed for the call. Functions return a negative number on failure, and print the reason to stderr as
 * one line that starts with the function's name. Any thread.
 */
#include <stdint.h>

/* Binds a server. Returns its ID. */
int64_t websocket_create_server(int64_t port, char *address, char *path);

/* Starts accepting connections. Returns 0. */
int64_t websocket_server_listen(int64_t server);

/* Sends a text message to every open connection. Returns the number of open connections before the call. */
int64_t websocket_server_broadcast(int64_t server, char *message);

/* Closes every connection and frees the port. Returns 0. */
int64_t websocket_stop_server(int64_t server);

/* Connects. Returns the connection's ID after the handshake. */
int64_t websocket_connect(char *url);

/* Sends a text message on a connection, of a client or a server. Returns 0. */
int64_t websocket_send(int64_t connection, char *message);

/* Closes a connection with code 1000. Returns 0. */
int64_t websocket_close(int64_t connection);

/* Waits for SIGINT or SIGTERM, then stops every server. */
void websocket_keep_alive(void);
