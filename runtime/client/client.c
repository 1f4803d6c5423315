/* A connect is begun by its caller, carried out on a thread, and waited for by the caller: on another thread by ws_wait, on
 * the worker itself by turning the loop. The two share a struct ws_connect, which whoever is last frees: a caller that has
 * waited long enough (the worker may be stuck in a handler) abandons it, and the worker then drops the connection. */
#include "client.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "abi/args.h"
#include "recently_closed.h"
#include "conn/handle.h"
#include "conn/head_reader.h"
#include "io/dial.h"
#include "io/sys.h"
#include "io/tls_context.h"
#include "osprey/log.h"
#include "abi/lookup.h"
#include "protocol/close_code.h"
#include "protocol/handshake.h"
#include "conn/random.h"
#include "osprey/roots.h"
#include "io/wait.h"

enum {
  WS_CONNECT_TIMEOUT_MS = 10000,
  WS_CONNECT_GRACE_MS = 500, /* for the worker to notice the deadline before the caller does */
  WS_CONNECT_NESTING = 32,
  WS_KEEP_ALIVE_MS = 60000,
  WS_CLIENT_MESSAGE_BYTES = 1048576,
  WS_CLIENT_FRAGMENTS = 100000,
  WS_CLIENT_QUEUE_BYTES = 16777216,
  WS_OPTION_MAX = 1 << 30,
};

enum ws_connect_state { WS_CONNECT_PENDING, WS_CONNECT_DONE, WS_CONNECT_FAILED, WS_CONNECT_ABANDONED };

/* What caller and worker share. */
struct ws_connect {
  _Atomic int state;
  _Atomic int references;
  int64_t id;
  struct ws_error error;
};

struct ws_client {
  struct ws_group group;
  struct ws_conn conn;
  struct ws_rules rules;
  struct ws_client *next, **link; /* of the worker */
  struct ws_task start_task;
  struct ws_connect *connect; /* until it has ended */
  struct ws_dial *dial;
  struct ws_tls_context *tls;
  struct ws_chunk *request; /* holds secrets: wiped when the handshake has ended */
  int64_t deadline_ms;
  int64_t timeout_ms;
  char *url_text;
  char *headers;
  char *protocols;
  char *protocol;    /* chosen; NULL: none */
  struct ws_url url; /* of url_text */
  struct ws_client_offer offer;
  struct ws_address_quota_entry peer;
  void **handler;
  void **on_close;
  bool text_only;
  bool has_ended;
};

static _Atomic int ws_clients_alive;
static pthread_mutex_t ws_clients_tls_lock = PTHREAD_MUTEX_INITIALIZER;
static struct ws_tls_context *ws_clients_tls;

static struct ws_client *ws_client_of(const struct ws_conn *conn) {
  return (struct ws_client *)(void *)((char *)(uintptr_t)conn - offsetof(struct ws_client, conn));
}

/* ---- the connect shared by caller and worker */

static void ws_connect_unref(struct ws_connect *connect) {
  if (atomic_fetch_sub(&connect->references, 1) == 1)
    ws_mem_free(connect);
}

/* The worker's part is over. False: the caller has gone. */
static bool ws_connect_settle(struct ws_client *client, enum ws_connect_state state) {
  struct ws_connect *connect = client->connect;
  int pending = WS_CONNECT_PENDING;
  client->connect = NULL;
  connect->id = client->conn.id;
  bool heard = atomic_compare_exchange_strong(&connect->state, &pending, (int)state);
  ws_wait_notify();
  ws_connect_unref(connect);
  return heard;
}

static void ws_client_failed(struct ws_client *client, const char *cause) {
  char shown[512];
  if (!client->connect)
    return;
  ws_error_connect(&client->connect->error, ws_log_url(shown, sizeof shown, client->url_text), cause);
  ws_connect_settle(client, WS_CONNECT_FAILED);
}

/* The deadline of what follows the dial, which has its own. */
static void ws_client_late(struct ws_client *client) {
  char shown[512];
  const char *stage = client->conn.stream_ready ? "during the WebSocket handshake" : "during the TLS handshake";
  ws_error_connect_timeout(&client->connect->error, ws_log_url(shown, sizeof shown, client->url_text),
                           client->timeout_ms, stage);
  ws_connect_settle(client, WS_CONNECT_FAILED);
}

