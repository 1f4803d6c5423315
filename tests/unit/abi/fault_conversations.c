#include "fault_conversations.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fault.h"
#include "osprey/hooks.h"
#include "osprey/roots.h"
#include "support/osprey.h"
#include "support/peer.h"

enum { MESSAGES = 6, BROADCAST = 100, QUIET_MS = 400 };

static _Atomic int heard_next[2]; /* the lowest number that a client may receive next */
static _Atomic int heard_broadcast[2];
static _Atomic int heard_count[2];
static _Atomic int opens;
static _Atomic int closes;

/* Releases the error. Returns true if there was none. */
static bool went_well(char *error) {
  if (error)
    osp_release(error);
  return error == NULL;
}

static void complain(const char *what) {
  fprintf(stderr, "%s\n", what);
  _exit(90);
}

/* A text is a number and padding. Each client receives its own numbers, rising. */
static void hear(int client, const char *text) {
  int number = atoi(text);
  if (number == BROADCAST ? heard_broadcast[client]++ : number < heard_next[client])
    complain("a message came twice or out of order");
  if (number != BROADCAST)
    heard_next[client] = number + 1;
  heard_count[client]++;
}

static void *hear_first(void *cell, const char *text) {
  (void)cell;
  hear(0, text);
  return result_success();
}

static void *hear_second(void *cell, const struct osprey_connection *connection, const struct osprey_message *message) {
  (void)cell;
  (void)connection;
  hear(1, message->data);
  return result_success();
}

static void *admit(void *cell, const struct osprey_connection *connection) {
  char *error;
  (void)cell;
  char *host = osp_ws_request_header(connection->id, "Host", &error);
  osp_release(error ? error : host);
  char *path = osp_ws_request_path(connection->id, &error);
  osp_release(error ? error : path);
  char *token = osp_ws_request_query(connection->id, "token", &error);
  osp_release(error ? error : token);
  osp_ws_answer_header(connection->id, "Set-Cookie", "a=1", &error);
  went_well(error);
  osp_ws_answer_header(connection->id, "Set-Cookie", "b=2", &error);
  went_well(error);
  opens++;
  return result_success();
}

static void *count_close(void *cell, const struct osprey_connection *connection, int64_t code, const char *reason) {
  (void)cell;
  (void)connection;
  (void)code;
  (void)reason;
  closes++;
  return result_success();
}

static void *on_first[] = {(void *)hear_first};
static void *on_second[] = {(void *)hear_second};
static void *on_admit[] = {(void *)admit};
static void *on_count_close[] = {(void *)count_close};

static void send_numbers(int64_t id) {
  static char text[70000];
  char *error;
  for (int i = 0; i < MESSAGES; i++) {
    size_t size = i == MESSAGES - 1 ? 66000 : 20;
    memset(text, ' ', size);
    text[size] = '\0';
    text[snprintf(text, 8, "%d", i)] = ' ';
    if (i == 2) { /* U+0000 */
      text[10] = '\xC0';
      text[11] = '\x80';
    }
    osp_ws_send(id, text, &error);
    went_well(error);
  }
}

/* Waits until everything has arrived, or nothing has for QUIET_MS: after a fault there may be no event. */
static void wait_for_answers(void) {
  int before = -1;
  for (int quiet = 0; quiet < QUIET_MS && heard_count[0] + heard_count[1] < 2 * MESSAGES + 2; quiet++) {
    int now = heard_count[0] + heard_count[1];
    if (now != before)
      quiet = 0;
    before = now;
    poll(NULL, 0, 1);
  }
}

static void converse_with(int port, int64_t server) {
  struct osprey_options options = {.headers = "X-Forwarded-For: 203.0.113.5",
                                   .protocols = "a, b",
                                   .compression = true,
                                   .timeout_ms = 2000,
                                   .keep_alive_ms = 60000};
  char url[64];
  char *error;
  snprintf(url, sizeof url, "ws://localhost:%d/chat", port);
  int64_t first = osp_ws_connect(url, on_first, &error);
  bool has_first = went_well(error);
  int64_t second = osp_ws_connect_with(url, &options, on_second, &error);
  bool has_second = went_well(error);
  if (has_first) {
    osp_ws_on_close(first, on_count_close, &error);
    went_well(error);
    send_numbers(first);
  }
  if (has_second)
    send_numbers(second);
  osp_ws_server_broadcast(server, "100", &error);
  went_well(error);
  wait_for_answers();
  if (has_second) {
    osp_ws_send_binary(second, "AAA=A", &error);
    if (went_well(error))
      complain("wrong base64 is sent");
    void *record = osp_ws_connection(second, &error);
    osp_release(error ? error : record);
    osp_ws_close(second, &error);
    went_well(error);
  }
}

