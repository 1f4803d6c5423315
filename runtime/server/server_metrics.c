#include "server_metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "conn/end.h"
#include "conn/output.h"
#include "conn/tally.h"
#include "server_date.h"

bool ws_server_metrics_are_for(const struct ws_conn *conn, const struct ws_page *page,
                               const struct ws_http_head *head) {
  static const char *const forwarding[] = {"X-Forwarded-For", "Forwarded", "Via", "X-Real-IP"};
  struct ws_slice ignored;
  if (page->body)
    return true;
  for (size_t i = 0; i < sizeof forwarding / sizeof *forwarding; i++) {
    if (ws_http_head_find(head, forwarding[i], &ignored) > 0)
      return false;
  }
  return ws_address_is_loopback(conn->remote);
}

/* ---- the text */

enum { WS_METRICS_ROOM = 32 * 1024 }; /* all lines, of all statuses and codes */

struct ws_metrics_text {
  char *at;
  size_t size;
};

__attribute__((format(printf, 2, 3))) static void ws_server_metrics_print(struct ws_metrics_text *text,
                                                                          const char *format, ...) {
  va_list values;
  va_start(values, format);
  int n = vsnprintf(text->at + text->size, WS_METRICS_ROOM - text->size, format, values);
  va_end(values);
  text->size += (size_t)n;
}

static void ws_server_metrics_begin(struct ws_metrics_text *text, const char *name, const char *type,
                                    const char *help) {
  ws_server_metrics_print(text, "# HELP osprey_ws_%s %s\n# TYPE osprey_ws_%s %s\n", name, help, name, type);
}

/* The sum of a counter, which is `offset` bytes into each tally. */
static uint64_t ws_server_metrics_sum(const struct ws_server *server, size_t offset) {
  uint64_t sum = 0;
  for (unsigned i = 0; i < server->share_count; i++) {
    const char *tally = (const char *)&server->budget.tallies[i];
    sum += atomic_load_explicit((const _Atomic uint64_t *)(const void *)(tally + offset), memory_order_relaxed);
  }
  return sum;
}

#define WS_METRICS_SUM(server, member) ws_server_metrics_sum(server, offsetof(struct ws_tally, member))

static void ws_server_metrics_refusals(struct ws_metrics_text *text, const struct ws_server *server) {
  ws_server_metrics_begin(text, "refused_total", "counter", "Requests that were refused, by HTTP status.");
  for (int i = 0; i < WS_TALLY_STATUSES; i++) {
    uint64_t count = ws_server_metrics_sum(server, offsetof(struct ws_tally, refused) + (size_t)i * sizeof count);
    if (count)
      ws_server_metrics_print(text, "osprey_ws_refused_total{status=\"%d\"} %" PRIu64 "\n", WS_TALLY_STATUS + i, count);
  }
}

static void ws_server_metrics_closes(struct ws_metrics_text *text, const struct ws_server *server) {
  ws_server_metrics_begin(text, "closed_total", "counter", "Connections that have ended, by close code.");
  for (int i = 0; i < WS_TALLY_CODES; i++) {
    uint64_t count = ws_server_metrics_sum(server, offsetof(struct ws_tally, closed) + (size_t)i * sizeof count);
    char code[16];
    if (i < WS_TALLY_CODES - 2)
      snprintf(code, sizeof code, "%d", WS_TALLY_CODE + i);
    else
      snprintf(code, sizeof code, "%dxxx", i == WS_TALLY_CODES - 2 ? 3 : 4);
    if (count)
      ws_server_metrics_print(text, "osprey_ws_closed_total{code=\"%s\"} %" PRIu64 "\n", code, count);
  }
}

static void ws_server_metrics_both_ways(struct ws_metrics_text *text, const char *name, const char *help,
                                        uint64_t received, uint64_t sent) {
  ws_server_metrics_begin(text, name, "counter", help);
  ws_server_metrics_print(text, "osprey_ws_%s{direction=\"received\"} %" PRIu64 "\n", name, received);
  ws_server_metrics_print(text, "osprey_ws_%s{direction=\"sent\"} %" PRIu64 "\n", name, sent);
}

