#pragma once
/* Writing a connection's output queue. On its loop thread. */
#include "base/path.h"
#include "conn.h"
#include "io/wait.h"

/* Writes what the stream takes now. No effect while the output is corked, before the stream is ready, or after it was
 * shut down. The connection may have ENDED afterwards. */
WS_ASIDE void ws_flush_output(struct ws_conn *conn);

static inline void ws_flush(struct ws_conn *conn) {
  /* The end of a turn, after what its input caused was written. */
  if (ws_outq_empty(&conn->out) && !conn->blocked && ws_conn_state(conn) < WS_CONN_CLOSING)
    ws_wait_notify();
  else
    ws_flush_output(conn);
}