void converse(void) {
  char *error;
  int64_t server = osp_ws_create_server(plain_port, "127.0.0.1", "/chat", &error);
  if (!went_well(error))
    return;
  osp_ws_server_on_message(server, on_echo, &error);
  went_well(error);
  osp_ws_server_on_open(server, on_admit, &error);
  went_well(error);
  osp_ws_server_on_close(server, on_count_close, &error);
  went_well(error);
  osp_ws_server_allow_origin(server, "https://example.org", &error);
  went_well(error);
  osp_ws_server_allow_host(server, "dash.example.org", &error);
  went_well(error);
  osp_ws_server_trust_proxy(server, "127.0.0.1", &error);
  went_well(error);
  osp_ws_server_trust_proxy(server, "2001:db8::/32", &error);
  went_well(error);
  osp_ws_server_protocols(server, "b, a", &error);
  went_well(error);
  osp_ws_server_limit(server, "compression", 1, &error);
  went_well(error);
  osp_ws_server_listen(server, &error);
  if (went_well(error))
    converse_with(plain_port, server);
  osp_ws_stop_server(server, &error);
  went_well(error);
}

struct tls_identity identity;
int secure_port;
int plain_port; /* the runtime's server, whose loop the peers keep turning */
static _Atomic int third_heard;
static _Atomic int late_closes;

static void *count_third(void *cell, const struct osprey_connection *connection, const struct osprey_message *message) {
  (void)cell;
  (void)connection;
  (void)message;
  third_heard++;
  return result_success();
}

static void *close_late(void *cell, const struct osprey_connection *connection, int64_t code, const char *reason) {
  (void)cell;
  (void)connection;
  (void)code;
  (void)reason;
  late_closes++;
  return result_error("too late");
}

static void *on_third[] = {(void *)count_third};
static void *on_close_late[] = {(void *)close_late};

/* Returns when the loop of plain_port has read all that arrived before: the same loop answers this request later. */
static void turn_the_loop(void) {
  char head[1024];
  struct peer peer = peer_connect_tolerant(plain_port);
  peer_send_text(&peer, "GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n");
  peer_read_head(&peer, head, sizeof head);
  peer_close(&peer);
}

static void send_in_two(struct peer *peer, const char *bytes, size_t n) {
  peer_send(peer, bytes, n / 2);
  turn_the_loop();
  peer_send(peer, bytes + n / 2, n - n / 2);
}

/* Does a client's handshake in two pieces, with one more header line. Sets *admitted if the answer is 101. */
static struct peer open_in_two(const char *more, bool *admitted) {
  char head[2048];
  int size = snprintf(head, sizeof head, PEER_REQUEST("/chat") "%s\r\n\r\n", more);
  struct peer peer = peer_connect_tolerant(plain_port);
  send_in_two(&peer, head, (size_t)size);
  *admitted = peer_read_head(&peer, head, sizeof head) && strncmp(head, "HTTP/1.1 101 ", 13) == 0;
  return peer;
}

static bool read_frame_with(struct peer *peer, int head) {
  return peer_read_frame(peer) && peer->frame.head == head;
}

/* A client sends fragments, a ping, a binary message and a close. Returns true if all are answered. */
static bool client_converses_in_two(void) {
  static const char frames[] = "\x01\x83\0\0\0\0abc\x89\x81\0\0\0\0p\x80\x83\0\0\0\0def\x82\x83\0\0\0\0xyz"
                               "\x88\x84\0\0\0\0\x03\xE8ok";
  static const int answers[] = {0x8A, 0x81, 0x82, 0x88};
  char more[1300];
  bool well;
  snprintf(more, sizeof more, "X-Long: %01200d", 0);
  struct peer peer = open_in_two(more, &well);
  if (well)
    send_in_two(&peer, frames, sizeof frames - 1);
  for (size_t i = 0; well && i < sizeof answers / sizeof *answers; i++)
    well = read_frame_with(&peer, answers[i]);
  peer_close(&peer);
  return well;
}

/* Serves one client: answers the handshake in two pieces, sends a message, and closes. */
static void *serve_in_two(void *context) {
  char text[2048];
  char accept_key[32];
  struct peer peer = peer_accept_tolerant(*(int *)context);
  if (peer_read_head(&peer, text, sizeof text)) {
    peer_accept_key(text, accept_key);
    int size =
        snprintf(text, sizeof text,
                 "HTTP/1.1 101 Go on\r\n" PEER_UPGRADE_LINES "Sec-WebSocket-Accept: %s\r\nX-Long: %01200d\r\n\r\n",
                 accept_key, 0);
    send_in_two(&peer, text, (size_t)size);
    send_in_two(&peer,
                "\x01\x02hi\x80\x02ho\x88\x05\x03\xE8"
                "bye",
                15);
    while (peer_read_frame(&peer) && peer.frame.head != 0x88)
      continue;
  }
  peer_close(&peer);
  return NULL;
}

/* Waits for the count, for up to QUIET_MS: after a fault there may be no event. */
static bool wait_for(const _Atomic int *count, int wanted) {
  for (int i = 0; i < QUIET_MS && *count < wanted; i++)
    poll(NULL, 0, 1);
  return *count >= wanted;
}

