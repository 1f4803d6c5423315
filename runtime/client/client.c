/* The handshake of a client: dial, then TLS if the URL is secure, then HTTP. A failure at any step settles the connect
 * with its error and drops the connection. */
#include "client.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "conn/end.h"
#include "conn/flush.h"
#include "conn/head_reader.h"
#include "conn/random.h"
#include "conn/turn.h"
#include "io/dial.h"
#include "io/sys.h"
#include "io/tcp_stream.h"
#include "io/tls_context.h"
#include "io/tls_stream.h"
#include "io/wait.h"
#include "osprey/log.h"
#include "osprey/roots.h"
#include "protocol/close_code.h"
#include "protocol/client_handshake.h"
#include "recently_closed.h"
#include "refused.h"

enum {
  WS_CLIENT_INTERIM_MAX = 8,
  WS_CLIENT_BODY_MS = 1000, /* for the body of a refusal */
};

struct ws_client {
  struct ws_group group;
  struct ws_conn conn;
  struct ws_rules rules;
  struct ws_task start_task;
  struct ws_pending_connect *connect; /* NULL once it is settled */
  struct ws_dial *dial;
  struct ws_tls_context *tls;
  struct ws_chunk *request; /* holds secrets: wiped at the end of the handshake */
  int64_t deadline_ms;
  int64_t timeout_ms;
  char *url_text;
  char *headers;
  char *protocols;
  char *protocol;    /* negotiated; NULL: none */
  struct ws_url url; /* of url_text */
  struct ws_client_handshake_offer offer;
  struct ws_address remote;
  void **handler;
  void **on_close;
  struct ws_refused *refused; /* the server refused, and its body is awaited; else NULL */
  int interim;                /* responses before the final one */
  bool text_only;             /* websocketConnect's: binary messages are refused */
  bool has_ended;             /* the close handler was called or is lost: websocketOnClose asks recently_closed.h */
};

static _Atomic int ws_clients_alive;
static pthread_mutex_t ws_clients_tls_lock = PTHREAD_MUTEX_INITIALIZER;
static struct ws_tls_context *ws_clients_tls;

static struct ws_client *ws_client_of(const struct ws_conn *conn) {
  return ws_container_of(conn, struct ws_client, conn);
}

/* ---- the outcome of the connect */

/* Returns false if the caller has abandoned it. */
static bool ws_client_settle(struct ws_client *client, int64_t id, const struct ws_error *error) {
  struct ws_pending_connect *connect = client->connect;
  client->connect = NULL;
  return ws_pending_connect_settle(connect, id, error);
}

static void ws_client_failed(struct ws_client *client, const char *cause) {
  char shown[512];
  struct ws_error error;
  if (!client->connect)
    return;
  ws_error_connect(&error, ws_log_url(shown, sizeof shown, client->url_text), cause);
  ws_client_settle(client, 0, &error);
}

/* The deadline passed after the dial, which keeps its own. */
static void ws_client_timed_out(struct ws_client *client) {
  char shown[512];
  struct ws_error error;
  bool tls = ws_conn_state(&client->conn) == WS_CONN_CONNECTING;
  ws_error_connect_timeout(&error, ws_log_url(shown, sizeof shown, client->url_text), client->timeout_ms,
                           tls ? "during the TLS handshake" : "during the WebSocket handshake");
  ws_client_settle(client, 0, &error);
}

/* ---- memory */

static void ws_client_wipe_secrets(struct ws_client *client) {
  ws_mem_wipe(client->offer.key, sizeof client->offer.key);
  if (client->request)
    ws_mem_wipe(client->request->bytes, client->request->size);
  ws_chunk_unref(client->request);
  client->request = NULL;
  ws_mem_free_secret(client->headers);
  client->headers = NULL;
}

static void ws_client_free(struct ws_client *client) {
  ws_client_wipe_secrets(client);
  ws_roots_drop(client->handler);
  ws_roots_drop(client->on_close);
  ws_tls_context_unref(client->tls);
  ws_refused_free(client->refused);
  ws_mem_free(client->protocol);
  ws_mem_free_secret(client->protocols);
  ws_mem_free_secret(client->url_text);
  ws_mem_free(client);
  atomic_fetch_sub(&ws_clients_alive, 1);
  ws_wait_notify();
}

