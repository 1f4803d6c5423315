#include "program.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conn/loop_thread.h"
#include "oracle.h"
#include "osp_ws.h"
#include "osprey/hooks.h"
#include "peers.h"
#include "plan.h"
#include "sim.h"
#include "stays.h"
#include "timers.h"

const char *program_certificate, *program_key;
unsigned char program_hello[4096];
int program_hello_size;

/* ---- values of Osprey, as a compiler lays them out (spec/abi.md) */

struct connection {
  int64_t tag, id;
  const char *url;
  bool is_connected;
};

struct message {
  int64_t tag;
  const char *type, *data;
  int64_t timestamp;
};

struct options {
  int64_t tag;
  const char *headers, *protocols;
  bool compression;
  int64_t max_message_bytes, timeout_ms, keep_alive_ms;
};

struct result {
  int64_t value;
  int8_t discriminant;
  char *text;
};

static void *succeed(void) {
  return osp_alloc_tagged(sizeof(struct result), 0x401);
}

static void *fail_with(const char *text) {
  struct result *result = osp_alloc_tagged(sizeof *result, 0x401);
  result->discriminant = 1;
  result->text = osp_alloc((int64_t)strlen(text) + 1);
  strcpy(result->text, text);
  return result;
}

/* ---- calls */

static int64_t servers[8];
static int server_count;
static int64_t brief_server; /* that a thread created, and stops soon */
static bool is_ending;
int program_stuck_handlers;

static bool on_loop(void) {
  return ws_loop_thread_current() != NULL;
}

#define CALL(what, bound_ms, expression)                                                                               \
  ({                                                                                                                   \
    char *error_ = NULL;                                                                                               \
    char **error = &error_;                                                                                            \
    struct oracle_call call_ = oracle_call_begins(what);                                                               \
    __auto_type value_ = (expression);                                                                                 \
    oracle_call_ends(&call_, bound_ms, error_);                                                                        \
    bool ok_ = !error_;                                                                                                \
    osp_release(error_);                                                                                               \
    (void)value_;                                                                                                      \
    ok_;                                                                                                               \
  })

/* Sends `count` messages on a connection. Returns how many were taken. */
static int send_some(const char *sender, int64_t id, int64_t server, const struct plan_action *action) {
  int taken = 0;
  for (int i = 0; i < action->count; i++) {
    struct oracle_stream *stream = oracle_stream(sender, id, 0);
    char *message = oracle_message(stream, action->command, action->argument, (size_t)action->size);
    int64_t bound_ms = on_loop() ? 0 : 5000;
    bool ok;
    oracle_send_begins(stream);
    oracle_waits_to_send(on_loop() ? 0 : id, (size_t)action->size);
    if (action->op == OP_SEND_BINARY) {
      char *base64 = oracle_base64(message);
      ok = CALL("send binary", bound_ms, osp_ws_send_binary(id, base64, error));
      __real_free(base64);
    } else if (server) {
      ok = CALL("server send", bound_ms, osp_ws_server_send(server, id, message, error));
    } else {
      ok = CALL("send", bound_ms, osp_ws_send(id, message, error));
    }
    oracle_waits_to_send(0, 0);
    oracle_send_ends(stream, ok);
    __real_free(message);
    taken += ok;
    if (!ok)
      break;
  }
  return taken;
}

/* To every connection, or to those that have subscribed to `topic`. */
static bool broadcast_to(const char *topic, const char *sender, int64_t server, int size) {
  struct oracle_stream *stream = oracle_stream(sender, 0, server);
  stream->room = topic != NULL;
  char *message = oracle_message(stream, 'n', 0, (size_t)size);
  oracle_send_begins(stream);
  oracle_broadcasting(1);
  bool ok = topic ? CALL("publish", on_loop() ? 0 : 5000, osp_ws_publish(server, topic, message, error))
                  : CALL("broadcast", on_loop() ? 0 : 5000, osp_ws_server_broadcast(server, message, error));
  oracle_broadcasting(-1);
  oracle_send_ends(stream, ok);
  __real_free(message);
  return ok;
}

static bool broadcast_one(const char *sender, int64_t server, int size) {
  char speaker[24];
  snprintf(speaker, sizeof speaker, "room: %.16s", sender);
  return broadcast_to(NULL, sender, server, size) && (size % 2 || broadcast_to("room", speaker, server, size));
}