/* Returns true if the connection has ended. */
static bool has_ended(int64_t id) {
  char *error;
  struct osprey_connection *record = osp_ws_connection(id, &error);
  bool ended = error || !record->is_connected;
  osp_release(error ? error : (void *)record);
  return ended;
}

/* The server closes the client, whose close handler is set afterwards and still called. */
static bool converse_with_server_in_two(void) {
  struct osprey_options options = {.headers = "X-Test: 1\nX-More: 2", .protocols = "", .timeout_ms = 2000};
  char url[64];
  char *error;
  int port;
  pthread_t thread;
  int listener = peer_listen(&port);
  if (pthread_create(&thread, NULL, serve_in_two, &listener))
    complain("no thread");
  snprintf(url, sizeof url, "ws://127.0.0.1:%d/", port);
  int64_t id = osp_ws_connect_with(url, &options, on_third, &error);
  bool well = went_well(error);
  if (!well) /* the server may still wait for somebody */
    shutdown(listener, SHUT_RDWR);
  for (int i = 0; well && i < QUIET_MS && !has_ended(id); i++)
    poll(NULL, 0, 1);
  if (well) {
    osp_ws_on_close(id, on_close_late, &error);
    well = went_well(error) && wait_for(&late_closes, 1);
  }
  pthread_join(thread, NULL);
  close(listener);
  return well;
}

static bool converse_securely(void) {
  struct osprey_options options = {.headers = "", .protocols = "", .timeout_ms = 2000};
  char url[64];
  char *error;
  int heard = third_heard;
  int64_t server =
      osp_ws_create_secure_server(secure_port, "127.0.0.1", "/", identity.certificate_file, identity.key_file, &error);
  if (!went_well(error))
    return false;
  osp_ws_server_on_message(server, on_echo, &error);
  bool well = went_well(error);
  osp_ws_server_listen(server, &error);
  well = went_well(error) && well;
  snprintf(url, sizeof url, "wss://localhost:%d/", secure_port);
  int64_t id = well ? osp_ws_connect_with(url, &options, on_third, &error) : 0;
  if (well && went_well(error)) {
    osp_ws_send_binary(id, "aGVsbG8=", &error);
    well = went_well(error) && wait_for(&third_heard, heard + 1);
    osp_ws_close_with(id, 4000, "enough", &error);
    well = went_well(error) && well;
  }
  osp_ws_stop_server(server, &error);
  return went_well(error) && well;
}

void converse_in_pieces(void) {
  char *error;
  bool undisturbed = atomic_load(&ws_fault_target) == 0;
  int64_t server = osp_ws_create_server(plain_port, "127.0.0.1", "/chat", &error);
  if (!went_well(error))
    return;
  osp_ws_server_on_message(server, on_echo, &error);
  went_well(error);
  osp_ws_server_on_close(server, on_count_close, &error);
  went_well(error);
  osp_ws_server_listen(server, &error);
  if (went_well(error)) {
    bool peer = client_converses_in_two();
    bool client = converse_with_server_in_two();
    bool secure = converse_securely();
    if (undisturbed && !(peer && client && secure))
      complain(!peer     ? "the client in pieces goes wrong"
               : !client ? "the server in pieces goes wrong"
                         : "TLS goes wrong");
  }
  osp_ws_stop_server(server, &error);
  went_well(error);
}

static _Atomic int ticks;

static void *count_tick(void *cell, int64_t timer) {
  (void)cell;
  (void)timer;
  ticks++;
  return result_success();
}

static void *on_count_tick[] = {(void *)count_tick};

static bool shy; /* the server waits for the client's first frame */

static _Atomic int64_t asking; /* the client whose message is being handled */

/* Admits a client, and sends to it and from the asking client: both messages arrive inside the handler that waits. */
static void *greet(void *cell, const struct osprey_connection *connection) {
  char *error;
  if (asking) {
    osp_ws_send(connection->id, "welcome", &error);
    went_well(error);
    osp_ws_send(asking, "more", &error);
    went_well(error);
  }
  return admit(cell, connection);
}

static void *on_greet[] = {(void *)greet};

/* Connects to its own server, whose open handler then runs on this loop, inside this handler. */
static void *connect_within(void *cell, const struct osprey_connection *connection,
                            const struct osprey_message *message) {
  struct osprey_options options = {.headers = "", .protocols = "", .timeout_ms = 1000};
  char url[64];
  char *error;
  (void)cell;
  snprintf(url, sizeof url, "ws://127.0.0.1:%d/chat", plain_port);
  bool asked = strcmp(message->data, "connect") == 0;
  osp_ws_after(1, on_count_tick, &error); /* due while the connect turns the loop */
  went_well(error);
  int64_t id = asked ? osp_ws_connect_with(url, &options, on_third, &error) : 0;
  if (asked && went_well(error)) {
    osp_ws_close(id, &error);
    went_well(error);
  }
  osp_ws_send(connection->id, message->data, &error);
  went_well(error);
  return result_success();
}

static void *on_within[] = {(void *)connect_within};

