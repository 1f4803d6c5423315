#pragma once
/* The part of sys.h that is Linux's. Included by sys.h alone; sys_posix.h states the contracts. */
#include <linux/sockios.h>
#include <linux/tcp.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>

#define WS_SYS_POLLER ws_epoll_ops
#define WS_SYS_NO_SIGNAL MSG_NOSIGNAL

/* ---- epoll */

static inline int ws_sys_epoll_create(void) {
  WS_SYS_FAULT(EMFILE);
  return epoll_create1(EPOLL_CLOEXEC);
}

static inline int ws_sys_epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event) {
  WS_SYS_FAULT(ENOSPC);
  return epoll_ctl(epoll, operation, fd, event);
}

/* Removing a registered descriptor cannot fail, so this wrapper injects no fault. */
static inline void ws_sys_epoll_remove(int epoll, int fd) {
  epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL);
}

static inline int ws_sys_epoll_wait(int epoll, struct epoll_event *events, int size, int timeout_ms) {
  WS_SYS_FAULT(EINTR);
  return epoll_wait(epoll, events, size, timeout_ms);
}

/* ---- descriptors */

static inline int ws_sys_pipe(int ends[2]) {
  WS_SYS_FAULT(EMFILE);
  return pipe2(ends, O_CLOEXEC | O_NONBLOCK);
}

/* One eventfd is both ends. */
static inline int ws_sys_waker_open(int ends[2]) {
  WS_SYS_FAULT(EMFILE);
  ends[0] = ends[1] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  return ends[0] < 0 ? -1 : 0;
}

static inline void ws_sys_waker_close(const int ends[2]) {
  close(ends[0]);
}

static inline void ws_sys_waker_wake(int fd) {
  uint64_t one = 1;
  (void)!write(fd, &one, sizeof one);
}

static inline void ws_sys_waker_clear(int fd) {
  uint64_t count;
  (void)!read(fd, &count, sizeof count);
}

static inline int ws_sys_spare(void) {
  WS_SYS_FAULT(EMFILE);
  return eventfd(0, EFD_CLOEXEC);
}

static inline FILE *ws_sys_fopen(const char *file) {
  if (ws_fault_hit()) {
    errno = EMFILE;
    return NULL;
  }
  return fopen(file, "re");
}

/* ---- sockets */

static inline int ws_sys_socket(int family) {
  WS_SYS_FAULT(ENFILE);
  return socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/* The socket has the TCP_NODELAY of the listening one. */
static inline int ws_sys_accept(int fd, struct sockaddr *address, socklen_t *length) {
  WS_SYS_FAULT(EMFILE);
  return accept4(fd, address, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

static inline bool ws_sys_accept_goes_on(int error) {
  static const int errors[] = {ECONNABORTED, EINTR,  EPERM,        EPROTO,     ENETDOWN,   ENOPROTOOPT,
                               EHOSTDOWN,    ENONET, EHOSTUNREACH, EOPNOTSUPP, ENETUNREACH};
  for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
    if (errors[i] == error)
      return true;
  return false;
}

static inline int ws_sys_unread(int fd) {
  int bytes = 0;
  WS_SYS_FAULT(ENOTTY);
  return ioctl(fd, FIONREAD, &bytes) ? -1 : bytes;
}

static inline int ws_sys_unacked(int fd) {
  int bytes = 0;
  WS_SYS_FAULT(ENOTTY);
  return ioctl(fd, SIOCOUTQ, &bytes) ? -1 : bytes;
}

/* The mark is the count of bytes that were ever acknowledged. tcpi_bytes_acked is there since Linux 4.1. */
static inline bool ws_sys_acked_since(int fd, uint32_t *mark) {
  struct tcp_info info = {0};
  socklen_t size = sizeof info;
  uint32_t before = *mark;
  bool known = !ws_fault_hit() && getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0;
  *mark = known && (uint32_t)info.tcpi_bytes_acked ? (uint32_t)info.tcpi_bytes_acked : 1;
  return before && *mark != before;
}

/* ---- threads and the C library */

static inline void ws_sys_condition_init(pthread_cond_t *condition) {
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(condition, &attributes);
  pthread_condattr_destroy(&attributes);
}

static inline int ws_sys_condition_wait(pthread_cond_t *condition, pthread_mutex_t *lock,
                                        const struct timespec *until) {
  return pthread_cond_timedwait(condition, lock, until);
}

static inline const char *ws_sys_error_text(int error) {
  return strerrordesc_np(error);
}

static inline const char *ws_sys_environment(const char *name) {
  return secure_getenv(name);
}

static inline void ws_sys_trim_memory(void) {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}
