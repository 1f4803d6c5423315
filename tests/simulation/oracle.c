/* The invariants.
 *
 *   1  a message whose send was a Success arrives once, whole and in order, or its sender's close handler hears an end
 *      that explains it: WS-TEXT-1, WS-SEND-1, WS-SEND-7, WS-CLOSE-1, WS-CLOSE-2, WS-STOP-2, WS-BROADCAST-6,
 *      WS-PUBLISH-4, WS-PUBLISH-5, WS-EXIT-1
 *   2  no connection is ended by a deadline unless its peer was silent, or took nothing, for that whole time, as far as
 *      the loop could have listened: WS-TIME-1, WS-TIME-2, WS-TIME-4, WS-LIMIT-11, WS-LIMIT-12
 *   3  memory and queues stay under their limits, and nothing is left: WS-LIMIT-7, WS-LIMIT-18, WS-STOP-1, FAULT-2
 *   4  handlers: WS-ONOPEN-1, WS-ONCLOSE-1, WS-CLIENTCLOSE-1, WS-ONCLOSE-4, WS-CLOSE-5; every Err is a sentence of
 *      ws_errors.def
 *   5  every call returns in its time, and nothing waits that could go on: WS-SEND-4, WS-SEND-5, WS-CONNECT-9,
 *      WS-CLOSE-3, WS-STOP-3, WS-STOP-4, WS-EXIT-2, WS-EXIT-6, WS-PAGE-6
 *   6  a quiet connection waits for a bounded amount of work of others: WS-TIME-7, WS-TIME-10, WS-TIME-11, WS-SEC-11
 */
#include "oracle.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/lookup.h"
#include "conn/conn.h"
#include "conn/held.h"
#include "io/loop_state.h"
#include "peers.h"
#include "plan.h"
#include "server/server.h"
#include "sim.h"

static int64_t later(int64_t a, int64_t b) {
  return a > b ? a : b;
}

/* ---- messages */

enum { STREAMS = 8192, CONNS = 8192, SERVERS = 1024 };

static int64_t ended_at = SIM_FOREVER; /* when the end of the program began */
static struct oracle_stream *streams;  /* STREAMS of them */
static int stream_count;

struct oracle_stream *oracle_stream(const char *sender, int64_t connection, int64_t server) {
  for (int i = stream_count - 1; i >= 0; i--)
    if (streams[i].connection == connection && streams[i].server == server && strcmp(streams[i].sender, sender) == 0)
      return &streams[i];
  if (stream_count == STREAMS)
    sim_fail("simulation", "too many streams");
  struct oracle_stream *stream = &streams[stream_count++];
  snprintf(stream->sender, sizeof stream->sender, "%s", sender);
  stream->connection = connection;
  stream->server = server;
  return stream;
}

/* The text of a message behind its head: the letters of an even and of an odd place. */
static uint64_t filler(const struct oracle_stream *stream, int number) {
  uint64_t from = (uint64_t)(stream - streams) + (uint64_t)number * 7;
  return ('a' + from % 26) * 0x0001000100010001u + ('a' + (from + 13) % 26) * 0x0100010001000100u;
}

/* Fills text from `at` to `end` with it. */
static void fill(char *text, size_t at, size_t end, uint64_t filler) {
  if (at % 2 && at < end)
    text[at++] = (char)(filler >> 8);
  for (; at + sizeof filler <= end; at += sizeof filler)
    memcpy(text + at, &filler, sizeof filler);
  memcpy(text + at, &filler, at < end ? end - at : 0);
}

/* Where text from `at` to `end` differs from it; `end` if nowhere. */
static size_t find_damage(const char *text, size_t at, size_t end, uint64_t filler) {
  uint64_t word = filler;
  while (at % sizeof word && at < end && text[at] == (char)(filler >> at % 2 * 8))
    at++;
  if (at % sizeof word)
    return at;
  for (; at + sizeof word <= end && word == filler; at += word == filler ? sizeof word : 0)
    memcpy(&word, text + at, sizeof word);
  while (at < end && text[at] == (char)(filler >> at % 2 * 8))
    at++;
  return at;
}

char *oracle_message(struct oracle_stream *stream, char command, int argument, size_t size) {
  char *message = __real_malloc(size + 64);
  size_t n = (size_t)snprintf(message, 64, "%c%d;%d;%d;%zu;", command, argument, (int)(stream - streams),
                              stream->accepted, size);
  fill(message, n, size, filler(stream, stream->accepted));
  message[n > size ? n : size] = '\0';
  return message;
}

static void broadcast_begins(struct oracle_stream *stream);
static void broadcast_ends(const struct oracle_stream *stream);

static long call_count; /* beginnings and ends of sends */

static struct oracle_span *span_of(struct oracle_stream *stream, int number) {
  if (number >= stream->spans_room) {
    stream->spans_room = 2 * number + 16;
    stream->spans = __real_realloc(stream->spans, (size_t)stream->spans_room * sizeof *stream->spans);
  }
  return &stream->spans[number];
}

/* A message goes out behind all whose sends had ended when its own began, whatever the threads: WS-SEND-1. */
static void check_order(struct oracle_stream *stream, int number) {
  for (int i = 0; i < stream_count && stream->connection > 0; i++) {
    struct oracle_stream *other = &streams[i];
    if (other->connection == stream->connection && other->received < other->accepted &&
        span_of(other, other->received)->ended < span_of(stream, number)->begun)
      sim_fail("1 messages", "message %d of %s on %" PRId64 " overtook message %d of %s", number, stream->sender,
               stream->connection, other->received, other->sender);
  }
}

void oracle_send_begins(struct oracle_stream *stream) {
  if (!stream->connection)
    broadcast_begins(stream);
  if (stream->connection >= 0)
    span_of(stream, stream->accepted)->begun = ++call_count;
  if (stream->received == stream->accepted)
    stream->pending_since = sim_now();
  stream->attempted = stream->accepted + 1;
}

void oracle_send_ends(struct oracle_stream *stream, bool accepted) {
  if (accepted) {
    const struct oracle_conn *conn = oracle_conn_find(stream->connection);
    bool ends = conn && ended_at <= sim_now();
    if (!stream->connection)
      broadcast_ends(stream);
    if (stream->connection >= 0)
      span_of(stream, stream->accepted)->ended = ++call_count;
    stream->accepted++;
    stream->late = ends ? stream->late + 1 : 0;
  }
  stream->attempted = stream->accepted;
  if (stream->received > stream->accepted)
    sim_fail("1 messages", "a message of %s on %" PRId64 " arrived, but its send was an Err", stream->sender,
             stream->connection);
}

