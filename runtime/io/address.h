#pragma once
/* Internet addresses with a port, and their text: `192.0.2.1:51342`, `[2001:db8::1]:51342`. An IPv4 address mapped into
 * IPv6 is written as the IPv4 address that it is.
 */
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

struct ws_address {
  union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
  };
};

enum { WS_ADDRESS_TEXT = 80 }; /* room for any address with port and scope, NUL included */

/* The length that bind and connect want. */
socklen_t ws_address_length(const struct ws_address *address);

/* Numeric text only (`127.0.0.1`, `::1`, `fe80::1%eth0`; no brackets): true and the address, or false. */
bool ws_address_parse(const char *text, uint16_t port, struct ws_address *address);

/* Writes address and port; returns `text`. */
char *ws_address_format(const struct ws_address *address, char text[static WS_ADDRESS_TEXT]);

uint16_t ws_address_port(const struct ws_address *address);

/* 127.0.0.0/8, ::1 and their mapped forms. */
bool ws_address_is_loopback(const struct ws_address *address);

/* The host part alone as 16 bytes, IPv4 in its mapped form: equal for equal hosts whatever the port. For counting
 * connections per address.
 */
void ws_address_host(const struct ws_address *address, uint8_t host[static 16]);

/* The network of 64 bits that an IPv6 address is in; false for one of IPv4, mapped or not. */
bool ws_address_network(const struct ws_address *address, struct ws_address *network);

/* The local or remote end of a connected socket. Returns 0, or -1 with errno. */
int ws_address_of_peer(int fd, struct ws_address *address);
int ws_address_of_socket(int fd, struct ws_address *address);
