#pragma once
/* Shared by the tests of the I/O layer: connected pairs of sockets, and turning a loop until a condition holds. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/list.h"
#include "io/address.h"
#include "io/loop.h"
#include "support/test.h"

enum { TEST_PATIENCE_MS = 20000 };

static inline int64_t test_now(void) {
  return ws_clock_ms();
}

/* Turns the loop until the condition holds. Fails the test after TEST_PATIENCE_MS. */
#define turn_until(loop, condition)                                                                                    \
  do {                                                                                                                 \
    int64_t give_up = test_now() + TEST_PATIENCE_MS;                                                                   \
    while (!(condition)) {                                                                                             \
      assert_int_equal(ws_loop_turn((loop), 100), 0);                                                                  \
      if (test_now() > give_up)                                                                                        \
        fail_msg("never happened: %s", #condition);                                                                    \
    }                                                                                                                  \
  } while (0)

/* Listens on a port that the kernel chooses. */
static inline int test_listen(const char *host, int backlog, struct ws_address *address) {
  assert_true(ws_address_parse(host, 0, address));
  int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_true(fd >= 0);
  assert_int_equal(bind(fd, &address->any, ws_address_length(address)), 0);
  assert_int_equal(listen(fd, backlog), 0);
  assert_int_equal(ws_address_of_socket(fd, address), 0);
  return fd;
}

/* Connects two non-blocking TCP sockets. */
static inline void test_tcp_pair(int fds[static 2]) {
  struct ws_address address;
  int listening = test_listen("127.0.0.1", 1, &address);
  fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_int_equal(connect(fds[0], &address.any, ws_address_length(&address)), 0);
  fds[1] = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  assert_true(fds[1] >= 0);
  assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
  close(listening);
}

static inline bool test_fd_is_open(int fd) {
  return fcntl(fd, F_GETFD) >= 0;
}

/* Returns the lowest free descriptor. If it is the same before and after, none below it has leaked. */
static inline int test_lowest_free_fd(void) {
  int fd = dup(STDERR_FILENO);
  assert_true(fd >= 0);
  close(fd);
  return fd;
}