static int64_t longest_close_ms(void) {
  int64_t longest = 60000;
  for (int i = 0; i < PLAN_SERVERS; i++)
    if (plan.servers[i].close_ms > longest)
      longest = plan.servers[i].close_ms;
  return longest;
}

static void close_one(int64_t id, int code) {
  struct oracle_conn *conn = oracle_conn_find(id);
  if (conn)
    conn->closed_by_program = true;
  bool ok = code ? CALL("close", on_loop() ? 0 : longest_close_ms() + 5400, osp_ws_close_with(id, code, "done", error))
                 : CALL("close", on_loop() ? 0 : longest_close_ms() + 5400, osp_ws_close(id, error));
  if (conn && ok)
    conn->hushed = true;
}

static void stop_one(int64_t server) {
  oracle_server_stops(server);
  CALL("stop", on_loop() ? 0 : longest_close_ms() + 5600, osp_ws_stop_server(server, error));
}

/* ---- connects */

static void *text_cell[], *message_cell[], *client_close_cell[];

static int64_t connect_to(const char *url, const struct options *options, int64_t timeout_ms) {
  int64_t id = 0;
  oracle_connecting(on_loop() ? 1 : 0);
  int64_t bound_ms = on_loop() ? timeout_ms + 600000 : timeout_ms + 600;
  if (options)
    CALL("connect", bound_ms, id = osp_ws_connect_with(url, options, message_cell, error));
  else
    CALL("connect", bound_ms, id = osp_ws_connect(url, text_cell, error));
  if (id) {
    struct oracle_conn *conn = oracle_conn_of(id, 0);
    conn->admitted = true;
    conn->wants_close = true; /* once this call is a Success, which reports an end at once: WS-CLIENTCLOSE-2 */
    /* In a handler, it calls the close handler of a connection that has ended, which may wait as a handler may. */
    if (!CALL("on close", on_loop() ? 600000 : 0, osp_ws_on_close(id, client_close_cell, error)))
      conn->wants_close = false;
  }
  oracle_connecting(on_loop() ? -1 : 0);
  return id;
}

static void url_of_server(char *url, int server) {
  snprintf(url, 64, "%s://%s:%d/sim", plan.servers[server].secure ? "wss" : "ws", PROGRAM_ADDRESS,
           PROGRAM_PORT + server);
}

/* ---- handlers */

static int64_t current_id(void) {
  struct ws_loop_thread *thread = ws_loop_thread_current();
  return thread->runs[thread->handling].id;
}

/* Within one handler. */
static void create_and_stop(bool listens) {
  int64_t id = 0;
  CALL("create server", 0, id = osp_ws_create_server(PROGRAM_PORT + 90, PROGRAM_ADDRESS, "/brief", error));
  if (id && listens)
    CALL("listen", 0, osp_ws_server_listen(id, error));
  if (id)
    CALL("stop", 0, osp_ws_stop_server(id, error));
}

/* Sends a message that is written at once to another connection. */
static void tell_another(const char *sender, const struct oracle_conn *conn, int which) {
  struct plan_action action = {.op = OP_SEND, .command = 'n', .count = 1, .size = 20000};
  int64_t id = oracle_some_server_conn(which);
  if (id && id != conn->id)
    send_some(sender, id, 0, &action);
}

