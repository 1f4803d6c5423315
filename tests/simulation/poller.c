/* The descriptors of the process: sockets, eventfds, pipes, epolls, and the calls on them. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "oracle.h"
#include "plan.h"
#include "program.h"
#include "sim.h"

enum { FDS = 512, LOG_LINE = 4096 };

enum kind { FREE, SOCKET, EVENT, PIPE, EPOLL, NOTHING };

struct watched {
  uint32_t events; /* 0: not in the epoll */
  epoll_data_t data;
};

struct file {
  enum kind kind;
  struct sim_sock *sock;
  uint64_t count; /* of an eventfd, or bytes in a pipe */
  int writer_of;  /* a pipe's write end: the descriptor of its read end */
  struct watched *watched;
  int turn; /* where the scan for ready ones begins */
};

static struct file files[FDS];
int sim_fd_limit = FDS;
static int fd_end = 3; /* behind all that were ever open */
static const char poll_key;

static int fd_new(enum kind kind) {
  int used = 0;
  for (int fd = 3; fd < fd_end; fd++)
    used += files[fd].kind != FREE;
  if (used + 3 >= sim_fd_limit) {
    errno = EMFILE;
    return -1;
  }
  for (int fd = 3; fd < FDS; fd++)
    if (files[fd].kind == FREE) {
      files[fd] = (struct file){.kind = kind, .writer_of = -1};
      if (fd >= fd_end)
        fd_end = fd + 1;
      return fd;
    }
  errno = EMFILE;
  return -1;
}

static struct file *file_of(int fd, enum kind kind) {
  if (fd < 0 || fd >= FDS || files[fd].kind != kind)
    sim_fail("simulation", "descriptor %d is not of kind %d", fd, (int)kind);
  return &files[fd];
}

static struct sim_sock *sock_of(int fd) {
  return file_of(fd, SOCKET)->sock;
}

int sim_fd_count(void) {
  int count = 0;
  for (int fd = 0; fd < fd_end; fd++)
    count += files[fd].kind == SOCKET || files[fd].kind == PIPE;
  return count;
}

struct sim_sock *sim_fd_sock(int fd) {
  return fd >= 0 && fd < FDS && files[fd].kind == SOCKET ? files[fd].sock : NULL;
}

/* ---- how long a loop did not listen: what the deadlines of peers must not count */

enum { AWAY_US = 250 * 1000, AWAYS = 16384, WAITERS = 192 };

static struct {
  int64_t listened, began, until;
  bool waits;
  int epoll;          /* the descriptor that it waits with; -1: poll */
  struct pollfd *fds; /* of poll */
  nfds_t n;
  int aways;
  struct away {
    int64_t from, to;
  } * away; /* AWAYS of them, and no static ones, where sim_memory_leaks would look for pointers */
} waiters[WAITERS];

static int waiter_last;

static void add_away(int thread, int64_t from, int64_t to) {
  if (waiters[thread].aways == AWAYS)
    sim_fail("simulation", "a loop was away too often");
  if (to <= from)
    return;
  if (!waiters[thread].away)
    waiters[thread].away = sim_map(AWAYS * sizeof(struct away));
  waiters[thread].away[waiters[thread].aways++] = (struct away){from, to};
}

static void wait_begins(int epoll, struct pollfd *fds, nfds_t n, int timeout_ms) {
  int self = sim_self_index();
  add_away(self, waiters[self].listened + AWAY_US, sim_now());
  waiters[self].began = sim_now();
  waiters[self].until = timeout_ms < 0 ? SIM_FOREVER - AWAY_US : sim_now() + timeout_ms * SIM_MS;
  waiters[self].waits = true;
  if (self > waiter_last)
    waiter_last = self;
  waiters[self].epoll = epoll;
  waiters[self].fds = fds;
  waiters[self].n = n;
}

static void wait_ends(void) {
  int self = sim_self_index();
  add_away(self, waiters[self].until + AWAY_US, sim_now());
  waiters[self].listened = sim_now();
  waiters[self].waits = false;
}

