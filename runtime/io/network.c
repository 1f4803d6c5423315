#include "network.h"

#include <string.h>

enum { WS_NETWORK_IPV4_BITS = 96, WS_NETWORK_TEXT = 64 };

/* Parses the digits of a prefix length. Returns -1 for any other text. */
static int ws_network_bits(const char *text, int most) {
  int bits = 0;
  size_t n = strspn(text, "0123456789");
  if (n == 0 || n > 3 || text[n] != '\0')
    return -1;
  for (; *text; text++)
    bits = 10 * bits + *text - '0';
  return bits <= most ? bits : -1;
}

/* Returns true if the first `bits` bits are equal. */
static bool ws_network_matches(const uint8_t a[static 16], const uint8_t b[static 16], unsigned bits) {
  unsigned whole = bits / 8;
  uint8_t mask = (uint8_t)(0xFF00u >> bits % 8);
  return memcmp(a, b, whole) == 0 && (bits % 8 == 0 || ((a[whole] ^ b[whole]) & mask) == 0);
}

const char *ws_network_parse(const char *text, struct ws_network *network) {
  static const uint8_t nothing[16];
  char host[WS_NETWORK_TEXT];
  struct ws_address address;
  size_t n = strcspn(text, "/");
  uint8_t beyond[16];
  const char *malformed =
      "is neither an IP address nor a network, such as 127.0.0.1 or 10.0.0.0/8; names are not looked up";
  if (n >= sizeof host || memchr(text, '%', n))
    return malformed;
  memcpy(host, text, n);
  host[n] = '\0';
  if (!ws_address_parse(host, 0, &address))
    return malformed;
  bool v4 = address.any.sa_family == AF_INET;
  int bits = v4 ? 32 : 128;
  if (text[n] == '/' && (bits = ws_network_bits(text + n + 1, bits)) < 0)
    return "has no valid prefix length behind the slash";
  ws_address_host(&address, network->host);
  network->bits = (uint8_t)(bits + (v4 ? WS_NETWORK_IPV4_BITS : 0));
  memcpy(beyond, network->host, sizeof beyond);
  memset(beyond, 0, network->bits / 8);
  if (network->bits % 8)
    beyond[network->bits / 8] &= (uint8_t)(0xFF >> network->bits % 8);
  return memcmp(beyond, nothing, sizeof beyond) == 0 ? NULL : "has bits set behind its prefix";
}

bool ws_network_contains(const struct ws_network *network, const struct ws_address *address) {
  uint8_t host[16];
  static const uint8_t mapped[16] = {[10] = 0xff, [11] = 0xff};
  ws_address_host(address, host);
  if (network->bits < WS_NETWORK_IPV4_BITS && ws_network_matches(host, mapped, WS_NETWORK_IPV4_BITS))
    return false;
  return ws_network_matches(host, network->host, network->bits);
}
