#pragma once
/* The interface of the pollers, epoll.c and poll.c. A poller contains the watches whose interest is not 0. */
#include <stdbool.h>

#include "watch.h"

/* A watch and its ready events, a subset of its interest. */
struct ws_ready {
  struct ws_watch *watch;
  unsigned events;
};

struct ws_poller_ops {
  /* Returns the state of a poller, or NULL with errno on failure. */
  void *(*new)(void);
  void (*free)(void *state);
  /* Changes the interest of the watch from watch->interest, which the caller updates after success. Interest 0 removes
   * the watch and cannot fail. Returns 0, or -1 with errno and nothing changed. */
  int (*set)(void *state, struct ws_watch *watch, unsigned interest);
  /* Waits (-1: without limit) and stores up to `size` ready watches. Returns their number, or -1 with errno. */
  int (*wait)(void *state, struct ws_ready *ready, int size, int timeout_ms);
  /* Returns true if something is ready, or if that cannot be told without waiting. Any thread. */
  bool (*has_ready)(const void *state);
};

extern const struct ws_poller_ops ws_epoll_ops;
extern const struct ws_poller_ops ws_poll_ops;