int64_t sim_listened_at(int thread) {
  return waiters[thread].listened;
}

int64_t sim_away_since(int thread, int64_t since) {
  int64_t sum = 0;
  for (int i = 0; i < waiters[thread].aways; i++) {
    int64_t from = waiters[thread].away[i].from;
    int64_t to = waiters[thread].away[i].to;
    if (to > since)
      sum += to - (from > since ? from : since);
  }
  return sum;
}

int64_t sim_away_in_all(int64_t since) {
  int64_t sum = 0;
  for (int i = 0; i <= waiter_last; i++)
    sum += sim_away_since(i, since);
  return sum;
}

bool sim_is_awaited(int fd) {
  for (int i = 0; i <= waiter_last; i++) {
    if (!waiters[i].waits)
      continue;
    if (waiters[i].epoll >= 0 && files[waiters[i].epoll].watched[fd].events)
      return true;
    for (nfds_t j = 0; waiters[i].epoll < 0 && j < waiters[i].n; j++)
      if (waiters[i].fds[j].fd == fd)
        return true;
  }
  return false;
}

/* ---- readiness */

static uint32_t ready_mask(int fd) {
  struct file *file = &files[fd];
  switch (file->kind) {
  case SOCKET:
    return sim_sock_ready(file->sock);
  case EVENT:
    return (file->count ? EPOLLIN : 0u) | EPOLLOUT;
  case PIPE:
    return file->writer_of >= 0 ? EPOLLOUT : file->count ? EPOLLIN : 0u;
  default:
    return 0;
  }
}

static bool epoll_has(const struct file *epoll, int fd) {
  const struct watched *watched = &epoll->watched[fd];
  return watched->events && ready_mask(fd) & (watched->events | EPOLLERR | EPOLLHUP);
}

void sim_ready_changed(int fd) {
  for (int each = 3; each < fd_end; each++)
    if (files[each].kind == EPOLL && files[each].watched[fd].events)
      sim_wake(&files[each]);
  sim_wake(&poll_key);
}

static int epoll_collect(struct file *epoll, struct epoll_event *events, int size) {
  int count = 0;
  int start = epoll->turn;
  for (int i = 0; i < fd_end && count < size; i++) {
    int fd = (start + i) % fd_end;
    if (files[fd].kind == FREE || !epoll_has(epoll, fd))
      continue;
    uint32_t wanted = epoll->watched[fd].events | EPOLLERR | EPOLLHUP;
    events[count++] = (struct epoll_event){.events = ready_mask(fd) & wanted, .data = epoll->watched[fd].data};
    epoll->turn = fd + 1;
  }
  for (int i = count - 1; i > 0; i--) { /* in any order */
    int other = (int)sim_in(0, i);
    struct epoll_event kept = events[i];
    events[i] = events[other];
    events[other] = kept;
  }
  return count;
}

static int64_t deadline_of(int timeout_ms) {
  return timeout_ms < 0 ? SIM_FOREVER : sim_now() + timeout_ms * SIM_MS;
}

/* Only what would wait is interrupted, and reading: no kernel interrupts a send that does not wait, and its socket
 * would look full. */
static bool interrupted(int timeout_ms) {
  if (timeout_ms == 0 || !sim_once_in(sim_faults.interrupted))
    return false;
  errno = EINTR;
  return true;
}

/* A process that goes on after it was stopped finds its epoll_wait interrupted; poll is restarted. Nothing else
 * interrupts what a loop waits for, since its thread takes no signals: by chance it happens only at once. */
static int epoll_wait_for(struct file *epoll, struct epoll_event *events, int size, int timeout_ms) {
  int64_t until = deadline_of(timeout_ms);
  int64_t stopped = sim_stopped_us();
  int64_t began = sim_now();
  int count;
  while ((count = epoll_collect(epoll, events, size)) == 0 && sim_block(epoll, until))
    if (interrupted(timeout_ms) && sim_now() == began)
      return -1;
  if (timeout_ms != 0 && sim_stopped_us() != stopped) {
    errno = EINTR;
    return -1;
  }
  return count ? count : epoll_collect(epoll, events, size);
}

