/* Sockets and what lies between them: buffers, latency, bandwidth, half-closes, resets. As TCP behaves on Linux. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "oracle.h"
#include "sim.h"

struct sim_sock *sim_socks;
struct sim_link sim_links[4];
int sim_link_count;
struct sim_faults sim_faults;
int sim_faults_struck;

static uint16_t next_port = 40000;

struct sim_sock *sim_sock_new(bool of_process) {
  struct sim_sock *sock = __real_calloc(1, sizeof *sock);
  sock->of_process = of_process;
  sock->fd = -1;
  sock->calls_at_arrival = -1;
  sock->next = sim_socks;
  sim_socks = sock;
  return sock;
}

static void changed(struct sim_sock *sock) {
  if (sock->fd >= 0)
    sim_ready_changed(sock->fd);
  sim_wake(sock);
}

size_t sim_sock_readable(const struct sim_sock *sock) {
  return sock->other ? (size_t)(sock->other->delivered - sock->other->read) : 0;
}

size_t sim_sock_unacked(const struct sim_sock *sock) {
  return (size_t)(sock->written - sock->acked);
}

uint32_t sim_sock_ready(const struct sim_sock *sock) {
  switch (sock->state) {
  case SIM_NEW:
    return EPOLLOUT | EPOLLHUP;
  case SIM_LISTENING:
    return sock->queued ? EPOLLIN : 0;
  case SIM_CONNECTING:
    return 0;
  default:
    break;
  }
  size_t used = sim_sock_unacked(sock);
  size_t room = (size_t)sock->link.send_room;
  bool dead = sock->reset || sock->error;
  bool in = dead || sock->eof || sim_sock_readable(sock) > 0;
  bool out = dead || sock->write_shut || (used < room && room - used >= used / 2);
  bool hup = sock->reset || (sock->eof && sock->write_shut);
  return (in ? EPOLLIN : 0u) | (out ? EPOLLOUT : 0u) | (sock->error ? EPOLLERR : 0u) | (hup ? EPOLLHUP : 0u);
}

/* ---- from one end to the other */

static void on_reset(void *context, uint64_t number) {
  struct sim_sock *sock = context;
  (void)number;
  if (sock->reset)
    return;
  sock->reset = true;
  sock->error = ECONNRESET;
  sock->written = sock->sent > sock->acked ? sock->sent : sock->acked;
  changed(sock);
}

/* The sender's own end is over too. */
static void send_reset(struct sim_sock *sock) {
  sock->reset = true;
  if (sock->other)
    sim_at(sim_now() + sock->link.latency_us, on_reset, sock->other, 0);
}

static void pump(struct sim_sock *sock);

static void on_acked(void *context, uint64_t number) {
  struct sim_sock *sock = context;
  (void)number;
  sock->ack_waits = false;
  if (sock->delivered <= sock->acked)
    return;
  sock->acked = sock->delivered;
  sock->acked_at = sim_now();
  changed(sock);
  pump(sock);
}

static void on_window(void *context, uint64_t number) {
  struct sim_sock *sock = context;
  (void)number;
  sock->window_waits = false;
  sock->read_known = sock->read;
  pump(sock);
}

static void on_delivered(void *context, uint64_t number) {
  struct sim_sock *sock = context;
  struct sim_sock *to = sock->other;
  if (to->reset)
    return;
  if (to->closed) { /* data for a closed socket */
    send_reset(to);
    return;
  }
  oracle_arrived(to);
  sock->delivered = number;
  to->heard_at = sim_now();
  if (!sock->ack_waits)
    sim_at(sim_now() + sock->link.latency_us, on_acked, sock, 0);
  sock->ack_waits = true;
  changed(to);
}

static void on_fin(void *context, uint64_t number) {
  struct sim_sock *to = ((struct sim_sock *)context)->other;
  (void)number;
  if (to->reset)
    return;
  to->eof = true;
  to->heard_at = sim_now();
  changed(to);
}

static void on_pump(void *context, uint64_t number) {
  struct sim_sock *sock = context;
  (void)number;
  sock->pump_waits = false;
  pump(sock);
}

static int64_t arrival(struct sim_sock *sock, uint64_t n) {
  int64_t start = sock->free_at > sim_now() ? sock->free_at : sim_now();
  sock->free_at = start + (int64_t)(n * (uint64_t)SIM_S / (uint64_t)sock->link.bytes_per_s);
  int64_t at = sock->free_at + sock->link.latency_us;
  if (at < sock->last_arrival)
    at = sock->last_arrival;
  return sock->last_arrival = at;
}

