#pragma once
/* A connection: a stream, an output queue, a timer, a state, and a session while a message is incomplete.
 *
 * The state only moves down the list of enum ws_conn_state. The states from CLOSING on are entered by end.c alone,
 * which owns how a connection ends; spec/architecture.md draws the transitions.
 *
 * Threads. A connection belongs to one loop thread, which alone touches it. Members marked shared may be read by a
 * thread that has pinned the ID (handle.h).
 *
 * Lifetime. `refs` counts the stack frames and the loop thread's queues that use the connection. A connection that has
 * ENDED with refs at zero is queued for the end of the turn, where ws_end_finish calls its close handler, retires the
 * ID and frees the memory, unless these outlive it (ops->outlives). So a handler may close its own connection or stop
 * its server, and nothing leaves a list of connections while a callback walks it. A function that uses a connection
 * after it ran handlers holds a reference.
 *
 * Session. An idle connection has none: it exists while a message is incomplete, or for as long as a compression
 * context is kept.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "activity.h"
#include "base/list.h"
#include "group.h"
#include "io/address.h"
#include "io/outq.h"
#include "io/stream.h"
#include "io/timer.h"
#include "osprey/error.h"
#include "osprey/call.h"
#include "osprey/value.h"
#include "protocol/deflate.h"
#include "protocol/deflater.h"
#include "protocol/refusal.h"
#include "protocol/session.h"
#include "unparsed.h"

enum ws_conn_state {
  WS_CONN_CONNECTING, /* the stream connects, or TLS shakes hands */
  WS_CONN_HANDSHAKE,  /* the peer's HTTP head is awaited */
  WS_CONN_OPENING,    /* a server's: the open handler runs; the ID is valid, output is corked behind the 101 */
  WS_CONN_OPEN,       /* messages go both ways */
  WS_CONN_CLOSING,    /* our close frame is queued; messages are discarded until the peer's close frame arrives */
  WS_CONN_CLOSED,     /* both close frames, or a page, were queued or received; input is discarded */
  WS_CONN_FAILED,     /* this end failed the connection: its close frame is queued, input is discarded */
  WS_CONN_LINGERING,  /* everything is written and the write side shut down; the peer's end of stream is awaited */
  WS_CONN_REFUSED,    /* the handshake's refusal is queued, input is discarded; for the program it is closed */
  WS_CONN_REFUSED_LINGERING, /* as LINGERING, behind a refusal */
  WS_CONN_ENDED,             /* the stream is closed; the close handler is due or running */
  WS_CONN_PARKED             /* the close handler has returned, but the ID lives on (ops->outlives) */
};

/* What compression keeps for a connection, made when the first message needs it. */
struct ws_compressor {
  struct ws_queue_node node; /* in thread->compressing if `conn->compressing` */
  struct ws_conn *conn;
  struct ws_deflater *deflater; /* NULL without a compression context */
  struct ws_chunk *packing;     /* compress_later.c's; NULL: no compression is in progress */
};

struct ws_conn {
  struct ws_stream stream;
  struct ws_outq out; /* its byte count is shared */
  struct ws_timer timer;
  struct ws_session *session;
  struct ws_unparsed *unparsed; /* NULL: none */
  struct ws_group *group;       /* shared */
  int64_t id;                   /* shared; 0 before OPENING */
  struct ws_list_node member;
  struct ws_queue_node queued_node;   /* in thread->queued if `queued` */
  struct ws_queue_node buffered_node; /* in thread->buffered if `buffered`, in thread->shaking if `shaking` */
  struct ws_awake *awake;             /* NULL: it has been silent (awake.h) */
  void *handshake;                    /* the role's: a partial head, then what it keeps of it (shared) */
  struct ws_compressor *compressor;   /* NULL: no message needed one (compress.h) */
  const struct ws_address *remote;    /* shared; its port is not the connection's */
  char *reason;                       /* of the end; NULL: none. U+0000 is stored as C0 80 */
  struct ws_activity activity;
  int64_t held; /* bytes that its group's budget counts for it */
  uint32_t rate_start, rate_count;
  uint32_t rate_away;               /* ws_loop_away at the latest message */
  uint32_t rate_more_ms;            /* whose messages may come in the present second too */
  uint32_t closing_since;           /* in the states from CLOSING on: ms of the loop's clock, truncated */
  _Atomic uint32_t posted;          /* shared: messages posted to the loop thread and not yet queued */
  struct ws_deflate_params deflate; /* shared */
  _Atomic bool hushed;              /* shared: a close has returned before it has begun: no further message is heard */
  uint16_t port;                    /* shared: the peer's */
  uint16_t code;                    /* close code of the end; 0: none yet */
  uint16_t refs;
  uint16_t protocol_start, protocol_size; /* the role's: the subprotocol within its list (shared) */
  _Atomic uint8_t state;                  /* shared; enum ws_conn_state */
  enum ws_refusal refusal : 6;            /* the role's: to answer the head with */
  /* Its latest large message was not broadcast, nor any since (crowd.h). */
  bool plain : 1;
  /* More of its queue is in use than senders may fill without waiting (crowd.h). */
  bool crowding : 1;
  /* Set by ws_conn_admit: the handshake succeeded, so the close handler must be called, however the connection
   * ends. */
  bool admitted : 1;
  /* From the queueing of the 101 to the open handler's verdict: nothing is written. */
  bool corked : 1;
  /* While in thread->queued, which holds a reference. */
  bool queued : 1;
  /* While in thread->buffered, which holds a reference. */
  bool buffered : 1;
  /* In thread->shaking, which holds a reference. The stream is not watched. */
  bool shaking : 1;
  /* While in thread->compressing, which holds a reference. */
  bool compressing : 1;
  /* Its last run did all the work that a run may do, had slow handlers, or caused work (input.h). */
  bool heavy : 1;
  /* The broadcasts of its last run caused as much: to compress, to write, or to be taken by other loop threads. */
  bool causing : 1;
  /* While a handler of this connection is on the stack: no other may start, input waits. */
  bool handling : 1;
  /* Input arrived while `handling`: the stream is not watched for reading until the handler returns. */
  bool paused : 1;
  /* The peer has ended its side of the stream: it still takes output, and is not read. */
  bool deaf : 1;
  /* The socket took less than was offered: the stream is watched for writing. */
  bool blocked : 1;
  /* A keep-alive ping is unanswered. Cleared by any input. */
  bool pinged : 1;
  /* CLOSING, but the close frame waits behind messages and broadcasts that other threads have posted. */
  bool close_posted : 1;
  /* This end failed the connection: `code` is its own. */
  bool failed : 1;
  /* Its TLS keeps its buffers (awake.h). */
  bool keeps_buffers : 1;
  _Atomic uint32_t kept; /* shared: bytes kept with the connection: values (values.h), a long request */
};

