#include "server_conn.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "answer.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/path.h"
#include "conn/awake.h"
#include "conn/end.h"
#include "conn/handle.h"
#include "conn/head_reader.h"
#include "conn/output.h"
#include "conn/tally.h"
#include "conn/turn.h"
#include "io/sys.h"
#include "io/tcp_stream.h"
#include "io/tls_stream.h"
#include "osprey/log.h"
#include "protocol/close_code.h"
#include "protocol/origin.h"
#include "server_answer.h"
#include "server_date.h"
#include "server_metrics.h"

/* The first byte of a TLS handshake (RFC 8446 section 5.1). No HTTP request starts with it. */
enum { WS_TLS_HANDSHAKE = 22 };

static struct ws_server *ws_server_conn_server(const struct ws_conn *conn) {
  return ws_server_share_of(conn)->server;
}

/* ---- accepting */

/* Returns WS_REFUSAL_NONE, the refusal to answer with, or -1: close without an answer. */
static int ws_server_conn_admission(const struct ws_server *server, uint32_t connections, uint32_t of_address) {
  int64_t cap = server->rules.limits.max_connections;
  int64_t address_cap = server->rules.limits.max_connections_per_address;
  if (connections > cap + WS_REFUSED_MAX || (address_cap && of_address > address_cap + WS_REFUSED_MAX))
    return -1;
  if (connections > cap)
    return WS_REFUSAL_TOO_MANY_CONNECTIONS;
  if (address_cap && of_address > address_cap)
    return WS_REFUSAL_TOO_MANY_FROM_ADDRESS;
  return WS_REFUSAL_NONE;
}

/* Opens the stream, which takes over the descriptor. 0, or -1: logged. */
static int ws_server_conn_open_stream(struct ws_conn *conn, struct ws_server *server, int fd) {
  struct ws_why why;
  if (!server->tls) {
    ws_tcp_stream_open(&conn->stream, fd);
    return 0;
  }
  if (ws_tls_stream_open_server(&conn->stream, fd, server->tls, &why) == 0)
    return 0;
  ws_log(WS_LOG_ERROR, "server %" PRId64 ": cannot open a connection: %s", server->id, why.text);
  return -1;
}

/* A connection without a stream. NULL past the caps, or without memory. */
static struct ws_conn *ws_server_conn_new(struct ws_server_share *share, const struct ws_address *address) {
  struct ws_server *server = share->server;
  uint32_t of_address = 0;
  uint32_t connections = atomic_fetch_add(&server->connections, 1) + 1;
  struct ws_conn *conn = ws_mem_calloc(1, sizeof *conn);
  struct ws_address_quota_entry *entry = NULL;
  if (conn)
    entry = ws_proxy_trusts(&server->proxies, address) ? ws_address_quota_add_proxy(&server->quota, address)
                                                       : ws_address_quota_add(&server->quota, address, &of_address);
  if (!entry)
    goto no_entry;
  int admission = ws_server_conn_admission(server, connections, of_address);
  if (admission < 0 || ws_turn_init(conn, &share->group))
    goto no_conn;
  conn->remote = &entry->address;
  conn->port = ws_address_port(address);
  conn->refusal = (enum ws_refusal)admission;
  return conn;
no_conn:
  ws_address_quota_remove(&server->quota, entry);
no_entry:
  ws_mem_free(conn);
  atomic_fetch_sub(&server->connections, 1);
  return NULL;
}

static void ws_server_conn_start(struct ws_server_share *share, int fd, const struct ws_address *address) {
  struct ws_conn *conn = ws_server_conn_new(share, address);
  if (!conn) {
    ws_sys_close(fd);
    return;
  }
  ws_handle_pin_again(share->server->id);
  if (ws_server_conn_open_stream(conn, share->server, fd) == 0) {
    ws_turn_start(conn, ws_clock_ms() + share->server->rules.limits.handshake_timeout_ms);
  } else {
    ws_sys_close(fd);
    ws_end_drop(conn, WS_DROP_LOCAL, "no stream");
  }
}

/* A socket on its way to the loop thread that serves it. */
struct ws_server_conn_passed {
  struct ws_task task;
  struct ws_server_share *share; /* its server is pinned */
  struct ws_address address;
  int fd;
};

