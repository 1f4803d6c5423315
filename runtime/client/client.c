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
#include "conn/handle.h"
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
#include "stay.h"

enum {
  WS_CLIENT_INTERIM_MAX = 8,
  WS_CLIENT_BODY_MS = 1000, /* for the body of a refusal */
};

/* One connection, from its dial to its end. If the client dials again (stay.h), each further connection is a struct of
 * its own, and the first, which the program's connect made, has the arguments of all. */
struct ws_client {
  struct ws_group group;
  struct ws_stay stay; /* with the connection */
  struct ws_task start_task;
  struct ws_pending_connect *connect; /* NULL once it is settled */
  struct ws_dial *dial;
  struct ws_tls_context *tls;
  struct ws_chunk *request; /* holds secrets: wiped at the end of the handshake */
  int64_t deadline_ms;
  int32_t timeout_ms;
  uint8_t interim;                        /* responses before the final one */
  bool text_only;                         /* the first's: websocketConnect's, binary messages are refused */
  char *protocol;                         /* negotiated; NULL: none */
  struct ws_client_handshake_offer offer; /* its headers and protocols are the first's, kept for the next handshake */
  struct ws_address remote;
  struct ws_refused *refused; /* the server refused, and its body is awaited; else NULL */

  /* Of the first only. */
  struct ws_rules rules;
  char *url_text;
  struct ws_url url; /* of url_text */
  void **handler;
  void **on_close;
};

static _Atomic int ws_clients_alive;
static pthread_mutex_t ws_clients_tls_lock = PTHREAD_MUTEX_INITIALIZER;
static struct ws_tls_context *ws_clients_tls;

static struct ws_client *ws_client_of(const struct ws_conn *conn) {
  return ws_container_of(ws_stay_of(conn), struct ws_client, stay);
}

static bool ws_client_is_later(const struct ws_client *client) {
  return client->stay.first != &client->stay;
}

/* The one with the arguments of all. */
static struct ws_client *ws_client_first(const struct ws_client *client) {
  return ws_container_of(client->stay.first, struct ws_client, stay);
}

/* ---- the outcome of the connect */

/* Returns false if the caller has abandoned it. */
static bool ws_client_settle(struct ws_client *client, int64_t id, const struct ws_error *error) {
  struct ws_pending_connect *connect = client->connect;
  client->connect = NULL;
  return ws_pending_connect_settle(connect, id, error);
}

static void ws_client_give_up(struct ws_client *client, const struct ws_error *error) {
  if (ws_client_is_later(client))
    ws_stay_failed(&client->stay, error->text);
  else if (client->connect)
    ws_client_settle(client, 0, error);
}

static void ws_client_failed(struct ws_client *client, const char *cause) {
  char shown[512];
  struct ws_error error;
  ws_error_connect(&error, ws_log_url(shown, sizeof shown, ws_client_first(client)->url_text), cause);
  ws_client_give_up(client, &error);
}

/* The deadline passed after the dial, which keeps its own. */
static void ws_client_timed_out(struct ws_client *client) {
  char shown[512];
  struct ws_error error;
  bool tls = ws_conn_state(&client->stay.conn) == WS_CONN_CONNECTING;
  ws_error_connect_timeout(&error, ws_log_url(shown, sizeof shown, ws_client_first(client)->url_text),
                           client->timeout_ms, tls ? "during the TLS handshake" : "during the WebSocket handshake");
  ws_client_give_up(client, &error);
}

/* ---- memory */

/* What this handshake held of secrets. The program's headers are kept for the next one. */
static void ws_client_wipe_secrets(struct ws_client *client) {
  ws_mem_wipe(client->offer.key, sizeof client->offer.key);
  if (client->request)
    ws_mem_wipe(client->request->bytes, client->request->size);
  ws_chunk_unref(client->request);
  client->request = NULL;
}