static inline enum ws_conn_state ws_conn_state(const struct ws_conn *conn) {
  return (enum ws_conn_state)atomic_load_explicit(&conn->state, memory_order_acquire);
}

/* Returns true if the handshake was refused: the program does not know the connection. Any thread. */
static inline bool ws_conn_is_refused(const struct ws_conn *conn) {
  enum ws_conn_state state = ws_conn_state(conn);
  return state == WS_CONN_REFUSED || state == WS_CONN_REFUSED_LINGERING;
}

/* Output waits for this end: for its place in a turn, for compression or for the open handler. */
static inline bool ws_conn_owes_output(const struct ws_conn *conn) {
  return !conn->blocked && !ws_outq_empty(&conn->out);
}

/* The handle that pins the connection; 0 before OPENING. Any thread. */
static inline int64_t ws_conn_handle(const struct ws_conn *conn) {
  return conn->group->handle ? conn->group->handle : conn->id;
}

static inline struct ws_conn *ws_conn_of_member(struct ws_list_node *node) {
  return ws_container_of(node, struct ws_conn, member);
}

static inline struct ws_loop *ws_conn_loop(const struct ws_conn *conn) {
  return conn->group->thread->loop;
}

/* Every change of state: keeps group->open. */
void ws_conn_enter(struct ws_conn *conn, enum ws_conn_state state);

/* Issues the ID and enters OPENING. 0, or -1: no ID is left. */
int ws_conn_identify(struct ws_conn *conn);

/* The handshake succeeded: the close handler is due from now on. OPENING → OPEN, unless it is already closing. */
void ws_conn_admit(struct ws_conn *conn);

/* Queues the connection for the end of the turn: its output is written, and it is finished if it has ended. */
void ws_conn_queue(struct ws_conn *conn);

/* The same for a receiver of a broadcast, of which there may be many: behind the others. */
void ws_conn_queue_receiver(struct ws_conn *conn);

/* Queues the connection, which has a compressor, and whose output is unready and whose socket takes bytes, for
 * compress_later.h. */
void ws_conn_queue_compression(struct ws_conn *conn);

void ws_conn_ref(struct ws_conn *conn);
void ws_conn_unref(struct ws_conn *conn);

/* Gives back another thread's pin, which may free the connection. */
void ws_conn_unpin(struct ws_conn *conn);

/* Watches the stream for what the connection waits for. 0, or -1 (logged): no memory. */
int ws_conn_watch(struct ws_conn *conn);

/* Starts the idle timer (turn.c). */
void ws_conn_arm_idle(struct ws_conn *conn);

/* ---- what builtins and handlers see */

/* 0 if the connection takes messages (OPENING, OPEN), else -1 with the error set. Any thread. */
int ws_conn_check_open(const char *op, const struct ws_conn *conn, struct ws_error *error);

/* Formats the peer's address and port. Any thread. */
const char *ws_conn_remote(const struct ws_conn *conn, char text[static WS_ADDRESS_TEXT]);

/* A new WebSocketConnection record, owned by the caller. NULL: no memory. Any thread. */
void *ws_conn_new_record(const struct ws_conn *conn);

/* Brackets a call of one of the connection's handlers: "open", "message" or "close". The caller holds a reference.
 * NULL: no memory. */
struct ws_call *ws_conn_call_begin(struct ws_conn *conn, const char *kind);
void ws_conn_call_end(struct ws_conn *conn, struct ws_call *call);

/* Frees the session, unparsed input and the compression context, with what is being compressed. No handler of the
 * connection may be on the stack. */
void ws_conn_drop_input(struct ws_conn *conn);