static void ws_server_conn_arrived(struct ws_loop *loop, struct ws_task *task) {
  struct ws_server_conn_passed *passed = ws_container_of(task, struct ws_server_conn_passed, task);
  struct ws_server_share *share = passed->share;
  (void)loop;
  share->group.thread->connections--; /* the connection is counted by itself from now on */
  if (share->stopping)
    ws_sys_close(passed->fd);
  else
    ws_server_conn_start(share, passed->fd, &passed->address);
  ws_mem_free(passed);
  ws_server_unpin(share->server);
}

/* The share whose thread has the fewest connections. One that runs a handler may not get to a further one for long. */
static struct ws_server_share *ws_server_conn_least(struct ws_server_share *share) {
  struct ws_server *server = share->server;
  struct ws_server_share *least = share;
  int fewest = atomic_load_explicit(&share->group.thread->connections, memory_order_relaxed);
  for (unsigned i = 0; i < server->share_count; i++) {
    struct ws_loop_thread *thread = server->shares[i].group.thread;
    int count = atomic_load_explicit(&thread->connections, memory_order_relaxed);
    if (count >= fewest || atomic_load_explicit(&thread->handling, memory_order_relaxed))
      continue;
    least = &server->shares[i];
    fewest = count;
  }
  return least;
}

/* The kernel wakes one loop thread for a burst of connections, which accepts them all. */
static void ws_server_conn_accepted(struct ws_listener *listener, int fd, const struct ws_address *address) {
  struct ws_server_share *share = ws_container_of(listener, struct ws_server_share, listener);
  struct ws_server_share *least = ws_server_conn_least(share);
  struct ws_server_conn_passed *passed = least == share ? NULL : ws_mem_alloc(sizeof *passed);
  if (!passed) {
    ws_server_conn_start(share, fd, address);
    return;
  }
  *passed = (struct ws_server_conn_passed){{.run = ws_server_conn_arrived}, least, *address, fd};
  ws_handle_pin_again(share->server->id);
  least->group.thread->connections++;
  ws_loop_post(least->group.thread->loop, &passed->task);
}

static void ws_server_conn_troubled(struct ws_listener *listener, const char *why) {
  struct ws_server_share *share = ws_container_of(listener, struct ws_server_share, listener);
  ws_log(WS_LOG_ERROR, "server %" PRId64 " cannot accept for now: %s", share->server->id, why);
}

const struct ws_listener_events ws_server_conn_events = {
    .accepted = ws_server_conn_accepted,
    .troubled = ws_server_conn_troubled,
};

/* ---- the handshake */

static void ws_server_conn_log_refusal(const struct ws_conn *conn, enum ws_log_level level, int status,
                                       const char *text, const char *detail) {
  char address[WS_ADDRESS_TEXT];
  if (ws_log_wants(level))
    ws_log(level, "server %" PRId64 " refuses %s with %d: %s%s%s", ws_server_conn_server(conn)->id,
           ws_conn_remote(conn, address), status, text, detail ? ": " : "", detail ? detail : "");
}

/* Browsers and scanners ask every server for pages that it does not have: nothing is wrong. */
static enum ws_log_level ws_server_conn_level(enum ws_refusal refusal) {
  bool usual = refusal == WS_REFUSAL_NO_PAGE || refusal == WS_REFUSAL_METHOD || refusal == WS_REFUSAL_PAGE_METHOD;
  return usual ? WS_LOG_INFO : WS_LOG_WARN;
}

/* Answers with a status and a text, and with the headers that the open handler has set. */
static void ws_server_conn_refuse_with(struct ws_conn *conn, int status, const char *text, const char *detail,
                                       const struct ws_answer *answer) {
  char response[WS_SERVER_HANDSHAKE_MAX + WS_ANSWER_REASON_MAX + WS_ANSWER_HEADER_BYTES_MAX];
  char date[WS_SERVER_DATE];
  struct ws_slice headers = {"", 0};
  if (answer->headers)
    headers = (struct ws_slice){answer->headers, answer->size};
  ws_server_conn_log_refusal(conn, WS_LOG_WARN, status, text, detail);
  size_t size = ws_server_handshake_refuse_with(response, sizeof response, status, text, ws_server_date(date), headers);
  ws_end_refuse(conn, status, response, size);
  ws_mem_wipe(response, size);
}