/* ---- memory */

/* Once the handshake has ended, or failed. */
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
  ws_root_drop(client->handler);
  ws_root_drop(client->on_close);
  ws_tls_context_unref(client->tls);
  ws_mem_free(client->protocol);
  ws_mem_free_secret(client->protocols);
  ws_mem_free_secret(client->url_text);
  ws_mem_free(client);
  atomic_fetch_sub(&ws_clients_alive, 1);
  ws_wait_notify();
}

/* ---- the handshake, on the worker */

static void ws_client_dialed(void *context, int fd, const struct ws_why *why) {
  struct ws_client *client = context;
  struct ws_conn *conn = &client->conn;
  struct ws_why tls_why;
  char host[256];
  client->dial = NULL;
  if (fd < 0) {
    ws_conn_break(conn, why->text);
    return;
  }
  if (ws_address_of_peer(fd, &client->peer.address) == 0)
    conn->port = ws_address_port(&client->peer.address);
  snprintf(host, sizeof host, "%.*s", (int)client->url.authority.host.size, client->url.authority.host.data);
  if (!client->tls) {
    ws_stream_open_tcp(&conn->stream, fd);
  } else if (ws_stream_open_tls_client(&conn->stream, fd, client->tls, host, &tls_why)) {
    ws_sys_close(fd);
    ws_conn_break(conn, tls_why.text);
    return;
  }
  ws_conn_start(conn, client->deadline_ms);
}

static void ws_client_start(struct ws_loop *loop, struct ws_task *task) {
  struct ws_client *client = (struct ws_client *)(void *)((char *)task - offsetof(struct ws_client, start_task));
  struct ws_loop_thread *thread = client->group.thread;
  struct ws_why why;
  char host[256];
  client->next = thread->clients;
  client->link = &thread->clients;
  if (client->next)
    client->next->link = &client->next;
  thread->clients = client;
  if (ws_conn_init(&client->conn, &client->group)) {
    *client->link = client->next;
    if (client->next)
      client->next->link = client->link;
    ws_client_failed(client, "out of memory");
    ws_client_free(client);
    return;
  }
  client->conn.peer = &client->peer;
  if (thread->ending) {
    ws_conn_break(&client->conn, "the program is ending");
    return;
  }
  int64_t now = ws_loop_refresh(loop);
  snprintf(host, sizeof host, "%.*s", (int)client->url.authority.host.size, client->url.authority.host.data);
  client->dial =
      ws_dial_start(loop, host, client->url.authority.port, client->deadline_ms - now, ws_client_dialed, client, &why);
  if (!client->dial)
    ws_conn_break(&client->conn, why.text);
}

/* Writes the request into a block that the queue shares and this end wipes. */
static void ws_client_connected(struct ws_conn *conn) {
  enum { ROOM = WS_URL_MAX + 8192 + 65536 + 1024 };
  struct ws_client *client = ws_client_of(conn);
  struct ws_loop *loop = conn->group->thread->loop;
  client->request = ws_chunk_new(ROOM);
  size_t size = 0;
  if (client->request)
    size = ws_client_request_write((char *)client->request->bytes, ROOM, &client->offer);
  if (!size || size > ROOM) {
    ws_conn_break(conn, size ? "the request is too long" : "out of memory");
    return;
  }
  if (ws_outq_take(&conn->out, loop, ws_chunk_ref(client->request), 0, size)) {
    ws_chunk_unref(client->request);
    ws_conn_break(conn, "out of memory");
    return;
  }
  ws_outq_charge(&conn->out, size);
  ws_conn_flush(conn);
}

static int ws_client_accept(struct ws_client *client, const struct ws_client_answer *answer) {
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
  if (!ws_connect_settle(client, WS_CONNECT_DONE))
    ws_conn_close(conn, WS_CLOSE_GOING_AWAY, "", 0);
}