/* The context of all secure clients, made for the first of them. */
static struct ws_tls_context *ws_clients_tls_context(struct ws_why *why) {
  pthread_mutex_lock(&ws_clients_tls_lock);
  if (!ws_clients_tls)
    ws_clients_tls = ws_tls_context_new_client(why);
  struct ws_tls_context *context = ws_clients_tls ? ws_tls_context_ref(ws_clients_tls) : NULL;
  pthread_mutex_unlock(&ws_clients_tls_lock);
  return context;
}

static void ws_client_set_rules(struct ws_client *client, const struct ws_options_record *options) {
  struct ws_limits *limits = &client->rules.limits;
  client->rules.role = WS_ROLE_CLIENT;
  client->rules.ping_after_ms = WS_PING_AFTER_MS;
  ws_limits_init(limits);
  if (!options)
    return;
  if (options->max_message_bytes)
    ws_limits_set(limits, ws_limits_find("maxMessageBytes"), options->max_message_bytes);
  if (options->timeout_ms)
    limits->handshake_timeout_ms = options->timeout_ms;
  if (options->keep_alive_ms) {
    client->rules.ping_after_ms = options->keep_alive_ms;
    limits->idle_timeout_ms = 2 * options->keep_alive_ms;
  }
  limits->compression = options->compression;
}

/* 0, or -1: no memory. */
static int ws_client_copy(struct ws_client *client, const char *url, const struct ws_options_record *options,
                          void *handler) {
  client->url_text = ws_mem_strdup(url);
  client->handler = ws_roots_keep(handler);
  if (!client->url_text || !client->handler)
    return -1;
  ws_url_parse(&client->url, client->url_text, strlen(client->url_text));
  client->offer.url = &client->url;
  client->text_only = !options;
  if (!options)
    return 0;
  client->headers = ws_mem_strdup(options->headers);
  client->protocols = ws_mem_strdup(options->protocols);
  if (!client->headers || !client->protocols)
    return -1;
  client->offer.headers = client->headers;
  client->offer.protocols = client->protocols;
  client->offer.compression = options->compression;
  return 0;
}

struct ws_client *ws_client_new(const char *url, const struct ws_options_record *options, void *handler,
                                struct ws_pending_connect *connect, struct ws_why *why) {
  struct ws_client *client = ws_mem_calloc(1, sizeof *client);
  ws_why_set(why, "out of memory");
  if (!client)
    return NULL;
  atomic_fetch_add(&ws_clients_alive, 1);
  ws_client_set_rules(client, options);
  bool made = ws_client_copy(client, url, options, handler) == 0;
  if (made && ws_handshake_key_generate(client->offer.key, &ws_random_keys)) {
    ws_why_set(why, "no random bytes for the key");
    made = false;
  }
  if (made && client->url.secure) {
    client->tls = ws_clients_tls_context(why);
    made = client->tls != NULL;
  }
  if (!made) {
    ws_client_free(client);
    return NULL;
  }
  client->connect = connect;
  return client;
}

int64_t ws_client_timeout_ms(const struct ws_client *client) {
  return client->rules.limits.handshake_timeout_ms;
}

/* ---- the dial */

static void ws_client_dialed(void *context, int fd, const struct ws_why *why) {
  struct ws_client *client = context;
  struct ws_conn *conn = &client->conn;
  struct ws_why tls_why;
  char host[256];
  client->dial = NULL;
  if (fd < 0) {
    ws_end_drop(conn, WS_DROP_LOCAL, why->text);
    return;
  }
  if (ws_address_of_peer(fd, &client->remote) == 0)
    conn->port = ws_address_port(&client->remote);
  snprintf(host, sizeof host, "%.*s", (int)client->url.authority.host.size, client->url.authority.host.data);
  if (!client->tls) {
    ws_tcp_stream_open(&conn->stream, fd);
  } else if (ws_tls_stream_open_client(&conn->stream, fd, client->tls, host, &tls_why)) {
    ws_sys_close(fd);
    ws_end_drop(conn, WS_DROP_LOCAL, tls_why.text);
    return;
  }
  ws_turn_start(conn, client->deadline_ms);
}

