#pragma once
/* The part of sys.h for POSIX systems without Linux's calls. Included by sys.h alone. It uses what POSIX.1-2008 has,
 * and what a system must have in its place. It has been run on Linux only (spec/platforms.md).
 *
 * POSIX makes a descriptor first and sets its flags after. A child that another thread of the program forks in between
 * inherits the descriptor. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>

/* The poller of a loop. */
#define WS_SYS_POLLER ws_poll_ops

/* A flag for send, so that a connection without a peer raises no SIGPIPE. A system without the flag has an option of
 * the socket. */
#ifdef MSG_NOSIGNAL
#define WS_SYS_NO_SIGNAL MSG_NOSIGNAL
#else
#define WS_SYS_NO_SIGNAL 0
#endif

/* ---- descriptors */

/* Sets a new descriptor to not block and not be inherited. Returns it; or -1 with errno, and the descriptor is closed.
 * Injects no fault: these calls fail for no descriptor that is open. */
static inline int ws_sys_set_flags(int fd) {
  if (fd < 0 || (fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0))
    return fd;
  int error = errno;
  close(fd);
  errno = error;
  return -1;
}

/* Opens a pipe, whose ends do not block and are not inherited. Returns 0, or -1 with errno. */
static inline int ws_sys_pipe(int ends[2]) {
  WS_SYS_FAULT(EMFILE);
  if (pipe(ends))
    return -1;
  if (ws_sys_set_flags(ends[0]) >= 0 && ws_sys_set_flags(ends[1]) >= 0)
    return 0;
  close(ends[0]);
  close(ends[1]);
  return -1;
}

/* Opens a waker. ends[0] is readable from a wake-up on until it is cleared, and ends[1] is where to wake. They may be
 * the same descriptor. Returns 0, or -1 with errno. */
static inline int ws_sys_waker_open(int ends[2]) {
  return ws_sys_pipe(ends);
}

static inline void ws_sys_waker_close(const int ends[2]) {
  close(ends[0]);
  close(ends[1]);
}

/* These two inject no faults: a lost wake-up is indistinguishable from a late one, and nothing could report it. Any
 * thread may wake. A full pipe has a wake-up already. */
static inline void ws_sys_waker_wake(int fd) {
  (void)!write(fd, "", 1);
}

static inline void ws_sys_waker_clear(int fd) {
  char bytes[64];
  while (read(fd, bytes, sizeof bytes) == sizeof bytes)
    ;
}

/* Opens a spare descriptor. Its kind does not matter. */
static inline int ws_sys_spare(void) {
  WS_SYS_FAULT(EMFILE);
  return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* As fopen, for reading. The file is not inherited. */
static inline FILE *ws_sys_fopen(const char *file) {
  if (ws_fault_hit()) {
    errno = EMFILE;
    return NULL;
  }
  int fd = open(file, O_RDONLY | O_CLOEXEC);
  FILE *opened = fd < 0 ? NULL : fdopen(fd, "r");
  if (fd >= 0 && !opened)
    close(fd);
  return opened;
}

/* ---- sockets */

/* Sets the flags of a new socket, as ws_sys_set_flags. */
static inline int ws_sys_set_socket_flags(int fd) {
#if !defined(MSG_NOSIGNAL) && defined(SO_NOSIGPIPE)
  int on = 1;
  if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on)) {
    close(fd);
    errno = ECONNABORTED; /* the peer has gone already */
    return -1;
  }
#endif
  return ws_sys_set_flags(fd);
}

/* Opens a TCP socket that does not block, is not inherited and raises no SIGPIPE. Returns the descriptor, or -1 with
 * errno. */
static inline int ws_sys_socket(int family) {
  WS_SYS_FAULT(ENFILE);
  return ws_sys_set_socket_flags(socket(family, SOCK_STREAM, 0));
}

/* Accepts a connection as a socket like those of ws_sys_socket, with TCP_NODELAY. Returns the descriptor, or -1 with
 * errno. */
