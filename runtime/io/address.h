#pragma once
/* Internet addresses with a port, and their text: `192.0.2.1:51342`, `[2001:db8::1]:51342`. An IPv4-mapped IPv6 address
 * is written as IPv4.
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

/* The length for bind and connect. */
socklen_t ws_address_length(const struct ws_address *address);

/* Parses a numeric address without brackets: `127.0.0.1`, `::1`, `fe80::1%eth0`. Returns false for any other text. */
bool ws_address_parse(const char *text, uint16_t port, struct ws_address *address);

/* Writes address and port. Returns `text`. */
char *ws_address_format(const struct ws_address *address, char text[static WS_ADDRESS_TEXT]);

/* Writes the address alone, an IPv6 address with its zone. Returns `text`. */
char *ws_address_format_host(const struct ws_address *address, char text[static WS_ADDRESS_TEXT]);

uint16_t ws_address_port(const struct ws_address *address);

/* Returns true for 127.0.0.0/8, ::1 and IPv4-mapped 127.0.0.0/8. */
bool ws_address_is_loopback(const struct ws_address *address);

/* Writes the host part as 16 bytes, IPv4 in its mapped form, without the port. Equal hosts have equal bytes, whatever
 * their port and form.
 */
void ws_address_host(const struct ws_address *address, uint8_t host[static 16]);

/* Writes the /64 network of an IPv6 address. Returns false for an IPv4 address, mapped or not. */
bool ws_address_network(const struct ws_address *address, struct ws_address *network);

/* The remote and the local address of a socket. Return 0, or -1 with errno. */
int ws_address_of_peer(int fd, struct ws_address *address);
int ws_address_of_socket(int fd, struct ws_address *address);