/* ---- the WebSocket handshake */

/* Queues the request as a block that is wiped after the handshake. */
static void ws_client_connected(struct ws_conn *conn) {
  enum { ROOM = WS_URL_MAX + 8192 + 65536 + 1024 };
  struct ws_client *client = ws_client_of(conn);
  struct ws_loop *loop = ws_conn_loop(conn);
  client->request = ws_chunk_new(ROOM);
  size_t size = 0;
  if (client->request)
    size = ws_client_handshake_request((char *)client->request->bytes, ROOM, &client->offer);
  if (!size || size > ROOM) {
    ws_end_drop(conn, WS_DROP_LOCAL, size ? "the request is too long" : "out of memory");
    return;
  }
  if (ws_outq_take(&conn->out, loop, ws_chunk_ref(client->request), 0, size)) {
    ws_chunk_unref(client->request);
    ws_end_drop(conn, WS_DROP_LOCAL, "out of memory");
    return;
  }
  ws_outq_charge(&conn->out, size);
  ws_flush(conn);
}

static int ws_client_accept(struct ws_client *client, const struct ws_client_handshake_answer *answer) {
  struct ws_conn *conn = &client->conn;
  conn->deflate = answer->deflate;
  if (answer->protocol.data) {
    client->protocol = ws_mem_alloc(answer->protocol.size + 1);
    if (!client->protocol)
      return -1;
    memcpy(client->protocol, answer->protocol.data, answer->protocol.size);
    client->protocol[answer->protocol.size] = '\0';
  }
  return ws_conn_identify(conn);
}

static void ws_client_opened(struct ws_client *client) {
  struct ws_conn *conn = &client->conn;
  if (ws_log_wants(WS_LOG_INFO)) {
    char shown[512];
    ws_log(WS_LOG_INFO, "connection %" PRId64 " to %s is open", conn->id,
           ws_log_url(shown, sizeof shown, client->url_text));
  }
  ws_conn_admit(conn);
  if (!ws_client_settle(client, conn->id, NULL))
    ws_end_close(conn, WS_CLOSE_GOING_AWAY, "", 0);
}

/* Not past the deadline of the connect. */
static void ws_client_await_body(struct ws_client *client) {
  int64_t until_ms = ws_clock_ms() + WS_CLIENT_BODY_MS;
  ws_timer_arm(ws_conn_loop(&client->conn), &client->conn.timer,
               until_ms < client->deadline_ms ? until_ms : client->deadline_ms);
}

/* The server refused. The first line of its body says why, if it comes soon. */
static void ws_client_refused(struct ws_client *client, const struct ws_http_head *head, const uint8_t *body,
                              size_t n) {
  struct ws_conn *conn = &client->conn;
  client->refused = ws_refused_new(head);
  if (!client->refused)
    ws_end_drop(conn, WS_DROP_LOCAL, "out of memory");
  else if (ws_refused_feed(client->refused, (const char *)body, n))
    ws_end_drop(conn, WS_DROP_LOCAL, NULL);
  else
    ws_client_await_body(client);
}

/* Judges a complete head, or one that is malformed. `rest` follows it. */
static void ws_client_answered(struct ws_client *client, int outcome, const struct ws_http_head *head,
                               const uint8_t *rest, size_t n) {
  char cause[512];
  struct ws_client_handshake_answer answer;
  enum ws_client_handshake_problem problem = WS_CLIENT_HANDSHAKE_OK;
  if (outcome != WS_HTTP_COMPLETE)
    ws_client_handshake_explain_head(cause, sizeof cause, head);
  else
    problem = ws_client_handshake_check(head, &client->offer, &answer);
  if (problem == WS_CLIENT_HANDSHAKE_STATUS) {
    ws_client_refused(client, head, rest, n);
    return;
  }
  if (problem != WS_CLIENT_HANDSHAKE_OK)
    ws_client_handshake_explain(cause, sizeof cause, problem, head);
  if (outcome == WS_HTTP_COMPLETE && problem == WS_CLIENT_HANDSHAKE_OK) {
    if (ws_client_accept(client, &answer) == 0) {
      ws_client_opened(client);
      return;
    }
    snprintf(cause, sizeof cause, "out of memory");
  }
  ws_end_drop(&client->conn, WS_DROP_LOCAL, cause);
}