static inline int ws_sys_accept(int fd, struct sockaddr *address, socklen_t *length) {
  int on = 1;
  WS_SYS_FAULT(EMFILE);
  int accepted = ws_sys_set_socket_flags(accept(fd, address, length));
  if (accepted >= 0)
    setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* without it, messages are only later */
  return accepted;
}

/* Returns true if the error of an accept is one of that connection alone, so that the next can be accepted. */
static inline bool ws_sys_accept_goes_on(int error) {
  return error == ECONNABORTED || error == EINTR || error == EPROTO;
}

/* Returns how many bytes from the peer wait in the kernel, at least; -1 with errno if that cannot be told. */
static inline int ws_sys_unread(int fd) {
  char byte;
  WS_SYS_FAULT(ENOTTY);
  return (int)recv(fd, &byte, 1, MSG_PEEK);
}

/* Returns how many bytes written the peer's TCP has not acknowledged; -1 if the system cannot tell. POSIX has no call
 * for it. The first is of macOS, the second of FreeBSD and NetBSD, the third of Linux. */
static inline int ws_sys_unacked(int fd) {
  int bytes = -1;
  WS_SYS_FAULT(ENOTTY);
#if defined(SO_NWRITE)
  socklen_t size = sizeof bytes;
  return getsockopt(fd, SOL_SOCKET, SO_NWRITE, &bytes, &size) ? -1 : bytes;
#elif defined(FIONWRITE)
  return ioctl(fd, FIONWRITE, &bytes) ? -1 : bytes;
#elif defined(TIOCOUTQ)
  return ioctl(fd, TIOCOUTQ, &bytes) ? -1 : bytes;
#else
  (void)fd;
  return bytes;
#endif
}

/* Returns true if the peer's TCP is known to have acknowledged bytes since the mark, and moves the mark, which is never
 * 0 then. A mark of 0 only begins. The mark is 1 + what is not acknowledged: what was written meanwhile may hide that
 * something was acknowledged. */
static inline bool ws_sys_acked_since(int fd, uint32_t *mark) {
  uint32_t before = *mark;
  int bytes = ws_sys_unacked(fd);
  *mark = bytes > 0 ? 1 + (uint32_t)bytes : 1;
  return *mark < before;
}

/* ---- threads and the C library */

#ifdef __APPLE__
/* Conditions have no clock of their own there, but there is a wait for a time span. */
static inline void ws_sys_condition_init(pthread_cond_t *condition) {
  pthread_cond_init(condition, NULL);
}

static inline int ws_sys_condition_wait(pthread_cond_t *condition, pthread_mutex_t *lock,
                                        const struct timespec *until) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  struct timespec left = {until->tv_sec - now.tv_sec, until->tv_nsec - now.tv_nsec};
  if (left.tv_nsec < 0)
    left = (struct timespec){left.tv_sec - 1, left.tv_nsec + 1000000000};
  return left.tv_sec < 0 ? ETIMEDOUT : pthread_cond_timedwait_relative_np(condition, lock, &left);
}
#else
/* Initialises a condition for ws_sys_condition_wait. */
static inline void ws_sys_condition_init(pthread_cond_t *condition) {
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(condition, &attributes);
  pthread_condattr_destroy(&attributes);
}

/* Waits until a time of the monotonic clock. Returns as pthread_cond_timedwait. */
static inline int ws_sys_condition_wait(pthread_cond_t *condition, pthread_mutex_t *lock,
                                        const struct timespec *until) {
  return pthread_cond_timedwait(condition, lock, until);
}
#endif

/* Returns the text of an errno, valid until the thread's next call; NULL if there is none. */
static inline const char *ws_sys_error_text(int error) {
  static _Thread_local char text[128];
  return strerror_r(error, text, sizeof text) == 0 ? text : NULL;
}

/* Returns a variable of the environment; NULL if it is not set, or if the program has rights that its user has not. */
static inline const char *ws_sys_environment(const char *name) {
  return getuid() == geteuid() && getgid() == getegid() ? getenv(name) : NULL;
}

/* Gives the system what is free, after many small blocks were, if the allocator would keep it. Takes milliseconds. */
static inline void ws_sys_trim_memory(void) {
}