/* The answer is whole, or wrong. */
static void ws_client_answered(struct ws_client *client, int outcome, const struct ws_http_head *head) {
  char cause[512];
  struct ws_client_answer answer;
  enum ws_client_problem problem = WS_CLIENT_OK;
  if (outcome != WS_HTTP_COMPLETE)
    ws_client_explain_head(cause, sizeof cause, head);
  else
    problem = ws_client_check(head, &client->offer, &answer);
  if (problem != WS_CLIENT_OK)
    ws_client_explain(cause, sizeof cause, problem, head);
  if (outcome == WS_HTTP_COMPLETE && problem == WS_CLIENT_OK) {
    if (ws_client_accept(client, &answer) == 0) {
      ws_client_opened(client);
      return;
    }
    snprintf(cause, sizeof cause, "out of memory");
  }
  ws_conn_break(&client->conn, cause);
}

static size_t ws_client_head(struct ws_conn *conn, uint8_t *bytes, size_t n) {
  struct ws_client *client = ws_client_of(conn);
  struct ws_http_head scratch;
  struct ws_http_head *head;
  struct ws_head_reader *kept = conn->handshake;
  size_t used;
  int outcome = ws_head_reader_feed(&kept, &scratch, WS_HTTP_RESPONSE, bytes, n, &head, &used);
  conn->handshake = kept;
  if (outcome == WS_HTTP_PARTIAL)
    return n;
  conn->handshake = NULL;
  if (outcome == WS_HEAD_READER_NO_MEMORY)
    ws_conn_break(conn, "out of memory");
  else
    ws_client_answered(client, outcome, head);
  ws_head_reader_wipe(&kept, bytes, used);
  ws_client_wipe_secrets(client);
  return used;
}

static void ws_client_broken(struct ws_conn *conn, const char *why) {
  struct ws_client *client = ws_client_of(conn);
  char cause[512];
  /* What a server that expects TLS does to a request that is none. */
  bool wordless = conn->lost && !client->url.secure && !conn->handshake;
  if (!why) {
    ws_client_late(client);
    return;
  }
  snprintf(cause, sizeof cause, "%s%s", why, wordless ? " (does the server want wss://?)" : "");
  ws_client_failed(client, cause);
}

/* ---- messages and the end */

static enum ws_verdict ws_client_message(struct ws_conn *conn, struct ws_call *call, bool binary, const uint8_t *bytes,
                                         size_t n) {
  struct ws_client *client = ws_client_of(conn);
  if (client->text_only && binary) {
    ws_conn_fail(conn, WS_CLOSE_UNSUPPORTED_DATA, "binary messages are not handled here");
    return WS_VERDICT_SUCCESS;
  }
  if (client->text_only)
    return ws_call_text(call, *client->handler, bytes, n);
  void *record = ws_conn_record(conn);
  return record
             ? ws_call_message(call, *client->handler, record, binary, bytes, n, ws_loop_now(conn->group->thread->loop))
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
  ws_client_failed(client, "out of memory"); /* no effect where the connect has been told */
  client->has_ended = true;
  if (!conn->admitted)
    return;
  ws_log(WS_LOG_INFO, "connection %" PRId64 " has ended with %d", conn->id, conn->code);
  if (client->on_close)
    ws_conn_call_close(conn, client->on_close);
  else
    ws_recently_closed_add(conn->id, client->url_text, conn->code, conn->reason);
}

static void ws_client_left(struct ws_conn *conn) {
  struct ws_client *client = ws_client_of(conn);
  *client->link = client->next;
  if (client->next)
    client->next->link = client->link;
}

static void ws_client_release(struct ws_conn *conn) {
  ws_client_free(ws_client_of(conn));
}

static void ws_client_url(const struct ws_conn *conn, char *to, size_t room) {
  snprintf(to, room, "%s", ws_client_of(conn)->url_text);
}

static const struct ws_conn_ops ws_client_ops = {
    .connected = ws_client_connected,
    .head = ws_client_head,
    .message = ws_client_message,
    .broken = ws_client_broken,
    .ended = ws_client_ended,
    .left = ws_client_left,
    .free = ws_client_release,
    .url = ws_client_url,
};