/* The name of the sender, whatever it sends to. */
static const char *sender_of(const struct oracle_stream *stream) {
  return strncmp(stream->sender, "room: ", 6) == 0 ? stream->sender + 6 : stream->sender;
}

/* What one thread sends, broadcasts and publishes comes in the order of its calls: WS-BROADCAST-6, WS-PUBLISH-4. */
static void check_order_of_sender(struct oracle_receiver *receiver, struct oracle_stream *stream, int number) {
  const struct oracle_span *span = span_of(stream, number);
  int i = 0;
  if (stream->connection < 0)
    return;
  while (i < receiver->sender_count && strcmp(receiver->senders[i].sender, sender_of(stream)) != 0)
    i++;
  if (i == 32)
    return;
  if (i == receiver->sender_count) {
    receiver->senders[receiver->sender_count++].sender = sender_of(stream);
    receiver->senders[i].begun = 0;
  }
  if (number < stream->accepted && span->ended < receiver->senders[i].begun)
    sim_fail("1 messages", "%s got message %d of %s after what it sent later", receiver->name, number, stream->sender);
  if (span->begun > receiver->senders[i].begun)
    receiver->senders[i].begun = span->begun;
}

static struct oracle_receiver *receivers; /* that got broadcasts */

static void keep_item(struct oracle_receiver *receiver, const struct oracle_stream *stream, int number) {
  if (!receiver->item_count) {
    receiver->next = receivers;
    receivers = receiver;
  }
  if (receiver->item_count == receiver->item_room) {
    receiver->item_room = 2 * receiver->item_room + 16;
    receiver->items = __real_realloc(receiver->items, (size_t)receiver->item_room * sizeof *receiver->items);
  }
  receiver->items[receiver->item_count++] = (struct oracle_item){stream, number};
}

/* Where b has what a has at i, from j on; its end if it has not. */
static int find_item(const struct oracle_receiver *a, int i, const struct oracle_receiver *b, int j) {
  while (j < b->item_count && (b->items[j].stream != a->items[i].stream || b->items[j].number != a->items[i].number))
    j++;
  return j;
}

/* All that is published or broadcast on a server reaches its connections in one order: WS-PUBLISH-5. */
static void check_one_order(const struct oracle_receiver *a, const struct oracle_receiver *b) {
  int at = 0;
  for (int i = 0; i < a->item_count; i++) {
    int found = find_item(a, i, b, at);
    if (found < b->item_count)
      at = found + 1;
    else if (find_item(a, i, b, 0) < b->item_count)
      sim_fail("1 messages", "%s and %s got broadcast %d of %s in different orders", a->name, b->name,
               a->items[i].number, a->items[i].stream->sender);
  }
}

static void received_broadcast(struct oracle_receiver *receiver, struct oracle_stream *stream, int number) {
  keep_item(receiver, stream, number);
  int i = 0;
  while (i < receiver->broadcast_count && receiver->broadcasts[i].stream != stream)
    i++;
  if (i == 32)
    return;
  if (i == receiver->broadcast_count) {
    receiver->broadcasts[receiver->broadcast_count++].stream = stream;
    receiver->broadcasts[i].next = number;
  }
  if (number != receiver->broadcasts[i].next)
    sim_fail("1 messages", "%s got broadcast %d of %s instead of %d", receiver->name, number, stream->sender,
             receiver->broadcasts[i].next);
  receiver->broadcasts[i].next++;
}

char oracle_received(struct oracle_receiver *receiver, const char *text, size_t n, int *argument) {
  char command;
  int index, number, used;
  size_t size;
  receiver->count++;
  if (sscanf(text, "%c%d;%d;%d;%zu;%n", &command, argument, &index, &number, &size, &used) != 5 || index < 0 ||
      index >= stream_count)
    sim_fail("1 messages", "%s got a message that nobody sent: %.60s", receiver->name, text);
  struct oracle_stream *stream = &streams[index];
  size_t whole = size > (size_t)used ? size : (size_t)used;
  if (n != whole)
    sim_fail("1 messages", "%s got %zu bytes of message %d of %s, which has %zu", receiver->name, n, number,
             stream->sender, whole);
  size_t damage = find_damage(text, (size_t)used, n, filler(stream, number));
  if (damage < n)
    sim_fail("1 messages", "%s got message %d of %s damaged at %zu", receiver->name, number, stream->sender, damage);
  if (number >= stream->attempted)
    sim_fail("1 messages", "%s got message %d of %s, which was not sent", receiver->name, number, stream->sender);
  sim_note("%s got message %d of %s on %" PRId64 ", %zu bytes", receiver->name, number, stream->sender,
           stream->connection, n);
  check_order_of_sender(receiver, stream, number);
  if (!stream->connection) {
    received_broadcast(receiver, stream, number);
    return command;
  }
  if (number != stream->received)
    sim_fail("1 messages", "%s got message %d of %s on %" PRId64 " instead of %d", receiver->name, number,
             stream->sender, stream->connection, stream->received);
  check_order(stream, number);
  stream->received++;
  stream->pending_since = sim_now();
  return command;
}

char *oracle_base64(const char *text) {
  size_t n = strlen(text);
  char *base64 = __real_malloc(n / 3 * 4 + 8);
  EVP_EncodeBlock((unsigned char *)base64, (const unsigned char *)text, (int)n);
  return base64;
}

char *oracle_from_base64(const char *base64) {
  size_t n = strlen(base64);
  char *text = __real_malloc(n + 1);
  int size = EVP_DecodeBlock((unsigned char *)text, (const unsigned char *)base64, (int)n);
  size -= n && base64[n - 1] == '=' ? (base64[n - 2] == '=' ? 2 : 1) : 0;
  text[size < 0 ? 0 : size] = '\0';
  return text;
}

/* ---- connections and handlers */

/* Handlers on each thread's stack, how many of them wait for a connect, and since when the outermost runs. */
static struct {
  int handlers, connecting;
  int64_t since;
} stacks[256];
static bool was_held; /* and a handler kept a loop for so long that the end did not wait for it */

static void look_for_hold(int thread) {
  if (stacks[thread].handlers && sim_now() > later(ended_at, stacks[thread].since) &&
      sim_now() - stacks[thread].since >= 4900 * SIM_MS)
    was_held = true;
}

static struct oracle_conn *conns; /* CONNS of them */
static int conn_count;
/* Of message handlers, by thread; of those that took longer than a run of input may. */
static long calls[256], slow_calls[256], slow_opens[256];
static long hellos;
enum { SLOW_US = 5000 };

static struct {
  int64_t id;
  bool handles, stopped;
} servers[SERVERS];
static int server_count;

void oracle_server_created(int64_t id, bool handles) {
  if (server_count < SERVERS) {
    servers[server_count].id = id;
    servers[server_count++].handles = handles;
  }
}

