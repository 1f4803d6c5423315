#pragma once
/* A connection: a stream, a session while something is under way, an output queue, a timer and a state.
 *
 *   HANDSHAKE  the stream connects or shakes hands, or the peer's head is awaited; no ID yet
 *   OPENING    a server's: the head is accepted, the open handler runs; ID valid, output held back behind the 101
 *   OPEN       messages go both ways
 *   CLOSING    a close frame was queued; what arrives is discarded but for the peer's close frame
 *   REFUSED    a server's: the refusal was queued; for the program it is closed
 *   ENDED      the stream is closed; the close handler runs or is about to; then the ID is retired and the memory freed
 *
 * It only ever moves down this list. It belongs to one thread, whose thread alone touches it, apart from what is marked
 * shared: other threads pin its ID (handle.h) and read that.
 *
 * Lifetime. `uses` counts what on the stack, in the dirty list or in that of the unread still needs the connection.
 * ws_conn_drop may be called at any time: it ends the connection at once, but the close handler, retiring and freeing
 * wait for the last use. So a connection can be closed, and its server stopped, inside its own handler. Whoever calls something that may end a
 * connection and goes on to use it holds a use.
 *
 * The session exists only from the first byte of a message to its last (or, with a compression context, as long as that):
 * an idle connection has none.
 *
 * How it ended (ws_conn_drop): by the peer's close frame, its code (1005 if it has none) and reason; else, where this end
 * failed the connection, the code and reason it sent; else 1006.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/outq.h"
#include "io/stream.h"
#include "io/timer.h"
#include "address_quota.h"
#include "protocol/deflate.h"
#include "protocol/message.h"
#include "osprey/value.h"
#include "loop_thread.h"

enum ws_conn_state {
  WS_CONN_HANDSHAKE,
  WS_CONN_OPENING,
  WS_CONN_OPEN,
  WS_CONN_CLOSING,
  WS_CONN_REFUSED,
  WS_CONN_ENDED
};

enum { WS_CLOSE_TIMEOUT_MS = 5000, WS_LINGER_MS = 1000 };

struct ws_conn;

/* What the connections of one server, or one client connection, have in common. Shared, constant once it is in use. */
struct ws_rules {
  enum ws_role role;
  uint32_t max_message_bytes;
  uint32_t max_fragments;
  uint16_t max_ratio;               /* of what a compressed message becomes to what it came as, past the first MiB */
  uint32_t max_messages_per_second; /* 0: no cap */
  uint32_t idle_timeout_ms;         /* 0: never; a ping at half */
  size_t max_queued_bytes;
};

/* What a client and a server do differently. Each is called on the thread, with a use held. */
struct ws_conn_ops {
  /* The stream is ready for bytes. */
  void (*connected)(struct ws_conn *conn);
  /* Bytes of the peer's head; returns how many were its. Opens, refuses or drops the connection, or waits for more. */
  size_t (*head)(struct ws_conn *conn, uint8_t *bytes, size_t n);
  /* Hands a message to its handler. */
  enum ws_verdict (*message)(struct ws_conn *conn, struct ws_call *call, bool binary, const uint8_t *bytes, size_t n);
  /* The handshake came to nothing, and why (NULL: it took too long); the connection is dropped next. */
  void (*broken)(struct ws_conn *conn, const char *why);
  /* The connection has ended; where it was admitted, the close handler is due. Once. */
  void (*ended)(struct ws_conn *conn);
  /* It has left its group. Once. */
  void (*left)(struct ws_conn *conn);
  /* Frees the memory; any thread. */
  void (*free)(struct ws_conn *conn);
  /* Shared: writes the URL of the connection's record, cut to `room`. */
  void (*url)(const struct ws_conn *conn, char *to, size_t room);
};

/* The connections of a server on one thread, or the one of a client. */
struct ws_group {
  const struct ws_conn_ops *ops;
  const struct ws_rules *rules;
  struct ws_loop_thread *thread;
  struct ws_server *server; /* NULL: a client's */
  struct ws_conn *first;
  _Atomic uint32_t open; /* shared: how many are OPEN */
};

struct ws_conn {
  struct ws_stream stream;
  struct ws_outq out; /* its count is shared */
  struct ws_timer timer;
  struct ws_session *session;
  struct ws_group *group;       /* shared */
  int64_t id;                   /* shared; 0 before OPENING */
  struct ws_conn *next, **link; /* in group->first */
  struct ws_conn *next_dirty;
  struct ws_conn *next_unread;
  void **record;   /* root of the record for handlers, NULL until it is needed */
  void *handshake; /* what the role keeps: a server's partial head, then its request (shared) */
  struct ws_deflater *deflater;
  struct ws_address_quota_entry *peer; /* shared */
  char *reason;                        /* of the end; NULL: none. U+0000 stands in it as C0 80 */
  uint32_t last_input;                 /* ms of the loop's clock, truncated */
  uint32_t rate_start, rate_count;
  _Atomic uint32_t posted;                /* shared: messages handed to the worker and not yet queued */
  struct ws_deflate_params deflate;       /* shared */
  uint16_t port;                          /* shared: the peer's */
  uint16_t code;                          /* of the end; 0: none yet */
  uint16_t protocol_start, protocol_size; /* shared: the subprotocol, a part of the role's list */
  _Atomic uint8_t state;                  /* shared */
  bool admitted : 1;                      /* it was open: the close handler is due */
  bool held : 1;                          /* output waits (for the 101) */
  bool dirty : 1;
  bool unread : 1;       /* in the worker's list of those with input left */
  bool record_stale : 1; /* to be dropped when the handler that has it returns */
  bool handling : 1;     /* a handler of this connection is on the stack */
  bool paused : 1;       /* input came meanwhile: read on afterwards */
  bool stream_ready : 1;
  bool blocked : 1;    /* output waits for the stream to become writable */
  bool discarding : 1; /* every further byte is ignored */
  bool close_sent : 1;
  bool close_received : 1;
  bool failed : 1; /* this end failed it: `code` is what it sent */
  bool shut : 1;   /* nothing more will be written */
  bool lost : 1;   /* the stream ended, or broke */
  bool pinged : 1;
  bool idled : 1;  /* failed because nothing came from the peer */
  uint8_t refusal; /* a server's: enum ws_refusal to answer with once the head is read */
  uint16_t uses;
};