/* `head`: a HEAD is refused, whose answer has no body. */
static void ws_server_conn_refuse(struct ws_conn *conn, enum ws_refusal refusal, const char *detail, bool head) {
  char response[WS_SERVER_HANDSHAKE_MAX];
  char date[WS_SERVER_DATE];
  ws_server_conn_log_refusal(conn, ws_server_conn_level(refusal), ws_refusal_status(refusal), ws_refusal_text(refusal),
                             detail);
  size_t size = ws_server_handshake_refuse(response, refusal, ws_server_date(date));
  if (head)
    size = (size_t)(strstr(response, "\r\n\r\n") + 4 - response);
  ws_end_refuse(conn, ws_refusal_status(refusal), response, size);
}

static enum ws_verdict ws_server_conn_call_open(struct ws_conn *conn, struct ws_answer *answer, char *message,
                                                size_t room) {
  void **handler = ws_server_conn_server(conn)->handlers[WS_ON_OPEN];
  if (!handler)
    return WS_VERDICT_SUCCESS;
  void *record = ws_awake_record(conn);
  struct ws_call *call = record ? ws_conn_call_begin(conn, "open") : NULL;
  if (!call)
    return WS_VERDICT_NO_MEMORY;
  ws_answer_begin(answer, conn);
  enum ws_verdict verdict = ws_call_open(call, *handler, record);
  ws_answer_leave(answer);
  snprintf(message, room, "%s", verdict == WS_VERDICT_ERROR ? call->message : "");
  ws_conn_call_end(conn, call);
  return verdict;
}

static void ws_server_conn_admit(struct ws_conn *conn) {
  ws_conn_admit(conn);
  ws_tally_accepted(conn->group);
  if (ws_log_wants(WS_LOG_INFO)) {
    char address[WS_ADDRESS_TEXT];
    ws_log(WS_LOG_INFO, "connection %" PRId64 " of server %" PRId64 " is open: %s", conn->id,
           ws_server_conn_server(conn)->id, ws_conn_remote(conn, address));
  }
}

/* Puts the headers that the open handler has set into the 101, which waits at the start of the queue. 0, or -1: no
 * memory. */
static int ws_server_conn_add_headers(struct ws_conn *conn, const struct ws_server_handshake *request,
                                      const struct ws_answer *answer) {
  char response[WS_SERVER_HANDSHAKE_MAX + WS_ANSWER_HEADER_BYTES_MAX];
  if (!answer->headers || ws_conn_state(conn) == WS_CONN_ENDED)
    return 0;
  size_t size = ws_server_handshake_accept(response, request);
  size_t end = size - 2; /* of its last header */
  memcpy(response + end, answer->headers, answer->size);
  memcpy(response + end + answer->size, "\r\n", 2);
  int outcome = ws_output_replace(conn, size, response, size + answer->size);
  ws_mem_wipe(response + end, answer->size);
  return outcome;
}

/* The request is valid: the open handler admits or refuses the client. */
static void ws_server_conn_decide(struct ws_conn *conn, const struct ws_server_handshake *request) {
  char message[256] = "";
  struct ws_answer answer = {0};
  enum ws_verdict verdict = ws_server_conn_call_open(conn, &answer, message, sizeof message);
  if (answer.status)
    ws_server_conn_refuse_with(conn, answer.status, answer.reason, message[0] ? message : NULL, &answer);
  else if (verdict == WS_VERDICT_ERROR)
    ws_server_conn_refuse_with(conn, ws_refusal_status(WS_REFUSAL_HANDLER), ws_refusal_text(WS_REFUSAL_HANDLER),
                               message, &answer);
  else if (verdict != WS_VERDICT_SUCCESS || ws_server_conn_add_headers(conn, request, &answer))
    ws_server_conn_refuse(conn, WS_REFUSAL_INTERNAL, "out of memory", false);
  else
    ws_server_conn_admit(conn);
  ws_answer_free(&answer);
}