static void ws_client_free(struct ws_client *client) {
  ws_client_wipe_secrets(client);
  ws_tls_context_unref(client->tls);
  ws_refused_free(client->refused);
  ws_mem_free(client->protocol);
  if (ws_client_is_later(client)) {
    ws_conn_unpin(&ws_client_first(client)->stay.conn);
  } else {
    ws_roots_drop(client->handler);
    ws_roots_drop(client->on_close);
    ws_stay_plan_free(client->stay.plan);
    ws_mem_free_secret((char *)(uintptr_t)client->offer.headers);
    ws_mem_free_secret((char *)(uintptr_t)client->offer.protocols);
    ws_mem_free_secret(client->url_text);
  }
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
  client->offer.headers = ws_mem_strdup(options->headers);
  client->offer.protocols = ws_mem_strdup(options->protocols);
  if (!client->offer.headers || !client->offer.protocols)
    return -1;
  client->offer.compression = options->compression;
  return 0;
}

/* Zeroed, without arguments. `first` is NULL for one that is the first itself. */
static struct ws_client *ws_client_allocate(struct ws_client *first) {
  struct ws_client *client = ws_mem_calloc(1, sizeof *client);
  if (!client)
    return NULL;
  atomic_fetch_add(&ws_clients_alive, 1);
  client->stay.first = first ? &first->stay : &client->stay;
  if (first)
    ws_handle_pin_again(first->stay.conn.id);
  return client;
}

struct ws_client *ws_client_new(const char *url, const struct ws_options_record *options, void *handler,
                                struct ws_pending_connect *connect, struct ws_why *why) {
  struct ws_client *client = ws_client_allocate(NULL);
  ws_why_set(why, "out of memory");
  if (!client)
    return NULL;
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
  struct ws_conn *conn = &client->stay.conn;
  struct ws_why tls_why;
  char host[256];
  client->dial = NULL;
  if (fd < 0) {
    ws_end_drop(conn, WS_DROP_LOCAL, why->text);
    return;
  }
  if (ws_address_of_peer(fd, &client->remote) == 0)
    conn->port = ws_address_port(&client->remote);
  snprintf(host, sizeof host, "%.*s", (int)ws_client_first(client)->url.authority.host.size,
           ws_client_first(client)->url.authority.host.data);
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
  struct ws_conn *conn = &client->stay.conn;
  conn->deflate = answer->deflate;
  if (answer->protocol.data) {
    client->protocol = ws_mem_alloc(answer->protocol.size + 1);
    if (!client->protocol)
      return -1;
    memcpy(client->protocol, answer->protocol.data, answer->protocol.size);
    client->protocol[answer->protocol.size] = '\0';
  }
  if (ws_conn_identify(conn))
    return -1;
  if (ws_client_is_later(client)) {
    client->group.handle = conn->id;
    conn->id = ws_client_first(client)->stay.conn.id;
  }
  return 0;
}

static void ws_client_opened(struct ws_client *client) {
  struct ws_conn *conn = &client->stay.conn;
  if (ws_log_wants(WS_LOG_INFO)) {
    char shown[512];
    ws_log(WS_LOG_INFO, "connection %" PRId64 " to %s is open", conn->id,
           ws_log_url(shown, sizeof shown, ws_client_first(client)->url_text));
  }
  ws_conn_admit(conn);
  if (ws_client_is_later(client)) {
    ws_stay_opened(&client->stay);
  } else if (!ws_client_settle(client, conn->id, NULL)) {
    atomic_store(&client->stay.left, true);
    ws_end_close(conn, WS_CLOSE_GOING_AWAY, "", 0);
  }
}

/* Not past the deadline of the connect. */
static void ws_client_await_body(struct ws_client *client) {
  int64_t until_ms = ws_clock_ms() + WS_CLIENT_BODY_MS;
  ws_timer_arm(ws_conn_loop(&client->stay.conn), &client->stay.conn.timer,
               until_ms < client->deadline_ms ? until_ms : client->deadline_ms);
}

/* The server refused. The first line of its body says why, if it comes soon. */
static void ws_client_refused(struct ws_client *client, const struct ws_http_head *head, const uint8_t *body,
                              size_t n) {
  struct ws_conn *conn = &client->stay.conn;
  if (ws_client_is_later(client))
    ws_stay_refused(&client->stay, head);
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
  ws_end_drop(&client->stay.conn, WS_DROP_LOCAL, cause);
}

/* Returns true for a response before the final one (RFC 9110 section 15.2). */
static bool ws_client_is_interim(int outcome, const struct ws_http_head *head) {
  return outcome == WS_HTTP_COMPLETE && head->status >= 100 && head->status < 200 && head->status != 101;
}