/* Messages to a server without a message handler are discarded. */
static bool discards(int64_t server) {
  for (int i = 0; i < server_count; i++)
    if (servers[i].id == server)
      return !servers[i].handles;
  return false;
}

void oracle_server_stops(int64_t id) {
  for (int i = 0; i < server_count; i++)
    if (servers[i].id == id)
      servers[i].stopped = true;
}

bool oracle_server_is_stopped(int64_t id) {
  for (int i = 0; i < server_count; i++)
    if (servers[i].id == id)
      return servers[i].stopped;
  return false;
}

void oracle_all_stop(void) {
  ended_at = sim_now();
  for (int i = 0; i < server_count; i++)
    servers[i].stopped = true;
}

struct oracle_conn *oracle_conn_find(int64_t id) {
  for (int i = conn_count - 1; i >= 0; i--)
    if (conns[i].id == id)
      return &conns[i];
  return NULL;
}

/* The runtime's own connection, which only its loop thread may use; here there is one thread of execution. */
static struct ws_conn *conn_of_id(int64_t id) {
  struct ws_error ignored;
  struct ws_found found;
  ws_error_clear(&ignored);
  if (id <= 0 || ws_lookup_conn("simulation", id, &found, &ignored))
    return NULL;
  struct ws_conn *conn = found.conn;
  ws_lookup_release(&found);
  return conn;
}

struct oracle_conn *oracle_conn_of(int64_t id, int64_t server) {
  struct oracle_conn *known = oracle_conn_find(id);
  if (!known) {
    if (conn_count == CONNS)
      sim_fail("simulation", "too many connections");
    known = &conns[conn_count++];
    known->id = id;
    known->server = server;
    char *name = __real_malloc(32);
    snprintf(name, 32, "connection %" PRId64, id);
    known->receiver.name = name;
  }
  if (!known->sock) {
    struct ws_conn *conn = conn_of_id(id);
    known->sock = conn ? sim_fd_sock(conn->stream.watch.fd) : NULL;
    if (known->sock) {
      known->sock->owner = known;
      known->close_ms = conn->group->rules->limits.close_timeout_ms;
    }
  }
  return known;
}

static bool is_open(const struct oracle_conn *conn) {
  const struct ws_conn *inner = conn->closed ? NULL : conn_of_id(conn->id);
  return inner && ws_conn_state(inner) == WS_CONN_OPEN;
}

static void broadcast_begins(struct oracle_stream *stream) {
  stream->begun_step = sim_steps();
  for (int i = 0; i < conn_count; i++)
    if (conns[i].server == stream->server && !conns[i].open_step && is_open(&conns[i]))
      conns[i].open_step = stream->begun_step;
}

/* The broadcast that has been accepted must reach who was open all the time: WS-BROADCAST-1, WS-BROADCAST-8. What is
 * published to a topic reaches only its subscribers. */
static void broadcast_ends(const struct oracle_stream *stream) {
  if (strncmp(stream->sender, "room: ", 6) == 0)
    return;
  for (int i = 0; i < conn_count; i++)
    if ((!stream->room || conns[i].id / 2 % 2) && conns[i].server == stream->server && conns[i].open_step &&
        conns[i].open_step <= stream->begun_step && is_open(&conns[i])) {
      conns[i].due = stream;
      conns[i].due_number = stream->accepted;
    }
}

int64_t oracle_some_server_conn(int which) {
  int count = 0;
  for (int i = 0; i < conn_count; i++)
    count += conns[i].server && !conns[i].closed;
  if (!count)
    return 0;
  which %= count;
  for (int i = 0; i < conn_count; i++)
    if (conns[i].server && !conns[i].closed && which-- == 0)
      return conns[i].id;
  return 0;
}

/* What one connection may do while another's input waits: a run's work of the smallest messages, twice. */
enum { CALLS_PER_CONN = 2 * 256, SLOW_CALLS_PER_CONN = 3 };
/* What new clients may do meanwhile, however many they are: WS-TIME-10, WS-TIME-11. In each turn that another slow
 * handler before it takes, one of them may open: WS-TIME-15. So may one in each turn that a handler makes the loop
 * take. */
enum { SLOW_OPENS = 8, HELLOS = 16 };

static void check_fairness(const struct oracle_conn *conn) {
  int64_t others = 0;
  if (!conn->sock || conn->sock->calls_at_arrival < 0)
    return;
  for (int i = 0; i < conn_count; i++)
    others += !conns[i].closed;
  long waited = calls[sim_self_index()] - conn->sock->calls_at_arrival;
  long slow = slow_calls[sim_self_index()] - conn->sock->slow_calls_at_arrival;
  long opens = slow_opens[sim_self_index()] - conn->sock->slow_opens_at_arrival;
  conn->sock->calls_at_arrival = -1;
  if (!conn->sock->other || conn->sock->other->of_process)
    return;
  if (waited > (others + 2) * CALLS_PER_CONN)
    sim_fail("6 fairness", "input of connection %" PRId64 " waited for %ld handlers of %" PRId64 " connections",
             conn->id, waited, others);
  if (slow > (others + 2) * SLOW_CALLS_PER_CONN)
    sim_fail("6 fairness", "input of connection %" PRId64 " waited for %ld slow handlers of %" PRId64 " connections",
             conn->id, slow, others);
  if (plan.theme != THEME_BURST)
    return;
  if (opens > SLOW_OPENS + (slow - opens))
    sim_fail("6 fairness", "input of connection %" PRId64 " waited for %ld slow open handlers", conn->id, opens);
  if (hellos - conn->sock->hellos_at_arrival > HELLOS)
    sim_fail("6 fairness", "input of connection %" PRId64 " waited for %ld TLS handshakes", conn->id,
             hellos - conn->sock->hellos_at_arrival);
}

void oracle_hello(void) {
  hellos++;
}

/* The calls of its thread, which is unknown here: of all threads. */
void oracle_arrived(struct sim_sock *sock) {
  const struct oracle_conn *conn = sock->of_process ? sock->owner : NULL;
  struct peer *peer = sock->of_process && sock->other && !sock->other->of_process ? sock->other->owner : NULL;
  if (!conn || !peer || peer->plan->kind == PEER_FLOOD || sim_sock_readable(sock) > 0 || plan.loops > 1)
    return;
  struct ws_conn *inner = conn_of_id(conn->id);
  if (!inner || inner->unparsed || inner->handling)
    return;
  long sum = 0, slow_sum = 0, opens_sum = 0;
  for (int i = 0; i < 256; i++)
    sum += calls[i], slow_sum += slow_calls[i], opens_sum += slow_opens[i];
  sock->calls_at_arrival = sum;
  sock->slow_calls_at_arrival = slow_sum;
  sock->slow_opens_at_arrival = opens_sum;
  sock->hellos_at_arrival = hellos;
}

