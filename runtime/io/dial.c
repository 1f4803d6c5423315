/* A dial has one timer, armed for the next attempt or the timeout, whichever is earlier.
 *
 * Invariant outside callbacks: the lookup is running, or at least one attempt is in progress, or the dial is freed.
 */
#include "dial.h"

#include <errno.h>
#include <string.h>

#include "base/list.h"
#include "base/mem.h"
#include "resolver.h"
#include "sys.h"
#include "timer.h"

enum { WS_DIAL_STAGGER_MS = 250 };

struct ws_dial_attempt {
  struct ws_watch watch; /* fd is -1 when not in progress */
  struct ws_dial *dial;
};

struct ws_dial {
  struct ws_loop *loop;
  ws_dial_done *done;
  void *context;
  struct ws_resolver *lookup; /* NULL when answered */
  struct ws_timer timer;
  int64_t timeout;
  int64_t deadline;
  int64_t next_start;
  struct ws_addresses addresses;
  int started; /* attempts started, for addresses[0 .. started) */
  int live;    /* attempts in progress */
  struct ws_dial_attempt attempts[WS_RESOLVER_MAX];
  struct ws_why why; /* the failures so far */
  char host[];
};

static void ws_dial_close_attempt(struct ws_dial *dial, struct ws_dial_attempt *attempt) {
  ws_loop_watch(dial->loop, &attempt->watch, 0);
  ws_sys_close(attempt->watch.fd);
  attempt->watch.fd = -1;
  dial->live--;
}

void ws_dial_cancel(struct ws_dial *dial) {
  if (dial->lookup)
    ws_resolver_cancel(dial->lookup);
  for (int i = 0; i < dial->started; i++)
    if (dial->attempts[i].watch.fd >= 0)
      ws_dial_close_attempt(dial, &dial->attempts[i]);
  ws_timer_deinit(dial->loop, &dial->timer);
  ws_mem_free(dial);
}

/* Frees the dial, then calls its owner. */
static void ws_dial_finish(struct ws_dial *dial, int fd) {
  struct ws_why why = dial->why;
  ws_dial_done *done = dial->done;
  void *context = dial->context;
  ws_dial_cancel(dial);
  done(context, fd, &why);
}

/* Appends to the reasons. */
static void ws_dial_note(struct ws_dial *dial, const char *what, const char *whom, const char *reason) {
  size_t used = strlen(dial->why.text);
  snprintf(dial->why.text + used, sizeof dial->why.text - used, "%s%s %s: %s", used ? "; " : "", what, whom, reason);
}

static void ws_dial_note_attempt(struct ws_dial *dial, int index, const char *reason) {
  char address[WS_ADDRESS_TEXT];
  ws_dial_note(dial, "connect", ws_address_format(&dial->addresses.at[index], address), reason);
}

static void ws_dial_timed_out(struct ws_dial *dial) {
  char reason[64];
  snprintf(reason, sizeof reason, "no answer within %lld ms", (long long)dial->timeout);
  if (dial->lookup)
    ws_dial_note(dial, "resolve", dial->host, reason);
  for (int i = 0; i < dial->started; i++)
    if (dial->attempts[i].watch.fd >= 0)
      ws_dial_note_attempt(dial, i, reason);
  ws_dial_finish(dial, -1);
}

/* The socket of an attempt is ready: it is connected, or the attempt has failed. */
static void ws_dial_advance(struct ws_dial *dial);

static void ws_dial_attempt_ready(struct ws_loop *loop, struct ws_watch *watch, unsigned events) {
  (void)events;
  struct ws_dial_attempt *attempt = ws_container_of(watch, struct ws_dial_attempt, watch);
  struct ws_dial *dial = attempt->dial;
  int error = 0;
  socklen_t length = sizeof error;
  if (ws_sys_getsockopt(watch->fd, SOL_SOCKET, SO_ERROR, &error, &length))
    error = errno;
  if (error == 0) {
    int fd = watch->fd;
    ws_loop_watch(loop, watch, 0);
    watch->fd = -1;
    dial->live--;
    ws_dial_finish(dial, fd);
    return;
  }
  ws_dial_note_attempt(dial, (int)(attempt - dial->attempts), ws_why_errno(error));
  ws_dial_close_attempt(dial, attempt);
  ws_dial_advance(dial);
}

