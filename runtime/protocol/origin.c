#include "origin.h"

/* scheme "://" authority */
static bool ws_origin_parse(struct ws_slice origin, struct ws_slice *scheme, struct ws_authority *authority) {
  size_t n = ws_slice_find(origin, ':');
  struct ws_slice rest = ws_slice_from(origin, n);
  *scheme = (struct ws_slice){origin.data, n};
  return ws_slice_skip_prefix(&rest, WS_SLICE("://")) && ws_url_authority_parse(authority, rest) == WS_URL_OK;
}

/* scheme = ALPHA *( ALPHA | DIGIT | "+" | "-" | "." ) */
static bool ws_origin_scheme_valid(struct ws_slice scheme) {
  enum { SCHEME_MAX = 32 };
  for (size_t i = 0; i < scheme.size; i++) {
    char c = scheme.data[i];
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!letter && !(i > 0 && ((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.')))
      return false;
  }
  return scheme.size > 0 && scheme.size <= SCHEME_MAX;
}

bool ws_origin_valid(struct ws_slice origin) {
  struct ws_slice scheme;
  struct ws_authority authority;
  return ws_origin_parse(origin, &scheme, &authority) && ws_origin_scheme_valid(scheme) &&
         !ws_slice_equal_nocase(scheme, ws_slice_of("ws")) && !ws_slice_equal_nocase(scheme, ws_slice_of("wss"));
}

/* The default port of a scheme, or 0 if it is neither http nor https. */
static uint16_t ws_origin_implied_port(struct ws_slice scheme) {
  if (ws_slice_equal_nocase(scheme, ws_slice_of("http")))
    return 80;
  return ws_slice_equal_nocase(scheme, ws_slice_of("https")) ? 443 : 0;
}

size_t ws_origin_normalize(char *to, struct ws_slice origin) {
  struct ws_slice scheme;
  struct ws_authority authority;
  size_t n = origin.size;
  for (size_t i = 0; i < n; i++)
    to[i] = ws_slice_lower(origin.data[i]);
  if (ws_origin_parse(origin, &scheme, &authority) && authority.port != 0 &&
      authority.port == ws_origin_implied_port(scheme))
    while (to[--n] != ':')
      ;
  return n;
}

bool ws_origin_host(struct ws_slice origin, struct ws_authority *host) {
  struct ws_slice scheme;
  return ws_origin_parse(origin, &scheme, host);
}

bool ws_origin_is_host(struct ws_slice origin, const struct ws_authority *host) {
  struct ws_slice scheme;
  struct ws_authority authority;
  uint16_t implied, port;
  if (!ws_origin_parse(origin, &scheme, &authority))
    return false;
  implied = ws_origin_implied_port(scheme);
  if (implied == 0)
    return false;
  port = authority.port ? authority.port : implied;
  return ws_slice_equal_nocase(authority.host, host->host) && port == (host->port ? host->port : implied);
}
