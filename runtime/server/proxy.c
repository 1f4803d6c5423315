#include "proxy.h"

#include <string.h>

#include "protocol/forwarded.h"

/* The hops that are read, from the right: those before them cannot be proxies of this server's, and cost time. */
enum { WS_PROXY_HOPS = 64 };

bool ws_proxy_trusts(const struct ws_proxies *proxies, const struct ws_address *address) {
  for (size_t i = 0; i < proxies->count; i++)
    if (ws_network_contains(&proxies->networks[i], address))
      return true;
  return false;
}

/* A zone would be one of the proxy's machine. */
static bool ws_proxy_parse(struct ws_slice host, struct ws_address *address) {
  char text[INET6_ADDRSTRLEN];
  if (!host.data || host.size >= sizeof text || memchr(host.data, '%', host.size))
    return false;
  memcpy(text, host.data, host.size);
  text[host.size] = '\0';
  return ws_address_parse(text, 0, address);
}

/* Reads from the left: what is behind an untrusted address, or behind no address, replaces what was before. */
static enum ws_refusal ws_proxy_read(const struct ws_proxies *proxies, const struct ws_http_head *head,
                                     enum ws_forwarded_kind kind, struct ws_address *client, bool *found) {
  struct ws_forwarded forwarded;
  struct ws_slice host, hops[WS_PROXY_HOPS]; /* the last ones: the nth at n modulo WS_PROXY_HOPS */
  size_t count = 0;
  enum ws_forwarded_outcome outcome;
  *found = false;
  ws_forwarded_begin(&forwarded, head, kind);
  while ((outcome = ws_forwarded_next(&forwarded, &host)) == WS_FORWARDED_NODE)
    hops[count++ % WS_PROXY_HOPS] = host;
  if (outcome == WS_FORWARDED_MALFORMED)
    return WS_REFUSAL_FORWARDED;
  for (size_t i = count > WS_PROXY_HOPS ? count - WS_PROXY_HOPS : 0; i < count; i++) {
    struct ws_address address;
    bool known = ws_proxy_parse(hops[i % WS_PROXY_HOPS], &address);
    if (known && (!*found || !ws_proxy_trusts(proxies, &address)))
      *client = address;
    *found = known;
  }
  return WS_REFUSAL_NONE;
}

enum ws_refusal ws_proxy_client(const struct ws_proxies *proxies, const struct ws_http_head *head,
                                struct ws_address *client, bool *found) {
  struct ws_address other;
  uint8_t hosts[2][16];
  bool other_found;
  enum ws_refusal refusal = ws_proxy_read(proxies, head, WS_FORWARDED_RFC, &other, &other_found);
  ws_proxy_read(proxies, head, WS_FORWARDED_X_FOR, client, found);
  if (refusal != WS_REFUSAL_NONE || !other_found)
    return refusal;
  if (!*found) {
    *client = other;
    *found = true;
    return WS_REFUSAL_NONE;
  }
  ws_address_host(client, hosts[0]);
  ws_address_host(&other, hosts[1]);
  return memcmp(hosts[0], hosts[1], 16) == 0 ? WS_REFUSAL_NONE : WS_REFUSAL_FORWARDED_TWICE;
}