/* Does what a message commands. Returns the handler's result. */
static void *obey(struct oracle_conn *conn, char command, int argument, size_t size) {
  char sender[24];
  char url[64];
  bool rare = conn->receiver.count % 8 == 1;
  snprintf(sender, sizeof sender, "handler %" PRId64, conn->id);
  switch (command) {
  case 'e': {
    struct plan_action action = {.op = OP_SEND, .command = 'n', .count = 1, .size = (int)size};
    send_some(sender, conn->id, 0, &action);
    break;
  }
  case 's': /* less than 250 ms is no time away */
    if (rare || argument < 250)
      sim_sleep(argument * SIM_MS);
    break;
  case 'p':
    if (rare)
      osp_ws_sleep(argument);
    break;
  case 'b':
    if (conn->server && rare)
      broadcast_one(sender, conn->server, argument % 4096 + 64);
    break;
  case 'x':
    if (argument % 4 == 0) {
      conn->closed_by_program = true;
      return fail_with("the message is not liked");
    }
    break;
  case 'c':
    if (argument % 2 == 0)
      close_one(conn->id, argument % 3 ? 3000 + argument % 1000 : 0);
    break;
  case 'd': /* holds the loop, while others send, and closes at last */
    sim_sleep(argument % 40 * SIM_MS);
    if (conn->receiver.count == 1 + argument % 20)
      close_one(conn->id, 0);
    break;
  case 'k':
    if (rare) {
      url_of_server(url, argument % PLAN_SERVERS);
      struct options options = {0, "", "", argument % 3 == 0, 0, 2000, 0};
      connect_to(url, &options, 2000);
    }
    break;
  case 'K':
    if (rare) {
      snprintf(url, sizeof url, "ws://%s:%d/", PEER_ADDRESS, PEER_PORT + argument % PLAN_PEERS);
      connect_to(url, NULL, 10000);
    }
    break;
  case 'j':
    if (conn->receiver.count == 5 + argument % 200) {
      struct options options = {0, "", "", false, 0, 1500, 0};
      connect_to("ws://" SIM_BLACK_HOLE "/", &options, 1500);
    }
    break;
  case 'o':
    for (int i = 0; i < 3; i++)
      tell_another(sender, conn, argument + i);
    break;
  case 'w':
    sim_sleep(argument % 50 * SIM_MS);
    if (brief_server)
      stop_one(brief_server);
    break;
  case 'm':
    if (rare)
      create_and_stop(argument % 2);
    break;
  case 't':
    if (rare && argument % 4 == 0 && servers[argument % PLAN_SERVERS])
      stop_one(servers[argument % PLAN_SERVERS]);
    break;
  case 'z':
    program_stuck_handlers++;
    sim_note("a handler never returns");
    sim_sleep(SIM_FOREVER / 2);
    break;
  case 'q':
    program_exits_in_handler = true;
    sim_note("exit() in a handler");
    oracle_connecting(1); /* other handlers run inside exit() */
    oracle_all_stop();    /* a connect that is under way is an Err: WS-EXIT-5 */
    exit(0);
  default:
    break;
  }
  return succeed();
}

static void *hear(int64_t id, const char *data, bool binary) {
  struct oracle_conn *conn = oracle_conn_of(id, 0);
  int argument = 0;
  oracle_handler_begins(conn, "message");
  char *plain = binary ? oracle_from_base64(data) : NULL;
  size_t size = strlen(plain ? plain : data);
  char command = oracle_received(&conn->receiver, plain ? plain : data, size, &argument);
  if (plain)
    __real_free(plain);
  void *result = obey(conn, command, argument, size);
  oracle_handler_ends(conn);
  return result;
}

static void *on_text(void *cell, const char *text) {
  (void)cell;
  return hear(current_id(), text, false);
}

static void *on_message(void *cell, const struct connection *connection, const struct message *message) {
  (void)cell;
  return hear(connection->id, message->data, message->type[0] == 'b');
}

static void *on_open(void *cell, const struct connection *connection) {
  int server = (int)(intptr_t)((void **)cell)[1];
  struct oracle_conn *conn = oracle_conn_of(connection->id, servers[server]);
  oracle_handler_begins(conn, "open");
  bool admit = !(plan.servers[server].opener_refuses && connection->id / 2 % 3 == 0);
  if (connection->id / 2 % 2)
    CALL("subscribe", 0, osp_ws_subscribe(connection->id, "room", error));
  if (admit && connection->id / 2 % 4 == 1) {
    char sender[24];
    struct plan_action greeting = {.op = OP_SEND, .command = 'n', .count = 2, .size = 100};
    snprintf(sender, sizeof sender, "opener %" PRId64, conn->id);
    send_some(sender, conn->id, servers[server], &greeting);
  }
  if (plan.theme == THEME_BURST)
    sim_sleep((20 + connection->id * 7 % 200) * SIM_MS);
  else if (connection->id / 2 % 16 == 5)
    sim_sleep(400 * SIM_MS);
  if (plan.servers[server].opener_stops && connection->id / 2 % 3 == 0)
    stop_one(servers[server]);
  oracle_open(conn, admit);
  oracle_handler_ends(conn);
  return admit ? succeed() : fail_with("not today");
}

