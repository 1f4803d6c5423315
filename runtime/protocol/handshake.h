/* The opening handshake of RFC 6455 section 4, both sides.
 *
 * A server checks a parsed request against its rules and gets either what to answer with 101, or the refusal to answer with. A
 * client writes its request and checks the parsed answer. Slices point into the request's or answer's bytes, or into the rules.
 * Keys are secrets of a kind: whoever holds them, or buffers that held them, zeroes them before freeing.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "deflate.h"
#include "http_head.h"
#include "refusal.h"
#include "slice.h"
#include "url.h"

#define WS_HANDSHAKE_KEY_SIZE 24     /* characters of a Sec-WebSocket-Key */
#define WS_HANDSHAKE_ACCEPT_SIZE 28  /* characters of a Sec-WebSocket-Accept */
#define WS_CLIENT_HEADERS_MAX 8192   /* bytes of a client's own headers */
#define WS_SERVER_HANDSHAKE_MAX 1024 /* bytes of a server's answer */

/* Sec-WebSocket-Accept for a key of WS_HANDSHAKE_KEY_SIZE characters, NUL-terminated. 0, or -1 if the digest failed. */
int ws_handshake_key_accept(char accept[WS_HANDSHAKE_ACCEPT_SIZE + 1], const char *key);

/* Server ----------------------------------------------------------------------------------------------------------- */

struct ws_server_handshake_rules {
  const char *path; /* must match exactly; starts with "/" */
  bool loopback;    /* bound to a loopback address: Host must name this machine */
  bool any_origin;  /* "*" is allowed */
  bool compression;
  const char *const *origins; /* allowed besides the server's own, byte for byte */
  size_t origin_count;
  const char *protocols; /* subprotocols spoken, comma-separated, the preferred first; NULL for none */
};

struct ws_server_handshake {
  struct ws_slice host;             /* value of Host */
  struct ws_slice path;             /* of the target, without its query */
  struct ws_slice query;            /* "" or starting with "?" */
  struct ws_slice origin;           /* absent if there is none */
  struct ws_slice protocol;         /* chosen, from the rules; absent for none */
  struct ws_deflate_params deflate; /* agreed */
  char accept[WS_HANDSHAKE_ACCEPT_SIZE + 1];
};

/* Decides a finished request. WS_REFUSAL_NONE: *request is filled, answer with ws_server_handshake_accept(). */
enum ws_refusal ws_server_handshake_check(const struct ws_http_head *head,
                                          const struct ws_server_handshake_rules *rules,
                                          struct ws_server_handshake *request);

/* Whether it is written as RFC 6454 section 6.2 has it: the scheme of a page, a host, and a port or none. */
bool ws_origin_valid(struct ws_slice origin);

/* Writes a valid origin as browsers do: in lower case, without the port that its scheme implies. Returns its size, which is at
 * most the origin's. */
size_t ws_origin_normalize(char *to, struct ws_slice origin);

/* Writes the 101 answer. Returns its size. */
size_t ws_server_handshake_accept(char to[WS_SERVER_HANDSHAKE_MAX], const struct ws_server_handshake *request);

/* Writes a refusal: status, the headers it calls for (Sec-WebSocket-Version, Allow, Upgrade), Connection: close and the text as
 * body. Returns its size. */
size_t ws_server_handshake_refuse(char to[WS_SERVER_HANDSHAKE_MAX], enum ws_refusal refusal);

/* Client ----------------------------------------------------------------------------------------------------------- */

/* Fills n bytes with randomness fit for keys; 0, or -1. */
struct ws_random {
  int (*fill)(void *ctx, uint8_t *bytes, size_t n);
  void *ctx;
};

struct ws_client_handshake_offer {
  const struct ws_url *url;
  const char *headers;   /* lines of "Name: value", separated by LF or CR LF; NULL for none */
  const char *protocols; /* comma-separated; NULL or "" for none */
  bool compression;
  char key[WS_HANDSHAKE_KEY_SIZE + 1];
};

