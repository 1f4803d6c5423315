#pragma once
/* Writing a connection's output queue. On its loop thread. */
#include "base/path.h"
#include "conn.h"

/* Writes what the stream takes now. No effect while the output is corked, before the stream is ready, or after it was
 * shut down. The connection may have ENDED afterwards. */
WS_ASIDE void ws_flush(struct ws_conn *conn);