static void *on_close(void *cell, const struct connection *connection, int64_t code, const char *reason) {
  char sender[32];
  struct oracle_conn *conn = oracle_conn_of(connection->id, 0);
  (void)cell;
  if (connection->is_connected)
    sim_fail("4 handlers", "isConnected is true in the close handler of %" PRId64, connection->id);
  oracle_handler_begins(conn, "close");
  oracle_close(conn, code, reason);
  if (connection->id / 2 % 8 == 3)
    sim_sleep(50 * SIM_MS);
  snprintf(sender, sizeof sender, "closer %" PRId64, conn->id);
  if (connection->id / 2 % 5 == 1 && conn->server)
    broadcast_one(sender, conn->server, 200);
  if (connection->id / 2 % 8 == 5) {
    char url[64];
    snprintf(url, sizeof url, "ws://%s:%d/", PEER_ADDRESS, PEER_PORT + 7 + (int)(connection->id / 2 % 3));
    connect_to(url, NULL, 10000);
  }
  if (CALL("send", 0, osp_ws_send(connection->id, "late", error)))
    sim_fail("4 handlers", "a send on %" PRId64 " in its close handler is a Success", connection->id);
  oracle_handler_ends(conn);
  return succeed();
}

static void *text_cell[] = {(void *)on_text}, *message_cell[] = {(void *)on_message},
            *client_close_cell[] = {(void *)on_close};
static void *open_cells[PLAN_SERVERS][2], *server_message_cell[] = {(void *)on_message},
                                          *server_close_cell[] = {(void *)on_close};

/* ---- servers */

static void set_limit(int64_t id, const char *limit, int64_t value) {
  CALL("limit", 0, osp_ws_server_limit(id, limit, value, error));
}

static void serve_page(int64_t id) {
  char *body = __real_malloc(PROGRAM_PAGE_SIZE + 1);
  memset(body, PROGRAM_PAGE_LETTER[0], PROGRAM_PAGE_SIZE);
  body[PROGRAM_PAGE_SIZE] = '\0';
  CALL("page", 0, osp_ws_server_page(id, "/page", "text/plain", body, error));
  __real_free(body);
}

static void create(int at) {
  const struct plan_server *s = &plan.servers[at];
  int64_t id = 0;
  if (s->secure)
    CALL("create server", 10000,
         id = osp_ws_create_secure_server(PROGRAM_PORT + at, PROGRAM_ADDRESS, "/sim", program_certificate, program_key,
                                          error));
  else
    CALL("create server", 10000, id = osp_ws_create_server(PROGRAM_PORT + at, PROGRAM_ADDRESS, "/sim", error));
  if (!id)
    return;
  servers[at] = id;
  if (at >= server_count)
    server_count = at + 1;
  oracle_server_created(id, s->has_message_handler);
  set_limit(id, "maxMessageBytes", s->message);
  set_limit(id, "maxQueuedBytes", s->queue);
  set_limit(id, "maxMemoryBytes", s->memory);
  set_limit(id, "idleTimeoutMs", s->idle_ms);
  set_limit(id, "handshakeTimeoutMs", s->handshake_ms);
  set_limit(id, "closeTimeoutMs", s->close_ms);
  set_limit(id, "maxMessagesPerSecond", s->rate);
  set_limit(id, "compression", s->compression);
  open_cells[at][0] = (void *)on_open;
  open_cells[at][1] = (void *)(intptr_t)at;
  CALL("on open", 0, osp_ws_server_on_open(id, open_cells[at], error));
  CALL("on close", 0, osp_ws_server_on_close(id, server_close_cell, error));
  if (s->has_message_handler)
    CALL("on message", 0, osp_ws_server_on_message(id, server_message_cell, error));
  if (plan.theme == THEME_BURST)
    serve_page(id);
  CALL("listen", 5000, osp_ws_server_listen(id, error));
}

/* ---- the program's threads */

struct thread {
  int index;
  int64_t ids[32];
  int count;
};

static void remember(struct thread *thread, int64_t id) {
  if (id)
    thread->ids[thread->count++ % 32] = id;
}

static int64_t an_id(const struct thread *thread, int which) {
  int count = thread->count < 32 ? thread->count : 32;
  return count ? thread->ids[which % count] : 0;
}