/* Sends what the other end's window and the link allow. */
static void pump(struct sim_sock *sock) {
  if (sock->reset || sock->state != SIM_CONNECTED || sock->pump_waits)
    return;
  if (sim_now() < sock->stalled_until) {
    sock->pump_waits = true;
    sim_at(sock->stalled_until, on_pump, sock, 0);
    return;
  }
  while (sock->sent < sock->written) {
    uint64_t in_flight = sock->sent - sock->read_known;
    uint64_t window = (uint64_t)sock->link.receive_room > in_flight ? (uint64_t)sock->link.receive_room - in_flight : 0;
    uint64_t n = sock->written - sock->sent;
    if (n > window)
      n = window;
    if (n > (uint64_t)sock->link.segment)
      n = (uint64_t)sock->link.segment;
    if (n == 0)
      return;
    sock->sent += n;
    sim_at(arrival(sock, n), on_delivered, sock, sock->sent);
    if (sock->free_at > sim_now() + 50 * SIM_MS && sock->sent < sock->written) {
      sock->pump_waits = true;
      sim_at(sock->free_at, on_pump, sock, 0);
      return;
    }
  }
  if (sock->write_shut && !sock->fin_sent) {
    sock->fin_sent = true;
    sim_at(arrival(sock, 0), on_fin, sock, 0);
  }
}

/* ---- connecting */

static struct sim_sock *find_listener(const struct sockaddr_in *address) {
  for (struct sim_sock *sock = sim_socks; sock; sock = sock->next)
    if (sock->state == SIM_LISTENING && !sock->closed && sock->local.sin_port == address->sin_port &&
        (sock->local.sin_addr.s_addr == address->sin_addr.s_addr || sock->local.sin_addr.s_addr == INADDR_ANY))
      return sock;
  return NULL;
}

static void on_connected(void *context, uint64_t number) {
  struct sim_sock *sock = context;
  if (sock->closed)
    return;
  sock->state = number ? SIM_DEAD : SIM_CONNECTED;
  sock->error = (int)number;
  sock->heard_at = sock->acked_at = sock->opened_at = sim_now();
  changed(sock);
  if (!number)
    pump(sock);
}

static void on_syn(void *context, uint64_t number) {
  struct sim_sock *sock = context;
  struct sim_sock *listener = find_listener(&sock->remote);
  (void)number;
  if (sock->closed)
    return;
  if (!listener || listener->queued == sizeof listener->queue / sizeof *listener->queue) {
    sim_at(sim_now() + sock->link.latency_us, on_connected, sock, ECONNREFUSED);
    return;
  }
  struct sim_sock *end = sim_sock_new(listener->of_process);
  end->state = SIM_CONNECTED;
  end->local = sock->remote;
  end->remote = sock->local;
  end->link = sock->link;
  end->other = sock;
  end->never_switch = sock->never_switch = listener->never_switch;
  end->heard_at = end->acked_at = end->opened_at = sim_now();
  sock->other = end;
  listener->queue[listener->queued++] = end;
  changed(listener);
  sim_at(sim_now() + sock->link.latency_us, on_connected, sock, 0);
}

/* IPv6 is there for ::1 alone, where nobody listens. */
static struct sockaddr_in plain(const struct sockaddr *address) {
  if (address->sa_family == AF_INET)
    return *(const struct sockaddr_in *)(const void *)address;
  const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)address;
  return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = v6->sin6_port, .sin_addr.s_addr = htonl(0x7f000099)};
}

int sim_sock_bind(struct sim_sock *sock, const struct sockaddr *address) {
  struct sockaddr_in at = plain(address);
  if (address->sa_family != AF_INET) {
    errno = EADDRNOTAVAIL;
    return -1;
  }
  for (struct sim_sock *each = sim_socks; each; each = each->next)
    if (each != sock && each->state == SIM_LISTENING && !each->closed && each->local.sin_port == at.sin_port) {
      errno = EADDRINUSE;
      return -1;
    }
  sock->local = at;
  sock->bound = true;
  return 0;
}

int sim_sock_listen(struct sim_sock *sock) {
  for (struct sim_sock *each = sim_socks; each; each = each->next)
    if (each != sock && each->state == SIM_LISTENING && !each->closed && each->local.sin_port == sock->local.sin_port) {
      errno = EADDRINUSE;
      return -1;
    }
  sock->state = SIM_LISTENING;
  return 0;
}

