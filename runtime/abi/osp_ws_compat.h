#pragma once
/* The C functions that programs of the public Osprey compiler call at present, over this runtime.
 *
 * A program written for them gains a conforming implementation by being linked with libosprey_ws_compat.a in front of
 * the archive that had them, and libosprey_ws.a behind. What the old server sent unasked, a welcome and an echo, is
 * not sent; texts that a client receives are discarded, for there is no handler to hand them to.
 *
 * Strings are borrowed for the call. A failure is a negative number, and its reason goes to stderr as one line that
 * begins with the function's name. Every function may be called from any thread.
 */
#include <stdint.h>

/* Binds a server and returns its ID. */
int64_t websocket_create_server(int64_t port, char *address, char *path);

/* Starts to accept connections. 0. */
int64_t websocket_server_listen(int64_t server);

/* Sends a text to every open connection and returns how many there were when it began. */
int64_t websocket_server_broadcast(int64_t server, char *message);

/* Closes every connection and frees the port. 0. */
int64_t websocket_stop_server(int64_t server);

/* Connects, and returns the connection's ID after the handshake. */
int64_t websocket_connect(char *url);

/* Sends a text on a client's connection or a server's. 0. */
int64_t websocket_send(int64_t connection, char *message);

/* Closes a connection with code 1000. 0. */
int64_t websocket_close(int64_t connection);

/* Waits for SIGINT or SIGTERM, then stops every server. */
void websocket_keep_alive(void);