int __wrap_epoll_wait(int fd, struct epoll_event *events, int size, int timeout_ms) {
  wait_begins(fd, NULL, 0, timeout_ms);
  sim_point();
  int count = epoll_wait_for(file_of(fd, EPOLL), events, size, timeout_ms);
  wait_ends();
  return count;
}

int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout_ms) {
  int64_t until = deadline_of(timeout_ms);
  if (n == 1 && fds[0].fd == 2) {
    fds[0].revents = POLLOUT;
    return 1;
  }
  bool loops = n > 1 || (n == 1 && files[fds[0].fd].kind == EVENT);
  if (loops)
    wait_begins(-1, fds, n, timeout_ms);
  sim_point();
  int count = interrupted(timeout_ms) ? -1 : 0;
  bool over = count < 0;
  while (!over) {
    for (nfds_t i = 0; i < n; i++) {
      struct file *file = &files[fds[i].fd];
      bool epoll_ready = false;
      for (int fd = 3; file->kind == EPOLL && fd < fd_end && !epoll_ready; fd++)
        epoll_ready = files[fd].kind != FREE && epoll_has(file, fd);
      uint32_t mask = file->kind == FREE ? (uint32_t)POLLNVAL : ready_mask(fds[i].fd);
      if (epoll_ready)
        mask = POLLIN;
      fds[i].revents = (short)((int)mask & (fds[i].events | POLLERR | POLLHUP | POLLNVAL));
      count += fds[i].revents != 0;
    }
    over = count != 0 || sim_now() >= until;
    if (!over)
      sim_block(&poll_key, until);
  }
  if (loops)
    wait_ends();
  return count;
}

int __wrap_epoll_create1(int flags) {
  (void)flags;
  sim_point();
  int fd = fd_new(EPOLL);
  if (fd >= 0)
    files[fd].watched = __real_calloc(FDS, sizeof *files[fd].watched);
  return fd;
}

int __wrap_epoll_ctl(int fd, int operation, int target, struct epoll_event *event) {
  struct file *epoll = file_of(fd, EPOLL);
  struct watched *watched = &epoll->watched[target];
  sim_point();
  if (target < 0 || target >= FDS || files[target].kind == FREE)
    sim_fail("simulation", "epoll_ctl of descriptor %d, which is not open", target);
  if (operation != EPOLL_CTL_DEL && sim_once_in(sim_faults.no_buffers)) {
    sim_faults_struck++;
    errno = ENOSPC;
    return -1;
  }
  if ((operation == EPOLL_CTL_ADD) == (watched->events != 0) && operation != EPOLL_CTL_DEL) {
    errno = watched->events ? EEXIST : ENOENT;
    return -1;
  }
  if (operation == EPOLL_CTL_MOD && (event->events | watched->events) & EPOLLEXCLUSIVE) {
    errno = EINVAL;
    return -1;
  }
  *watched = operation == EPOLL_CTL_DEL ? (struct watched){0} : (struct watched){event->events | EPOLLERR, event->data};
  if (watched->events && epoll_has(epoll, target))
    sim_wake(epoll);
  return 0;
}

/* ---- eventfds, pipes, files */

int __wrap_eventfd(unsigned value, int flags) {
  (void)value;
  (void)flags;
  sim_point();
  return fd_new(EVENT);
}

int __wrap_pipe2(int ends[2], int flags) {
  (void)flags;
  sim_point();
  ends[0] = fd_new(PIPE);
  ends[1] = ends[0] < 0 ? -1 : fd_new(PIPE);
  if (ends[1] < 0) {
    if (ends[0] >= 0)
      files[ends[0]].kind = FREE;
    return -1;
  }
  files[ends[1]].writer_of = ends[0];
  return 0;
}