static inline enum ws_conn_state ws_conn_state(const struct ws_conn *conn) {
  return (enum ws_conn_state)atomic_load_explicit(&conn->state, memory_order_acquire);
}

/* Makes the zeroed connection ready in its group. 0, or -1: no memory. */
int ws_conn_init(struct ws_conn *conn, struct ws_group *group);

/* Undoes ws_conn_init where the connection was never started. Its memory stays the caller's. */
void ws_conn_abandon(struct ws_conn *conn);

/* Begins with the stream that the caller has opened, under a deadline for the whole handshake (loop's clock). The
 * connection may be gone afterwards. */
void ws_conn_start(struct ws_conn *conn, int64_t deadline_ms);

/* Issues the ID and enters OPENING. 0, or -1: no ID is left. */
int ws_conn_identify(struct ws_conn *conn);

/* The handshake is complete: from now on the close handler is due. OPENING → OPEN, unless it is closing already. */
void ws_conn_admit(struct ws_conn *conn);

/* Adds a frame to the queue and charges it. 0, or -1: no memory or no randomness; nothing was added. */
int ws_conn_put_frame(struct ws_conn *conn, uint8_t head, const uint8_t *payload, size_t n);

/* Output was added: it is written at the end of the turn. */
void ws_conn_mark_dirty(struct ws_conn *conn);

/* Writes what there is to write, now. May end the connection. */
void ws_conn_flush(struct ws_conn *conn);

/* Writes the output of the worker's dirty connections. For thread->flush. */
void ws_conn_flush_dirty(struct ws_loop *loop, struct ws_deferred *work);

/* Starts the close handshake behind what is queued; the reason is wire text. In HANDSHAKE it drops. No effect once closing. */
void ws_conn_close(struct ws_conn *conn, int code, const char *reason, size_t n);

/* Fails the connection: sends a close frame with code and reason, and discards what still comes. */
void ws_conn_fail(struct ws_conn *conn, int code, const char *reason);
/* The same at a limit, which the log names. */
void ws_conn_fail_at(struct ws_conn *conn, int code, const char *reason, const char *limit, uint64_t value);

/* Replaces what is queued by the answer that refuses the handshake, and closes behind it. */
void ws_conn_refuse(struct ws_conn *conn, const char *bytes, size_t n);

/* Ends the connection now. */
void ws_conn_drop(struct ws_conn *conn);

/* Ends a connection in HANDSHAKE, telling its role why. */
void ws_conn_break(struct ws_conn *conn, const char *why);

void ws_conn_ref(struct ws_conn *conn);
/* The connection may be gone afterwards. */
void ws_conn_unref(struct ws_conn *conn);

/* Gives a pin of another thread back; the connection may be gone afterwards. */
void ws_conn_unpin(struct ws_conn *conn);

/* The record that handlers are given, made when first asked for and whenever isConnected has changed. Borrowed; NULL: no
 * memory. */
void *ws_conn_record(struct ws_conn *conn);

/* It will be made again when it is needed. No handler may have it in hand. */
void ws_conn_drop_record(struct ws_conn *conn);

/* The peer's address and port. Any thread. */
const char *ws_conn_remote(const struct ws_conn *conn, char text[static WS_ADDRESS_TEXT]);

/* A fresh record, owned by the caller. Any thread. */
void *ws_conn_new_record(const struct ws_conn *conn);

/* A handler of this connection begins and ends. NULL: no memory. Until the end its input waits. */
struct ws_call *ws_conn_begin_call(struct ws_conn *conn);
void ws_conn_end_call(struct ws_conn *conn, struct ws_call *call);

/* Calls a close handler (a root, or NULL for none) with how the connection ended. */
void ws_conn_call_close(struct ws_conn *conn, void **handler);

/* Reads on where input is left that no event announces. For thread->read_on. */
void ws_conn_read_on(struct ws_loop *loop, struct ws_deferred *work);

/* conn_input.c: one step of the stream's own handshake (true: done), and what readiness and the timer call. */
bool ws_conn_shake(struct ws_conn *conn);
void ws_conn_ready(struct ws_loop *loop, struct ws_watch *watch, unsigned events);
void ws_conn_fire(struct ws_loop *loop, struct ws_timer *timer);
