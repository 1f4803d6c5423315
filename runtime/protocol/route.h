#pragma once
/* The paths of a server besides its first one: endpoints, where a handshake is admitted, and pages, which GET and HEAD
 * get.
 *
 * A path that ends in slash and star matches every longer path that begins so, with the slash. Any other matches the
 * equal path. Bytes are compared as they are on the wire: neither percent-encoding nor ".." is resolved.
 */
#include <stdbool.h>
#include <stddef.h>

#include "slice.h"

struct ws_route {
  char *path;
  bool endpoint;
  void *page; /* the server's; NULL: none */
};

struct ws_routes {
  struct ws_route *at;
  size_t count;
};

/* Returns true if the path of a route matches the path of a request. */
bool ws_route_matches(const char *route, struct ws_slice path);

/* Returns true if a handshake is admitted at the path. */
bool ws_routes_have_endpoint(const struct ws_routes *routes, struct ws_slice path);

/* The page at the path: of several that match, that of the longest route. NULL: none. */
void *ws_routes_page(const struct ws_routes *routes, struct ws_slice path);