void oracle_connecting(int change) {
  stacks[sim_self_index()].connecting += change;
}

void oracle_handler_begins(struct oracle_conn *conn, const char *kind) {
  if (stacks[sim_self_index()].handlers == 0)
    stacks[sim_self_index()].since = sim_now();
  if (stacks[sim_self_index()].handlers++ > stacks[sim_self_index()].connecting)
    sim_fail("4 handlers", "the %s handler of %" PRId64 " is called inside another handler", kind, conn->id);
  conn->least_weight = 0;
  sim_note("the %s handler of %" PRId64 " begins", kind, conn->id);
  if (conn->closed && strcmp(kind, "close") != 0)
    sim_fail("4 handlers", "the %s handler of %" PRId64 " is called after its close handler", kind, conn->id);
  if (conn->server && strcmp(kind, "message") == 0 && !conn->opened)
    sim_fail("4 handlers", "the message handler of %" PRId64 " is called before its open handler", conn->id);
  if (conn->hushed && strcmp(kind, "message") == 0)
    sim_fail("4 handlers", "the message handler of %" PRId64 " is called after a close that was a Success", conn->id);
  if (conn->calls_other)
    sim_fail("4 handlers", "two handlers of %" PRId64 " run at the same time", conn->id);
  conn->calls_other = true;
  if (strcmp(kind, "message") == 0) {
    check_fairness(conn);
    calls[sim_self_index()]++;
  }
  conn->handling_since = sim_now();
}

void oracle_handler_ends(struct oracle_conn *conn) {
  conn->calls_other = false;
  conn->handled_at = sim_now();
  slow_calls[sim_self_index()] += sim_now() - conn->handling_since > SLOW_US;
  look_for_hold(sim_self_index());
  stacks[sim_self_index()].handlers--;
}

void oracle_open(struct oracle_conn *conn, bool admitted) {
  if (conn->open_calls++)
    sim_fail("4 handlers", "the open handler of %" PRId64 " is called twice", conn->id);
  slow_opens[sim_self_index()] += sim_now() - conn->handling_since > SLOW_US;
  conn->opened = conn->admitted = admitted;
  conn->wants_close = admitted;
}

void oracle_close(struct oracle_conn *conn, int64_t code, const char *reason) {
  if (conn->closed)
    sim_fail("4 handlers", "the close handler of %" PRId64 " is called twice", conn->id);
  if (!conn->admitted)
    sim_fail("4 handlers", "the close handler of %" PRId64 " is called, but it was not admitted", conn->id);
  conn->closed = true;
  conn->code = (int)code;
  snprintf(conn->reason, sizeof conn->reason, "%s", reason);
  sim_note("connection %" PRId64 " ends with %d %s", conn->id, conn->code, reason);
}

/* ---- 1: what the end of a connection must explain */

static bool is_failure(int code) {
  return code == 1002 || code == 1003 || (code >= 1006 && code <= 1015);
}

/* The end that the sender's program heard explains what did not arrive. */
static bool is_explained(const struct oracle_conn *conn) {
  bool deadline = conn->code == 1001 && conn->reason[0] && strcmp(conn->reason, "the program is ending") != 0;
  return !conn->closed || is_failure(conn->code) || deadline || conn->failed_by_deadline || !conn->sock ||
         conn->sock->troubled;
}

static const struct peer *peer_of(const struct oracle_conn *conn) {
  const struct sim_sock *sock = conn ? conn->sock : NULL;
  return sock && sock->other && !sock->other->of_process ? sock->other->owner : NULL;
}

static void check_stream(const struct oracle_stream *stream) {
  const struct oracle_conn *conn = oracle_conn_find(stream->connection);
  const struct peer *peer = peer_of(conn);
  if (!conn || stream->received >= stream->accepted - stream->late || is_explained(conn))
    return;
  if (peer) { /* one that leaves by itself does not get all */
    if (!peer_is_healthy(peer) || peer->began_close)
      return;
  } else {
    const struct oracle_conn *other = conn->sock && conn->sock->other ? conn->sock->other->owner : NULL;
    if (!other || other->closed_by_program || is_failure(other->code) || oracle_server_is_stopped(other->server) ||
        other->code == 1001 || !other->closed || discards(other->server))
      return;
  }
  sim_fail("1 messages", "%d of %d messages of %s on connection %" PRId64 " did not arrive, and it ended with %d '%s'",
           stream->accepted - stream->received, stream->accepted, stream->sender, stream->connection, conn->code,
           conn->reason);
}

/* What a healthy peer sent before it closed must have been handled. */
static void check_peer_stream(const struct oracle_stream *stream) {
  for (int i = 0; i < conn_count; i++) {
    const struct oracle_conn *conn = &conns[i];
    const struct peer *peer = peer_of(conn);
    if (!peer || -peer->number != stream->connection || stream->received == stream->accepted)
      continue;
    if (!peer_is_healthy(peer) || !peer->began_close || !peer->got_close || conn->closed_by_program || !conn->closed ||
        conn->sock->troubled || is_failure(conn->code) || conn->code == 1001 || is_failure(peer->close_code) ||
        peer->close_code == 1001 || peer->out_sent != peer->out_size || discards(conn->server))
      continue;
    sim_fail("1 messages", "connection %" PRId64 " handled %d of %d messages of %s, and ended with %d", conn->id,
             stream->received, stream->accepted, stream->sender, conn->code);
  }
}

static void check_broadcasts(const struct oracle_conn *conn) {
  const struct peer *peer = peer_of(conn);
  if (!conn->due || !peer || !peer_is_healthy(peer) || peer->began_close || !peer->got_close || is_explained(conn) ||
      is_failure(peer->close_code) || peer->receiver.broadcast_count == 32)
    return;
  for (int i = 0; i < peer->receiver.broadcast_count; i++)
    if (peer->receiver.broadcasts[i].stream == conn->due && peer->receiver.broadcasts[i].next > conn->due_number)
      return;
  sim_fail("1 messages", "broadcast %d of %s did not reach connection %" PRId64 ", which ended with %d '%s'",
           conn->due_number, conn->due->sender, conn->id, conn->code, conn->reason);
}

/* ---- 2: deadlines, judged by what the kernel knows when the log tells of one */

