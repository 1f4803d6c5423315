#include "host.h"

#include "origin.h"

/* A name may end in the dot of the root. */
static struct ws_slice ws_host_name(const struct ws_authority *authority) {
  struct ws_slice name = authority->host;
  if (authority->kind == WS_HOST_NAME && name.size > 1 && name.data[name.size - 1] == '.')
    name.size--;
  return name;
}

static bool ws_host_equal(const struct ws_authority *a, const struct ws_authority *b) {
  return a->kind == b->kind && ws_slice_equal_nocase(ws_host_name(a), ws_host_name(b));
}

bool ws_host_is_listed(const struct ws_authority *host, const char *const *hosts, size_t count) {
  struct ws_authority allowed;
  for (size_t i = 0; i < count; i++)
    if (ws_url_authority_parse(&allowed, ws_slice_of(hosts[i])) == WS_URL_OK && ws_host_equal(&allowed, host) &&
        (allowed.port == 0 || allowed.port == host->port))
      return true;
  return false;
}

bool ws_host_has_origin(const struct ws_authority *host, const char *const *origins, size_t count) {
  struct ws_authority allowed;
  for (size_t i = 0; i < count; i++)
    if (ws_origin_host(ws_slice_of(origins[i]), &allowed) && ws_host_equal(&allowed, host))
      return true;
  return false;
}