static void ws_server_metrics_write(struct ws_metrics_text *text, const struct ws_server *server, size_t queued) {
  uint64_t ms = WS_METRICS_SUM(server, handler_ms);
  int64_t held = atomic_load_explicit(&server->budget.held, memory_order_relaxed);
  ws_server_metrics_begin(text, "open_connections", "gauge", "Connections that are open.");
  ws_server_metrics_print(text, "osprey_ws_open_connections %" PRIu32 "\n", ws_server_open_count(server));
  ws_server_metrics_begin(text, "accepted_total", "counter", "Handshakes that were accepted.");
  ws_server_metrics_print(text, "osprey_ws_accepted_total %" PRIu64 "\n", WS_METRICS_SUM(server, accepted));
  ws_server_metrics_refusals(text, server);
  ws_server_metrics_closes(text, server);
  ws_server_metrics_both_ways(text, "messages_total", "Messages.", WS_METRICS_SUM(server, received),
                              WS_METRICS_SUM(server, sent));
  ws_server_metrics_both_ways(text, "message_bytes_total", "Bytes of messages, before compression.",
                              WS_METRICS_SUM(server, received_bytes), WS_METRICS_SUM(server, sent_bytes));
  ws_server_metrics_begin(text, "queued_bytes", "gauge", "Bytes that wait for receivers.");
  ws_server_metrics_print(text, "osprey_ws_queued_bytes %zu\n", queued);
  ws_server_metrics_begin(text, "held_bytes", "gauge", "Memory that counts in maxMemoryBytes.");
  ws_server_metrics_print(text, "osprey_ws_held_bytes %" PRId64 "\n", held);
  ws_server_metrics_begin(text, "handler_seconds_total", "counter", "Time in handlers.");
  ws_server_metrics_print(text, "osprey_ws_handler_seconds_total %" PRIu64 ".%03" PRIu64 "\n", ms / 1000, ms % 1000);
}

/* ---- a request */

struct ws_metrics_request;

/* The work of one loop thread. */
struct ws_metrics_part {
  struct ws_task task;
  struct ws_metrics_request *request;
  struct ws_server_share *share;
};

struct ws_metrics_request {
  struct ws_conn *conn; /* referenced, so that its server lives */
  struct ws_server *server;
  const struct ws_page *page;
  bool head;
  _Atomic unsigned left; /* parts */
  _Atomic size_t queued;
  struct ws_task done_task;
  struct ws_metrics_part parts[];
};

/* 0, or -1: no memory. */
static int ws_server_metrics_queue(struct ws_metrics_request *request) {
  char head[WS_PAGE_HEAD_MAX];
  char date[WS_SERVER_DATE];
  struct ws_metrics_text text = {.at = ws_mem_alloc(WS_METRICS_ROOM)};
  if (!text.at)
    return -1;
  ws_server_metrics_write(&text, request->server, atomic_load(&request->queued));
  size_t size = ws_page_head(head, request->page, text.size, ws_server_date(date));
  int outcome = ws_output_bytes(request->conn, head, size);
  if (outcome == 0 && !request->head)
    outcome = ws_output_bytes(request->conn, text.at, text.size);
  ws_mem_free(text.at);
  return outcome;
}

/* On the connection's loop thread. It may have ended meanwhile. */
static void ws_server_metrics_finish(struct ws_loop *loop, struct ws_task *task) {
  struct ws_metrics_request *request = ws_container_of(task, struct ws_metrics_request, done_task);
  struct ws_conn *conn = request->conn;
  (void)loop;
  conn->handling = false;
  if (ws_conn_state(conn) == WS_CONN_HANDSHAKE) {
    conn->paused = false;
    if (ws_conn_watch(conn) || ws_server_metrics_queue(request))
      ws_end_drop(conn, WS_DROP_LOCAL, "out of memory");
    else
      ws_end_answer(conn);
  }
  ws_mem_free(request);
  ws_conn_unref(conn);
}

static void ws_server_metrics_count(struct ws_loop *loop, struct ws_task *task) {
  struct ws_metrics_part *part = ws_container_of(task, struct ws_metrics_part, task);
  struct ws_metrics_request *request = part->request;
  size_t queued = 0;
  for (struct ws_list_node *node = part->share->connections.first; node; node = node->next)
    queued += ws_outq_bytes(&ws_conn_of_member(node)->out);
  atomic_fetch_add(&request->queued, queued);
  if (atomic_fetch_sub(&request->left, 1) != 1)
    return;
  if (ws_conn_loop(request->conn) == loop)
    ws_server_metrics_finish(loop, &request->done_task);
  else
    ws_loop_post(ws_conn_loop(request->conn), &request->done_task);
}

void ws_server_metrics_answer(struct ws_conn *conn, struct ws_server *server, const struct ws_page *page,
                              const struct ws_http_head *head) {
  struct ws_loop *here = ws_conn_loop(conn);
  unsigned count = server->share_count;
  struct ws_metrics_request *request = ws_mem_calloc(1, sizeof *request + count * sizeof *request->parts);
  if (!request) {
    ws_end_drop(conn, WS_DROP_LOCAL, "out of memory");
    return;
  }
  request->conn = conn;
  request->server = server;
  request->page = page;
  request->head = ws_slice_equal(ws_http_head_method(head), WS_SLICE("HEAD"));
  request->done_task.run = ws_server_metrics_finish;
  atomic_init(&request->left, count);
  conn->handling = true;
  ws_conn_ref(conn);
  for (unsigned i = count; i-- > 0;) {
    struct ws_metrics_part *part = &request->parts[i];
    *part = (struct ws_metrics_part){{.run = ws_server_metrics_count}, request, &server->shares[i]};
    if (part->share->group.thread->loop != here)
      ws_loop_post(part->share->group.thread->loop, &part->task);
  }
  /* Last, because the last part frees the request. */
  ws_server_metrics_count(here, &request->parts[conn->group->thread->index].task);
}