static void judge(const struct oracle_conn *conn, const char *what, int64_t since, int64_t timeout_ms) {
  int self = sim_self_index();
  int64_t now = sim_listened_at(self);
  int64_t waited_ms = (now - since - sim_away_since(self, since)) / SIM_MS;
  sim_note("judged: %s after %" PRId64 " ms of %" PRId64, what, waited_ms, timeout_ms);
  if (since <= now && waited_ms < timeout_ms - 300 - timeout_ms / 200) /* the runtime's clocks are coarse */
    sim_fail("2 deadlines", "connection %" PRId64 " was ended (%s) after %" PRId64 " ms instead of %" PRId64,
             conn ? conn->id : 0, what, waited_ms, timeout_ms);
}

static void judge_end(int64_t id, const char *line) {
  struct oracle_conn *conn = oracle_conn_find(id);
  struct ws_conn *inner = conn_of_id(id);
  const struct sim_sock *sock = inner ? sim_fd_sock(inner->stream.watch.fd) : NULL;
  if (!conn || !sock)
    return;
  const struct ws_limits *limits = &inner->group->rules->limits;
  int64_t taken = later(sock->acked_at, sock->backed_up_since);
  /* Bytes of an incomplete TLS record are no sign of life to the runtime. */
  if (strstr(line, "idle for too long") && !inner->handling && (inner->unparsed || inner->buffered))
    sim_fail("2 deadlines", "connection %" PRId64 " is closed as idle, with input that is not parsed", id);
  if (strstr(line, "idle for too long") && !ws_stream_is_secure(&inner->stream)) {
    if (sim_sock_readable(sock) > 0 && sock->heard_at < sim_listened_at(sim_self_index()) && !inner->handling)
      sim_fail("2 deadlines", "connection %" PRId64 " is closed as idle, with input unread", id);
    judge(conn, "idle", later(sock->heard_at, sock->opened_at), limits->idle_timeout_ms);
    /* A peer that takes output is not silent: output that was backed up at the ping, and of which it took some since.
     * What found an empty buffer, as the ping itself may, proves nothing: WS-TIME-4. */
    if (sock->backed_up_since < conn->pinged_at && sock->acked_at > conn->pinged_at)
      judge(conn, "idle, but takes output", sock->acked_at, limits->idle_timeout_ms);
  } else if (strstr(line, "the peer does not read")) {
    judge(conn, "does not read", later(taken, sock->opened_at), limits->idle_timeout_ms);
  } else if (strstr(line, "is cut off")) {
    int64_t most_ms = inner->code && ws_conn_state(inner) == WS_CONN_FAILED && limits->close_timeout_ms > 5000
                          ? 5000
                          : limits->close_timeout_ms;
    /* The oracle learns of a client when its connect returns, which may be after its close frame. */
    int64_t began = conn->close_sent_at ? conn->close_sent_at : sock->opened_at;
    int64_t in_all_ms = (sim_listened_at(sim_self_index()) - began - sim_away_since(sim_self_index(), began)) / SIM_MS;
    if (in_all_ms < most_ms - 600)
      judge(conn, "cut off", later(taken, began), most_ms < 4400 ? most_ms : 4400);
  } else if (strstr(line, "the message takes too long")) {
    const struct peer *peer = peer_of(conn);
    if (peer && peer_is_healthy(peer) && !sock->troubled)
      sim_fail("2 deadlines", "connection %" PRId64 " of a healthy peer is closed for a slow message", id);
  }
  conn->failed_by_deadline = true;
}

/* Input that was there when the loop last looked. A short read leaves some, and so does OpenSSL. */
static bool has_old_input(const struct sim_sock *sock) {
  return sim_sock_readable(sock) > 0 && sock->heard_at < sim_listened_at(sim_self_index()) && !plan.faults.partial &&
         !plan.faults.interrupted && !plan.tls;
}

static void judge_handshake(const char *line) {
  int a, b, c, d, port;
  const char *of = strstr(line, "handshake of ");
  long long limit_ms;
  const char *within = strstr(line, "handshakeTimeoutMs (");
  if (!of || !within || sscanf(of, "handshake of %d.%d.%d.%d:%d", &a, &b, &c, &d, &port) != 5 ||
      sscanf(within, "handshakeTimeoutMs (%lld)", &limit_ms) != 1)
    return;
  for (struct sim_sock *sock = sim_socks; sock; sock = sock->next)
    if (sock->of_process && sock->fd >= 0 && ntohs(sock->remote.sin_port) == port) {
      judge(NULL, "handshake", sock->opened_at, limit_ms);
      if (has_old_input(sock))
        sim_fail("2 deadlines", "a handshake is given up with its input unread");
    }
}

/* ---- 3: who is evicted */

/* What it is evicted for, as the runtime counts it. */
static int64_t weight_of(const struct ws_conn *conn) {
  return conn->held + (int64_t)ws_outq_shared_part(&conn->out);
}

/* Servers that may hold little, and the most that they held since no thread could run. Theirs is an arena: a server
 * that is gone can still be read. */
enum { NARROW = 1 << 20 };
static struct {
  const struct ws_server *server;
  int64_t most;
} narrow[PLAN_SERVERS];

void oracle_on_point(void) {
  for (int i = 0; i < PLAN_SERVERS && narrow[i].server; i++)
    if (narrow[i].server->budget.held > narrow[i].most)
      narrow[i].most = narrow[i].server->budget.held;
}

/* The most that it held since; 0: it is not known. */
static int64_t most_held(const struct ws_server *server, bool again) {
  int i = 0;
  while (i < PLAN_SERVERS && narrow[i].server && narrow[i].server != server)
    i++;
  if (i == PLAN_SERVERS)
    return 0;
  if (again)
    narrow[i].server = server, narrow[i].most = server->budget.held;
  return narrow[i].most;
}

/* The queue of a peer that does not read only grows: no round can have found it lighter, but one that came while its
 * handler ran, and let it alone. */
static void note_weight(const struct ws_server *server, const struct ws_conn *conn) {
  struct oracle_conn *known = oracle_conn_find(conn->id);
  int64_t weight = conn->handling ? 0 : weight_of(conn);
  if (known && (atomic_load(&server->round.state) == 0 || weight < known->least_weight))
    known->least_weight = weight;
}

/* A heavier one is left elsewhere only where a part must go at once, and then what goes is not light: WS-LIMIT-18.
 * About, because other loops evict meanwhile. */
static bool is_light(const struct ws_server *server, int64_t weight) {
  int64_t most = most_held(server, false);
  int64_t limit = server->rules.limits.max_memory_bytes;
  return most > limit &&
         (most <= limit + limit / 8 || (most <= limit + limit / 4 && 2 * weight < most / (server->connections + 1)));
}

