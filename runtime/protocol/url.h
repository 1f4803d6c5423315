#pragma once
/* WebSocket URLs (RFC 6455 section 3).
 *
 *   "ws" | "wss"  "://"  host [ ":" port ] [ "/" path ] [ "?" query ]
 *
 * The host is a DNS name of letters, digits, "-", "_" and ".", an IPv4 address of four decimal numbers, or an IPv6
 * address in brackets without a zone. Path and query are visible ASCII. User information, fragments, spaces, control
 * characters and bytes outside ASCII are errors. An absent or empty port is the scheme's default. An empty path means
 * "/".
 *
 * All slices point into the parsed text.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "slice.h"

enum { WS_URL_MAX = 8192 }; /* bytes */

/*   WS_URL_PROBLEM(name, text) */
#define WS_URL_PROBLEMS(WS_URL_PROBLEM)                                                                                \
  WS_URL_PROBLEM(TOO_LONG, "the URL is longer than 8192 bytes")                                                        \
  WS_URL_PROBLEM(CHARACTER, "the URL contains a space, a control character or a byte outside ASCII")                   \
  WS_URL_PROBLEM(SCHEME, "the URL starts with neither ws:// nor wss://")                                               \
  WS_URL_PROBLEM(USER, "the URL contains user information (\"@\")")                                                    \
  WS_URL_PROBLEM(FRAGMENT, "the URL contains a fragment (\"#\")")                                                      \
  WS_URL_PROBLEM(HOST_EMPTY, "the URL has no host")                                                                    \
  WS_URL_PROBLEM(HOST, "the URL's host is not a name, an IPv4 address or an IPv6 address in brackets")                 \
  WS_URL_PROBLEM(ZONE, "the URL's IPv6 address has a zone ID (\"%\"), which is not supported")                         \
  WS_URL_PROBLEM(PORT, "the URL's port is not a number from 1 to 65535")

enum ws_url_problem {
  WS_URL_OK = 0,
#define WS_URL_PROBLEM(name, text) WS_URL_##name,
  WS_URL_PROBLEMS(WS_URL_PROBLEM)
#undef WS_URL_PROBLEM
      WS_URL_PROBLEM_COUNT,
};

enum ws_host_kind {
  WS_HOST_NAME,
  WS_HOST_IPV4,
  WS_HOST_IPV6,
};

struct ws_authority {
  struct ws_slice host; /* without brackets */
  enum ws_host_kind kind;
  uint16_t port; /* 0: none */
};

struct ws_url {
  bool secure;                   /* wss */
  struct ws_authority authority; /* its port is not 0 */
  struct ws_slice path;          /* "" or starts with "/" */
  struct ws_slice query;         /* "" or starts with "?" */
};

/* Parses n bytes. Returns WS_URL_OK and fills *url, or returns the problem. */
/*@ requires \valid_read(text + (0 .. n - 1)) && \valid(url) && \separated(url, text + (0 .. n - 1));
    assigns *url;
    ensures \result == WS_URL_OK ==>
      n <= WS_URL_MAX && slice_readable(url->authority.host) && slice_readable(url->path) &&
      slice_readable(url->query) && url->authority.port > 0;
*/
enum ws_url_problem ws_url_parse(struct ws_url *url, const char *text, size_t n);

/* Parses host [ ":" port ], the syntax of URLs and of the Host header. */
/*@ requires slice_readable(text) && \valid(authority) && \separated(authority, text.data + (0 .. text.size - 1));
    assigns *authority;
    ensures \result == WS_URL_OK ==> slice_within(authority->host, text) && slice_readable(authority->host);
*/
enum ws_url_problem ws_url_authority_parse(struct ws_authority *authority, struct ws_slice text);

/* Returns the problem's text. */
const char *ws_url_problem_text(enum ws_url_problem problem);

/* The default port of wss or ws. */
/*@ assigns \nothing;
    ensures \result > 0;
*/
static inline uint16_t ws_url_default_port(bool secure) {
  return secure ? 443 : 80;
}

/* Returns true if every byte is allowed in a path or query: visible ASCII except "#". */
/*@ requires slice_readable(target);
    assigns \nothing;
*/
bool ws_url_target_valid(struct ws_slice target);

/* Returns true for a host that is always this machine: localhost, names under .localhost, 127.0.0.0/8, ::1. */
/*@ requires \valid_read(authority) && slice_readable(authority->host);
    assigns \nothing;
*/
bool ws_url_host_is_loopback(const struct ws_authority *authority);
