#pragma once
/* Networks of Internet addresses: `10.0.0.0/8`, `2001:db8::/32`, or a single address. IPv4 and its form mapped to IPv6
 * are the same; `::/0` contains no IPv4 address. */
#include <stdbool.h>
#include <stdint.h>

#include "address.h"

struct ws_network {
  uint8_t host[16]; /* as ws_address_host */
  uint8_t bits;     /* of the prefix; of an IPv4 network 96 more */
};

/* Returns what is wrong with the text; NULL if nothing. */
const char *ws_network_parse(const char *text, struct ws_network *network);

bool ws_network_contains(const struct ws_network *network, const struct ws_address *address);