static void judge_eviction(int64_t id) {
  const struct ws_conn *evicted = conn_of_id(id);
  const struct oracle_conn *known = oracle_conn_find(id);
  if (!evicted || !known || !known->server)
    return;
  int64_t weight = weight_of(evicted);
  const struct ws_server *server = ws_container_of(evicted->group, struct ws_server_share, group)->server;
  for (unsigned i = 0; is_light(server, weight) && i < server->share_count; i++)
    for (struct ws_list_node *node = server->shares[i].connections.first; node; node = node->next) {
      const struct ws_conn *conn = ws_conn_of_member(node);
      const struct oracle_conn *other = oracle_conn_find(conn->id);
      if (conn != evicted && other && peer_of(other) && peer_of(other)->plan->kind == PEER_STALLED && !conn->handling &&
          other->least_weight > weight && weight_of(conn) > weight)
        sim_fail("3 memory", "connection %" PRId64 " of %" PRId64 " bytes is evicted, and %" PRId64 " has %" PRId64, id,
                 weight, conn->id, weight_of(conn));
    }
}

void oracle_log_line(const char *line) {
  const char *text = strstr(line, "websocket ");
  const char *found;
  long long id = 0;
  text = text ? text + 10 : line;
  sim_note("log: %s", text);
  if ((found = strstr(text, "connection ")) != NULL)
    sscanf(found, "connection %lld", &id);
  struct oracle_conn *conn = id ? oracle_conn_find(id) : NULL;
  if (conn && strstr(text, "sends a close frame"))
    conn->close_sent_at = sim_now(), conn->stopped_at_close = sim_stopped_us();
  if (conn && strstr(text, " is pinged"))
    conn->pinged_at = sim_now();
  if (conn && strstr(text, "the peer closes with"))
    conn->close_received = true;
  if (conn && strstr(text, "failed after its close"))
    conn->failed_by_deadline = true;
  if (id && (strstr(text, "was closed with 100") || strstr(text, "is cut off")))
    judge_end(id, text);
  if (strstr(text, "not complete within"))
    judge_handshake(text);
  if (conn && strstr(text, "short of memory"))
    judge_eviction(id);
  if (conn && (strstr(text, "out of memory") || strstr(text, "short of memory")))
    conn->failed_by_deadline = true;
}

/* A healthy peer's connection must not be lost. */
static void check_lost(const struct oracle_conn *conn) {
  const struct peer *peer = peer_of(conn);
  if (!peer || !peer_is_healthy(peer) || conn->code != 1006 || !conn->closed || conn->failed_by_deadline ||
      conn->sock->troubled || sim_faults_struck || peer->broken)
    return;
  sim_fail("2 deadlines", "connection %" PRId64 " of a healthy peer (%s) ended with 1006", conn->id, peer->name);
}

/* ---- 3 and 5: nothing that could go on waits, and the counts are right, whenever no thread can run */

static size_t queue_sum(const struct ws_outq *queue) {
  size_t sum = 0;
  for (uint32_t i = 0; queue->pieces && i < queue->pieces->count; i++)
    sum += queue->pieces->at[queue->pieces->first + i].length;
  return sum;
}

/* Whoever is silent, takes nothing, or does not finish its handshake is ended: WS-TIME-5, WS-LIMIT-11, WS-LIMIT-12. */
static void check_deadlines(const struct ws_conn *conn) {
  const struct ws_limits *limits = &conn->group->rules->limits;
  const struct sim_sock *sock = sim_fd_sock(conn->stream.watch.fd);
  if (!sock || sim_stopped_us() > 0)
    return;
  const struct oracle_conn *known = oracle_conn_find(conn->id);
  /* Input may wait long for the slow handlers of the messages before it. */
  int64_t alive = later(known ? known->handled_at : 0, later(sock->heard_at, sock->acked_at));
  int64_t silent_ms = (sim_now() - later(sock->opened_at, alive)) / SIM_MS;
  int64_t stalled_ms = sim_sock_unacked(sock) ? (sim_now() - later(sock->acked_at, sock->backed_up_since)) / SIM_MS : 0;
  int64_t held_ms = sim_away_in_all(0) / SIM_MS;
  if (ws_conn_state(conn) == WS_CONN_OPEN && limits->idle_timeout_ms) {
    int64_t bound_ms = 2 * limits->idle_timeout_ms + 30000 + held_ms;
    if (silent_ms > bound_ms || stalled_ms > bound_ms)
      sim_fail("2 deadlines", "connection %" PRId64 " is open after %" PRId64 " ms of silence, %" PRId64 " ms of stall",
               conn->id, silent_ms, stalled_ms);
  } else if (ws_conn_state(conn) <= WS_CONN_HANDSHAKE && !conn->shaking && plan.theme != THEME_BURST &&
             (sim_now() - sock->opened_at) / SIM_MS > limits->handshake_timeout_ms + 1000 + 2 * held_ms) {
    sim_fail("2 deadlines", "a handshake has lasted for %" PRId64 " ms", (sim_now() - sock->opened_at) / SIM_MS);
  }
}

/* A close ends within closeTimeoutMs, without the time that the loop was away since it began: WS-CLOSE-2. */
static void check_closing(const struct ws_conn *conn) {
  const struct oracle_conn *known = oracle_conn_find(conn->id);
  if (!known || !known->close_sent_at || sim_stopped_us() != known->stopped_at_close)
    return;
  int64_t ms = (sim_now() - known->close_sent_at - sim_away_in_all(known->close_sent_at)) / SIM_MS;
  if (ms > conn->group->rules->limits.close_timeout_ms + 100)
    sim_fail("2 deadlines", "connection %" PRId64 " has been closing for %" PRId64 " ms", conn->id, ms);
}

static void check_conn(const struct ws_conn *conn) {
  enum ws_conn_state state = ws_conn_state(conn);
  const struct ws_limits *limits = &conn->group->rules->limits;
  size_t bytes = ws_outq_bytes(&conn->out);
  if (state == WS_CONN_ENDED)
    return;
  /* What a thread that is not scheduled has charged, and not yet posted. */
  if (plan.faults.descheduled)
    bytes = queue_sum(&conn->out);
  if (queue_sum(&conn->out) != bytes)
    sim_fail("3 queues", "connection %" PRId64 ": %zu bytes are charged, and %zu queued", conn->id, bytes,
             queue_sum(&conn->out));
  if (conn->id && bytes > (size_t)limits->max_queued_bytes + 70000) /* without an ID: a page */
    sim_fail("3 queues", "connection %" PRId64 " queues %zu bytes of at most %" PRId64, conn->id, bytes,
             limits->max_queued_bytes);
  if (conn->handling)
    return;
  check_deadlines(conn);
  check_closing(conn);
  bool rests = conn->buffered && ws_timer_armed(&conn->group->thread->resume_later); /* for a millisecond: WS-TIME-14 */
  if (conn->unparsed && !rests)
    sim_fail("5 progress", "input of connection %" PRId64 " is not parsed, and its loop sleeps", conn->id);
  if (bytes > 0 && !conn->blocked && !conn->corked && state > WS_CONN_CONNECTING)
    sim_fail("5 progress", "output of connection %" PRId64 " is not written, and its loop sleeps", conn->id);
  if (conn->paused && !rests)
    sim_fail("5 progress", "connection %" PRId64 " does not read, and its loop sleeps", conn->id);
  if (conn->posted)
    sim_fail("5 progress", "connection %" PRId64 " has %u messages posted, and its loop sleeps", conn->id,
             conn->posted);
}