const char *ws_client_protocol(const struct ws_conn *conn) {
  const char *protocol = ws_client_of(conn)->protocol;
  return protocol ? protocol : "";
}

/* ---- the caller's part */

/* The context that all client connections share, made for the first of them that is secure. */
static struct ws_tls_context *ws_clients_tls_context(struct ws_why *why) {
  pthread_mutex_lock(&ws_clients_tls_lock);
  if (!ws_clients_tls)
    ws_clients_tls = ws_tls_context_new_client(why);
  struct ws_tls_context *context = ws_clients_tls ? ws_tls_context_ref(ws_clients_tls) : NULL;
  pthread_mutex_unlock(&ws_clients_tls_lock);
  return context;
}

static int ws_option_check(const char *op, const char *option, int64_t value, int64_t high, struct ws_error *error) {
  if (value >= 0 && value <= high)
    return 0;
  ws_error_option_range(error, op, option, value, high);
  return -1;
}

static int ws_options_check(const char *op, const struct ws_options_record *options, struct ws_error *error) {
  if (ws_headers_check(op, options->headers, error))
    return -1;
  if (ws_protocols_check(op, options->protocols, error) ||
      ws_option_check(op, "maxMessageBytes", options->max_message_bytes, WS_OPTION_MAX, error) ||
      ws_option_check(op, "timeoutMs", options->timeout_ms, INT32_MAX, error) ||
      ws_option_check(op, "keepAliveMs", options->keep_alive_ms, WS_OPTION_MAX, error))
    return -1;
  return 0;
}

static void ws_client_set_rules(struct ws_client *client, const struct ws_options_record *options) {
  int64_t most = options && options->max_message_bytes ? options->max_message_bytes : WS_CLIENT_MESSAGE_BYTES;
  client->rules = (struct ws_rules){
      .role = WS_ROLE_CLIENT,
      .max_message_bytes = (uint32_t)most,
      .max_fragments = WS_CLIENT_FRAGMENTS,
      .max_ratio = WS_DEFLATE_RATIO,
      .max_queued_bytes = WS_CLIENT_QUEUE_BYTES,
      /* A ping after one interval, the end after two. */
      .idle_timeout_ms =
          (uint32_t)(2 * (options && options->keep_alive_ms ? options->keep_alive_ms : WS_KEEP_ALIVE_MS)),
  };
  if ((size_t)most + WS_FRAME_HEADER_MAX > client->rules.max_queued_bytes)
    client->rules.max_queued_bytes = (size_t)most + WS_FRAME_HEADER_MAX;
  client->timeout_ms = options && options->timeout_ms ? options->timeout_ms : WS_CONNECT_TIMEOUT_MS;
}