int __wrap_open64(const char *path, int flags, ...) {
  (void)flags;
  if (strcmp(path, "/dev/fd/2") == 0) /* the log is written to its own descriptor */
    return -1;
  return fd_new(NOTHING);
}

int __wrap_open(const char *path, int flags, ...) {
  return __wrap_open64(path, flags);
}

ssize_t __wrap_read(int fd, void *bytes, size_t size) {
  struct file *file = &files[fd];
  sim_point();
  if (file->kind != EVENT || !file->count) {
    errno = EAGAIN;
    return -1;
  }
  memcpy(bytes, &file->count, size < 8 ? size : 8);
  file->count = 0;
  return 8;
}

ssize_t __wrap_write(int fd, const void *bytes, size_t size) {
  if (fd == 2) {
    char line[LOG_LINE];
    int n = size < sizeof line ? (int)size : (int)sizeof line;
    memcpy(line, bytes, (size_t)n);
    line[n - 1] = '\0';
    oracle_log_line(line);
    return (ssize_t)size;
  }
  struct file *file = &files[fd];
  sim_point();
  if (file->kind == PIPE) {
    file = &files[file->writer_of];
    file->count += size;
  } else if (file->kind == EVENT) {
    file->count++;
  } else {
    sim_fail("simulation", "write to descriptor %d, which is of kind %d", fd, (int)file->kind);
  }
  sim_ready_changed((int)(file - files));
  return (ssize_t)size;
}

int __wrap_close(int fd) {
  if (fd < 0 || fd >= FDS || files[fd].kind == FREE)
    sim_fail("3 descriptors", "descriptor %d is closed, but is not open", fd);
  struct file *file = &files[fd];
  sim_point();
  if (file->kind == SOCKET) {
    file->sock->fd = -1;
    oracle_closed(file->sock);
    sim_sock_close(file->sock);
  }
  for (int each = 3; each < fd_end; each++)
    if (files[each].kind == EPOLL)
      files[each].watched[fd] = (struct watched){0};
  __real_free(file->watched);
  *file = (struct file){0};
  return 0;
}

/* ---- sockets */

int __wrap_socket(int family, int type, int protocol) {
  (void)type;
  (void)protocol;
  sim_point();
  int fd = fd_new(SOCKET);
  if (fd < 0)
    return -1;
  files[fd].sock = sim_sock_new(true);
  files[fd].sock->fd = fd;
  files[fd].sock->v6 = family == AF_INET6;
  return fd;
}

int __wrap_bind(int fd, const struct sockaddr *address, socklen_t length) {
  (void)length;
  sim_point();
  return sim_sock_bind(sock_of(fd), address);
}

int __wrap_listen(int fd, int backlog) {
  struct sim_sock *sock = sock_of(fd);
  (void)backlog;
  sim_point();
  sock->never_switch = plan.tls && ntohs(sock->local.sin_port) == PROGRAM_PORT + PLAN_SERVERS - 1;
  return sim_sock_listen(sock);
}

static bool no_buffers(void) {
  if (!sim_once_in(sim_faults.no_buffers))
    return false;
  sim_faults_struck++;
  errno = ENOBUFS;
  return true;
}

static void give(struct sockaddr *to, socklen_t *length, const struct sockaddr_in *address) {
  memcpy(to, address, sizeof *address);
  *length = sizeof *address;
}

int __wrap_accept4(int fd, struct sockaddr *address, socklen_t *length, int flags) {
  static const int errors[] = {ECONNABORTED, EINTR, EPROTO, ENOBUFS, ENETDOWN};
  struct sim_sock *listener = sock_of(fd);
  (void)flags;
  sim_point();
  if (listener->queued && sim_once_in(sim_faults.accept_fails)) {
    errno = errors[sim_in(0, 4)];
    if (errno == ECONNABORTED) {
      struct sim_sock *lost = sim_sock_accept(listener);
      sim_sock_break(lost);
      lost->closed = true;
      errno = ECONNABORTED;
    }
    return -1;
  }
  int accepted = listener->queued ? fd_new(SOCKET) : -1;
  if (accepted < 0) {
    errno = listener->queued ? EMFILE : EAGAIN;
    return -1;
  }
  struct sim_sock *sock = sim_sock_accept(listener);
  files[accepted].sock = sock;
  sock->fd = accepted;
  if (address)
    give(address, length, &sock->remote);
  sock->opened_at = sim_now();
  oracle_accepted(sock);
  return accepted;
}