static void connect_for(struct thread *thread, const struct plan_action *action) {
  char url[64];
  int64_t timeout_ms = action->argument % 5 == 0 ? 1500 : 0;
  struct options options = {
      0, "X-Simulated: yes", "", action->which % 2 == 0, 0, timeout_ms, action->which % 7 == 0 ? 5000 : 0};
  if (action->op == OP_CONNECT)
    url_of_server(url, action->which % PLAN_SERVERS);
  else if (action->op == OP_CONNECT_PEER)
    snprintf(url, sizeof url, "ws://%s:%d/", PEER_ADDRESS, PEER_PORT + 7 + action->which % 3);
  else
    snprintf(url, sizeof url, "ws://%s:%d/sim", sim_names[action->which % 8].name, PROGRAM_PORT);
  bool with = timeout_ms || action->flag;
  remember(thread, connect_to(url, with ? &options : NULL, timeout_ms && with ? timeout_ms : 10000));
}

static void look(int64_t id, int64_t server) {
  CALL("queued bytes", 0, osp_ws_queued_bytes(id, error));
  CALL("server connections", 0, osp_ws_server_connections(server, error));
  char *nothing;
  void *value = osp_ws_connection(id, &nothing);
  osp_release(value);
  osp_release(nothing);
  value = osp_ws_remote_address(id, &nothing);
  osp_release(value);
  osp_release(nothing);
  value = osp_ws_protocol(id, &nothing);
  osp_release(value);
  osp_release(nothing);
  value = osp_ws_request_path(id, &nothing);
  osp_release(value);
  osp_release(nothing);
  value = osp_ws_request_query(id, "simulated", &nothing);
  osp_release(value);
  osp_release(nothing);
  value = osp_ws_request_header(id, "X-Simulated", &nothing);
  osp_release(value);
  osp_release(nothing);
}

static void call_wrongly(int64_t id, int64_t server) {
  CALL("send", 0, osp_ws_send(0, "nobody", error));
  CALL("send", 0, osp_ws_send(server, "a server", error));
  CALL("send", 5000, osp_ws_send(id ? id : 3, "not UTF-8: \xff", error));
  CALL("close", 0, osp_ws_close_with(id ? id : 3, 1005, "", error));
  CALL("limit", 0, osp_ws_server_limit(server, "maxMessageBytes", 5, error));
  CALL("listen", 5000, osp_ws_server_listen(server, error));
  CALL("create server", 0, osp_ws_create_server(0, PROGRAM_ADDRESS, "/sim", error));
  CALL("create server", 10000, osp_ws_create_server(PROGRAM_PORT, PROGRAM_ADDRESS, "/sim", error));
}

static void create_brief(const struct plan_action *action) {
  for (int i = 0; i < action->count && !brief_server && !is_ending; i++) {
    int64_t id = 0;
    CALL("create server", 10000, id = osp_ws_create_server(PROGRAM_PORT + 80, PROGRAM_ADDRESS, "/brief", error));
    if (!id)
      return;
    oracle_server_created(id, false);
    brief_server = id;
    CALL("listen", 5000, osp_ws_server_listen(id, error));
    sim_sleep(action->argument % 20 * SIM_MS);
    stop_one(id);
    brief_server = 0;
  }
}

static void act(struct thread *thread, const struct plan_action *action) {
  char sender[24];
  int64_t server = servers[action->which % PLAN_SERVERS];
  int64_t id = an_id(thread, action->which);
  snprintf(sender, sizeof sender, "thread %d", thread->index);
  if (action->flag && (action->op == OP_SEND || action->op == OP_CLOSE))
    id = oracle_some_server_conn(action->which);
  switch (action->op) {
  case OP_CONNECT:
  case OP_CONNECT_PEER:
  case OP_CONNECT_NAME:
    connect_for(thread, action);
    break;
  case OP_SEND:
  case OP_SEND_BINARY:
    if (id)
      send_some(sender, id, 0, action);
    break;
  case OP_BROADCAST:
    for (int i = 0; server && i < action->count && broadcast_one(sender, server, action->size); i++)
      if (action->argument % 3 == 0)
        sim_sleep(10 * SIM_MS);
    break;
  case OP_CLOSE:
    if (id)
      close_one(id, action->argument % 3 ? 0 : 3000 + action->argument % 1000);
    break;
  case OP_STOP:
    if (server && action->argument % 3 == 0)
      stop_one(server);
    break;
  case OP_SLEEP:
    osp_ws_sleep(action->argument);
    break;
  case OP_CREATE:
    if (!servers[action->which % PLAN_SERVERS] || oracle_server_is_stopped(servers[action->which % PLAN_SERVERS]))
      create(action->which % PLAN_SERVERS);
    break;
  case OP_BRIEF:
    create_brief(action);
    break;
  case OP_LOOK:
    look(id, server);
    break;
  default:
    call_wrongly(id, server);
  }
}