/* Keeps the request for look-ups, queues the 101 behind the cork, and issues the ID. 0, or -1: no memory. */
static int ws_server_conn_prepare(struct ws_conn *conn, const struct ws_http_head *head,
                                  const struct ws_server_handshake *request) {
  char response[WS_SERVER_HANDSHAKE_MAX];
  size_t size = ws_server_handshake_accept(response, request);
  struct ws_request *kept = ws_requests_get(&ws_server_conn_server(conn)->requests, head, request);
  if (!kept)
    return -1;
  conn->corked = true;
  if (ws_output_bytes(conn, response, size)) {
    ws_request_unref(kept);
    return -1;
  }
  conn->handshake = kept;
  conn->deflate = request->deflate;
  if (request->protocol.data) {
    conn->protocol_start = (uint16_t)(request->protocol.data - ws_server_conn_server(conn)->protocols);
    conn->protocol_size = (uint16_t)request->protocol.size;
  }
  if (ws_conn_identify(conn)) {
    conn->handshake = NULL;
    ws_request_unref(kept);
    return -1;
  }
  atomic_fetch_add(&conn->kept, (uint32_t)ws_request_held(kept));
  return 0;
}

/* Writes what a refusal is about, for the log: a part of the request, or a limit. Nothing that may be a secret. */
static void ws_server_conn_detail(char *to, size_t room, enum ws_refusal refusal, const struct ws_http_head *head,
                                  const struct ws_conn *conn, const struct ws_server_handshake *request) {
  const struct ws_server *server = ws_server_conn_server(conn);
  struct ws_slice value = {NULL, 0};
  const char *remedy = "";
  to[0] = '\0';
  if (refusal == WS_REFUSAL_TOO_MANY_CONNECTIONS) {
    snprintf(to, room, "maxConnections is %" PRId64, server->rules.limits.max_connections);
  } else if (refusal == WS_REFUSAL_TOO_MANY_FROM_ADDRESS) {
    snprintf(to, room, "maxConnectionsPerAddress is %" PRId64, server->rules.limits.max_connections_per_address);
  } else if (refusal == WS_REFUSAL_FORWARDED_TWICE) {
    value = ws_slice_of("the proxy has to remove the header that it does not set");
  } else if (refusal == WS_REFUSAL_PATH || refusal == WS_REFUSAL_NO_PAGE) {
    value = request->path;
  } else if (refusal == WS_REFUSAL_ORIGIN) {
    ws_http_head_find(head, "Origin", &value);
    if (ws_origin_valid(value))
      remedy = " (websocketServerAllowOrigin admits it)";
    else if (ws_slice_equal(value, ws_slice_of("null")))
      remedy = " (websocketServerAllowOrigin admits it with \"*\")";
    else
      value = ws_slice_of("it is not of the form scheme://host:port");
  } else if (refusal == WS_REFUSAL_HOST_NOT_LOOPBACK) {
    value = request->host;
    remedy = " (websocketServerAllowHost admits it)";
  }
  const char *query = value.size ? memchr(value.data, '?', value.size) : NULL;
  if (query)
    value.size = (size_t)(query - value.data);
  if (value.data)
    snprintf(to, room, "%.*s%s", value.size < 160 ? (int)value.size : 160, value.data, remedy);
}

static struct ws_address_quota_entry *ws_server_conn_quota(const struct ws_conn *conn) {
  return ws_container_of(conn->remote, struct ws_address_quota_entry, address);
}

/* Charges a connection of a trusted proxy to the client that its head names, or to the proxy itself. Returns as
 * ws_server_conn_admission. */
static int ws_server_conn_charge(struct ws_conn *conn, const struct ws_http_head *head) {
  struct ws_server *server = ws_server_conn_server(conn);
  struct ws_address_quota_entry *proxy = ws_server_conn_quota(conn);
  struct ws_address client;
  uint32_t of_address;
  bool found;
  if (proxy->kind != WS_QUOTA_PROXY)
    return WS_REFUSAL_NONE;
  enum ws_refusal refusal = ws_proxy_client(&server->proxies, head, &client, &found);
  if (refusal != WS_REFUSAL_NONE)
    return (int)refusal;
  struct ws_address_quota_entry *entry =
      ws_address_quota_add(&server->quota, found ? &client : &proxy->address, &of_address);
  if (!entry)
    return WS_REFUSAL_INTERNAL;
  conn->remote = &entry->address;
  if (found)
    conn->port = 0;
  ws_address_quota_remove(&server->quota, proxy);
  return ws_server_conn_admission(server, 0, of_address);
}