static void check_members(const struct ws_list *members) {
  for (struct ws_list_node *node = members->first; node; node = node->next)
    check_conn(ws_conn_of_member(node));
}

static bool loop_sleeps(const struct ws_loop *loop) {
  return sim_is_awaited(loop->waker.fd);
}

static int broadcasting; /* calls on the threads' stacks */

void oracle_broadcasting(int change) {
  broadcasting += change;
}

/* The frames of broadcasts that wait in queues, each once. */
enum { SHARED = 1024 };
static const struct ws_chunk *shared[SHARED];
static int shared_count;

static int64_t count_shared(const struct ws_outq *queue) {
  int64_t bytes = 0;
  for (uint32_t i = 0; queue->pieces && i < queue->pieces->count; i++) {
    const struct ws_chunk *chunk = queue->pieces->at[queue->pieces->first + i].chunk;
    int known = 0;
    while (known < shared_count && shared[known] != chunk)
      known++;
    if (!chunk->budget || known < shared_count)
      continue;
    if (shared_count == SHARED)
      sim_fail("simulation", "too many broadcasts wait");
    shared[shared_count++] = chunk;
    bytes += (int64_t)(sizeof *chunk + chunk->size);
  }
  return bytes;
}

static void check_server(const struct ws_server *server, void *context) {
  int64_t held = 0;
  int64_t conns_here = 0;
  size_t posted = server->broadcasting;
  bool busy = false;
  (void)context;
  if (!server->shares || ws_server_state(server) == WS_SERVER_CREATED)
    return;
  shared_count = 0;
  bool is_narrow = server->rules.limits.max_memory_bytes == NARROW && most_held(server, true) > 0;
  for (unsigned i = 0; i < server->share_count; i++) {
    const struct ws_server_share *share = &server->shares[i];
    if (!share->group.thread)
      return;
    bool sleeps = loop_sleeps(share->group.thread->loop);
    if (sleeps)
      check_members(&share->connections);
    busy = busy || !sleeps || share->group.thread->handling;
    posted += share->group.ahead;
    for (struct ws_list_node *node = share->connections.first; node; node = node->next, conns_here++) {
      held += ws_conn_of_member(node)->held + count_shared(&ws_conn_of_member(node)->out);
      if (is_narrow)
        note_weight(server, ws_conn_of_member(node));
    }
  }
  bool others = broadcasting || posted || server->topics.names.root || plan.theme == THEME_BURST; /* a page */
  if (held > server->budget.held || (held < server->budget.held && !others))
    sim_fail("3 memory", "server %" PRId64 " counts %" PRId64 " bytes, and its connections %" PRId64, server->id,
             (int64_t)server->budget.held, held);
  if (!busy && held > server->rules.limits.max_memory_bytes + 4096 * conns_here)
    sim_fail("3 memory", "server %" PRId64 " holds %" PRId64 " bytes of at most %" PRId64, server->id, held,
             server->rules.limits.max_memory_bytes);
}

static struct {
  int64_t connection;
  size_t size;
} senders[256];

void oracle_waits_to_send(int64_t connection, size_t size) {
  senders[sim_self_index()].connection = connection;
  senders[sim_self_index()].size = size;
}

static void check_senders(void) {
  for (int i = 0; i < 256; i++) {
    struct ws_conn *conn = senders[i].connection ? conn_of_id(senders[i].connection) : NULL;
    if (!conn || ws_conn_state(conn) > WS_CONN_OPEN || !loop_sleeps(ws_conn_loop(conn)) || sim_is_preempted(i))
      continue;
    size_t room = (size_t)conn->group->rules->limits.max_queued_bytes - ws_outq_bytes(&conn->out);
    if (room >= senders[i].size + 64 && room <= (size_t)conn->group->rules->limits.max_queued_bytes)
      sim_fail("5 progress", "a thread waits to send %zu bytes on connection %" PRId64 ", which has room for %zu",
               senders[i].size, senders[i].connection, room);
  }
}

void oracle_on_idle(void) {
  check_senders();
  for (unsigned i = 0; i < ws_loop_threads_count(); i++) {
    const struct ws_loop_thread *thread = ws_loop_thread_at(i);
    const struct ws_loop *loop = thread->loop;
    if (!loop || !loop_sleeps(loop))
      continue;
    if (atomic_load(&loop->posted))
      sim_fail("5 progress", "loop %u sleeps, and a task is posted to it", i);
    check_members(&thread->clients);
  }
  if (ws_loop_threads_count())
    ws_servers_each(check_server, NULL);
}

void oracle_accepted(struct sim_sock *sock) {
  sim_note("accepted %s:%d", inet_ntoa(sock->remote.sin_addr), ntohs(sock->remote.sin_port));
}

/* A close whose answer has not come is given up after 5 s without progress, and after closeTimeoutMs. */
static void check_patience(struct sim_sock *sock) {
  struct oracle_conn *conn = sock->owner;
  int self = sim_self_index();
  if (!conn || !conn->close_sent_at || sock->eof || sock->reset)
    return;
  int64_t most_ms = conn->close_ms < 4400 ? conn->close_ms - 600 : 4400;
  int64_t ms = (sim_listened_at(self) - conn->close_sent_at - sim_away_since(self, conn->close_sent_at)) / SIM_MS;
  if (ms >= most_ms)
    conn->failed_by_deadline = true;
}

/* Input that has arrived is read before a deadline ends a connect, or the wait for a close frame: WS-TIME-1. */
static void check_unread(const struct sim_sock *sock) {
  const struct oracle_conn *conn = sock->owner;
  const struct ws_conn *inner = conn ? conn_of_id(conn->id) : NULL;
  if (sock->reset || sim_now() >= ended_at || !has_old_input(sock))
    return;
  /* A peer that answers before it is asked: its bytes are there before the loop waits for any. */
  const struct peer *peer = sock->other && !sock->other->of_process ? sock->other->owner : NULL;
  if (!conn && sock->is_client && !(peer && peer->plan->kind == PEER_GARBAGE))
    sim_fail("2 deadlines", "a connect to port %d is given up with %zu bytes unread", ntohs(sock->remote.sin_port),
             sim_sock_readable(sock));
  if (inner && conn->close_sent_at && !conn->close_received && !conn->failed_by_deadline && !inner->handling &&
      !inner->buffered && !inner->heavy && !inner->paused && inner->code != 1013)
    sim_fail("2 deadlines", "the close of connection %" PRId64 " is given up with input unread", conn->id);
}

