#pragma once
/* How a loop waits: one interface, epoll.c and poll.c behind it. A poller holds the watches whose interest is not 0. */
#include "watch.h"

/* A watch and what it is ready for (within its interest). */
struct ws_ready {
  struct ws_watch *watch;
  unsigned events;
};

struct ws_poller;

struct ws_poller_ops {
  /* NULL with errno. */
  struct ws_poller *(*new)(void);
  void (*free)(struct ws_poller *poller);
  /* Changes the interest of the watch from watch->interest (which the caller updates after success) to another one. 0
   * takes it out and cannot fail. Otherwise 0, or -1 with errno and nothing changed. */
  int (*set)(struct ws_poller *poller, struct ws_watch *watch, unsigned interest);
  /* Waits (-1: for ever) and stores at most size ready watches. Their number, or -1 with errno. */
  int (*wait)(struct ws_poller *poller, struct ws_ready *ready, int size, int timeout_ms);
};

extern const struct ws_poller_ops ws_epoll_ops;
extern const struct ws_poller_ops ws_poll_ops;
