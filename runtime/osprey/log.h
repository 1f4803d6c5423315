#pragma once
/* The log: one line an event, to standard error, in one write.
 *
 * OSPREY_WS_LOG chooses how much: off, error, warn (the default), info, debug. A line never holds a payload, a handshake
 * key or a token; URLs are given without their query (ws_log_url). A peer's bytes are escaped.
 *
 *   error   the runtime itself cannot do its work (no memory, no descriptor)
 *   warn    a refusal, a violation, a handler's Err, a slow receiver
 *   info    a connection's opening and end, a server's start and stop
 *   debug   what helps to find a fault
 */
#include <stdbool.h>
#include <stddef.h>

enum ws_log_level { WS_LOG_OFF, WS_LOG_ERROR, WS_LOG_WARN, WS_LOG_INFO, WS_LOG_DEBUG };

/* Reads the environment; once, before there is a second thread. An unknown level is reported and taken as warn. */
void ws_log_init(void);

/* Whether lines of this level are written: ask before collecting what costs something. */
bool ws_log_wants(enum ws_log_level level);

__attribute__((format(printf, 2, 3))) void ws_log(enum ws_log_level level, const char *format, ...);

/* A URL or request target without what may be secret: user, query and fragment replaced by "…". Returns `to`. */
const char *ws_log_url(char *to, size_t room, const char *url);