/*   WS_CLIENT_HANDSHAKE_PROBLEM(name, text) */
#define WS_CLIENT_HANDSHAKE_PROBLEMS(WS_CLIENT_HANDSHAKE_PROBLEM)                                                      \
  WS_CLIENT_HANDSHAKE_PROBLEM(STATUS, "HTTP")                                                                          \
  WS_CLIENT_HANDSHAKE_PROBLEM(UPGRADE, "the answer's Upgrade header is not websocket")                                 \
  WS_CLIENT_HANDSHAKE_PROBLEM(CONNECTION, "the answer's Connection header does not hold Upgrade")                      \
  WS_CLIENT_HANDSHAKE_PROBLEM(ACCEPT, "the answer's Sec-WebSocket-Accept does not fit the key")                        \
  WS_CLIENT_HANDSHAKE_PROBLEM(PROTOCOL, "the answer chose a subprotocol that was not offered")                         \
  WS_CLIENT_HANDSHAKE_PROBLEM(EXTENSIONS, "the answer chose an extension that was not offered, or bad parameters")     \
  WS_CLIENT_HANDSHAKE_PROBLEM(DIGEST, "the digest of the key failed")

enum ws_client_handshake_problem {
  WS_CLIENT_HANDSHAKE_OK = 0,
#define WS_CLIENT_HANDSHAKE_PROBLEM(name, text) WS_CLIENT_HANDSHAKE_##name,
  WS_CLIENT_HANDSHAKE_PROBLEMS(WS_CLIENT_HANDSHAKE_PROBLEM)
#undef WS_CLIENT_HANDSHAKE_PROBLEM
};

/*   WS_CLIENT_HEADERS_PROBLEM(name, text) */
#define WS_CLIENT_HEADERS_PROBLEMS(WS_CLIENT_HEADERS_PROBLEM)                                                          \
  WS_CLIENT_HEADERS_PROBLEM(LINE, "it is not of the form \"Name: value\"")                                             \
  WS_CLIENT_HEADERS_PROBLEM(CHARACTER, "its value holds a control character or is not UTF-8")                          \
  WS_CLIENT_HEADERS_PROBLEM(RESERVED, "the handshake itself sets it")                                                  \
  WS_CLIENT_HEADERS_PROBLEM(TOO_LONG, "the headers are too long")

enum ws_client_headers_problem {
  WS_CLIENT_HEADERS_OK = 0,
#define WS_CLIENT_HEADERS_PROBLEM(name, text) WS_CLIENT_HEADERS_##name,
  WS_CLIENT_HEADERS_PROBLEMS(WS_CLIENT_HEADERS_PROBLEM)
#undef WS_CLIENT_HEADERS_PROBLEM
      WS_CLIENT_HEADERS_PROBLEM_COUNT,
};

struct ws_client_handshake_answer {
  struct ws_slice protocol;         /* chosen; absent for none */
  struct ws_deflate_params deflate; /* agreed */
};

/* Checks headers before they are used in an offer: names are tokens and not the handshake's own (Host, Upgrade,
 * Connection, Sec-WebSocket-*, Content-Length, Transfer-Encoding, TE, Trailer, Expect), values are UTF-8 without control
 * characters but tabs, at most WS_CLIENT_HEADERS_MAX bytes in all. */
/* *wrong, unless NULL is passed, is the line that has the problem: a part of `headers`. */
enum ws_client_headers_problem ws_client_headers_check(const char *headers, struct ws_slice *wrong);
const char *ws_client_headers_problem_text(enum ws_client_headers_problem problem);

/* Makes a key. 0, or -1 if there was no randomness. */
int ws_handshake_key_generate(char key[WS_HANDSHAKE_KEY_SIZE + 1], const struct ws_random *random);

/* Writes the request. Returns its size, which may be more than `room`: then nothing useful was written. */
size_t ws_client_handshake_request(char *to, size_t room, const struct ws_client_handshake_offer *offer);

/* Decides a finished answer. */
enum ws_client_handshake_problem ws_client_handshake_check(const struct ws_http_head *head,
                                                           const struct ws_client_handshake_offer *offer,
                                                           struct ws_client_handshake_answer *answer);

/* Writes why an answer was not accepted, for people: "handshake refused: HTTP 404 Not Found". What came from the server is
 * cut and stripped of all but visible ASCII. NUL-terminated within `room`, which is at least 1. */
void ws_client_handshake_explain(char *to, size_t room, enum ws_client_handshake_problem problem,
                                 const struct ws_http_head *head);

/* The same for a head that did not parse (head->problem). */
void ws_client_handshake_explain_head(char *to, size_t room, const struct ws_http_head *head);