static bool ask_for_a_connection(void) {
  struct osprey_options options = {.headers = "", .protocols = "", .timeout_ms = 1000};
  char url[64];
  char *error;
  snprintf(url, sizeof url, "ws://127.0.0.1:%d/chat", plain_port);
  int64_t id = osp_ws_connect_with(url, &options, on_third, &error);
  if (!went_well(error))
    return false;
  asking = id;
  osp_ws_send(id, "connect", &error);
  return went_well(error) && wait_for(&third_heard, 3);
}

void converse_within(void) {
  char *error;
  bool undisturbed = atomic_load(&ws_fault_target) == 0;
  int64_t server = osp_ws_create_server(plain_port, "127.0.0.1", "/chat", &error);
  if (!went_well(error))
    return;
  osp_ws_server_on_message(server, on_within, &error);
  bool well = went_well(error);
  osp_ws_server_on_open(server, on_greet, &error);
  well = went_well(error) && well;
  osp_ws_server_listen(server, &error);
  well = went_well(error) && well;
  bool heard = well && ask_for_a_connection();
  if (undisturbed && !(heard && opens == 2))
    complain("no connection within a handler");
  osp_ws_stop_server(server, &error);
  went_well(error);
}

/* No call fails until the first tables are nearly full. */
void converse_in_a_crowd(void) {
  enum { CROWD = 20, UNDISTURBED = 12 };
  struct osprey_options options = {.headers = "", .protocols = "", .timeout_ms = 2000};
  long target = atomic_exchange(&ws_fault_target, 0);
  int64_t ids[CROWD];
  char url[64];
  char *error;
  int64_t server = osp_ws_create_server(plain_port, "127.0.0.1", "/chat", &error);
  if (!went_well(error))
    return;
  osp_ws_server_on_message(server, on_echo, &error);
  went_well(error);
  osp_ws_server_on_close(server, on_count_close, &error);
  went_well(error);
  osp_ws_server_listen(server, &error);
  went_well(error);
  snprintf(url, sizeof url, "ws://127.0.0.1:%d/chat", plain_port);
  for (int i = 0; i < CROWD; i++) {
    if (i == UNDISTURBED) {
      atomic_store(&ws_fault_calls, 0);
      atomic_store(&ws_fault_target, target);
    }
    ids[i] = osp_ws_connect_with(url, &options, on_third, &error);
    if (!went_well(error)) {
      ids[i] = 0;
      continue;
    }
    osp_ws_on_close(ids[i], on_count_close, &error);
    went_well(error);
    osp_ws_send(ids[i], "here", &error);
    went_well(error);
  }
  osp_ws_stop_server(server, &error);
  went_well(error);
}

/* Pings the client and waits for the pong, or if it is shy waits for the client's ping. */
static void *serve_a_ping(void *context) {
  char text[2048];
  struct peer peer = peer_accept_tolerant(*(int *)context);
  peer_answer(&peer, text, sizeof text, "Sec-WebSocket-Protocol: b\r\n");
  if (!shy)
    peer_send_plain(&peer, 0x89, "p", 1);
  peer_read_frame(&peer);
  shutdown(peer.fd, SHUT_WR);
  peer_expect_end(&peer);
  peer_close(&peer);
  return NULL;
}

static void answer_first(void) {
  struct osprey_options options = {
      .headers = "", .protocols = "a, b", .timeout_ms = 2000, .keep_alive_ms = shy ? 40 : 0};
  char url[64];
  char *error;
  int port;
  pthread_t thread;
  int listener = peer_listen(&port);
  if (pthread_create(&thread, NULL, serve_a_ping, &listener))
    complain("no thread");
  snprintf(url, sizeof url, "ws://127.0.0.1:%d/", port);
  int64_t id = osp_ws_connect_with(url, &options, on_third, &error);
  bool well = went_well(error);
  if (!well)
    shutdown(listener, SHUT_RDWR);
  if (well) {
    char *protocol = osp_ws_protocol(id, &error);
    osp_release(error ? error : protocol);
  }
  for (int i = 0; well && i < 2 * QUIET_MS && !has_ended(id); i++)
    poll(NULL, 0, 1);
  pthread_join(thread, NULL);
  close(listener);
}

void answer_a_ping(void) {
  shy = false;
  answer_first();
}

void ask_when_idle(void) {
  shy = true;
  answer_first();
}

/* 127.1 is a number that only the resolver understands. */
void resolve(void) {
  char *error;
  int64_t server = osp_ws_create_server(plain_port, "127.1", "/", &error);
  if (!went_well(error))
    return;
  osp_ws_server_allow_origin(server, "*", &error);
  went_well(error);
  osp_ws_server_on_message(server, on_echo, &error);
  went_well(error);
  osp_ws_server_listen(server, &error);
  went_well(error);
  osp_ws_stop_server(server, &error);
  went_well(error);
}

enum { DIRECTLY = 3000000 };

