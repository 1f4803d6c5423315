#include "listener.h"

#include <errno.h>

#include "base/list.h"
#include "sys.h"

enum {
  WS_LISTENER_BURST = 64,     /* connections accepted before other events are handled */
  WS_LISTENER_RETRY_MS = 100, /* pause after descriptors or memory ran out */
  WS_LISTENER_CALM_MS = 60 * 1000,
};

static void ws_listener_say(struct ws_listener *listener, int error) {
  int64_t before_ms = listener->troubled_ms;
  listener->troubled_ms = ws_loop_now(listener->loop);
  if (!before_ms || listener->troubled_ms - before_ms > WS_LISTENER_CALM_MS)
    listener->events->troubled(listener, ws_why_errno(error));
}

/* Pauses accepting. Connections wait in the kernel's queue. */
static void ws_listener_pause(struct ws_listener *listener, int error) {
  for (int i = 0; i < listener->count; i++)
    ws_loop_watch(listener->loop, &listener->sockets[i].watch, 0);
  ws_timer_arm(listener->loop, &listener->retry, ws_loop_now(listener->loop) + WS_LISTENER_RETRY_MS);
  ws_listener_say(listener, error);
}

static int ws_listener_watch(struct ws_listener *listener) {
  unsigned interest = WS_READ | (listener->shared ? WS_EXCLUSIVE : 0u);
  for (int i = 0; i < listener->count; i++)
    if (ws_loop_watch(listener->loop, &listener->sockets[i].watch, interest))
      return -1;
  return 0;
}

static void ws_listener_resume(struct ws_loop *loop, struct ws_timer *timer) {
  (void)loop;
  struct ws_listener *listener = ws_container_of(timer, struct ws_listener, retry);
  if (listener->spare < 0)
    listener->spare = ws_sys_spare();
  if (ws_listener_watch(listener))
    ws_listener_pause(listener, errno);
}

/* Without a free descriptor, a connection in the kernel's queue keeps the socket ready and its client waiting. Accepts
 * one with the spare descriptor and closes it. Returns false on failure. */
static bool ws_listener_turn_away(struct ws_listener *listener, int fd) {
  if (listener->spare < 0)
    return false;
  ws_sys_close(listener->spare);
  int refused = ws_sys_accept(fd, NULL, NULL);
  if (refused >= 0)
    ws_sys_close(refused);
  listener->spare = ws_sys_spare();
  return refused >= 0 && listener->spare >= 0;
}

/* Handles a failed accept. Returns true to go on accepting. */
static bool ws_listener_failed(struct ws_listener *listener, int fd, int error) {
  switch (error) {
  case EAGAIN:
    return false;
  case EMFILE:
  case ENFILE:
    if (ws_listener_turn_away(listener, fd)) {
      ws_listener_say(listener, error);
      return listener->loop != NULL;
    }
    ws_listener_pause(listener, error);
    return false;
  default:
    if (ws_sys_accept_goes_on(error))
      return true;
    ws_listener_pause(listener, error);
    return false;
  }
}

static void ws_listener_ready(struct ws_loop *loop, struct ws_watch *watch, unsigned events) {
  (void)events;
  (void)loop;
  struct ws_listener *listener = ws_container_of(watch, struct ws_listener_socket, watch)->listener;
  for (int i = 0; i < WS_LISTENER_BURST && listener->loop; i++) {
    struct ws_address peer;
    socklen_t length = sizeof peer;
    int fd = ws_sys_accept(watch->fd, &peer.any, &length);
    if (fd >= 0) {
      listener->events->accepted(listener, fd, &peer);
    } else if (!ws_listener_failed(listener, watch->fd, errno)) {
      return;
    }
  }
}

int ws_listener_start(struct ws_listener *listener, struct ws_loop *loop, const struct ws_bound *bound, bool shared,
                      const struct ws_listener_events *events, struct ws_why *why) {
  *listener = (struct ws_listener){.events = events, .loop = loop, .count = bound->count, .shared = shared};
  for (int i = 0; i < bound->count; i++)
    listener->sockets[i] = (struct ws_listener_socket){{ws_listener_ready, bound->fds[i], 0}, listener};
  if (ws_timer_init(loop, &listener->retry, ws_listener_resume)) {
    listener->loop = NULL;
    return ws_why_set(why, "out of memory");
  }
  listener->spare = ws_sys_spare();
  if (listener->spare >= 0 && ws_listener_watch(listener) == 0)
    return 0;
  int error = errno;
  ws_listener_stop(listener);
  return ws_why_set(why, "connections cannot be accepted: %s", ws_why_errno(error));
}

void ws_listener_stop(struct ws_listener *listener) {
  if (!listener->loop)
    return;
  for (int i = 0; i < listener->count; i++)
    ws_loop_watch(listener->loop, &listener->sockets[i].watch, 0);
  ws_timer_deinit(listener->loop, &listener->retry);
  if (listener->spare >= 0)
    ws_sys_close(listener->spare);
  listener->loop = NULL;
}
