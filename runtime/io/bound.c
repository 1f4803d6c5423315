#include "bound.h"

#include <errno.h>

#include "sys.h"

enum { WS_BOUND_BACKLOG = 4096 };

static int ws_bound_fail(const struct ws_address *address, int error, struct ws_why *why) {
  char text[WS_ADDRESS_TEXT];
  ws_why_set(why, "%s: %s", ws_address_format(address, text), ws_why_errno(error));
  errno = error;
  return -1;
}

/* :: accepts IPv4 too; any other IPv6 address does not. */
static int ws_bound_set_options(int fd, const struct ws_address *address) {
  int on = 1;
  if (ws_sys_setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) ||
      ws_sys_setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on))
    return -1;
  if (address->any.sa_family != AF_INET6)
    return 0;
  int only_v6 = !IN6_IS_ADDR_UNSPECIFIED(&address->v6.sin6_addr);
  return ws_sys_setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only_v6, sizeof only_v6);
}

/* Binds one address. Returns 0, or -1 with the reason and errno. */
static int ws_bound_add(struct ws_bound *bound, const struct ws_address *address, struct ws_why *why) {
  int fd = ws_sys_socket(address->any.sa_family);
  if (fd < 0)
    return ws_bound_fail(address, errno, why);
  struct ws_address *own = &bound->addresses[bound->count];
  if (ws_bound_set_options(fd, address) || ws_sys_bind(fd, &address->any, ws_address_length(address)) ||
      ws_address_of_socket(fd, own)) {
    int error = errno;
    ws_sys_close(fd);
    return ws_bound_fail(address, error, why);
  }
  bound->fds[bound->count++] = fd;
  return 0;
}

/* If the kernel chose the port of the first address, the others use the same. */
static struct ws_address ws_bound_same_port(const struct ws_bound *bound, const struct ws_address *address) {
  struct ws_address same = *address;
  if (bound->count == 0 || ws_address_port(address) != 0)
    return same;
  in_port_t port = htons(ws_address_port(&bound->addresses[0]));
  if (same.any.sa_family == AF_INET6)
    same.v6.sin6_port = port;
  else
    same.v4.sin_port = port;
  return same;
}

int ws_bound_open(struct ws_bound *bound, const char *address, uint16_t port, int64_t timeout_ms, struct ws_why *why) {
  bound->count = 0;
  if (*address == '\0')
    return ws_why_set(why, "the address is empty: give an IP address, a host name, 0.0.0.0 or ::");
  struct ws_addresses found;
  if (ws_resolver_resolve(address, port, timeout_ms, &found, why))
    return -1;
  struct ws_why absent;
  for (int i = 0; i < found.count; i++) {
    struct ws_address each = ws_bound_same_port(bound, &found.at[i]);
    if (ws_bound_add(bound, &each, &absent) == 0)
      continue;
    if (errno != EADDRNOTAVAIL && errno != EAFNOSUPPORT) {
      ws_bound_close(bound);
      return ws_why_set(why, "%s", absent.text);
    }
  }
  return bound->count > 0 ? 0 : ws_why_set(why, "%s", absent.text);
}

int ws_bound_listen(struct ws_bound *bound, struct ws_why *why) {
  for (int i = 0; i < bound->count; i++)
    if (ws_sys_listen(bound->fds[i], WS_BOUND_BACKLOG))
      return ws_bound_fail(&bound->addresses[i], errno, why);
  return 0;
}

void ws_bound_close(struct ws_bound *bound) {
  while (bound->count > 0)
    ws_sys_close(bound->fds[--bound->count]);
}

bool ws_bound_is_loopback(const struct ws_bound *bound) {
  for (int i = 0; i < bound->count; i++)
    if (!ws_address_is_loopback(&bound->addresses[i]))
      return false;
  return true;
}
