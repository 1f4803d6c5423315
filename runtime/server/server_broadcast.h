#pragma once
/* websocketServerBroadcast, websocketPublish: one message to many connections of a server, on all loop threads.
 *
 * The messages of a server get numbers under the lock of its topics, and reach every loop thread in their order, by
 * posted tasks. For its own connections a loop thread posts only if earlier messages wait there; then its sends, closes
 * and changes of subscriptions follow in the same way until it has caught up (thread->behind), so that the order of its
 * calls is kept.
 */
#include "server.h"

/* Sends a text message to every open connection. 0, or -1 with the error set. Any thread; the server is pinned. A
 * thread other than a loop's waits while the loop threads are behind with earlier broadcasts. */
int ws_server_broadcast(struct ws_server *server, const char *message, struct ws_error *error);

/* The same for the open connections that have subscribed to a topic, but for the one with the ID `except` (0: none). */
int ws_server_broadcast_to_topic(struct ws_server *server, const char *op, const char *topic, const char *message,
                                 int64_t except, struct ws_error *error);

/* Sends a message of another member of the cluster to the connections of this process: to those that have the topic, or
 * to all (NULL). The text is valid, and within maxMessageBytes. Returns false if it is given up: no memory, or the loop
 * threads are too far behind. On a loop thread. */
bool ws_server_broadcast_foreign(struct ws_server *server, const char *topic, const uint8_t *text, size_t size);
