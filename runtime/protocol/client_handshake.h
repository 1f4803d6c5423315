#pragma once
/* The client's side of the opening handshake (RFC 6455 section 4.1).
 *
 * The client writes a request from its offer, parses the response (http_head.h) and checks it against the offer.
 */
#include <stdbool.h>
#include <stddef.h>

#include "deflate.h"
#include "handshake_key.h"
#include "http_head.h"
#include "slice.h"
#include "url.h"

struct ws_client_handshake_offer {
  const struct ws_url *url;
  const char *headers;   /* checked (client_headers.h); NULL: none */
  const char *protocols; /* checked (subprotocol.h); NULL or "": none */
  bool compression;
  char key[WS_HANDSHAKE_KEY_SIZE + 1];
};

/*   WS_CLIENT_HANDSHAKE_PROBLEM(name, text) */
#define WS_CLIENT_HANDSHAKE_PROBLEMS(WS_CLIENT_HANDSHAKE_PROBLEM)                                                      \
  WS_CLIENT_HANDSHAKE_PROBLEM(STATUS, "HTTP")                                                                          \
  WS_CLIENT_HANDSHAKE_PROBLEM(UPGRADE, "the response's Upgrade header is not websocket")                               \
  WS_CLIENT_HANDSHAKE_PROBLEM(CONNECTION, "the response's Connection header does not contain Upgrade")                 \
  WS_CLIENT_HANDSHAKE_PROBLEM(ACCEPT, "the response's Sec-WebSocket-Accept does not match the key")                    \
  WS_CLIENT_HANDSHAKE_PROBLEM(PROTOCOL, "the response's Sec-WebSocket-Protocol was not offered")                       \
  WS_CLIENT_HANDSHAKE_PROBLEM(EXTENSIONS, "the response's Sec-WebSocket-Extensions does not match the offer")          \
  WS_CLIENT_HANDSHAKE_PROBLEM(DIGEST, "the digest of the key failed")

enum ws_client_handshake_problem {
  WS_CLIENT_HANDSHAKE_OK = 0,
#define WS_CLIENT_HANDSHAKE_PROBLEM(name, text) WS_CLIENT_HANDSHAKE_##name,
  WS_CLIENT_HANDSHAKE_PROBLEMS(WS_CLIENT_HANDSHAKE_PROBLEM)
#undef WS_CLIENT_HANDSHAKE_PROBLEM
};

/* An accepted response. */
struct ws_client_handshake_answer {
  struct ws_slice protocol;         /* the chosen subprotocol, in the response; absent: none */
  struct ws_deflate_params deflate; /* the agreed parameters */
};

/* Writes the request. Returns its size; if that exceeds `room`, the text is incomplete. */
size_t ws_client_handshake_request(char *to, size_t room, const struct ws_client_handshake_offer *offer);

/* Checks a complete response. Returns WS_CLIENT_HANDSHAKE_OK and fills *answer, or returns the problem. */
enum ws_client_handshake_problem ws_client_handshake_check(const struct ws_http_head *head,
                                                           const struct ws_client_handshake_offer *offer,
                                                           struct ws_client_handshake_answer *answer);

/* Writes an error message for a response that was not accepted: "handshake refused: HTTP 404 Not Found". Truncates the
 * server's reason phrase, and replaces all but printable ASCII in it. NUL-terminated within `room`, which is not 0. */
void ws_client_handshake_explain(char *to, size_t room, enum ws_client_handshake_problem problem,
                                 const struct ws_http_head *head);

/* The same for a response that did not parse (head->problem). */
void ws_client_handshake_explain_head(char *to, size_t room, const struct ws_http_head *head);

/* Copies text of a server, cut to `room` and NUL-terminated, with "?" for all but printable ASCII. */
void ws_client_handshake_clean(char *to, size_t room, struct ws_slice text);
