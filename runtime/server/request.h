#pragma once
/* The parts of a client's request that a server keeps for the connection's record and for lookups: Host, path, query
 * and headers. An immutable block; any thread that has pinned the connection may read it.
 *
 * Sec-WebSocket-Key is a secret of the handshake and is not kept. Headers that occur once with their usual value
 * (Upgrade: websocket, Connection: Upgrade, Sec-WebSocket-Version: 13) take one bit each.
 */
#include <pthread.h>
#include <stddef.h>

#include "protocol/server_handshake.h"

struct ws_request;

/* Connections share a short request without personal data: no query, and only common headers. A new request is
 * compared with the last WS_REQUESTS_SHARED of the server. A longer one is its connection's own, whose memory it counts
 * as. */
enum { WS_REQUESTS_SHARED = 16, WS_REQUESTS_SHARED_MAX = 1024 };

struct ws_requests {
  pthread_mutex_t lock;
  struct ws_request *recent[WS_REQUESTS_SHARED];
};

void ws_requests_init(struct ws_requests *requests);
void ws_requests_deinit(struct ws_requests *requests);

/* Returns the request with a reference for the caller. NULL: no memory. */
struct ws_request *ws_requests_get(struct ws_requests *requests, const struct ws_http_head *head,
                                   const struct ws_server_handshake *accepted);
/* Bytes that its connection holds; 0 for one that may be shared. */
size_t ws_request_held(const struct ws_request *request);

/* Drops a reference; the last one wipes and frees the request. NULL does nothing. */
void ws_request_unref(struct ws_request *request);

/* Writes scheme, Host, path and query. */
void ws_request_url(const struct ws_request *request, bool secure, char *to, size_t room);

/* The path and the query, as they were sent. */
struct ws_slice ws_request_target(const struct ws_request *request);

/* Joins the values of a header with ", ". Writes at most `room` bytes, without a NUL. Returns the full size, or -1 if
 * the request has no such header. */
long ws_request_header(const struct ws_request *request, const char *name, char *to, size_t room);
