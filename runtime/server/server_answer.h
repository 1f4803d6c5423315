#pragma once
/* The answers to GET and HEAD: the pages of a server. On the connection's loop thread. */
#include "conn/conn.h"
#include "page.h"
#include "protocol/http_head.h"

/* Answers a complete request for a page, and closes the connection behind the answer. `head` is not used afterwards. */
void ws_server_answer(struct ws_conn *conn, const struct ws_page *page, const struct ws_http_head *head,
                      const char *date);
