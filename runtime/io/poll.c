/* The poller for poll(2). An array has the pollfds, and a parallel array their watches. place[fd] is 1 + the index, so
 * that a change needs no search.
 */
#include <errno.h>

#include "base/mem.h"
#include "poller.h"
#include "sys.h"

struct ws_poll {
  struct pollfd *fds;
  struct ws_watch **watches;
  int *place;
  int count;
  int room;
  int places;
  int first; /* where the scan for ready ones starts, so that a full result starves none */
};

static void *ws_poll_new(void) {
  return ws_mem_calloc(1, sizeof(struct ws_poll));
}

static void ws_poll_free(void *state) {
  struct ws_poll *poller = state;
  ws_mem_free(poller->fds);
  ws_mem_free(poller->watches);
  ws_mem_free(poller->place);
  ws_mem_free(poller);
}

/* Makes room for one more pollfd. */
static int ws_poll_grow(struct ws_poll *poller) {
  if (poller->count < poller->room)
    return 0;
  size_t room = poller->room ? (size_t)poller->room * 2 : 16;
  struct pollfd *fds = ws_mem_realloc(poller->fds, room * sizeof *fds);
  if (!fds)
    return -1;
  poller->fds = fds;
  struct ws_watch **watches = ws_mem_realloc(poller->watches, room * sizeof *watches);
  if (!watches)
    return -1;
  poller->watches = watches;
  poller->room = (int)room;
  return 0;
}

/* Makes an entry for this descriptor. */
static int ws_poll_grow_places(struct ws_poll *poller, int fd) {
  if (fd < poller->places)
    return 0;
  size_t places = ((size_t)fd + 64) / 64 * 128;
  int *place = ws_mem_realloc(poller->place, places * sizeof *place);
  if (!place)
    return -1;
  memset(place + poller->places, 0, (places - (size_t)poller->places) * sizeof *place);
  poller->place = place;
  poller->places = (int)places;
  return 0;
}

static void ws_poll_remove(struct ws_poll *poller, int fd) {
  int at = poller->place[fd] - 1;
  int last = --poller->count;
  poller->place[fd] = 0;
  if (at == last)
    return;
  poller->fds[at] = poller->fds[last];
  poller->watches[at] = poller->watches[last];
  poller->place[poller->fds[at].fd] = at + 1;
}

static short ws_poll_mask(unsigned interest) {
  return (short)((interest & WS_READ ? POLLIN : 0) | (interest & WS_WRITE ? POLLOUT : 0));
}

static int ws_poll_set(void *state, struct ws_watch *watch, unsigned interest) {
  struct ws_poll *poller = state;
  if (interest == 0) {
    ws_poll_remove(poller, watch->fd);
    return 0;
  }
  if (watch->interest == 0) {
    if (ws_poll_grow(poller) || ws_poll_grow_places(poller, watch->fd))
      return -1;
    poller->watches[poller->count] = watch;
    poller->fds[poller->count].fd = watch->fd;
    poller->place[watch->fd] = ++poller->count;
  }
  poller->fds[poller->place[watch->fd] - 1].events = ws_poll_mask(interest);
  return 0;
}

/* The owner learns of POLLERR, POLLHUP and POLLNVAL when it tries an operation. */
static unsigned ws_poll_events(short mask) {
  if (mask & (POLLERR | POLLHUP | POLLNVAL))
    return WS_READ | WS_WRITE;
  return (mask & POLLIN ? WS_READ : 0u) | (mask & POLLOUT ? WS_WRITE : 0u);
}

static int ws_poll_wait(void *state, struct ws_ready *ready, int size, int timeout_ms) {
  struct ws_poll *poller = state;
  int left = ws_sys_poll(poller->fds, (nfds_t)poller->count, timeout_ms);
  if (left < 0)
    return -1;
  int stored = 0;
  int at = poller->first;
  for (int seen = 0; seen < poller->count && stored < left && stored < size; seen++, at++) {
    if (at >= poller->count)
      at = 0;
    if (poller->fds[at].revents == 0)
      continue;
    struct ws_watch *watch = poller->watches[at];
    ready[stored++] = (struct ws_ready){watch, ws_poll_events(poller->fds[at].revents) & watch->interest};
  }
  poller->first = at;
  return stored;
}

static bool ws_poll_has_ready(const void *state) {
  (void)state;
  return true;
}

const struct ws_poller_ops ws_poll_ops = {ws_poll_new, ws_poll_free, ws_poll_set, ws_poll_wait, ws_poll_has_ready};