/* Copies what the caller only lent. 0, or -1: no memory. */
static int ws_client_copy(struct ws_client *client, const char *url, const struct ws_options_record *options,
                          void *handler) {
  client->url_text = ws_mem_strdup(url);
  client->handler = ws_root_keep(handler);
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

/* Everything that can be wrong before the network is touched. NULL with the cause in `why`. */
static struct ws_client *ws_client_new(const char *url, const struct ws_options_record *options, void *handler,
                                       struct ws_why *why) {
  struct ws_client *client = ws_mem_calloc(1, sizeof *client);
  struct ws_connect *connect = ws_mem_calloc(1, sizeof *connect);
  ws_why_set(why, "out of memory");
  if (!client || !connect) {
    ws_mem_free(client);
    ws_mem_free(connect);
    return NULL;
  }
  atomic_fetch_add(&ws_clients_alive, 1);
  ws_client_set_rules(client, options);
  bool made = ws_client_copy(client, url, options, handler) == 0;
  if (made && ws_client_key(client->offer.key, &ws_random_keys)) {
    ws_why_set(why, "no random bytes for the key");
    made = false;
  }
  if (made && client->url.secure) {
    client->tls = ws_clients_tls_context(why);
    made = client->tls != NULL;
  }
  if (!made) {
    ws_client_free(client);
    ws_mem_free(connect);
    return NULL;
  }
  atomic_store(&connect->references, 2);
  client->connect = connect;
  return client;
}

static bool ws_connect_is_settled(void *context) {
  struct ws_connect *connect = context;
  return atomic_load(&connect->state) != WS_CONNECT_PENDING;
}

/* Handlers that wait on one worker return in the order of the stack, the innermost first. So an inner connect has no more time
 * than the one around it: without that, the outermost would wait for the sum of them all. */
static int64_t ws_connect_deadline(const struct ws_loop_thread *here, int64_t now, int64_t timeout_ms) {
  int64_t deadline_ms = now + timeout_ms;
  if (here && here->nesting > 0 && here->patience_ms < deadline_ms)
    deadline_ms = here->patience_ms;
  return deadline_ms > now ? deadline_ms : now + 1;
}

/* Waits on the worker itself: the loop turns until the outcome is there. */
static void ws_connect_await_here(struct ws_loop_thread *here, struct ws_connect *connect, int64_t deadline_ms) {
  int64_t outer_ms = here->patience_ms;
  here->patience_ms = deadline_ms;
  here->nesting++;
  while (!ws_connect_is_settled(connect) && ws_loop_turn(here->loop, -1) == 0)
    ;
  here->nesting--;
  here->patience_ms = outer_ms;
}

/* Waits for the outcome; where the worker does not answer in time, gives up. */
static void ws_connect_await(struct ws_connect *connect, const char *url, int64_t timeout_ms, int64_t deadline_ms) {
  struct ws_loop_thread *here = ws_loop_thread_current();
  char shown[512];
  int pending = WS_CONNECT_PENDING;
  if (here)
    ws_connect_await_here(here, connect, deadline_ms);
  else
    ws_wait_until(deadline_ms + WS_CONNECT_GRACE_MS, ws_connect_is_settled, connect);
  if (atomic_compare_exchange_strong(&connect->state, &pending, WS_CONNECT_ABANDONED))
    ws_error_connect_timeout(&connect->error, ws_log_url(shown, sizeof shown, url), timeout_ms,
                             "a handler keeps the loop from going on");
}

/* Hands the client to its worker and waits. */
static int64_t ws_client_run(struct ws_client *client, const char *url, struct ws_error *error) {
  struct ws_connect *connect = client->connect;
  struct ws_loop_thread *thread = ws_loop_thread_next();
  int64_t now = ws_clock_ms();
  int64_t deadline_ms = ws_connect_deadline(ws_loop_thread_current(), now, client->timeout_ms);
  int64_t timeout_ms = deadline_ms - now;
  client->group = (struct ws_group){.ops = &ws_client_ops, .rules = &client->rules, .thread = thread};
  client->deadline_ms = deadline_ms;
  client->timeout_ms = timeout_ms;
  client->start_task.run = ws_client_start;
  if (thread == ws_loop_thread_current())
    ws_client_start(thread->loop, &client->start_task);
  else
    ws_loop_post(thread->loop, &client->start_task);
  ws_connect_await(connect, url, timeout_ms, deadline_ms);
  int64_t id = atomic_load(&connect->state) == WS_CONNECT_DONE ? connect->id : 0;
  if (!id)
    *error = connect->error;
  ws_connect_unref(connect);
  return id;
}

int64_t ws_client_connect(const char *url, const struct ws_options_record *options, void *handler,
                          struct ws_error *error) {
  char shown[512];
  char op[sizeof shown + 16];
  struct ws_url parsed;
  struct ws_why why;
  struct ws_loop_thread *here = ws_loop_thread_current();
  ws_log_url(shown, sizeof shown, url);
  snprintf(op, sizeof op, "connect %s", shown);
  enum ws_url_problem problem = ws_url_parse(&parsed, url, strlen(url));
  if (problem != WS_URL_OK) {
    ws_error_connect(error, shown, ws_url_problem_text(problem));
    return 0;
  }
  if (options && ws_options_check(op, options, error))
    return 0;
  if (here && here->nesting >= WS_CONNECT_NESTING) {
    ws_error_too_deep(error, op, WS_CONNECT_NESTING);
    return 0;
  }
  if (here && here->nesting > 0 && ws_clock_ms() >= here->patience_ms) {
    ws_error_connect(error, shown, "the time of an earlier connect, whose handler still waits, ran out");
    return 0;
  }
  struct ws_client *client = ws_client_new(url, options, handler, &why);
  if (!client) {
    ws_error_connect(error, shown, why.text);
    return 0;
  }
  return ws_client_run(client, url, error);
}

/* ---- the close handler */

/* Brings a close handler to the worker of its connection. */
struct ws_on_close_task {
  struct ws_task task;
  struct ws_conn *conn; /* pinned; NULL: it has ended */
  int64_t id;
  void **handler;
};

static void ws_on_close_set(struct ws_conn *conn, void **handler) {
  struct ws_client *client = ws_client_of(conn);
  if (client->has_ended) {
    ws_recently_closed_call(conn->group->thread, conn->id, handler);
    return;
  }
  ws_root_drop(client->on_close);
  client->on_close = handler;
}

static void ws_on_close_run(struct ws_loop *loop, struct ws_task *task) {
  struct ws_on_close_task *work = (struct ws_on_close_task *)task;
  (void)loop;
  if (work->conn) {
    ws_on_close_set(work->conn, work->handler);
    ws_conn_unpin(work->conn);
  } else {
    ws_recently_closed_call(ws_loop_thread_current(), work->id, work->handler);
  }
  ws_mem_free(work);
}

/* Posts to the thread; takes the root. */
static int ws_on_close_post(struct ws_loop_thread *thread, struct ws_conn *conn, int64_t id, void **handler,
                            struct ws_error *error) {
  struct ws_on_close_task *work = ws_mem_alloc(sizeof *work);
  if (!work) {
    ws_root_drop(handler);
    ws_error_memory(error, "on close");
    return -1;
  }
  *work = (struct ws_on_close_task){.task.run = ws_on_close_run, .conn = conn, .id = id, .handler = handler};
  if (conn)
    ws_handle_pin_again(id);
  ws_loop_post(thread->loop, &work->task);
  return 0;
}

int ws_client_on_close(int64_t id, void *handler, struct ws_error *error) {
  struct ws_found found;
  int outcome = ws_find_conn("on close", id, &found, error);
  bool gone = outcome != 0 && ws_recently_closed_has(id);
  if (outcome != 0 && !gone)
    return -1;
  if (!gone && found.conn->group->server) {
    ws_error_server_connection(error, id);
    ws_found_done(&found);
    return -1;
  }
  ws_error_clear(error);
  void **root = ws_root_keep(handler);
  if (!root)
    ws_error_memory(error, "on close");
  if (!root)
    outcome = -1;
  else if (gone)
    outcome = ws_on_close_post(ws_loop_thread_next(), NULL, id, root, error);
  else if (found.local)
    ws_on_close_set(found.conn, root);
  else
    outcome = ws_on_close_post(found.conn->group->thread, found.conn, id, root, error);
  if (!gone)
    ws_found_done(&found);
  return outcome;
}

/* ---- the end of the program */

void ws_clients_close(struct ws_loop_thread *thread) {
  struct ws_client *client = thread->clients;
  thread->ending = true;
  if (client)
    ws_conn_ref(&client->conn);
  while (client) {
    struct ws_client *next = client->next;
    if (next)
      ws_conn_ref(&next->conn);
    if (ws_conn_state(&client->conn) == WS_CONN_HANDSHAKE)
      ws_conn_break(&client->conn, "the program is ending");
    else
      ws_conn_close(&client->conn, WS_CLOSE_GOING_AWAY, "", 0);
    ws_conn_unref(&client->conn);
    client = next;
  }
}

static bool ws_clients_are_gone(void *context) {
  (void)context;
  return atomic_load(&ws_clients_alive) == 0;
}

void ws_clients_await_all(int64_t deadline_ms) {
  ws_wait_until(deadline_ms, ws_clients_are_gone, NULL);
}

void ws_clients_free_all(void) {
  ws_tls_context_unref(ws_clients_tls);
  ws_clients_tls = NULL;
  ws_recently_closed_free_all();
}
