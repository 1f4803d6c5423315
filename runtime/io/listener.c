#include "listener.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stddef.h>

#include "sys.h"

enum {
  WS_LISTENER_BACKLOG = 4096,
  WS_LISTENER_BURST = 64,     /* accepted at most before other events have their turn */
  WS_LISTENER_RETRY_MS = 100, /* after running out of descriptors or memory */
};

/* ---- binding */

static int ws_bound_fail(const struct ws_address *address, int error, struct ws_why *why) {
  char text[WS_ADDRESS_TEXT];
  ws_why_set(why, "%s: %s", ws_address_format(address, text), ws_why_errno(error));
  errno = error;
  return -1;
}

/* :: takes IPv4 as well, any other IPv6 address only its own. */
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

/* Binds one address more. -1 with reason and errno. */
static int ws_bound_add(struct ws_bound *bound, const struct ws_address *address, struct ws_why *why) {
  int fd = ws_sys_socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
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

/* Where the first address was given a port by the kernel, the others want the same. */
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
  if (ws_resolve(address, port, timeout_ms, &found, why))
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
    if (ws_sys_listen(bound->fds[i], WS_LISTENER_BACKLOG))
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

/* ---- accepting */

static void ws_listener_say(struct ws_listener *listener, int error) {
  if (listener->troubled)
    return;
  listener->troubled = true;
  listener->events->troubled(listener, ws_why_errno(error));
}

/* Leaves the connections in the kernel's queue for a while. */
static void ws_listener_pause(struct ws_listener *listener, int error) {
  for (int i = 0; i < listener->count; i++)
    ws_loop_watch(listener->loop, &listener->sockets[i].watch, 0);
  ws_timer_arm(listener->loop, &listener->retry, ws_loop_now(listener->loop) + WS_LISTENER_RETRY_MS);
  ws_listener_say(listener, error);
}

static int ws_listener_watch(struct ws_listener *listener) {
  unsigned interest = WS_READ | (listener->shared ? WS_EXCLUSIVE : 0u);
  for (int i = 0; i < listener->count; i++)
    if (ws_loop_watch(listener->loop, &listener->sockets[i].watch, interest))
      return -1;
  return 0;
}

static void ws_listener_resume(struct ws_loop *loop, struct ws_timer *timer) {
  (void)loop;
  struct ws_listener *listener = (struct ws_listener *)(void *)((char *)timer - offsetof(struct ws_listener, retry));
  if (listener->spare < 0)
    listener->spare = ws_sys_spare();
  if (ws_listener_watch(listener))
    ws_listener_pause(listener, errno);
}

/*
 * No descriptor is left. A connection left in the queue would keep the listening socket ready for ever, and its client
 * waiting: accepts one by means of the spare descriptor, and closes it. False: that did not work.
 */
static bool ws_listener_turn_away(struct ws_listener *listener, int fd) {
  if (listener->spare < 0)
    return false;
  ws_sys_close(listener->spare);
  int refused = ws_sys_accept(fd, NULL, NULL);
  if (refused >= 0)
    ws_sys_close(refused);
  listener->spare = ws_sys_spare();
  return refused >= 0 && listener->spare >= 0;
}

/* What an accept that failed means: true to go on accepting. */
static bool ws_listener_failed(struct ws_listener *listener, int fd, int error) {
  switch (error) {
  case EAGAIN:
    return false;
  case EMFILE:
  case ENFILE:
    if (ws_listener_turn_away(listener, fd)) {
      ws_listener_say(listener, error);
      return listener->loop != NULL;
    }
    ws_listener_pause(listener, error);
    return false;
  case ECONNABORTED:
  case EINTR:
  case EPERM:
  case EPROTO:
  case ENETDOWN:
  case ENOPROTOOPT:
  case EHOSTDOWN:
  case ENONET:
  case EHOSTUNREACH:
  case EOPNOTSUPP:
  case ENETUNREACH:
    return true; /* of that one connection, which is gone */
  default:
    ws_listener_pause(listener, error);
    return false;
  }
}

static void ws_listener_ready(struct ws_loop *loop, struct ws_watch *watch, unsigned events) {
  (void)events;
  (void)loop;
  struct ws_listener *listener = ((struct ws_listener_socket *)watch)->listener;
  for (int i = 0; i < WS_LISTENER_BURST && listener->loop; i++) {
    struct ws_address peer;
    socklen_t length = sizeof peer;
    int fd = ws_sys_accept(watch->fd, &peer.any, &length);
    if (fd >= 0) {
      listener->troubled = false;
      listener->events->accepted(listener, fd, &peer);
    } else if (!ws_listener_failed(listener, watch->fd, errno)) {
      return;
    }
  }
}

int ws_listener_start(struct ws_listener *listener, struct ws_loop *loop, const struct ws_bound *bound, bool shared,
                      const struct ws_listener_events *events, struct ws_why *why) {
  *listener = (struct ws_listener){.events = events, .loop = loop, .count = bound->count, .shared = shared};
  for (int i = 0; i < bound->count; i++)
    listener->sockets[i] = (struct ws_listener_socket){{ws_listener_ready, bound->fds[i], 0}, listener};
  if (ws_timer_init(loop, &listener->retry, ws_listener_resume)) {
    listener->loop = NULL;
    return ws_why_set(why, "out of memory");
  }
  listener->spare = ws_sys_spare();
  if (listener->spare >= 0 && ws_listener_watch(listener) == 0)
    return 0;
  int error = errno;
  ws_listener_stop(listener);
  return ws_why_set(why, "connections cannot be accepted: %s", ws_why_errno(error));
}

void ws_listener_stop(struct ws_listener *listener) {
  if (!listener->loop)
    return;
  for (int i = 0; i < listener->count; i++)
    ws_loop_watch(listener->loop, &listener->sockets[i].watch, 0);
  ws_timer_deinit(listener->loop, &listener->retry);
  if (listener->spare >= 0)
    ws_sys_close(listener->spare);
  listener->loop = NULL;
}
