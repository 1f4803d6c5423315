#pragma once
/* Trusted proxies, and the client's address that they tell. */
#include <stdbool.h>
#include <stddef.h>

#include "io/address.h"
#include "io/network.h"
#include "protocol/http_head.h"
#include "protocol/refusal.h"

struct ws_proxies {
  struct ws_network *networks;
  size_t count;
};

/* Returns true for an address in a trusted network. */
bool ws_proxy_trusts(const struct ws_proxies *proxies, const struct ws_address *address);

/* Reads the addresses of X-Forwarded-For or Forwarded from the right as far as they are trusted: the first that is not
 * trusted, else the last. A node that is no address ends the reading before it. *found is false if there is no address:
 * then the client's is the peer's own. Returns WS_REFUSAL_NONE, or why the head is refused: a malformed Forwarded, or
 * both headers with different clients, one of which would come from the client itself. A client that one of
 * them does not name by an address differs from any of the other. */
enum ws_refusal ws_proxy_client(const struct ws_proxies *proxies, const struct ws_http_head *head,
                                struct ws_address *client, bool *found);