/* Sends more than the socket takes, from its own memory. */
static void *send_directly(void *cell, const struct osprey_connection *connection,
                           const struct osprey_message *message) {
  char *error;
  (void)cell;
  (void)message;
  char *text = malloc(DIRECTLY + 1);
  memset(text, 'd', DIRECTLY);
  text[DIRECTLY] = '\0';
  osp_ws_send(connection->id, text, &error);
  went_well(error);
  free(text);
  return result_success();
}

static void *on_send_directly[] = {(void *)send_directly};

/* Returns false at the end of the stream. */
static bool read_bytes(struct peer *peer, size_t n) {
  static char rest[65536];
  for (size_t got = 0; got < n;) {
    long more = peer_receive(peer, rest, sizeof rest);
    if (more <= 0)
      return false;
    got += (size_t)more;
  }
  return true;
}

void send_too_much(void) {
  enum { BROADCASTS = 24, SIZE = 300000 };
  static char text[SIZE + 1];
  char *error;
  bool well;
  int64_t server = osp_ws_create_server(plain_port, "127.0.0.1", "/chat", &error);
  if (!went_well(error))
    return;
  osp_ws_server_on_message(server, on_send_directly, &error);
  went_well(error);
  osp_ws_server_listen(server, &error);
  went_well(error);
  struct peer peer = open_in_two("X-Test: 1", &well);
  if (well)
    peer_send_message(&peer, "send");
  well = well && read_bytes(&peer, DIRECTLY);
  memset(text, 'm', sizeof text - 1);
  for (int i = 0; well && i < BROADCASTS; i++) {
    osp_ws_server_broadcast(server, text, &error);
    well = went_well(error);
  }
  if (well)
    read_bytes(&peer, BROADCASTS * SIZE);
  peer_close(&peer);
  osp_ws_stop_server(server, &error);
  went_well(error);
}

void start_two_loops(void) {
  char *error;
  setenv("OSPREY_WS_LOOPS", "2", 1);
  int64_t server = osp_ws_create_server(plain_port, "127.0.0.1", "/", &error);
  if (!went_well(error))
    return;
  osp_ws_server_listen(server, &error);
  went_well(error);
  osp_ws_server_broadcast(server, "to both loops", &error);
  went_well(error);
  osp_ws_stop_server(server, &error);
  went_well(error);
}

static _Atomic bool waiting_is_over;

/* Sends the signal once osp_ws_keep_alive has its handler, which is no event. */
static void *send_signal(void *context) {
  struct sigaction current;
  (void)context;
  do {
    poll(NULL, 0, 1);
    sigaction(SIGTERM, NULL, &current);
  } while (current.sa_handler == SIG_DFL && !waiting_is_over);
  if (current.sa_handler != SIG_DFL)
    kill(getpid(), SIGTERM);
  return NULL;
}

void wait_for_a_signal(void) {
  char *error;
  pthread_t thread;
  int64_t server = osp_ws_create_server(plain_port, "127.0.0.1", "/chat", &error);
  if (!went_well(error))
    return;
  osp_ws_server_listen(server, &error);
  went_well(error);
  signal(SIGTERM, SIG_DFL);
  if (pthread_create(&thread, NULL, send_signal, NULL))
    complain("no thread");
  osp_ws_keep_alive(&error);
  went_well(error);
  waiting_is_over = true;
  pthread_join(thread, NULL);
}

/* A broadcast is compressed once for two clients without context takeover. */
static bool broadcast_without_contexts(int64_t server) {
  static const char offer[] = "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover";
  enum { COMPRESSED_TEXT = 0xC1 };
  bool well[2];
  char *error;
  struct peer peers[2] = {open_in_two(offer, &well[0]), open_in_two(offer, &well[1])};
  osp_ws_server_broadcast(server, "100", &error);
  bool sent = went_well(error);
  for (int i = 0; i < 2; i++) {
    well[i] = well[i] && sent && read_frame_with(&peers[i], COMPRESSED_TEXT);
    peer_close(&peers[i]);
  }
  return well[0] && well[1];
}

void compress(void) {
  struct osprey_options options = {.headers = "", .protocols = "", .compression = true, .timeout_ms = 1000};
  char url[64];
  char *error;
  bool undisturbed = atomic_load(&ws_fault_target) == 0;
  int64_t server = osp_ws_create_server(plain_port, "127.0.0.1", "/chat", &error);
  if (!went_well(error))
    return;
  osp_ws_server_on_message(server, on_echo, &error);
  went_well(error);
  osp_ws_server_limit(server, "compression", 1, &error);
  went_well(error);
  osp_ws_server_listen(server, &error);
  went_well(error);
  snprintf(url, sizeof url, "ws://127.0.0.1:%d/chat", plain_port);
  int64_t id = osp_ws_connect_with(url, &options, on_second, &error);
  if (went_well(error)) {
    send_numbers(id);
    bool heard = wait_for(&heard_count[1], MESSAGES);
    bool broadcast = broadcast_without_contexts(server);
    if (undisturbed && !(heard && broadcast))
      complain("compressed messages go wrong");
  }
  osp_ws_stop_server(server, &error);
  went_well(error);
}

/* ---- values and timers */