/* Starts an attempt. Returns 0 if it is in progress (readiness reports the result), or -1 with errno. */
static int ws_dial_start_attempt(struct ws_dial *dial, struct ws_dial_attempt *attempt,
                                 const struct ws_address *address) {
  int on = 1;
  attempt->dial = dial;
  attempt->watch = (struct ws_watch){.ready = ws_dial_attempt_ready, .fd = -1};
  int fd = ws_sys_socket(address->any.sa_family);
  if (fd < 0)
    return -1;
  attempt->watch.fd = fd;
  dial->live++;
  if (ws_sys_setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0 &&
      (ws_sys_connect(fd, &address->any, ws_address_length(address)) == 0 || errno == EINPROGRESS) &&
      ws_loop_watch(dial->loop, &attempt->watch, WS_WRITE) == 0)
    return 0;
  int error = errno;
  ws_dial_close_attempt(dial, attempt);
  errno = error;
  return -1;
}

/* Starts attempts until one is in progress. Ends the dial if all have failed. */
static void ws_dial_advance(struct ws_dial *dial) {
  int64_t now = ws_loop_now(dial->loop);
  while (dial->started < dial->addresses.count && (dial->live == 0 || now >= dial->next_start)) {
    int index = dial->started++;
    dial->next_start = now + WS_DIAL_STAGGER_MS;
    if (ws_dial_start_attempt(dial, &dial->attempts[index], &dial->addresses.at[index])) {
      ws_dial_note_attempt(dial, index, ws_why_errno(errno));
      dial->next_start = now;
    }
  }
  if (dial->live == 0) {
    ws_dial_finish(dial, -1);
    return;
  }
  bool more = dial->started < dial->addresses.count && dial->next_start < dial->deadline;
  ws_timer_arm(dial->loop, &dial->timer, more ? dial->next_start : dial->deadline);
}

static void ws_dial_timer_fired(struct ws_loop *loop, struct ws_timer *timer) {
  struct ws_dial *dial = ws_container_of(timer, struct ws_dial, timer);
  if (ws_loop_now(loop) >= dial->deadline)
    ws_dial_timed_out(dial);
  else
    ws_dial_advance(dial);
}

static void ws_dial_resolved(void *context, const struct ws_addresses *addresses, const struct ws_why *why) {
  struct ws_dial *dial = context;
  dial->lookup = NULL;
  if (!addresses) {
    dial->why = *why;
    ws_dial_finish(dial, -1);
    return;
  }
  dial->addresses = *addresses;
  ws_dial_advance(dial);
}

struct ws_dial *ws_dial_start(struct ws_loop *loop, const char *host, uint16_t port, int64_t timeout_ms,
                              ws_dial_done *done, void *context, struct ws_why *why) {
  size_t size = strlen(host) + 1;
  struct ws_dial *dial = ws_mem_calloc(1, sizeof *dial + size);
  if (!dial || ws_timer_init(loop, &dial->timer, ws_dial_timer_fired)) {
    ws_mem_free(dial);
    ws_why_set(why, "connect %s: out of memory", host);
    return NULL;
  }
  memcpy(dial->host, host, size);
  dial->loop = loop;
  dial->done = done;
  dial->context = context;
  dial->timeout = timeout_ms;
  dial->deadline = ws_loop_refresh(loop) + timeout_ms;
  dial->lookup = ws_resolver_start(loop, host, port, ws_dial_resolved, dial, why);
  if (!dial->lookup) {
    ws_dial_cancel(dial);
    return NULL;
  }
  ws_timer_arm(loop, &dial->timer, dial->deadline);
  return dial;
}
