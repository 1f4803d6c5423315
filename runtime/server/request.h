#pragma once
/* What is kept of a client's handshake: Host, path, query and headers, for the connection's record and
 * websocketRequestHeader. One block, immutable; any thread that holds the connection may read it.
 *
 * Sec-WebSocket-Key is not kept: it is a secret of the handshake. Headers that come once and with the usual value
 * (Upgrade: websocket, Connection: Upgrade, Sec-WebSocket-Version: 13) are kept as one bit each.
 */
#include <pthread.h>
#include <stddef.h>

#include "protocol/handshake.h"

struct ws_request;

/* Clients are much alike: requests that hold nothing personal (no query, no header but the common ones) are shared by
 * the connections of a server that sent the same. The latest few are looked through. */
enum { WS_REQUESTS_SHARED = 16 };

struct ws_requests {
  pthread_mutex_t lock;
  struct ws_request *recent[WS_REQUESTS_SHARED];
};

void ws_requests_init(struct ws_requests *requests);
void ws_requests_deinit(struct ws_requests *requests);

/* The request, with a reference of the caller's. NULL: no memory. */
struct ws_request *ws_requests_get(struct ws_requests *requests, const struct ws_http_head *head,
                                   const struct ws_server_request *accepted);
/* Gives a reference back; the last one wipes and frees it (it may hold cookies and tokens). NULL does nothing. */
void ws_request_unref(struct ws_request *request);

/* Writes scheme, Host, path and query. */
void ws_request_url(const struct ws_request *request, bool secure, char *to, size_t room);

/* Joins the values of a header by ", " and returns their size, or -1 if there is none. Writes at most `room` bytes and
 * no
 * NUL; with less room than the size, call again. */
long ws_request_header(const struct ws_request *request, const char *name, char *to, size_t room);