static void keep(int64_t id) {
  char *error;
  osp_ws_set_value(id, "name", "Ada", &error);
  bool kept = went_well(error);
  osp_ws_set_value(id, "name", "Ada Lovelace", &error);
  kept = went_well(error) && kept;
  char *name = osp_ws_value(id, "name", &error);
  if (went_well(error)) {
    if (kept && strcmp(name, "Ada Lovelace") != 0)
      complain("a value is not the one that was kept");
    osp_release(name);
  }
  osp_ws_set_value(id, "born", "1815", &error);
  went_well(error);
  osp_ws_remove_value(id, "name", &error);
  went_well(error);
}

static void *admit_and_keep(void *cell, const struct osprey_connection *connection) {
  char *error;
  (void)cell;
  keep(connection->id);
  int64_t timer = osp_ws_after(60000, on_count_tick, &error);
  if (went_well(error)) {
    osp_ws_cancel(timer, &error);
    went_well(error);
  }
  osp_ws_after(1, on_count_tick, &error);
  went_well(error);
  return result_success();
}

static void *on_admit_and_keep[] = {(void *)admit_and_keep};

void keep_and_tick(void) {
  char url[64];
  char *error;
  bool undisturbed = atomic_load(&ws_fault_target) == 0;
  int64_t server = osp_ws_create_server(plain_port, "127.0.0.1", "/chat", &error);
  if (!went_well(error))
    return;
  osp_ws_server_on_open(server, on_admit_and_keep, &error);
  went_well(error);
  osp_ws_server_listen(server, &error);
  went_well(error);
  keep(server);
  int64_t timer = osp_ws_every(1, on_count_tick, &error);
  bool well = went_well(error);
  snprintf(url, sizeof url, "ws://127.0.0.1:%d/chat", plain_port);
  int64_t id = osp_ws_connect(url, on_first, &error);
  if (went_well(error))
    keep(id);
  well = well && wait_for(&ticks, 3);
  if (undisturbed && !well)
    complain("timers do not tick");
  osp_ws_cancel(timer, &error);
  went_well(error);
  osp_ws_stop_server(server, &error);
  went_well(error);
}

/* ---- what a connect is refused with */

static void *refuse_politely(void *cell, const struct osprey_connection *connection) {
  char *error;
  (void)cell;
  osp_ws_answer_header(connection->id, "Retry-After", "1", &error);
  went_well(error);
  osp_ws_refuse(connection->id, 503, "not now", &error);
  went_well(error);
  return result_error("not now");
}

void connect_in_vain(void) {
  static void *on_refuse_politely[] = {(void *)refuse_politely};
  char url[64];
  char *error;
  int64_t server = osp_ws_create_server(plain_port, "127.0.0.1", "/chat", &error);
  if (!went_well(error))
    return;
  osp_ws_server_on_open(server, on_refuse_politely, &error);
  bool refuses = went_well(error);
  osp_ws_server_listen(server, &error);
  went_well(error);
  snprintf(url, sizeof url, "ws://127.0.0.1:%d/chat", plain_port);
  osp_ws_connect(url, on_first, &error);
  if (went_well(error) && refuses)
    complain("a refused connect succeeds");
  osp_ws_stop_server(server, &error);
  went_well(error);
}

/* ---- more messages in one piece than a run handles */

void flood(void) {
  enum { COUNT = 400, FRAME = 7 };
  static char frames[COUNT * FRAME + 1];
  char *error;
  bool well;
  bool undisturbed = atomic_load(&ws_fault_target) == 0;
  int64_t server = osp_ws_create_server(plain_port, "127.0.0.1", "/chat", &error);
  if (!went_well(error))
    return;
  osp_ws_server_on_message(server, on_echo, &error);
  went_well(error);
  osp_ws_server_listen(server, &error);
  went_well(error);
  for (int i = 0; i < COUNT; i++)
    memcpy(frames + FRAME * i, "\x81\x81\0\0\0\0f", FRAME);
  struct peer peer = open_in_two("X-Test: 1", &well);
  if (well)
    peer_send(&peer, frames, COUNT * FRAME);
  for (int i = 0; well && i < COUNT; i++)
    well = read_frame_with(&peer, 0x81);
  if (undisturbed && !well)
    complain("a flood is not answered");
  peer_close(&peer);
  osp_ws_stop_server(server, &error);
  went_well(error);
}

/* ---- without spare roots */

/* Takes all roots that are unused, so that the next one needs memory. A block's roots, of which there are 55, are lent
 * in the order of their addresses. */
static void take_all_roots(void) {
  void **before = NULL;
  for (int run = 0; run < 55;) {
    void **root = ws_roots_acquire();
    if (!root)
      return;
    run = root == before + 1 ? run + 1 : 1;
    before = root;
  }
}

static _Atomic int64_t ended_client;

/* Hears late of an end, inside this handler, whose call needs a block of its own then. */
static void *hear_late(void *cell, const struct osprey_connection *connection, const struct osprey_message *message) {
  char *error;
  (void)cell;
  (void)message;
  take_all_roots();
  osp_ws_on_close(ended_client, on_count_close, &error);
  went_well(error);
  osp_ws_send(connection->id, "heard", &error);
  went_well(error);
  return result_success();
}

