#pragma once
/* websocketServerMetrics: the counts of a server (conn/tally.h) as text. On the connection's loop thread. */
#include <stdbool.h>

#include "page.h"
#include "protocol/http_head.h"
#include "server.h"

#define WS_SERVER_METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* Returns true unless the page is metrics, and they are not for the peer: it is on another machine, or forwards for
 * another. */
bool ws_server_metrics_are_for(const struct ws_conn *conn, const struct ws_page *page, const struct ws_http_head *head);

/* Answers a request for metrics, once every loop thread has counted its queues, and closes the connection behind the
 * answer. Until then its input waits. `head` is not used afterwards. */
void ws_server_metrics_answer(struct ws_conn *conn, struct ws_server *server, const struct ws_page *page,
                              const struct ws_http_head *head);
