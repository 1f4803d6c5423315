/*
 * Who holds a look-up: its owner (until it is answered or cancelled), its thread (until getaddrinfo has come back), the
 * posted task (until it has run). Whoever lets go last frees it.
 *
 * Cancelling and posting exclude each other by the lock: after ws_lookup_cancel nothing is posted any more, so that the
 * loop may go. What was posted before runs into nothing.
 */
#include "resolver.h"

#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "sys.h"

struct ws_lookup {
  struct ws_task task;
  struct ws_loop *loop; /* NULL: somebody waits for `finished` */
  ws_lookup_done *done;
  void *context;
  _Atomic int references;
  pthread_mutex_t lock;
  pthread_cond_t finished;
  bool cancelled;
  bool answered;
  bool failed;
  uint16_t port;
  struct ws_addresses addresses;
  struct ws_why why;
  char host[];
};

static struct ws_lookup *ws_lookup_new(const char *host, uint16_t port) {
  size_t size = strlen(host) + 1;
  struct ws_lookup *lookup = ws_mem_calloc(1, sizeof *lookup + size);
  if (!lookup)
    return NULL;
  memcpy(lookup->host, host, size);
  lookup->port = port;
  atomic_init(&lookup->references, 1);
  pthread_mutex_init(&lookup->lock, NULL);
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(&lookup->finished, &attributes);
  pthread_condattr_destroy(&attributes);
  return lookup;
}

static void ws_lookup_unref(struct ws_lookup *lookup) {
  if (atomic_fetch_sub(&lookup->references, 1) != 1)
    return;
  pthread_cond_destroy(&lookup->finished);
  pthread_mutex_destroy(&lookup->lock);
  ws_mem_free(lookup);
}

/* ---- answers without a thread */

static bool ws_resolve_fast(const char *host, uint16_t port, struct ws_addresses *addresses) {
  addresses->count = 1;
  if (ws_address_parse(host, port, &addresses->at[0]))
    return true;
  if (strcasecmp(host, "localhost") != 0 && strcasecmp(host, "localhost.") != 0)
    return false;
  addresses->count = 2;
  ws_address_parse("127.0.0.1", port, &addresses->at[0]);
  ws_address_parse("::1", port, &addresses->at[1]);
  return true;
}

/* ---- on the helper thread */

/* The first entry from `entry` on that is of this family, or of none other. */
static const struct addrinfo *ws_lookup_next(const struct addrinfo *entry, int family) {
  while (entry && entry->ai_family != family)
    entry = entry->ai_next;
  return entry;
}

static void ws_lookup_add(struct ws_lookup *lookup, const struct addrinfo *entry) {
  struct ws_address *address = &lookup->addresses.at[lookup->addresses.count++];
  memcpy(address, entry->ai_addr, entry->ai_addrlen < sizeof *address ? entry->ai_addrlen : sizeof *address);
  if (address->any.sa_family == AF_INET6)
    address->v6.sin6_port = htons(lookup->port);
  else
    address->v4.sin_port = htons(lookup->port);
}

_Static_assert(WS_RESOLVER_MAX % 2 == 0, "a pair of addresses always fits, or nothing does");

/* In the order of the answer, but the two families by turns, so that one that is broken delays the other little. */
static void ws_lookup_store(struct ws_lookup *lookup, const struct addrinfo *list) {
  int family = list->ai_family == AF_INET6 ? AF_INET6 : AF_INET;
  int other = family == AF_INET6 ? AF_INET : AF_INET6;
  const struct addrinfo *first = ws_lookup_next(list, family);
  const struct addrinfo *second = ws_lookup_next(list, other);
  while ((first || second) && lookup->addresses.count < WS_RESOLVER_MAX) {
    if (first) {
      ws_lookup_add(lookup, first);
      first = ws_lookup_next(first->ai_next, family);
    }
    if (second) { /* as long as there are both, the room is even */
      ws_lookup_add(lookup, second);
      second = ws_lookup_next(second->ai_next, other);
    }
  }
}

static void ws_lookup_ask(struct ws_lookup *lookup) {
  struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
  struct addrinfo *list = NULL;
  int result = ws_sys_getaddrinfo(lookup->host, &hints, &list);
  if (result == 0)
    ws_lookup_store(lookup, list);
  lookup->failed = lookup->addresses.count == 0;
  if (lookup->failed)
    ws_why_set(&lookup->why, "resolve %s: %s", lookup->host,
               result == EAI_SYSTEM ? ws_why_errno(errno)
               : result             ? gai_strerror(result)
                                    : "the name has no Internet address");
  if (list)
    freeaddrinfo(list);
}