static void *on_hear_late[] = {(void *)hear_late};

static void set_handlers_without_roots(int64_t server, int64_t client) {
  int64_t (*const setters[])(int64_t, void *, char **) = {osp_ws_server_on_open, osp_ws_server_on_close};
  char *error;
  for (size_t i = 0; i < 2; i++) {
    take_all_roots();
    setters[i](server, i == 0 ? on_admit : on_count_close, &error);
    went_well(error);
  }
  if (!client)
    return;
  take_all_roots();
  osp_ws_on_close(client, on_count_close, &error);
  went_well(error);
  take_all_roots();
  osp_ws_reconnect(client, INT32_MAX, INT32_MAX, on_admit, &error);
  went_well(error);
}

void run_out_of_roots(void) {
  enum { TIMERS = 20 };
  struct osprey_options options = {.headers = "", .protocols = "", .timeout_ms = 1000};
  char url[64];
  char *error;
  snprintf(url, sizeof url, "ws://127.0.0.1:%d/chat", plain_port);
  int64_t server = osp_ws_create_server(plain_port, "127.0.0.1", "/chat", &error);
  if (!went_well(error))
    return;
  osp_ws_server_on_message(server, on_hear_late, &error);
  went_well(error);
  osp_ws_server_on_open(server, on_learn_id, &error);
  went_well(error);
  osp_ws_server_listen(server, &error);
  went_well(error);
  ended_client = osp_ws_connect_with(url, &options, on_third, &error);
  if (went_well(error)) {
    osp_ws_close(latest_id, &error); /* by the server, so that the client may be asked to stay */
    went_well(error);
    for (int i = 0; i < QUIET_MS && !has_ended(ended_client); i++)
      poll(NULL, 0, 1);
  }
  take_all_roots();
  int64_t client = osp_ws_connect_with(url, &options, on_third, &error);
  if (!went_well(error))
    client = 0;
  if (client) {
    osp_ws_send(client, "listen", &error);
    went_well(error);
    wait_for(&third_heard, 1);
  }
  for (int i = 0; i < TIMERS; i++) {
    take_all_roots();
    osp_ws_after(INT32_MAX, on_count_tick, &error);
    went_well(error);
  }
  osp_ws_stop_server(server, &error);
  went_well(error);
  int64_t another = osp_ws_create_server(secure_port, "127.0.0.1", "/chat", &error);
  if (went_well(error))
    set_handlers_without_roots(another, client);
}

/* ---- a client that stays */

static _Atomic int reopens;

static void *count_reopen(void *cell, const struct osprey_connection *connection) {
  char *error;
  (void)cell;
  osp_ws_send(connection->id, "-1", &error);
  bool sent = went_well(error);
  reopens++;
  return sent ? result_success() : result_error("the queue is full");
}

static void *on_count_reopen[] = {(void *)count_reopen};

static int64_t serve_plainly(void) {
  char *error;
  int64_t server = osp_ws_create_server(plain_port, "127.0.0.1", "/chat", &error);
  if (!went_well(error))
    return 0;
  osp_ws_server_listen(server, &error);
  went_well(error);
  return server;
}

static int64_t connect_plainly(void) {
  struct osprey_options options = {.headers = "X-Test: 1", .protocols = "", .timeout_ms = 1000};
  char url[64];
  char *error;
  snprintf(url, sizeof url, "ws://127.0.0.1:%d/chat", plain_port);
  int64_t id = osp_ws_connect_with(url, &options, on_second, &error);
  return went_well(error) ? id : 0;
}

static bool asks_to_stay(int64_t id, int64_t delay_ms) {
  char *error;
  osp_ws_reconnect(id, delay_ms, delay_ms, on_count_reopen, &error);
  return went_well(error);
}

static void close_quietly(int64_t id) {
  char *error;
  osp_ws_close(id, &error);
  went_well(error);
}

/* Of three clients one is asked to stay before its server stops and one afterwards, and one waits at the end. */
void come_back(void) {
  char *error;
  bool undisturbed = atomic_load(&ws_fault_target) == 0;
  int64_t server = serve_plainly();
  int64_t ids[3] = {connect_plainly(), connect_plainly(), connect_plainly()};
  osp_ws_on_close(ids[0], on_count_close, &error);
  bool well = went_well(error) && asks_to_stay(ids[0], 5) && asks_to_stay(ids[2], INT32_MAX);
  osp_ws_stop_server(server, &error);
  well = went_well(error) && wait_for(&closes, 1) && well;
  for (int i = 0; i < QUIET_MS && ids[1] && !has_ended(ids[1]); i++)
    poll(NULL, 0, 1);
  well = asks_to_stay(ids[1], 5) && well;
  server = serve_plainly();
  well = well && wait_for(&reopens, 2);
  if (undisturbed && !well)
    complain("clients do not come back");
  close_quietly(ids[0]);
  close_quietly(ids[1]);
  osp_ws_stop_server(server, &error);
  went_well(error);
}

