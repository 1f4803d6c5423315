#pragma once
/* What connections have in common: the operations of their role, their rules, their loop thread.
 *
 * A role (client, server) is what struct ws_conn_ops says: this room asks it and names neither. A group is embedded by
 * its role; it is constant once in use, except for its members and their count.
 */
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "limits.h"
#include "loop_thread.h"
#include "osprey/call.h"
#include "protocol/session.h"
#include "protocol/slice.h"

struct ws_conn;
struct ws_tally;

/* How a connection in its handshake was dropped. */
enum ws_drop_cause {
  WS_DROP_PEER,    /* the stream ended or failed */
  WS_DROP_TIMEOUT, /* the deadline of the handshake passed */
  WS_DROP_LOCAL,   /* this end: no memory, or the program closed it */
};

/* What the connections of one server, or one client, have in common. Shared; constant once in use. */
struct ws_rules {
  enum ws_role role;
  struct ws_limits limits;
  int64_t ping_after_ms; /* without input */
};

/* Pings before the 60 s after which proxies and balancers end a silent connection. */
enum { WS_PING_AFTER_MS = 25000 };

/* What the two roles do differently. Called on the loop thread, with a reference held, unless marked shared: those, any
 * thread that has the connection pinned may call. */
struct ws_conn_ops {
  /* The stream is ready for bytes. NULL for a role that waits for the peer. */
  void (*connected)(struct ws_conn *conn);
  /* Bytes of the peer's head. Opens, refuses or drops the connection, or waits for more. Returns the bytes consumed. */
  size_t (*head)(struct ws_conn *conn, uint8_t *bytes, size_t n);
  /* The connection is about to be OPEN; it is OPEN from now on, or not any more. May be NULL. */
  void (*opens)(struct ws_conn *conn);
  void (*opened)(struct ws_conn *conn, bool open);
  /* The handshake failed; the connection is dropped next. `why` is NULL for WS_DROP_TIMEOUT. */
  void (*broken)(struct ws_conn *conn, enum ws_drop_cause cause, const char *why);
  /* The connection has ended; if it was admitted, the close handler is due. Once. */
  void (*ended)(struct ws_conn *conn);
  /* The connection has left its group. Once. May be NULL. */
  void (*left)(struct ws_conn *conn);
  /* After `left`. Returns true if the ID and the memory outlive the connection, which the role has PARKED: it ends them
   * later (ws_end_parked). NULL for a role whose connections have an ID each. */
  bool (*outlives)(struct ws_conn *conn);
  /* The timer of a PARKED connection has fired. It may be freed here. */
  void (*due)(struct ws_conn *conn);
  /* Frees the memory. Any thread. */
  void (*free)(struct ws_conn *conn);
  /* Shared. Writes the URL of the connection's record, cut to `room`. */
  void (*url)(const struct ws_conn *conn, char *to, size_t room);
  /* Shared. Returns true if another connection will take the place of this one, under its ID. May be NULL. */
  bool (*returns)(const struct ws_conn *conn);
  /* Shared. The negotiated subprotocol; empty for none. */
  struct ws_slice (*protocol)(const struct ws_conn *conn);
  /* Shared. As ws_request_header; NULL for a role that receives no request. */
  long (*request_header)(const struct ws_conn *conn, const char *name, char *to, size_t room);
  /* Shared. As ws_request_target; NULL for a role that receives no request. */
  struct ws_slice (*request_target)(const struct ws_conn *conn);
  /* Shared. The ID of the server that accepted the connection; NULL for a role without one. */
  int64_t (*server_id)(const struct ws_conn *conn);
};

struct ws_group;

/* Of a server; shared by its loop threads. Zeroed is empty. */
struct ws_budget {
  _Atomic int64_t held; /* bytes (held.h) */
  /* The loop thread of the group has found the limit exceeded. NULL: it evicts (evict.h). Constant once in use. */
  void (*exceeded)(struct ws_group *group);
  struct ws_tally *tallies;       /* one for each loop thread (tally.h); NULL: none. Constant once in use */
  _Atomic int crowded;            /* receivers that are waited for (crowd.h) */
  _Atomic int64_t crowd_since_ms; /* by the coarse clock */
  _Atomic int64_t crowd_until_ms; /* until then at most */
};

/* Connections with the same operations and rules, on one loop thread. */
struct ws_group {
  const struct ws_conn_ops *ops;
  const struct ws_rules *rules;
  struct ws_loop_thread *thread;
  struct ws_list *members;  /* of struct ws_conn.member */
  struct ws_budget *budget; /* held.h; NULL: no limit */
  struct ws_tally *tally;   /* tally.h; NULL: nothing is counted */
  void **on_message;        /* root of the message handler; NULL: none */
  bool text_only;           /* that handler takes no record, but the text: a binary message fails the connection */
  int64_t handle;           /* of its one connection, whose ID has the handle of another; 0: IDs are handles */
  _Atomic uint32_t open;    /* shared: how many are OPEN */
  /* Shared: broadcasts that other threads have posted to the loop thread, and that are not yet queued. */
  _Atomic uint32_t broadcasts;
  _Atomic size_t ahead; /* shared: bytes of those that this thread has posted to any, and that are not yet queued */
};