/* Returns true for a response before the final one (RFC 9110 section 15.2). */
static bool ws_client_is_interim(int outcome, const struct ws_http_head *head) {
  return outcome == WS_HTTP_COMPLETE && head->status >= 100 && head->status < 200 && head->status != 101;
}

/* Returns true if the head was an interim response, so that another head follows. */
static bool ws_client_one_head(struct ws_client *client, uint8_t *bytes, size_t n, size_t *used) {
  struct ws_conn *conn = &client->conn;
  struct ws_http_head scratch;
  struct ws_http_head *head;
  struct ws_head_reader *kept = conn->handshake;
  int outcome = ws_head_reader_feed(&kept, &scratch, WS_HTTP_RESPONSE, bytes, n, &head, used);
  conn->handshake = kept;
  if (outcome == WS_HTTP_PARTIAL)
    return false;
  conn->handshake = NULL;
  bool interim = outcome != WS_HEAD_READER_NO_MEMORY && ws_client_is_interim(outcome, head) &&
                 ++client->interim <= WS_CLIENT_INTERIM_MAX;
  if (outcome == WS_HEAD_READER_NO_MEMORY)
    ws_end_drop(conn, WS_DROP_LOCAL, "out of memory");
  else if (!interim)
    ws_client_answered(client, outcome, head, bytes + *used, n - *used);
  ws_head_reader_wipe(&kept, bytes, *used);
  if (!interim)
    ws_client_wipe_secrets(client);
  return interim;
}

static size_t ws_client_head(struct ws_conn *conn, uint8_t *bytes, size_t n) {
  struct ws_client *client = ws_client_of(conn);
  size_t at = 0;
  bool more = true;
  if (client->refused) {
    if (ws_refused_feed(client->refused, (const char *)bytes, n))
      ws_end_drop(conn, WS_DROP_LOCAL, NULL);
    return n;
  }
  while (more && at < n) {
    size_t used;
    more = ws_client_one_head(client, bytes + at, n - at, &used);
    at += used;
  }
  return at;
}

static void ws_client_broken(struct ws_conn *conn, enum ws_drop_cause cause, const char *why) {
  struct ws_client *client = ws_client_of(conn);
  char text[512];
  /* A server that expects TLS closes without an answer. */
  bool unanswered = cause == WS_DROP_PEER && !client->url.secure && !conn->handshake;
  if (client->refused) {
    ws_client_failed(client, ws_refused_text(client->refused));
    return;
  }
  if (cause == WS_DROP_TIMEOUT) {
    ws_client_timed_out(client);
    return;
  }
  snprintf(text, sizeof text, "%s%s", why, unanswered ? " (does the server want wss://?)" : "");
  ws_client_failed(client, text);
}

/* ---- messages and the end */

static enum ws_verdict ws_client_message(struct ws_conn *conn, struct ws_call *call, bool binary, const uint8_t *bytes,
                                         size_t n) {
  struct ws_client *client = ws_client_of(conn);
  if (client->text_only && binary) {
    ws_end_fail(conn, WS_CLOSE_UNSUPPORTED_DATA, "binary messages are not handled here", NULL);
    return WS_VERDICT_SUCCESS;
  }
  if (client->text_only)
    return ws_call_text(call, *client->handler, bytes, n);
  void *record = ws_conn_record(conn);
  return record ? ws_call_message(call, *client->handler, record, binary, bytes, n, ws_loop_now(ws_conn_loop(conn)))
                : WS_VERDICT_NO_MEMORY;
}

