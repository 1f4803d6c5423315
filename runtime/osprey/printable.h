#pragma once
/* Text that may hold a peer's bytes, made fit for one line of a log or of an error.
 *
 * Control characters (DEL and the C1 ones included) and bytes that are not UTF-8 are written as \xNN, so that nobody but the
 * program itself can begin a line or steer a terminal.
 */
#include <stddef.h>

/* Room that is enough for any text of n bytes, its final NUL included. */
#define WS_PRINTABLE_SIZE(n) (4 * (n) + 1)

/* Writes the printable form of `text`, cut where the room ends, and a final NUL; returns its length. */
size_t ws_printable(char *to, size_t room, const char *text);
