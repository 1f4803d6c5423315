#pragma once
/* The system calls of the I/O layer. A test build can make each wrapper fail (base/fault.h) with an errno that the
 * kernel documents for the call. ws_sys_close always closes and preserves errno.
 *
 * Where systems differ, this file includes sys_linux.h or, with -Dplatform=posix, sys_posix.h. Both define the same
 * functions, with the same contracts, which sys_posix.h states.
 *
 * The seam between the runtime and the kernel:
 *  - sockets, pollers, wakers, files, thread creation, getaddrinfo: these files alone (tests/check/wrappers.py);
 *  - the monotonic clock: base/clock.h;
 *  - wall-clock time: osprey/log.c and osprey/call.c (timestamps), conn/loop_thread.c (a deadline);
 *  - randomness: conn/random.c;
 *  - condition waits: io/wait.c, io/resolver.c and abi/program.c (sleep);
 *  - joins with a deadline: conn/loop_thread.c;
 *  - locks: pthread mutexes, called directly where they are used.
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"

#define WS_SYS_FAULT(error)                                                                                            \
  do {                                                                                                                 \
    if (ws_fault_hit()) {                                                                                              \
      errno = (error);                                                                                                 \
      return -1;                                                                                                       \
    }                                                                                                                  \
  } while (0)

#ifdef OSPREY_WS_POSIX
#include "sys_posix.h"
#else
#include "sys_linux.h"
#endif

static inline int ws_sys_bind(int fd, const struct sockaddr *address, socklen_t length) {
  WS_SYS_FAULT(EADDRINUSE);
  return bind(fd, address, length);
}

static inline int ws_sys_listen(int fd, int backlog) {
  WS_SYS_FAULT(EADDRINUSE);
  return listen(fd, backlog);
}

static inline int ws_sys_connect(int fd, const struct sockaddr *address, socklen_t length) {
  WS_SYS_FAULT(ENETUNREACH);
  return connect(fd, address, length);
}

static inline int ws_sys_setsockopt(int fd, int level, int name, const void *value, socklen_t length) {
  WS_SYS_FAULT(ENOBUFS);
  return setsockopt(fd, level, name, value, length);
}

static inline int ws_sys_getsockopt(int fd, int level, int name, void *value, socklen_t *length) {
  WS_SYS_FAULT(ENOBUFS);
  return getsockopt(fd, level, name, value, length);
}

static inline int ws_sys_getsockname(int fd, struct sockaddr *address, socklen_t *length) {
  WS_SYS_FAULT(ENOBUFS);
  return getsockname(fd, address, length);
}

static inline int ws_sys_getpeername(int fd, struct sockaddr *address, socklen_t *length) {
  WS_SYS_FAULT(ENOTCONN);
  return getpeername(fd, address, length);
}

static inline ssize_t ws_sys_recv(int fd, void *bytes, size_t size) {
  WS_SYS_FAULT(ECONNRESET);
  return recv(fd, bytes, size, 0);
}

static inline ssize_t ws_sys_send(int fd, const void *bytes, size_t size) {
  WS_SYS_FAULT(EPIPE);
  return send(fd, bytes, size, WS_SYS_NO_SIGNAL);
}

static inline ssize_t ws_sys_sendmsg(int fd, const struct msghdr *message) {
  WS_SYS_FAULT(EPIPE);
  return sendmsg(fd, message, WS_SYS_NO_SIGNAL);
}

static inline int ws_sys_shutdown(int fd, int how) {
  WS_SYS_FAULT(ENOTCONN);
  return shutdown(fd, how);
}

static inline void ws_sys_close(int fd) {
  int saved = errno;
  close(fd);
  errno = saved;
}

static inline int ws_sys_poll(struct pollfd *fds, nfds_t count, int timeout_ms) {
  WS_SYS_FAULT(EINTR);
  return poll(fds, count, timeout_ms);
}

/* Lets the process have so many descriptors, as far as its hard limit allows. */
static inline void ws_sys_want_descriptors(rlim_t count) {
  struct rlimit limit;
  if (ws_fault_hit() || getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= count)
    return;
  limit.rlim_cur = limit.rlim_max < count ? limit.rlim_max : count;
  setrlimit(RLIMIT_NOFILE, &limit);
}

/* Opens those of the descriptors 0, 1 and 2 that are closed, so that no socket becomes one of them: what a program
 * prints or logs would go to a peer. */
static inline void ws_sys_hold_standard_descriptors(void) {
  int fd;
  do
    fd = open("/dev/null", O_RDWR);
  while (fd >= 0 && fd <= 2);
  if (fd > 2)
    close(fd);
}

/* These two inject no faults: a lost wake-up is indistinguishable from a late one, and nothing could report it. */
static inline ssize_t ws_sys_read(int fd, void *bytes, size_t size) {
  return read(fd, bytes, size);
}

static inline ssize_t ws_sys_write(int fd, const void *bytes, size_t size) {
  return write(fd, bytes, size);
}

/* Opens a file for reading, without waiting for a writer. */
static inline int ws_sys_open(const char *file) {
  WS_SYS_FAULT(EMFILE);
  return open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

static inline ssize_t ws_sys_read_file(int fd, void *bytes, size_t size) {
  WS_SYS_FAULT(EIO);
  return read(fd, bytes, size);
}

/* Returns an errno, as pthread_create does. */
static inline int ws_sys_thread(pthread_t *thread, void *(*run)(void *), void *context) {
  if (ws_fault_hit())
    return EAGAIN;
  return pthread_create(thread, NULL, run, context);
}

/* Returns an EAI_ code, as getaddrinfo does. */
static inline int ws_sys_getaddrinfo(const char *host, const struct addrinfo *hints, struct addrinfo **list) {
  if (ws_fault_hit())
    return EAI_AGAIN;
  return getaddrinfo(host, NULL, hints, list);
}
