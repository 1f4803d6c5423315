#include "evict.h"

#include <inttypes.h>

#include "base/mem.h"
#include "conn.h"
#include "end.h"
#include "held.h"
#include "osprey/log.h"
#include "protocol/close_code.h"

enum {
  WS_EVICT_LEAST = 4 * 1024,  /* a connection that holds less is not worth a close */
  WS_EVICT_QUEUE = 64 * 1024, /* a queue longer than this is dropped rather than written before the close frame */
};

static const char ws_evict_reason[] = "the server is short of memory";

/* What it holds by itself, and its part of what it shares: all of a frame that no other holds. */
static int64_t ws_evict_weight(const struct ws_conn *conn) {
  return conn->held + (int64_t)ws_outq_shared_part(&conn->out);
}

/* *most: its weight; 0 if there is none. */
static struct ws_conn *ws_evict_largest(const struct ws_list *members, int64_t *most) {
  struct ws_conn *largest = NULL;
  *most = 0;
  for (struct ws_list_node *node = members->first; node; node = node->next) {
    struct ws_conn *conn = ws_conn_of_member(node);
    int64_t weight = conn->handling ? 0 : ws_evict_weight(conn);
    if (weight > WS_EVICT_LEAST && weight > *most) {
      largest = conn;
      *most = weight;
    }
  }
  return largest;
}

int64_t ws_evict_heaviest(const struct ws_group *group) {
  int64_t most;
  ws_evict_largest(group->members, &most);
  return most;
}

static void ws_evict_log_lost(const struct ws_conn *conn) {
  char address[WS_ADDRESS_TEXT];
  if (ws_log_wants(WS_LOG_WARN))
    ws_log(WS_LOG_WARN, "connection %" PRId64 " (%s) is dropped: its peer has not taken %zu bytes", conn->id,
           ws_conn_remote(conn, address), ws_activity_backlog(&conn->stream, &conn->out));
}

/* A queue that is long already would not be written soon. */
static void ws_evict_end(struct ws_conn *conn) {
  struct ws_exceeded limit = {"maxMemoryBytes", conn->group->rules->limits.max_memory_bytes};
  enum ws_conn_state state = ws_conn_state(conn);
  if (state > WS_CONN_HANDSHAKE && state <= WS_CONN_CLOSING)
    ws_end_fail(conn, WS_CLOSE_TRY_AGAIN_LATER, ws_evict_reason, &limit);
  else
    ws_end_drop(conn, WS_DROP_LOCAL, ws_evict_reason);
  if (ws_outq_bytes(&conn->out) > WS_EVICT_QUEUE) {
    ws_evict_log_lost(conn);
    ws_end_drop(conn, WS_DROP_LOCAL, ws_evict_reason);
  }
}

void ws_evict_here(struct ws_group *group, int64_t spare, int64_t least) {
  while (ws_held_excess(group) > spare) {
    int64_t weight;
    struct ws_conn *conn = ws_evict_largest(group->members, &weight);
    if (!conn || weight < least)
      return;
    ws_conn_ref(conn);
    ws_evict_end(conn);
    ws_conn_drop_input(conn);
    ws_held_forget(conn);
    ws_conn_unref(conn);
  }
}

void ws_evict(struct ws_group *group) {
  if (group->budget->exceeded)
    group->budget->exceeded(group);
  else
    ws_evict_here(group, 0, 0);
}
