#pragma once
/* What must hold in every world, and what is known of the messages and connections that it concerns. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim_sock;

/* ---- messages
 *
 * A stream is the messages that one sender (a program thread, a handler, a peer) sends on one connection, or
 * broadcasts. A message names its stream and its number in it, so that whoever receives it can tell what is missing,
 * repeated, out of order or damaged. */

struct oracle_stream {
  char sender[24];
  int64_t connection; /* of the sending end: an ID, or minus a peer's number; 0: a broadcast */
  int64_t server;     /* of a broadcast */
  bool room;          /* published to the room, which every other connection is in */
  int attempted, accepted, received;
  int late;              /* of those accepted: behind a close or a stop by the program */
  int64_t pending_since; /* since when the oldest message is awaited */
  long begun_step;       /* of a broadcast in progress */
  /* Of a sender of the process: when the call for each message began and ended, in calls. */
  struct oracle_span {
    long begun, ended;
  } * spans;
  int spans_room;
};

/* The stream of this sender on this connection, or of its broadcasts by this server. */
struct oracle_stream *oracle_stream(const char *sender, int64_t connection, int64_t server);
/* Writes the next message of the stream, of about `size` bytes, with a command to whoever receives it. */
char *oracle_message(struct oracle_stream *stream, char command, int argument, size_t size);
/* The send of that message has begun, and ended. */
void oracle_send_begins(struct oracle_stream *stream);
void oracle_send_ends(struct oracle_stream *stream, bool accepted);

struct oracle_receiver {
  const char *name;
  struct {
    struct oracle_stream *stream;
    int next;
  } broadcasts[32];
  int broadcast_count;
  int count;
  /* What it got from whom: the latest beginning of a call. */
  struct {
    const char *sender;
    long begun;
  } senders[32];
  int sender_count;
  /* The broadcasts in the order in which they came: stream and number. */
  struct oracle_item {
    const struct oracle_stream *stream;
    int number;
  } * items;
  int item_count, item_room;
  struct oracle_receiver *next; /* of all that got a broadcast */
};

/* A message arrived: it must be the next one of its stream. Returns its command and argument. */
char oracle_received(struct oracle_receiver *receiver, const char *text, size_t n, int *argument);

/* ---- connections of the runtime */

struct oracle_conn {
  int64_t id, server; /* server 0: a client's */
  struct sim_sock *sock;
  struct oracle_receiver receiver;
  bool opened, admitted, wants_close, closed;
  bool hushed;            /* a close by the program was a Success */
  bool closed_by_program; /* or failed by its handler */
  bool close_received;
  bool failed_by_deadline;
  int open_calls;
  int code;
  char reason[128];
  int64_t close_sent_at, stopped_at_close, close_ms, handled_at, handling_since, pinged_at;
  bool calls_other;
  int64_t least_weight; /* the least that it held since its server last looked for no connection to evict */
  /* The latest broadcast that must reach it, and the step since which it is known to be open. */
  const struct oracle_stream *due;
  int due_number;
  long open_step;
};

struct oracle_conn *oracle_conn_find(int64_t id);
/* Makes the connection known, with its socket. */
struct oracle_conn *oracle_conn_of(int64_t id, int64_t server);
/* A handler of this thread begins (1) or ends (-1) to wait for a connect, while others may run. */
void oracle_connecting(int change);
/* A call of websocketServerBroadcast begins (1) or has returned (-1). */
void oracle_broadcasting(int change);
void oracle_handler_begins(struct oracle_conn *conn, const char *kind);
void oracle_handler_ends(struct oracle_conn *conn);
void oracle_open(struct oracle_conn *conn, bool admitted);
void oracle_close(struct oracle_conn *conn, int64_t code, const char *reason);

/* An open connection of a server, or 0. */
int64_t oracle_some_server_conn(int which);

/* ---- servers */

void oracle_server_created(int64_t id, bool handles);
/* The program stops it, or all of them: their connections end with 1001. */
void oracle_server_stops(int64_t id);
void oracle_all_stop(void);
bool oracle_server_is_stopped(int64_t id);

/* Base64 and back; the caller frees the result with __real_free. */
char *oracle_base64(const char *text);
char *oracle_from_base64(const char *base64);

/* ---- calls */

struct oracle_call {
  const char *op;
  int64_t began, stopped;
  int stops;
};

struct oracle_call oracle_call_begins(const char *op);
/* `bound_ms`: within which it must have returned. `error` is NULL or one of the documented sentences. */
void oracle_call_ends(const struct oracle_call *call, int64_t bound_ms, const char *error);

/* This thread is about to send `size` bytes on a connection, and may wait for room; 0: no more. */
void oracle_waits_to_send(int64_t connection, size_t size);

/* ---- hooks */

void oracle_start(void);
void oracle_log_line(const char *line);
void oracle_accepted(struct sim_sock *sock);
void oracle_arrived(struct sim_sock *sock);
/* The runtime reads the first bytes that a client sends over TLS. */
void oracle_hello(void);
void oracle_closed(struct sim_sock *sock);
void oracle_on_idle(void);
void oracle_on_point(void);
/* Faults have ceased for a while: every queue to a healthy peer must be empty. */
void oracle_calm(void);
/* The process has ended: nothing of it is left. `stuck`: a handler never returned. */
void oracle_process_is_gone(bool stuck, bool exited_in_handler);
/* And its peers have read all that was on its way. */
void oracle_end(bool stuck, bool exited_in_handler);