static void ws_client_ended(struct ws_conn *conn) {
  struct ws_client *client = ws_client_of(conn);
  struct ws_head_reader *head = conn->handshake;
  conn->handshake = NULL;
  ws_head_reader_wipe(&head, NULL, 0);
  if (client->dial)
    ws_dial_cancel(client->dial);
  client->dial = NULL;
  client->has_ended = true;
  if (!conn->admitted)
    return;
  ws_log(WS_LOG_INFO, "connection %" PRId64 " has ended with %d", conn->id, conn->code);
  if (client->on_close)
    ws_conn_call_close(conn, client->on_close);
  else
    ws_recently_closed_add(conn->id, client->url_text, conn->code, conn->reason);
}

static void ws_client_release(struct ws_conn *conn) {
  ws_client_free(ws_client_of(conn));
}

static void ws_client_url(const struct ws_conn *conn, char *to, size_t room) {
  snprintf(to, room, "%s", ws_client_of(conn)->url_text);
}

static struct ws_slice ws_client_protocol(const struct ws_conn *conn) {
  const char *protocol = ws_client_of(conn)->protocol;
  return ws_slice_of(protocol ? protocol : "");
}

static const struct ws_conn_ops ws_client_ops = {
    .connected = ws_client_connected,
    .head = ws_client_head,
    .message = ws_client_message,
    .broken = ws_client_broken,
    .ended = ws_client_ended,
    .free = ws_client_release,
    .url = ws_client_url,
    .protocol = ws_client_protocol,
};

/* ---- starting */

static void ws_client_run(struct ws_loop *loop, struct ws_task *task) {
  struct ws_client *client = ws_container_of(task, struct ws_client, start_task);
  struct ws_conn *conn = &client->conn;
  struct ws_why why;
  char host[256];
  if (ws_turn_init(conn, &client->group)) {
    ws_client_failed(client, "out of memory");
    ws_client_free(client);
    return;
  }
  conn->remote = &client->remote;
  if (ws_loop_threads_are_ending()) {
    ws_end_drop(conn, WS_DROP_LOCAL, WS_END_OF_PROGRAM);
    return;
  }
  int64_t now = ws_loop_refresh(loop);
  snprintf(host, sizeof host, "%.*s", (int)client->url.authority.host.size, client->url.authority.host.data);
  client->dial =
      ws_dial_start(loop, host, client->url.authority.port, client->deadline_ms - now, ws_client_dialed, client, &why);
  if (!client->dial)
    ws_end_drop(conn, WS_DROP_LOCAL, why.text);
}

void ws_client_start(struct ws_client *client, struct ws_loop_thread *thread, int64_t deadline_ms, int64_t timeout_ms) {
  client->group.ops = &ws_client_ops;
  client->group.rules = &client->rules;
  client->group.thread = thread;
  client->group.members = &thread->clients;
  client->deadline_ms = deadline_ms;
  client->timeout_ms = timeout_ms;
  client->start_task.run = ws_client_run;
  if (thread == ws_loop_thread_current())
    ws_client_run(thread->loop, &client->start_task);
  else
    ws_loop_post(thread->loop, &client->start_task);
}

void ws_client_set_on_close(struct ws_conn *conn, void **handler) {
  struct ws_client *client = ws_client_of(conn);
  if (client->has_ended) {
    ws_recently_closed_call(conn->group->thread, conn->id, handler);
    return;
  }
  ws_roots_drop(client->on_close);
  client->on_close = handler;
}

/* ---- the end of the program */

void ws_clients_close(struct ws_loop_thread *thread) {
  for (struct ws_list_node *node = thread->clients.first; node; node = node->next) {
    struct ws_conn *conn = ws_conn_of_member(node);
    if (ws_conn_state(conn) <= WS_CONN_HANDSHAKE)
      ws_end_drop(conn, WS_DROP_LOCAL, WS_END_OF_PROGRAM);
    else
      ws_end_close(conn, WS_CLOSE_GOING_AWAY, "", 0);
  }
}

bool ws_clients_are_gone(void) {
  return atomic_load(&ws_clients_alive) == 0;
}

void ws_clients_free_all(void) {
  pthread_mutex_lock(&ws_clients_tls_lock);
  ws_tls_context_unref(ws_clients_tls);
  ws_clients_tls = NULL;
  pthread_mutex_unlock(&ws_clients_tls_lock);
  ws_recently_closed_free_all();
}
