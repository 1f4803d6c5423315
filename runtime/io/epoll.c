/* The poller for epoll, level-triggered. The kernel stores a pointer to each watch. When a watch is removed, the loop
 * deletes it from the events that are collected but not handled, so no stale pointer is used.
 */
#include <errno.h>

#include "base/mem.h"
#include "poller.h"
#include "sys.h"

struct ws_epoll {
  int fd;
};

enum { WS_EPOLL_BATCH = 256 };

static void *ws_epoll_new(void) {
  struct ws_epoll *poller = ws_mem_alloc(sizeof *poller);
  if (!poller)
    return NULL;
  poller->fd = ws_sys_epoll_create();
  if (poller->fd < 0) {
    ws_mem_free(poller);
    return NULL;
  }
  return poller;
}

static void ws_epoll_free(void *state) {
  struct ws_epoll *poller = state;
  ws_sys_close(poller->fd);
  ws_mem_free(poller);
}

static uint32_t ws_epoll_mask(unsigned interest) {
  return (interest & WS_READ ? (uint32_t)EPOLLIN : 0) | (interest & WS_WRITE ? (uint32_t)EPOLLOUT : 0) |
         (interest & WS_EXCLUSIVE ? (uint32_t)EPOLLEXCLUSIVE : 0);
}

static int ws_epoll_set(void *state, struct ws_watch *watch, unsigned interest) {
  const struct ws_epoll *poller = state;
  if (interest == 0) {
    ws_sys_epoll_remove(poller->fd, watch->fd);
    return 0;
  }
  struct epoll_event event = {.events = ws_epoll_mask(interest), .data.ptr = watch};
  return ws_sys_epoll_ctl(poller->fd, watch->interest ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, watch->fd, &event);
}

/* The owner learns of an error or a hang-up when it tries an operation. */
static unsigned ws_epoll_events(uint32_t mask) {
  if (mask & (EPOLLERR | EPOLLHUP))
    return WS_READ | WS_WRITE;
  return (mask & EPOLLIN ? WS_READ : 0u) | (mask & EPOLLOUT ? WS_WRITE : 0u);
}

static int ws_epoll_wait(void *state, struct ws_ready *ready, int size, int timeout_ms) {
  const struct ws_epoll *poller = state;
  struct epoll_event events[WS_EPOLL_BATCH];
  int count = ws_sys_epoll_wait(poller->fd, events, size < WS_EPOLL_BATCH ? size : WS_EPOLL_BATCH, timeout_ms);
  for (int i = 0; i < count; i++) {
    struct ws_watch *watch = events[i].data.ptr;
    ready[i] = (struct ws_ready){watch, ws_epoll_events(events[i].events) & watch->interest};
  }
  return count;
}

/* The descriptor of an epoll is itself ready to read while one of its descriptors is ready. */
static bool ws_epoll_has_ready(const void *state) {
  const struct ws_epoll *poller = state;
  struct pollfd watched = {.fd = poller->fd, .events = POLLIN};
  return ws_sys_poll(&watched, 1, 0) == 1;
}

const struct ws_poller_ops ws_epoll_ops = {ws_epoll_new, ws_epoll_free, ws_epoll_set, ws_epoll_wait,
                                           ws_epoll_has_ready};
