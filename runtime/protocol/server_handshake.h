#pragma once
/* The server's side of the opening handshake (RFC 6455 section 4.2).
 *
 * The server parses a request (http_head.h) and checks it against its rules. It answers with 101 and the agreed
 * parameters, or with the status of a refusal (refusal.h). A refusal contains no byte from the client.
 */
#include <stdbool.h>
#include <stddef.h>

#include "deflate.h"
#include "handshake_key.h"
#include "http_head.h"
#include "refusal.h"
#include "route.h"
#include "slice.h"

enum { WS_SERVER_HANDSHAKE_MAX = 1024 }; /* bytes of an answer */

struct ws_server_handshake_rules {
  const char *path; /* starts with "/"; the request's path must match it, as a route's (route.h), or one of `routes` */
  bool loopback;    /* the connection arrived at a loopback address: Host must name this machine, or be allowed */
  bool any_origin;  /* "*" is allowed */
  bool compression;
  bool
      no_context; /* with compression: the server's messages are compressed each by itself (RFC 7692 section 7.1.1.1) */
  const char *const *origins; /* allowed besides the server's own; compared byte for byte */
  size_t origin_count;
  const char *const *hosts; /* allowed besides those of the origins (ws_host_is_listed) */
  size_t host_count;
  const char *protocols; /* supported subprotocols, comma-separated, in order of preference; NULL: none */
  struct ws_routes routes;
};

/* A checked request. The slices point into the request or the rules. */
struct ws_server_handshake {
  struct ws_slice host;
  struct ws_slice path;             /* of the request target */
  struct ws_slice query;            /* "" or starts with "?" */
  struct ws_slice origin;           /* absent without an Origin header */
  struct ws_slice protocol;         /* the chosen subprotocol, from the rules; absent: none */
  struct ws_deflate_params deflate; /* the agreed parameters */
  const void *page;                 /* of the routes: this is no handshake but a GET or HEAD; NULL: a handshake */
  char accept[WS_HANDSHAKE_ACCEPT_SIZE + 1];
};

/* Checks a complete request. Returns WS_REFUSAL_NONE and fills *handshake, for a page as far as `query`, or returns why
 * the request is refused. */
enum ws_refusal ws_server_handshake_check(const struct ws_http_head *head,
                                          const struct ws_server_handshake_rules *rules,
                                          struct ws_server_handshake *handshake);

/* Writes the 101 response. Returns its size. */
size_t ws_server_handshake_accept(char to[WS_SERVER_HANDSHAKE_MAX], const struct ws_server_handshake *handshake);

/* Writes the response of a refusal: its status, Date (in the form of RFC 9110 section 5.6.7), the headers that the
 * status requires, "Connection: close", and its text as the body. Returns its size. */
size_t ws_server_handshake_refuse(char to[WS_SERVER_HANDSHAKE_MAX], enum ws_refusal refusal, const char *date);

/* The same for any status and text, with further header lines, each with CR LF. `room` is WS_SERVER_HANDSHAKE_MAX more
 * than the sizes of both. */
size_t ws_server_handshake_refuse_with(char *to, size_t room, int status, const char *text, const char *date,
                                       struct ws_slice headers);