int __wrap_connect(int fd, const struct sockaddr *address, socklen_t length) {
  (void)length;
  sim_point();
  sock_of(fd)->is_client = true;
  return sim_sock_connect(sock_of(fd), address);
}

int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t length) {
  (void)level;
  (void)name;
  (void)value;
  (void)length;
  sock_of(fd);
  sim_point();
  return no_buffers() ? -1 : 0;
}

int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *length) {
  struct sim_sock *sock = sock_of(fd);
  (void)length;
  if (level == IPPROTO_TCP && name == TCP_INFO) {
    ((struct tcp_info *)value)->tcpi_bytes_acked = sock->acked;
    return 0;
  }
  sim_point();
  *(int *)value = sock->error;
  sock->error = 0;
  return 0;
}

int __wrap_ioctl(int fd, unsigned long request, int *value) {
  *value = (int)(request == FIONREAD ? sim_sock_readable(sock_of(fd)) : sim_sock_unacked(sock_of(fd)));
  return 0;
}

int __wrap_getsockname(int fd, struct sockaddr *address, socklen_t *length) {
  sim_point();
  give(address, length, &sock_of(fd)->local);
  return 0;
}

int __wrap_getpeername(int fd, struct sockaddr *address, socklen_t *length) {
  sim_point();
  if (no_buffers())
    return -1;
  give(address, length, &sock_of(fd)->remote);
  return 0;
}

/* OpenSSL's error queue belongs to the real thread, so nobody else runs inside one of its operations. */
static void point_of(const struct sim_sock *sock) {
  if (!sock->never_switch)
    sim_point();
}

ssize_t __wrap_recv(int fd, void *bytes, size_t size, int flags) {
  struct sim_sock *sock = sock_of(fd);
  (void)flags;
  point_of(sock);
  if (sock->never_switch && !sock->is_client && sim_sock_readable(sock) > 0 && sock->other->read == 0)
    oracle_hello();
  return interrupted(-1) ? -1 : sim_sock_recv(sock, bytes, size);
}

ssize_t __wrap_send(int fd, const void *bytes, size_t size, int flags) {
  (void)flags;
  if (fd == 2)
    return __wrap_write(fd, bytes, size);
  struct sim_sock *sock = sock_of(fd);
  point_of(sock);
  return sim_sock_send(sock, bytes, size);
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *message, int flags) {
  struct sim_sock *sock = sock_of(fd);
  ssize_t total = 0;
  (void)flags;
  point_of(sock);
  for (size_t i = 0; i < message->msg_iovlen; i++) {
    size_t size = message->msg_iov[i].iov_len;
    ssize_t n = size ? sim_sock_send(sock, message->msg_iov[i].iov_base, size) : 0;
    if (n < 0)
      return total ? total : -1;
    total += n;
    if ((size_t)n < size)
      break;
  }
  return total;
}

int __wrap_shutdown(int fd, int how) {
  struct sim_sock *sock = sock_of(fd);
  (void)how;
  point_of(sock);
  if (sock->reset || sock->state != SIM_CONNECTED) {
    errno = ENOTCONN;
    return -1;
  }
  sim_sock_shutdown(sock);
  return 0;
}

/* ---- signals */

static void (*handlers[32])(int);

int __wrap_sigaction(int signal, const struct sigaction *action, struct sigaction *before) {
  if (before)
    *before = (struct sigaction){.sa_handler = handlers[signal]};
  handlers[signal] = action->sa_handler;
  return 0;
}

void sim_signal(int signal) {
  if (handlers[signal])
    handlers[signal](signal);
}
