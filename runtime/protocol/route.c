#include "route.h"

bool ws_route_matches(const char *route, struct ws_slice path) {
  struct ws_slice whole = ws_slice_of(route);
  bool open = whole.size >= 2 && whole.data[whole.size - 1] == '*' && whole.data[whole.size - 2] == '/';
  if (!open)
    return ws_slice_equal(whole, path);
  size_t size = whole.size - 1;
  return path.size >= size && memcmp(path.data, whole.data, size) == 0;
}

bool ws_routes_have_endpoint(const struct ws_routes *routes, struct ws_slice path) {
  for (size_t i = 0; i < routes->count; i++)
    if (routes->at[i].endpoint && ws_route_matches(routes->at[i].path, path))
      return true;
  return false;
}

void *ws_routes_page(const struct ws_routes *routes, struct ws_slice path) {
  void *page = NULL;
  size_t longest = 0;
  for (size_t i = 0; i < routes->count; i++) {
    const struct ws_route *route = &routes->at[i];
    size_t size = strlen(route->path);
    bool longer = size > longest || ws_slice_equal(ws_slice_of(route->path), path);
    if (route->page && longer && ws_route_matches(route->path, path)) {
      page = route->page;
      longest = size;
    }
  }
  return page;
}
