#pragma once
/* Headers that a program adds to a server's answer to a handshake, as bytes of HTTP. */
#include <stddef.h>

/* Returns what is wrong with a header of this name and value; NULL if nothing. Such a header is one line, and none that
 * the handshake itself sets or that frames the message. */
const char *ws_answer_header_problem(const char *name, const char *value);

/* Bytes of its line: name, colon, space, value, CR LF. */
size_t ws_answer_header_size(const char *name, const char *value);

/* Writes the line, without a NUL. Returns its end. */
char *ws_answer_header_write(char *to, const char *name, const char *value);