/* ---- topics */

static _Atomic int64_t rooms_server;
static _Atomic int64_t visitor;

/* On the loop thread: its own connection, a message of its own, and one from itself. */
static void *visit(void *cell, const struct osprey_connection *connection, const struct osprey_message *message) {
  char *error;
  (void)cell;
  osp_ws_subscribe(connection->id, "room", &error);
  went_well(error);
  osp_ws_subscribe(connection->id, "hall", &error);
  went_well(error);
  osp_ws_publish(rooms_server, "room", message->data, &error);
  went_well(error);
  osp_ws_publish_from(connection->id, "room", message->data, &error);
  went_well(error);
  osp_ws_unsubscribe(connection->id, "room", &error);
  went_well(error);
  visitor = connection->id;
  return result_success();
}

/* From main, whose changes are posted. */
static void visit_from_outside(int64_t id) {
  char *error;
  osp_ws_subscribe(id, "room", &error);
  bool subscribed = went_well(error);
  osp_ws_publish(rooms_server, "room", "1", &error);
  went_well(error);
  osp_ws_unsubscribe(id, "room", &error);
  subscribed = !went_well(error) && subscribed;
  osp_ws_publish(rooms_server, "room", "2", &error);
  went_well(error);
  int64_t count = osp_ws_subscribers(rooms_server, "room", &error);
  if (went_well(error) && count != subscribed && !has_ended(id))
    complain("the count of subscribers is wrong");
}

void meet_in_rooms(void) {
  static void *on_visit[] = {(void *)visit};
  char url[64];
  char *error;
  bool undisturbed = atomic_load(&ws_fault_target) == 0;
  rooms_server = osp_ws_create_server(plain_port, "127.0.0.1", "/chat", &error);
  if (!went_well(error))
    return;
  osp_ws_server_on_message(rooms_server, on_visit, &error);
  went_well(error);
  osp_ws_server_listen(rooms_server, &error);
  went_well(error);
  snprintf(url, sizeof url, "ws://127.0.0.1:%d/chat", plain_port);
  int64_t id = osp_ws_connect(url, on_first, &error);
  if (went_well(error)) {
    osp_ws_send(id, "0", &error);
    went_well(error);
    bool well = wait_for(&heard_count[0], 1);
    if (visitor)
      visit_from_outside(visitor);
    well = wait_for(&heard_count[0], 2) && well;
    if (undisturbed && !well)
      complain("what was published has not arrived");
  }
  osp_ws_stop_server(rooms_server, &error);
  went_well(error);
}

/* Returns true if the answer to a request has this status and ends with this text. */
static bool is_answered(const char *request, const char *status, const char *end) {
  char answer[8192];
  struct peer peer = peer_connect_tolerant(plain_port);
  peer_send_text(&peer, request);
  size_t size = peer_read_all(&peer, answer, sizeof answer);
  peer_close(&peer);
  return strncmp(answer, status, strlen(status)) == 0 && size >= strlen(end) &&
         strcmp(answer + size - strlen(end), end) == 0;
}

static bool pages_are_answered(void) {
  char head[1024];
  struct peer peer = peer_connect_tolerant(plain_port);
  peer_send_text(&peer, PEER_REQUEST("/rooms/7") "\r\n");
  bool well = peer_read_head(&peer, head, sizeof head) && strncmp(head, "HTTP/1.1 101 ", 13) == 0;
  well = is_answered("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 200 ", "a page") && well;
  well = is_answered("HEAD /file HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 200 ", "\r\n\r\n") && well;
  well = is_answered("GET /file HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 200 ", "in a file") && well;
  well = is_answered("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 200 ", "\n") && well;
  peer_close(&peer);
  return well;
}

void ask_for_pages(void) {
  char file[64];
  char *error;
  bool undisturbed = atomic_load(&ws_fault_target) == 0;
  snprintf(file, sizeof file, "/tmp/page-%d.html", (int)getpid());
  FILE *written = fopen(file, "w");
  fputs("in a file", written);
  fclose(written);
  int64_t server = osp_ws_create_server(plain_port, "127.0.0.1", "/chat", &error);
  if (!went_well(error)) {
    unlink(file);
    return;
  }
  osp_ws_server_path(server, "/rooms/*", &error);
  bool well = went_well(error);
  osp_ws_server_page(server, "/", "text/plain", "another page", &error);
  well = went_well(error) && well;
  osp_ws_server_page(server, "/", "text/plain", "a page", &error);
  well = went_well(error) && well;
  osp_ws_server_file(server, "/file", file, &error);
  well = went_well(error) && well;
  osp_ws_server_metrics(server, "/metrics", &error);
  well = went_well(error) && well;
  unlink(file);
  osp_ws_server_listen(server, &error);
  bool listens = went_well(error);
  well = listens && pages_are_answered() && well;
  if (undisturbed && !well)
    complain("the pages are not answered");
  osp_ws_stop_server(server, &error);
  went_well(error);
}