/* A close returns after 5 s if a handler holds the loop, with input that the loop has not seen: WS-CLOSE-5. */
static void hush_run(void *context) {
  char url[64];
  (void)context;
  sim_sleep(12 * SIM_S);
  snprintf(url, sizeof url, "ws://%s:%d/", PEER_ADDRESS, PEER_PORT + 7);
  int64_t id = is_ending ? 0 : connect_to(url, NULL, 10000);
  snprintf(url, sizeof url, "ws://%s:%d/", PEER_ADDRESS, PEER_PORT + 8);
  if (!is_ending)
    connect_to(url, NULL, 10000);
  sim_sleep(100 * SIM_MS);
  if (id && !is_ending)
    close_one(id, 0);
}

static void thread_run(void *context) {
  struct thread *thread = context;
  for (int i = 0; i < PLAN_ACTIONS; i++) {
    const struct plan_action *action = &plan.actions[thread->index][i];
    if (!action->on)
      continue;
    sim_sleep(action->before_us);
    if (is_ending)
      return;
    act(thread, action);
  }
}

/* ---- faults */

static void trouble_run(void *context) {
  const struct plan_fault *fault = context;
  sim_sleep(fault->at_us);
  if (is_ending)
    return;
  switch (fault->kind) {
  case FAULT_STOP_PROCESS:
    sim_stop_process(fault->for_us);
    break;
  case FAULT_STALL:
    sim_note("links stall for %lld ms", (long long)(fault->for_us / SIM_MS));
    for (struct sim_sock *sock = sim_socks; sock; sock = sock->next)
      if (sock->state == SIM_CONNECTED && ntohs(sock->local.sin_port) % 3 == fault->which % 3) {
        sim_sock_stall(sock, fault->for_us);
        sock->troubled = sock->other->troubled = true;
      }
    break;
  case FAULT_BREAK:
    for (struct sim_sock *sock = sim_socks; sock; sock = sock->next)
      if (sock->state == SIM_CONNECTED && !sock->closed && sock->other &&
          fault->which % 5 == ntohs(sock->local.sin_port) % 5) {
        sim_note("the connection of port %d breaks", ntohs(sock->local.sin_port));
        sock->troubled = sock->other->troubled = true;
        sim_sock_break(sock);
        if (plan.theme != THEME_RUMOUR)
          break;
      }
    break;
  default:
    sim_note("no descriptors for %lld ms", (long long)(fault->for_us / SIM_MS));
    sim_fd_limit = sim_fd_count() + 3 + 2 * plan.loops;
    sim_sleep(fault->for_us < 20 * SIM_S ? fault->for_us : 20 * SIM_S);
    sim_fd_limit = 512;
  }
}

/* ---- main */

static struct thread threads[PLAN_THREADS];
static struct sim_thread *running[PLAN_THREADS];
bool program_exits_in_handler;

/* The kernel closes what the process had open, and the peers read what is on its way. */
static void afterlife_run(void *context) {
  (void)context;
  for (struct sim_sock *sock = sim_socks; sock; sock = sock->next)
    if (sock->of_process && (sock->fd >= 0 || sock->state == SIM_LISTENING))
      sim_sock_close(sock);
  sim_sleep(3600 * SIM_S);
  oracle_end(program_stuck_handlers > 0, program_exits_in_handler);
}

static void process_is_gone(void) {
  oracle_process_is_gone(program_stuck_handlers > 0, program_exits_in_handler);
  sim_thread_new("afterlife", false, afterlife_run, NULL);
  sim_stop_process(SIM_FOREVER / 2);
  sim_sleep(SIM_FOREVER / 2);
}

static void signal_run(void *context) {
  (void)context;
  sim_sleep(100 * SIM_MS);
  sim_note("SIGTERM");
  for (int i = 0; i < 50; i++) {
    sim_signal(SIGTERM);
    sim_sleep(SIM_S);
  }
}

