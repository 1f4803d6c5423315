#pragma once
/* The log: one line per event, to standard error, in one write.
 *
 * OSPREY_WS_LOG sets the level: off, error, warn (the default), info, debug. A line contains no payload, handshake key
 * or token; log URLs through ws_log_url. Bytes from a peer are escaped. A line that cannot be written within 50 ms, or
 * at once on a thread that never waits, is dropped; the next line reports how many were. Of the warnings and errors
 * made with one format 100 are written a second; the rest is counted. ws_log_* may be called from any thread after
 * ws_log_init.
 *
 *   error   the runtime cannot do its work (no memory, no descriptor)
 *   warn    a refusal, a violation, a handler's Err, a slow receiver
 *   info    a connection opens or ends, a server starts or stops
 *   debug   details for debugging
 */
#include <stdbool.h>
#include <stddef.h>

enum ws_log_level { WS_LOG_OFF, WS_LOG_ERROR, WS_LOG_WARN, WS_LOG_INFO, WS_LOG_DEBUG };

/* Reads OSPREY_WS_LOG. Call this once, before the first thread starts. An unknown level is logged and means warn. */
void ws_log_init(void);

/* Returns true if lines of this level are written. Check it before expensive formatting. */
bool ws_log_wants(enum ws_log_level level);

__attribute__((format(printf, 2, 3))) void ws_log(enum ws_log_level level, const char *format, ...);

/* The calling thread never waits for the reader of the log. */
void ws_log_never_wait(void);

/* Writes how many lines were left out in past seconds, or in this one too (`all`). */
void ws_log_note_omitted(bool all);

/* Copies a URL or request target, with "…" for user, query and fragment, which may be secret. Returns `to`. */
const char *ws_log_url(char *to, size_t room, const char *url);