static void ws_client_drop_early(struct ws_conn *conn) {
  char cause[80];
  snprintf(cause, sizeof cause, "the server sent more than %d interim responses (HTTP 1xx)", WS_CLIENT_INTERIM_MAX);
  ws_end_drop(conn, WS_DROP_LOCAL, cause);
}

/* Returns true if the head was an interim response, so that another head follows. */
static bool ws_client_one_head(struct ws_client *client, uint8_t *bytes, size_t n, size_t *used) {
  struct ws_conn *conn = &client->stay.conn;
  struct ws_http_head scratch;
  struct ws_http_head *head;
  struct ws_head_reader *kept = conn->handshake;
  int outcome = ws_head_reader_feed(&kept, &scratch, WS_HTTP_RESPONSE, bytes, n, &head, used);
  conn->handshake = kept;
  if (outcome == WS_HTTP_PARTIAL)
    return false;
  conn->handshake = NULL;
  bool early = outcome != WS_HEAD_READER_NO_MEMORY && ws_client_is_interim(outcome, head);
  bool interim = early && ++client->interim <= WS_CLIENT_INTERIM_MAX;
  if (outcome == WS_HEAD_READER_NO_MEMORY)
    ws_end_drop(conn, WS_DROP_LOCAL, "out of memory");
  else if (early && !interim)
    ws_client_drop_early(conn);
  else if (!interim)
    ws_client_answered(client, outcome, head, bytes + *used, n - *used);
  ws_head_reader_wipe(&kept, bytes, *used);
  if (!interim) {
    ws_client_wipe_secrets(client);
    if (ws_client_is_later(client) && ws_conn_state(conn) == WS_CONN_OPEN && !atomic_load(&conn->hushed))
      ws_stay_greet(&client->stay);
  }
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
  /* Cancel it here, not in ended(), which may run in a later turn: until then the dial could still connect. */
  if (client->dial)
    ws_dial_cancel(client->dial);
  client->dial = NULL;
  /* A server that expects TLS closes without an answer. */
  bool unanswered = cause == WS_DROP_PEER && !ws_client_first(client)->url.secure && !conn->handshake;
  client->stay.distrusts = ws_stream_is_secure(&conn->stream) && ws_tls_stream_distrusts(&conn->stream);
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

/* ---- the end */

/* Puts back a handler that was taken for its call, unless it has set another. */
static void ws_client_put_on_close(struct ws_client *first, void **handler) {
  if (first->on_close)
    ws_roots_drop(handler);
  else
    first->on_close = handler;
}

static void ws_client_ended(struct ws_conn *conn) {
  struct ws_client *client = ws_client_of(conn);
  struct ws_head_reader *head = conn->handshake;
  conn->handshake = NULL;
  ws_head_reader_wipe(&head, NULL, 0);
  if (!conn->admitted)
    return;
  ws_log(WS_LOG_INFO, "connection %" PRId64 " has ended with %d", conn->id, conn->code);
  void **handler = ws_client_first(client)->on_close;
  if (!handler) {
    ws_recently_closed_add(conn->id, ws_client_first(client)->url_text, conn->code, conn->reason);
    return;
  }
  ws_client_first(client)->on_close = NULL;
  ws_end_call_close(conn, handler);
  ws_client_put_on_close(ws_client_first(client), handler);
}

static void ws_client_release(struct ws_conn *conn) {
  ws_client_free(ws_client_of(conn));
}

static void ws_client_url(const struct ws_conn *conn, char *to, size_t room) {
  snprintf(to, room, "%s", ws_client_first(ws_client_of(conn))->url_text);
}

static struct ws_slice ws_client_protocol(const struct ws_conn *conn) {
  const char *protocol = ws_client_of(conn)->protocol;
  return ws_slice_of(protocol ? protocol : "");
}

static void ws_client_due(struct ws_conn *conn);

static const struct ws_conn_ops ws_client_ops = {
    .connected = ws_client_connected,
    .head = ws_client_head,
    .broken = ws_client_broken,
    .ended = ws_client_ended,
    .outlives = ws_stay_outlives,
    .due = ws_client_due,
    .returns = ws_stay_returns,
    .free = ws_client_release,
    .url = ws_client_url,
    .protocol = ws_client_protocol,
};

/* ---- starting */

/* On the loop thread. 0, or -1: no memory, and the client is still the caller's. */
static int ws_client_dial(struct ws_client *client, struct ws_loop *loop) {
  struct ws_conn *conn = &client->stay.conn;
  struct ws_why why;
  char host[256];
  if (ws_turn_init(conn, &client->group))
    return -1;
  conn->remote = &client->remote;
  if (ws_loop_threads_are_ending()) {
    ws_end_drop(conn, WS_DROP_LOCAL, WS_END_OF_PROGRAM);
    return 0;
  }
  int64_t now = ws_loop_refresh(loop);
  const struct ws_url *url = &ws_client_first(client)->url;
  snprintf(host, sizeof host, "%.*s", (int)url->authority.host.size, url->authority.host.data);
  client->dial =
      ws_dial_start(loop, host, url->authority.port, client->deadline_ms - now, ws_client_dialed, client, &why);
  if (!client->dial)
    ws_end_drop(conn, WS_DROP_LOCAL, why.text);
  return 0;
}

static void ws_client_run(struct ws_loop *loop, struct ws_task *task) {
  struct ws_client *client = ws_container_of(task, struct ws_client, start_task);
  if (ws_client_dial(client, loop)) {
    ws_client_failed(client, "out of memory");
    ws_client_free(client);
  }
}

static void ws_client_join(struct ws_client *client, struct ws_loop_thread *thread) {
  client->group.ops = &ws_client_ops;
  client->group.rules = &ws_client_first(client)->rules;
  client->group.thread = thread;
  client->group.members = &thread->clients;
  client->group.on_message = ws_client_first(client)->handler;
  client->group.text_only = ws_client_first(client)->text_only;
}

void ws_client_start(struct ws_client *client, struct ws_loop_thread *thread, int64_t deadline_ms, int64_t timeout_ms) {
  ws_client_join(client, thread);
  client->deadline_ms = deadline_ms;
  client->timeout_ms = (int32_t)timeout_ms;
  client->start_task.run = ws_client_run;
  if (thread == ws_loop_thread_current())
    ws_client_run(thread->loop, &client->start_task);
  else
    ws_loop_post(thread->loop, &client->start_task);
}

/* Starts a further connection. NULL: no memory, or no random bytes for the key. */
static struct ws_client *ws_client_again(struct ws_client *first) {
  struct ws_client *client = ws_client_allocate(first);
  if (!client)
    return NULL;
  ws_client_join(client, first->group.thread);
  client->timeout_ms = (int32_t)ws_client_timeout_ms(first);
  client->deadline_ms = ws_clock_ms() + client->timeout_ms;
  client->offer = first->offer;
  if (first->tls)
    client->tls = ws_tls_context_ref(first->tls);
  if (ws_handshake_key_generate(client->offer.key, &ws_random_keys) == 0 &&
      ws_client_dial(client, first->group.thread->loop) == 0)
    return client;
  ws_client_free(client);
  return NULL;
}

static void ws_client_due(struct ws_conn *conn) {
  if (!ws_stay_is_due(conn))
    return;
  struct ws_client *client = ws_client_again(ws_client_of(conn));
  ws_stay_dialed(conn, client ? &client->stay : NULL);
}

/* ---- the close handler */

/* An end of the past that no close handler has heard of is told to this one. The handler may turn the loop, and so
 * retire the ID. */
void ws_client_set_on_close(struct ws_conn *conn, void **handler) {
  struct ws_client *first = ws_client_first(ws_client_of(conn));
  ws_handle_pin_again(ws_conn_handle(conn));
  ws_roots_drop(first->on_close);
  first->on_close = NULL;
  ws_recently_closed_call(conn->group->thread, conn->id, *handler);
  ws_client_put_on_close(first, handler);
  ws_conn_unpin(conn);
}

/* ---- the end of the program */

void ws_clients_close(struct ws_loop_thread *thread) {
  for (struct ws_list_node *node = thread->clients.first; node; node = node->next) {
    struct ws_conn *conn = ws_conn_of_member(node);
    atomic_store(&ws_client_of(conn)->stay.first->left, true);
    if (ws_conn_state(conn) <= WS_CONN_HANDSHAKE)
      ws_end_drop(conn, WS_DROP_LOCAL, WS_END_OF_PROGRAM);
    else
      ws_end_close(conn, WS_CLOSE_GOING_AWAY, "", 0);
  }
  ws_stays_end(thread);
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
