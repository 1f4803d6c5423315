#include "address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sys.h"

socklen_t ws_address_length(const struct ws_address *address) {
  return address->any.sa_family == AF_INET6 ? sizeof address->v6 : sizeof address->v4;
}

/* Returns the zone of a link-local address, given as a name or a number; 0 if it is unknown. */
static unsigned ws_address_zone(const char *zone) {
  unsigned index = if_nametoindex(zone);
  if (index)
    return index;
  char *end;
  unsigned long number = strtoul(zone, &end, 10);
  return *zone >= '0' && *zone <= '9' && *end == '\0' && number <= UINT32_MAX ? (unsigned)number : 0;
}

static bool ws_address_parse_v6(const char *text, struct sockaddr_in6 *v6) {
  char host[INET6_ADDRSTRLEN];
  size_t length = strcspn(text, "%");
  if (length >= sizeof host)
    return false;
  memcpy(host, text, length);
  host[length] = '\0';
  if (text[length] == '%' && (v6->sin6_scope_id = ws_address_zone(text + length + 1)) == 0)
    return false;
  v6->sin6_family = AF_INET6;
  return inet_pton(AF_INET6, host, &v6->sin6_addr) == 1;
}

bool ws_address_parse(const char *text, uint16_t port, struct ws_address *address) {
  *address = (struct ws_address){0};
  if (inet_pton(AF_INET, text, &address->v4.sin_addr) == 1) {
    address->v4.sin_family = AF_INET;
    address->v4.sin_port = htons(port);
    return true;
  }
  *address = (struct ws_address){0};
  address->v6.sin6_port = htons(port);
  return ws_address_parse_v6(text, &address->v6);
}

static bool ws_address_is_mapped(const struct ws_address *address) {
  return address->any.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&address->v6.sin6_addr);
}

char *ws_address_format_host(const struct ws_address *address, char text[static WS_ADDRESS_TEXT]) {
  if (address->any.sa_family == AF_INET)
    inet_ntop(AF_INET, &address->v4.sin_addr, text, WS_ADDRESS_TEXT);
  else if (ws_address_is_mapped(address))
    inet_ntop(AF_INET, &address->v6.sin6_addr.s6_addr[12], text, WS_ADDRESS_TEXT);
  else
    inet_ntop(AF_INET6, &address->v6.sin6_addr, text, WS_ADDRESS_TEXT);
  size_t n = strlen(text);
  if (address->any.sa_family == AF_INET6 && address->v6.sin6_scope_id)
    snprintf(text + n, WS_ADDRESS_TEXT - n, "%%%u", address->v6.sin6_scope_id);
  return text;
}

char *ws_address_format(const struct ws_address *address, char text[static WS_ADDRESS_TEXT]) {
  char host[WS_ADDRESS_TEXT];
  unsigned port = ws_address_port(address);
  ws_address_format_host(address, host);
  snprintf(text, WS_ADDRESS_TEXT, strchr(host, ':') ? "[%.64s]:%u" : "%.64s:%u", host, port);
  return text;
}

uint16_t ws_address_port(const struct ws_address *address) {
  return ntohs(address->any.sa_family == AF_INET6 ? address->v6.sin6_port : address->v4.sin_port);
}

void ws_address_host(const struct ws_address *address, uint8_t host[static 16]) {
  static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
  if (address->any.sa_family == AF_INET6) {
    memcpy(host, &address->v6.sin6_addr, 16);
  } else {
    memcpy(host, mapped, sizeof mapped);
    memcpy(host + sizeof mapped, &address->v4.sin_addr, 4);
  }
}

bool ws_address_network(const struct ws_address *address, struct ws_address *network) {
  if (address->any.sa_family != AF_INET6 || ws_address_is_mapped(address))
    return false;
  *network = *address;
  memset(&network->v6.sin6_addr.s6_addr[8], 0, 8);
  return true;
}

bool ws_address_is_loopback(const struct ws_address *address) {
  if (address->any.sa_family == AF_INET)
    return ntohl(address->v4.sin_addr.s_addr) >> 24 == 127;
  return ws_address_is_mapped(address) ? address->v6.sin6_addr.s6_addr[12] == 127
                                       : IN6_IS_ADDR_LOOPBACK(&address->v6.sin6_addr);
}

int ws_address_of_peer(int fd, struct ws_address *address) {
  socklen_t length = sizeof *address;
  return ws_sys_getpeername(fd, &address->any, &length);
}

int ws_address_of_socket(int fd, struct ws_address *address) {
  socklen_t length = sizeof *address;
  return ws_sys_getsockname(fd, &address->any, &length);
}
