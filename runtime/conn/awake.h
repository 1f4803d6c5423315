#pragma once
/* What a connection keeps from one message to the next, and gives up after a second or two of silence: the record for
 * its handlers, and the buffers of TLS.
 *
 * A thread looks at its connections that are awake once a second, by one timer for all, so that a message costs nothing
 * for that. Only some of those under TLS keep their buffers: they are large. The others have them for the time of each
 * record, as those that sleep have. On the loop thread.
 */
#include <stdbool.h>

#include "base/list.h"
#include "conn.h"
#include "loop_thread.h"

/* How long a connection is silent before it goes to sleep, and how many keep buffers. */
enum { WS_AWAKE_MS = 1000, WS_AWAKE_KEEPING = 256 };

struct ws_awake {
  struct ws_queue_node node; /* in one of the thread's queues */
  struct ws_conn *conn;      /* NULL: it has ended, and has no record */
  void **record;             /* root of the record for handlers */
  uint32_t spread_until;     /* ms of the coarse clock, truncated: until then its broadcasts count (crowd.c) */
};

/* The record for this connection's handlers, kept until isConnected changes or the connection falls asleep. Borrowed.
 * NULL: no memory. */
void *ws_awake_record(struct ws_conn *conn);

/* The connection, which may be asleep, has ended, or can have no record. */
void ws_awake_end(struct ws_conn *conn);

/* The callback of thread->awake_timer. */
void ws_awake_look(struct ws_loop *loop, struct ws_timer *timer);