/* Whether the connection arrived at a loopback address. A name that resolves to it may be an attacker's, whose page
 * then reaches this machine as its own origin (DNS rebinding). What cannot be told is taken for loopback. */
static bool ws_server_conn_is_loopback(const struct ws_conn *conn) {
  struct ws_address local;
  return ws_server_conn_server(conn)->handshake.loopback || ws_address_of_socket(conn->stream.watch.fd, &local) ||
         ws_address_is_loopback(&local);
}

static void ws_server_conn_answer_page(struct ws_conn *conn, const struct ws_http_head *head,
                                       const struct ws_server_handshake *request) {
  char address[WS_ADDRESS_TEXT];
  char date[WS_SERVER_DATE];
  if (ws_log_wants(WS_LOG_INFO))
    ws_log(WS_LOG_INFO, "server %" PRId64 " gives %s the page %.*s", ws_server_conn_server(conn)->id,
           ws_conn_remote(conn, address), (int)request->path.size, request->path.data);
  const struct ws_page *page = request->page;
  if (page->body)
    ws_server_answer(conn, page, head, ws_server_date(date));
  else
    ws_server_metrics_answer(conn, ws_server_conn_server(conn), page, head);
}

/* Answers a complete head. It is wiped before any handler runs. */
static void ws_server_conn_answer(struct ws_conn *conn, struct ws_head_reader *kept, const struct ws_http_head *head,
                                  uint8_t *bytes, size_t used) {
  const struct ws_server *server = ws_server_conn_server(conn);
  struct ws_server_handshake request = {0};
  enum ws_refusal refusal = conn->refusal;
  int charge = ws_server_conn_charge(conn, head);
  if (charge < 0) {
    ws_head_reader_wipe(&kept, bytes, used);
    ws_end_drop(conn, WS_DROP_LOCAL, "too many connections from its address");
    return;
  }
  if (refusal == WS_REFUSAL_NONE)
    refusal = (enum ws_refusal)charge;
  if (refusal == WS_REFUSAL_NONE && atomic_load(&server->state) == WS_SERVER_STOPPED)
    refusal = WS_REFUSAL_STOPPING;
  if (refusal == WS_REFUSAL_NONE) {
    struct ws_server_handshake_rules rules = server->handshake;
    rules.loopback = ws_server_conn_is_loopback(conn);
    refusal = ws_server_handshake_check(head, &rules, &request);
  }
  if (refusal == WS_REFUSAL_NONE && request.page && !ws_server_metrics_are_for(conn, request.page, head))
    refusal = WS_REFUSAL_METRICS_PEER;
  if (refusal == WS_REFUSAL_NONE && request.page) {
    ws_server_conn_answer_page(conn, head, &request);
    ws_head_reader_wipe(&kept, bytes, used);
    return;
  }
  if (refusal == WS_REFUSAL_NONE && ws_server_conn_prepare(conn, head, &request))
    refusal = WS_REFUSAL_INTERNAL;
  char detail[256];
  ws_server_conn_detail(detail, sizeof detail, refusal, head, conn, &request);
  bool bodiless = ws_slice_equal(ws_http_head_method(head), WS_SLICE("HEAD"));
  ws_head_reader_wipe(&kept, bytes, used);
  if (refusal == WS_REFUSAL_NONE)
    ws_server_conn_decide(conn, &request);
  else
    ws_server_conn_refuse(conn, refusal, detail[0] ? detail : NULL, bodiless);
}

static size_t ws_server_conn_head(struct ws_conn *conn, uint8_t *bytes, size_t n) {
  struct ws_http_head scratch;
  struct ws_http_head *head;
  struct ws_head_reader *kept = conn->handshake;
  bool tls = !kept && bytes[0] == WS_TLS_HANDSHAKE;
  size_t used;
  if (conn->handling) /* the metrics are being counted, and the connection is answered once */
    return n;
  int outcome = ws_head_reader_feed(&kept, &scratch, WS_HTTP_REQUEST, bytes, n, &head, &used);
  conn->handshake = kept;
  if (outcome == WS_HTTP_PARTIAL)
    return n;
  if (outcome == WS_HEAD_READER_NO_MEMORY) {
    ws_end_drop(conn, WS_DROP_LOCAL, "out of memory");
    return n;
  }
  conn->handshake = NULL;
  if (outcome == WS_HTTP_COMPLETE) {
    ws_server_conn_answer(conn, kept, head, bytes, used);
  } else {
    enum ws_refusal refusal = (enum ws_refusal)head->problem;
    ws_head_reader_wipe(&kept, bytes, used);
    ws_server_conn_refuse(conn, refusal, tls ? "this is TLS, and the server is one of ws://" : NULL, false);
  }
  return used;
}

