#include "server_answer.h"

#include <string.h>

#include "conn/end.h"
#include "conn/output.h"

/* The body is shared by all who read it. 0, or -1: no memory. */
static int ws_server_answer_body(struct ws_conn *conn, struct ws_chunk *body) {
  if (ws_outq_share(&conn->out, ws_conn_loop(conn), body, 0, body->size))
    return -1;
  ws_outq_charge(&conn->out, body->size);
  return 0;
}

void ws_server_answer(struct ws_conn *conn, const struct ws_page *page, const struct ws_http_head *head,
                      const char *date) {
  char response[WS_PAGE_HEAD_MAX];
  bool unchanged = ws_etag_is_known(head, page->etag);
  bool bare = unchanged || ws_slice_equal(ws_http_head_method(head), WS_SLICE("HEAD"));
  size_t size =
      unchanged ? ws_page_head_unchanged(response, page, date) : ws_page_head(response, page, page->body->size, date);
  if (ws_output_bytes(conn, response, size) || (!bare && ws_server_answer_body(conn, page->body)))
    ws_end_drop(conn, WS_DROP_LOCAL, "out of memory");
  else
    ws_end_answer(conn);
}