/* Builtins during the end of the program, and after it. */
static void storm_run(void *context) {
  struct thread own = {.index = 9};
  static const struct plan_action send = {.op = OP_SEND, .command = 'n', .count = 3, .size = 500};
  static const struct plan_action connect = {.op = OP_CONNECT};
  const char *name = context;
  for (int i = 0; i < 60; i++) {
    int64_t id = oracle_some_server_conn(i);
    if (id)
      send_some(name, id, 0, &send);
    if (i % 8 == 0)
      connect_for(&own, &connect);
    look(id, servers[i % PLAN_SERVERS]);
    if (i % 5 == 0 && servers[0])
      broadcast_one(name, servers[0], 100);
    sim_sleep(i % 3 * SIM_MS);
  }
}

/* A handler ends the program, or is stuck, because a message says so. */
static void command_by_client(char command) {
  char url[64];
  struct options options = {0, "", "", false, 0, 0, 0};
  url_of_server(url, 0);
  int64_t id = connect_to(url, &options, 10000);
  struct plan_action action = {.op = OP_SEND, .command = command, .count = 1, .size = 64};
  if (id)
    send_some("main", id, 0, &action);
}

/* So that a storm has connections to send on. */
static void open_some(void) {
  struct thread own = {.index = 8};
  static const struct plan_action connect = {.op = OP_CONNECT};
  if (oracle_server_is_stopped(servers[0]))
    create(0);
  for (int i = 0; i < 4; i++)
    connect_for(&own, &connect);
}

static void end_program(void) {
  static char names[][8] = {"storm 0", "storm 1", "storm 2"};
  if (plan.theme == THEME_STORM)
    open_some();
  is_ending = true;
  for (int i = 0; plan.storms && i < (plan.theme == THEME_STORM ? 3 : 1); i++)
    sim_thread_new(names[i], true, storm_run, names[i]);
  if (plan.theme == THEME_STORM)
    sim_sleep(sim_in(0, 30) * SIM_MS);
  switch (plan.end) {
  case END_HANDLER_EXIT:
    command_by_client('q');
    sim_sleep(200 * SIM_S);
    break;
  case END_KEEP_ALIVE:
    sim_thread_new("signal", false, signal_run, NULL);
    oracle_all_stop();
    CALL("keep alive", longest_close_ms() + 5600 + 2000, osp_ws_keep_alive(error));
    break;
  case END_STOP_ALL:
    for (int i = 0; i < server_count; i++)
      if (servers[i])
        stop_one(servers[i]);
    break;
  default:
    break;
  }
  oracle_all_stop();
  sim_note("main %s", plan.end == END_EXIT ? "exits" : "returns");
  struct oracle_call call = oracle_call_begins("the end of the program");
  sim_run_atexit();
  /* A handler that does not return is waited for once: 5 s, and another second for its thread. */
  oracle_call_ends(&call, program_stuck_handlers ? 5000 + 1000 + 600 : longest_close_ms() + 500 + 5100 + 1100, NULL);
  if (plan.storms) /* exit() has more to do */
    sim_sleep(sim_in(0, 1000) * SIM_MS);
  process_is_gone();
}

void program_main(void) {
  sim_on_exit = process_is_gone;
  for (int i = 0; i < PLAN_SERVERS; i++)
    if (plan.servers[i].on)
      create(i);
  peers_start();
  for (int t = 0; t < PLAN_THREADS; t++) {
    threads[t].index = t;
    if (plan.actions[t][0].on || t == 0)
      running[t] = sim_thread_new("program", true, thread_run, &threads[t]);
  }
  stays_start();
  timers_start();
  if (plan.theme == THEME_BURST && sim_mix(plan.seed ^ 0x4054) % 4 == 0)
    sim_thread_new("hushing", true, hush_run, NULL);
  for (int i = 0; i < PLAN_FAULTS; i++)
    if (plan.trouble[i].on)
      sim_thread_new("trouble", false, trouble_run, &plan.trouble[i]);
  sim_sleep(plan.length_us);
  sim_note("faults cease");
  sim_faults = (struct sim_faults){.partial = sim_faults.partial, .descheduled = sim_faults.descheduled};
  if (plan.stuck)
    command_by_client('z');
  else
    sim_sleep(100 * SIM_S);
  if (!plan.stuck)
    oracle_calm();
  end_program();
}