static void ws_server_conn_broken(struct ws_conn *conn, enum ws_drop_cause cause, const char *why) {
  const struct ws_server *server = ws_server_conn_server(conn);
  char address[WS_ADDRESS_TEXT];
  char late[64];
  (void)cause;
  if (!ws_log_wants(WS_LOG_INFO))
    return;
  snprintf(late, sizeof late, "not complete within handshakeTimeoutMs (%" PRId64 ")",
           server->rules.limits.handshake_timeout_ms);
  ws_log(WS_LOG_INFO, "server %" PRId64 ": the handshake of %s failed: %s", server->id, ws_conn_remote(conn, address),
         why ? why : late);
}

/* ---- the end */

static void ws_server_conn_ended(struct ws_conn *conn) {
  if (!conn->id) {
    struct ws_head_reader *head = conn->handshake;
    conn->handshake = NULL;
    ws_head_reader_wipe(&head, NULL, 0);
  }
  if (!conn->admitted)
    return;
  ws_tally_closed(conn->group, conn->code);
  ws_log(WS_LOG_INFO, "connection %" PRId64 " of server %" PRId64 " has ended with %d", conn->id,
         ws_server_conn_server(conn)->id, conn->code);
  ws_end_call_close(conn, ws_server_conn_server(conn)->handlers[WS_ON_CLOSE]);
}

static void ws_server_conn_opens(struct ws_conn *conn) {
  ws_topics_opens(&ws_server_conn_server(conn)->topics, conn);
}

static void ws_server_conn_opened(struct ws_conn *conn, bool open) {
  ws_topics_opened(&ws_server_conn_server(conn)->topics, conn, open);
}

static void ws_server_conn_left(struct ws_conn *conn) {
  if (conn->id)
    ws_topics_forget(&ws_server_conn_server(conn)->topics, conn);
  atomic_fetch_sub(&ws_server_conn_server(conn)->connections, 1);
  ws_server_share_check(ws_server_share_of(conn));
}

static void ws_server_conn_free(struct ws_conn *conn) {
  struct ws_server *server = ws_server_conn_server(conn);
  ws_address_quota_remove(&server->quota, ws_server_conn_quota(conn));
  ws_request_unref(conn->handshake);
  ws_mem_free(conn);
  ws_server_unpin(server);
}

static void ws_server_conn_url(const struct ws_conn *conn, char *to, size_t room) {
  ws_request_url(conn->handshake, ws_server_conn_server(conn)->tls != NULL, to, room);
}

static struct ws_slice ws_server_conn_protocol(const struct ws_conn *conn) {
  const char *list = ws_server_conn_server(conn)->protocols;
  return (struct ws_slice){conn->protocol_size ? list + conn->protocol_start : "", conn->protocol_size};
}

static long ws_server_conn_request_header(const struct ws_conn *conn, const char *name, char *to, size_t room) {
  return ws_request_header(conn->handshake, name, to, room);
}

static struct ws_slice ws_server_conn_request_target(const struct ws_conn *conn) {
  return ws_request_target(conn->handshake);
}

static int64_t ws_server_conn_server_id(const struct ws_conn *conn) {
  return ws_server_conn_server(conn)->id;
}

const struct ws_conn_ops ws_server_conn_ops = {
    .head = ws_server_conn_head,
    .opens = ws_server_conn_opens,
    .opened = ws_server_conn_opened,
    .broken = ws_server_conn_broken,
    .ended = ws_server_conn_ended,
    .left = ws_server_conn_left,
    .free = ws_server_conn_free,
    .url = ws_server_conn_url,
    .protocol = ws_server_conn_protocol,
    .request_header = ws_server_conn_request_header,
    .request_target = ws_server_conn_request_target,
    .server_id = ws_server_conn_server_id,
};
