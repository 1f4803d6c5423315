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
static bool ws_proxy_parse(enum ws_forwarded_kind kind, struct ws_slice node, struct ws_address *address) {
  char room[WS_QUOTED_MAX];
  char text[INET6_ADDRSTRLEN];
  if (!node.data)
    return false;
  struct ws_slice host = ws_forwarded_host(kind, node, room);
  if (host.size >= sizeof text || memchr(host.data, '%', host.size))
    return false;
  memcpy(text, host.data, host.size);
  text[host.size] = '\0';
  return ws_address_parse(text, 0, address);
}

/* What the fields of one kind tell. */
struct ws_proxy_told {
  struct ws_address client;
  bool found; /* the client's address */
  bool named; /* a client, by an address or not */
};

/* Reads from the left: what is behind an untrusted address, or behind no address, replaces what was before. */
static enum ws_refusal ws_proxy_read(const struct ws_proxies *proxies, const struct ws_http_head *head,
                                     enum ws_forwarded_kind kind, struct ws_proxy_told *told) {
  struct ws_forwarded forwarded;
  struct ws_slice node, hops[WS_PROXY_HOPS]; /* the last ones: the nth at n modulo WS_PROXY_HOPS */
  size_t count = 0;
  enum ws_forwarded_outcome outcome;
  told->found = told->named = false;
  ws_forwarded_begin(&forwarded, head, kind);
  while ((outcome = ws_forwarded_next(&forwarded, &node)) == WS_FORWARDED_NODE) {
    hops[count++ % WS_PROXY_HOPS] = node;
    told->named |= node.data != NULL;
  }
  if (outcome == WS_FORWARDED_MALFORMED)
    return WS_REFUSAL_FORWARDED;
  for (size_t i = count > WS_PROXY_HOPS ? count - WS_PROXY_HOPS : 0; i < count; i++) {
    struct ws_address address;
    bool known = ws_proxy_parse(kind, hops[i % WS_PROXY_HOPS], &address);
    if (known && (!told->found || !ws_proxy_trusts(proxies, &address)))
      told->client = address;
    told->found = known;
  }
  return WS_REFUSAL_NONE;
}

static bool ws_proxy_agree(const struct ws_proxy_told *a, const struct ws_proxy_told *b) {
  uint8_t hosts[2][16];
  if (!a->found || !b->found)
    return false;
  ws_address_host(&a->client, hosts[0]);
  ws_address_host(&b->client, hosts[1]);
  return memcmp(hosts[0], hosts[1], 16) == 0;
}

enum ws_refusal ws_proxy_client(const struct ws_proxies *proxies, const struct ws_http_head *head,
                                struct ws_address *client, bool *found) {
  struct ws_proxy_told rfc, x_for;
  enum ws_refusal refusal = ws_proxy_read(proxies, head, WS_FORWARDED_RFC, &rfc);
  ws_proxy_read(proxies, head, WS_FORWARDED_X_FOR, &x_for);
  if (refusal != WS_REFUSAL_NONE)
    return refusal;
  bool both = (rfc.named && x_for.found) || (rfc.found && x_for.named);
  if (both && !ws_proxy_agree(&rfc, &x_for))
    return WS_REFUSAL_FORWARDED_TWICE;
  *found = rfc.found || x_for.found;
  if (*found)
    *client = x_for.found ? x_for.client : rfc.client;
  return WS_REFUSAL_NONE;
}
