#pragma once
/* Escapes text that may contain a peer's bytes, for one line of a log or an error.
 *
 * Control characters (C0, DEL, C1), line separators, bidirectional controls and bytes that are not UTF-8 become \xNN: a
 * peer can neither start a new line nor control a terminal.
 */
#include <stddef.h>

/* The room for any text of n bytes, with its NUL. */
#define WS_PRINTABLE_SIZE(n) (4 * (n) + 1)

/* Writes the escaped text and a NUL, truncated to `room`. Returns its length. */
size_t ws_printable(char *to, size_t room, const char *text);