static void *ws_lookup_thread(void *context) {
  struct ws_lookup *lookup = context;
  ws_lookup_ask(lookup);
  pthread_mutex_lock(&lookup->lock);
  lookup->answered = true;
  if (!lookup->cancelled && lookup->loop) {
    atomic_fetch_add(&lookup->references, 1);
    ws_loop_post(lookup->loop, &lookup->task);
  }
  pthread_cond_signal(&lookup->finished);
  pthread_mutex_unlock(&lookup->lock);
  ws_lookup_unref(lookup);
  return NULL;
}

/* Signals are for the program's own threads. */
static int ws_lookup_start_thread(struct ws_lookup *lookup, struct ws_why *why) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  atomic_fetch_add(&lookup->references, 1);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread;
  int error = ws_sys_thread(&thread, ws_lookup_thread, lookup);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (error == 0) {
    pthread_detach(thread);
    return 0;
  }
  ws_lookup_unref(lookup);
  return ws_why_set(why, "resolve %s: no thread for it: %s", lookup->host, ws_why_errno(error));
}

/* ---- for a loop */

static void ws_lookup_answered(struct ws_loop *loop, struct ws_task *task) {
  (void)loop;
  struct ws_lookup *lookup = (struct ws_lookup *)task;
  pthread_mutex_lock(&lookup->lock);
  bool cancelled = lookup->cancelled;
  pthread_mutex_unlock(&lookup->lock);
  if (!cancelled) {
    lookup->done(lookup->context, lookup->failed ? NULL : &lookup->addresses, &lookup->why);
    ws_lookup_unref(lookup);
  }
  ws_lookup_unref(lookup);
}

struct ws_lookup *ws_lookup_start(struct ws_loop *loop, const char *host, uint16_t port, ws_lookup_done *done,
                                  void *context, struct ws_why *why) {
  struct ws_lookup *lookup = ws_lookup_new(host, port);
  if (!lookup) {
    ws_why_set(why, "resolve %s: out of memory", host);
    return NULL;
  }
  lookup->task.run = ws_lookup_answered;
  lookup->loop = loop;
  lookup->done = done;
  lookup->context = context;
  if (ws_resolve_fast(host, port, &lookup->addresses)) {
    atomic_fetch_add(&lookup->references, 1);
    ws_loop_post(loop, &lookup->task);
    return lookup;
  }
  lookup->addresses.count = 0;
  if (ws_lookup_start_thread(lookup, why)) {
    ws_lookup_unref(lookup);
    return NULL;
  }
  return lookup;
}

void ws_lookup_cancel(struct ws_lookup *lookup) {
  pthread_mutex_lock(&lookup->lock);
  lookup->cancelled = true;
  pthread_mutex_unlock(&lookup->lock);
  ws_lookup_unref(lookup);
}

/* ---- for a thread that waits */

static struct timespec ws_lookup_deadline(int64_t timeout_ms) {
  int64_t at = ws_clock_ms() + timeout_ms;
  return (struct timespec){.tv_sec = at / 1000, .tv_nsec = at % 1000 * 1000000};
}

static bool ws_lookup_wait(struct ws_lookup *lookup, int64_t timeout_ms) {
  struct timespec deadline = ws_lookup_deadline(timeout_ms);
  pthread_mutex_lock(&lookup->lock);
  int error = 0;
  while (!lookup->answered && error == 0)
    error = pthread_cond_timedwait(&lookup->finished, &lookup->lock, &deadline);
  bool answered = lookup->answered;
  pthread_mutex_unlock(&lookup->lock);
  return answered;
}

int ws_resolve(const char *host, uint16_t port, int64_t timeout_ms, struct ws_addresses *addresses,
               struct ws_why *why) {
  if (ws_resolve_fast(host, port, addresses))
    return 0;
  struct ws_lookup *lookup = ws_lookup_new(host, port);
  if (!lookup)
    return ws_why_set(why, "resolve %s: out of memory", host);
  int result = ws_lookup_start_thread(lookup, why);
  if (result == 0) {
    if (!ws_lookup_wait(lookup, timeout_ms))
      result = ws_why_set(why, "resolve %s: no answer within %lld ms", host, (long long)timeout_ms);
    else if (lookup->failed)
      result = ws_why_set(why, "%s", lookup->why.text);
    else
      *addresses = lookup->addresses;
  }
  ws_lookup_unref(lookup);
  return result;
}