void oracle_closed(struct sim_sock *sock) {
  if (sock->state == SIM_CONNECTED) {
    check_unread(sock);
    check_patience(sock);
  }
  if (sock->state != SIM_LISTENING)
    sim_note("closes the socket to %s:%d", inet_ntoa(sock->remote.sin_addr), ntohs(sock->remote.sin_port));
}

/* ---- 4 and 5: calls */

#define WS_ERROR(name, parameters, format, arguments, when) format,
#define WS_P(parameter)
#define WS_A(argument)
static const char *const sentences[] = {
#include "ws_errors.def"
};

/* True if `text` is the format with its conversions replaced by anything. */
static bool is_made_from(const char *format, const char *text) {
  while (*format) {
    if (*format != '%') {
      if (*format++ != *text++)
        return false;
      continue;
    }
    format += strcspn(format + 1, "dsuz") + 1;
    format += *format == 'z' ? 2 : 1;
    if (!*format)
      return true;
    size_t n = strcspn(format, "%");
    char literal[256];
    snprintf(literal, sizeof literal, "%.*s", (int)n, format);
    for (const char *at = strstr(text, literal); at; at = strstr(at + 1, literal))
      if (is_made_from(format, at))
        return true;
    return false;
  }
  return !*text;
}

static bool is_documented(const char *text) {
  for (size_t i = 0; i < sizeof sentences / sizeof *sentences; i++)
    if (is_made_from(sentences[i], text))
      return true;
  return false;
}

struct oracle_call oracle_call_begins(const char *op) {
  return (struct oracle_call){op, sim_now(), sim_stopped_us() + sim_preempted_us(), sim_stops()};
}

void oracle_call_ends(const struct oracle_call *call, int64_t bound_ms, const char *error) {
  int64_t stopped_us = sim_stopped_us() + sim_preempted_us() - call->stopped;
  int64_t ms = (sim_now() - call->began - stopped_us) / SIM_MS;
  sim_note("%s: %s took %" PRId64 " ms: %.100s", sim_self_name(), call->op, ms, error ? error : "Success");
  if (error && !is_documented(error))
    sim_fail("4 sentences", "%s: no sentence of ws_errors.def is: %s", call->op, error);
  size_t size, queued, most;
  const char *full = error ? strstr(error, "has no room for ") : NULL;
  if (full && ms > 0 && sscanf(full, "has no room for %zu bytes: %zu of at most %zu", &size, &queued, &most) == 3 &&
      queued + size + 14 <= most)
    sim_fail("5 time", "%s waited in vain, and there is room: %s", call->op, error);
  int stops = sim_stops() - call->stops;
  if (bound_ms && stopped_us)
    bound_ms += 500 * (stops ? stops : 1); /* a wait that wakes late looks once more: WS-TIME-1 */
  if (ms > bound_ms + (bound_ms ? 50 : 0))
    sim_fail("5 time", "%s took %" PRId64 " ms, and may take %" PRId64, call->op, ms, bound_ms);
}

/* ---- the end */

void oracle_start(void) {
  streams = sim_map(STREAMS * sizeof *streams);
  conns = sim_map(CONNS * sizeof *conns);
  sim_on_idle = oracle_on_idle;
  sim_on_point = oracle_on_point;
}

void oracle_calm(void) {
  for (int i = 0; i < stream_count; i++) {
    const struct oracle_stream *stream = &streams[i];
    const struct oracle_conn *conn = oracle_conn_find(stream->connection);
    const struct peer *peer = peer_of(conn);
    if (!peer || peer->plan->kind != PEER_HEALTHY || conn->closed || conn->sock->troubled || peer->sent_close ||
        stream->received >= stream->accepted)
      continue;
    /* A slow link takes long for what is queued before it, but never stands still. */
    int64_t since = later(stream->pending_since, conn->sock->acked_at);
    if (sim_now() - since > 90 * SIM_S + sim_away_in_all(0))
      sim_fail("5 drain", "message %d of %s on connection %" PRId64 " waits, and nothing has moved for %" PRId64 " s",
               stream->received, stream->sender, stream->connection, (sim_now() - since) / SIM_S);
  }
}

static void check_end_of_conns(bool stuck) {
  for (int i = 0; i < conn_count; i++) {
    const struct oracle_conn *conn = &conns[i];
    check_lost(conn);
    if (conn->admitted && conn->wants_close && !conn->closed && !stuck)
      sim_fail("4 handlers", "the close handler of %" PRId64 " was never called", conn->id);
  }
}

static void check_nothing_left(void) {
  char sizes[256];
  for (struct sim_sock *sock = sim_socks; sock; sock = sock->next)
    if (sock->of_process && sock->fd >= 0)
      sim_fail("3 descriptors", "descriptor %d is left, of a socket to %s:%d", sock->fd,
               inet_ntoa(sock->remote.sin_addr), ntohs(sock->remote.sin_port));
  /* A thread that is in a builtin when the process ends has what it holds there: its stack leads to it. */
  int leaks = sim_memory_leaks(sizes, sizeof sizes);
  if (leaks)
    sim_fail("3 memory", "%d blocks are left, of%s bytes", leaks, sizes);
}

void oracle_process_is_gone(bool stuck, bool exited_in_handler) {
  const char *wrong = sim_memory_check();
  sim_note("the process is gone");
  for (int i = 0; i < 190; i++) {
    look_for_hold(i);
    was_held = was_held || sim_away_since(i, ended_at - 70 * SIM_S) > 0;
  }
  stuck = stuck || was_held;
  if (wrong)
    sim_fail("3 memory", "%s", wrong);
  check_end_of_conns(stuck || exited_in_handler);
  if (!stuck && !exited_in_handler)
    check_nothing_left();
}

void oracle_end(bool stuck, bool exited_in_handler) {
  (void)exited_in_handler;
  for (int i = 0; i < stream_count && !stuck && !was_held; i++) {
    if (streams[i].connection > 0)
      check_stream(&streams[i]);
    else if (streams[i].connection < 0)
      check_peer_stream(&streams[i]);
  }
  for (int i = 0; i < conn_count && !stuck && !was_held; i++)
    check_broadcasts(&conns[i]);
  for (struct oracle_receiver *a = receivers; a; a = a->next)
    for (struct oracle_receiver *b = a->next; b; b = b->next)
      check_one_order(a, b);
  sim_finish();
}
