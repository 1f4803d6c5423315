#pragma once
/* The headers that a program adds to the client's handshake request.
 *
 * They are lines of "Name: value", separated by LF or CR LF. A name is a token, and not one of the handshake's own:
 * Host, Upgrade, Connection, Sec-WebSocket-*, Content-Length, Transfer-Encoding, TE, Trailer, Expect. A value is UTF-8
 * without control characters other than tabs.
 */
#include <stdbool.h>

#include "slice.h"

enum { WS_CLIENT_HEADERS_MAX = 8192 }; /* bytes */

/*   WS_CLIENT_HEADERS_PROBLEM(name, text) */
#define WS_CLIENT_HEADERS_PROBLEMS(WS_CLIENT_HEADERS_PROBLEM)                                                          \
  WS_CLIENT_HEADERS_PROBLEM(LINE, "it is not of the form \"Name: value\"")                                             \
  WS_CLIENT_HEADERS_PROBLEM(CHARACTER, "its value contains a control character or is not UTF-8")                       \
  WS_CLIENT_HEADERS_PROBLEM(RESERVED, "the handshake itself sets it")                                                  \
  WS_CLIENT_HEADERS_PROBLEM(TOO_LONG, "the headers are too long")

enum ws_client_headers_problem {
  WS_CLIENT_HEADERS_OK = 0,
#define WS_CLIENT_HEADERS_PROBLEM(name, text) WS_CLIENT_HEADERS_##name,
  WS_CLIENT_HEADERS_PROBLEMS(WS_CLIENT_HEADERS_PROBLEM)
#undef WS_CLIENT_HEADERS_PROBLEM
      WS_CLIENT_HEADERS_PROBLEM_COUNT,
};

/* Checks the headers. If `wrong` is not NULL, it receives the line that has the problem. */
enum ws_client_headers_problem ws_client_headers_check(const char *headers, struct ws_slice *wrong);

/* Returns the problem's text. */
const char *ws_client_headers_problem_text(enum ws_client_headers_problem problem);

/* Removes the next line from *rest, and stores it without its line ending. Returns false if *rest is empty. */
bool ws_client_headers_next(struct ws_slice *rest, struct ws_slice *line);