int sim_sock_connect(struct sim_sock *sock, const struct sockaddr *address) {
  struct in_addr hole;
  inet_pton(AF_INET, SIM_BLACK_HOLE, &hole);
  sock->remote = plain(address);
  if (!sock->bound)
    sock->local = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x0a000001)};
  sock->local.sin_port = htons(next_port++);
  sock->link = sim_links[sim_in(0, sim_link_count - 1)];
  sock->state = SIM_CONNECTING;
  if (sock->remote.sin_addr.s_addr != hole.s_addr)
    sim_at(sim_now() + sock->link.latency_us, on_syn, sock, 0);
  else
    sim_at(sim_now() + 130 * SIM_S, on_connected, sock, ETIMEDOUT);
  errno = EINPROGRESS;
  return -1;
}

struct sim_sock *sim_sock_accept(struct sim_sock *listener) {
  if (!listener->queued) {
    errno = EAGAIN;
    return NULL;
  }
  struct sim_sock *sock = listener->queue[0];
  memmove(listener->queue, listener->queue + 1, sizeof *listener->queue * (size_t)--listener->queued);
  return sock;
}

/* ---- bytes */

/* A read may be short at any time. A write is short only where the buffer is full, as on Linux. */
static size_t shorten(size_t n) {
  return n > 1 && sim_once_in(sim_faults.partial) ? (size_t)sim_in(1, (int64_t)n) : n;
}

ssize_t sim_sock_recv(struct sim_sock *sock, void *bytes, size_t size) {
  struct sim_sock *from = sock->other;
  size_t n = sim_sock_readable(sock);
  if (n == 0) {
    int error = sock->error;
    sock->error = 0;
    if (!error && (sock->eof || sock->reset))
      return 0;
    errno = error ? error : sock->state == SIM_CONNECTED ? EAGAIN : ENOTCONN;
    return -1;
  }
  if (n > size)
    n = size;
  n = shorten(n);
  memcpy(bytes, from->bytes + (from->read - from->base), n);
  from->read += n;
  if (!from->window_waits)
    sim_at(sim_now() + from->link.latency_us, on_window, from, 0);
  from->window_waits = true;
  return (ssize_t)n;
}

static void append(struct sim_sock *sock, const uint8_t *bytes, size_t n) {
  size_t used = (size_t)(sock->written - sock->base);
  if (used + n > sock->room) {
    size_t done = (size_t)(sock->read - sock->base);
    memmove(sock->bytes, sock->bytes + done, used - done);
    sock->base += done;
    used -= done;
    if (used + n > sock->room) {
      sock->room = (used + n) * 2;
      sock->bytes = __real_realloc(sock->bytes, sock->room);
    }
  }
  memcpy(sock->bytes + used, bytes, n);
  sock->written += n;
}

ssize_t sim_sock_send(struct sim_sock *sock, const void *bytes, size_t size) {
  size_t used = sim_sock_unacked(sock);
  if (sock->error || sock->reset || sock->write_shut || sock->state != SIM_CONNECTED) {
    errno = sock->error ? sock->error : sock->state == SIM_CONNECTING ? ENOTCONN : EPIPE;
    sock->error = 0;
    return -1;
  }
  if (used >= (size_t)sock->link.send_room) {
    errno = EAGAIN;
    return -1;
  }
  size_t n = (size_t)sock->link.send_room - used;
  n = n < size ? n : size;
  if (used == 0)
    sock->backed_up_since = sim_now();
  append(sock, bytes, n);
  pump(sock);
  return (ssize_t)n;
}

void sim_sock_shutdown(struct sim_sock *sock) {
  if (sock->write_shut)
    return;
  sock->write_shut = true;
  pump(sock);
}

void sim_sock_close(struct sim_sock *sock) {
  if (sock->closed)
    return;
  sock->closed = true;
  if (sock->state == SIM_LISTENING) {
    for (int i = 0; i < sock->queued; i++) {
      sock->queue[i]->closed = true;
      send_reset(sock->queue[i]);
    }
    sock->queued = 0;
  } else if (sock->state == SIM_CONNECTED && !sock->reset) {
    if (sim_sock_readable(sock) > 0)
      send_reset(sock);
    else
      sim_sock_shutdown(sock);
  }
}

void sim_sock_break(struct sim_sock *sock) {
  if (sock->state != SIM_CONNECTED || !sock->other)
    return;
  on_reset(sock->other, 0);
  on_reset(sock, 0);
}

void sim_sock_stall(struct sim_sock *sock, int64_t us) {
  if (sim_now() + us > sock->stalled_until)
    sock->stalled_until = sim_now() + us;
}
