/* A lookup has up to three references: its owner's (until the answer or a cancel), its thread's (until getaddrinfo
 * returns), and the posted task's (until it runs). The last unref frees it.
 *
 * The lock excludes a post during a cancel: after ws_resolver_cancel nothing is posted, so the loop may be freed. A
 * task posted earlier has no effect.
 */
#include "resolver.h"

#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"
#include "sys.h"

struct ws_resolver {
  struct ws_task task;
  struct ws_loop *loop; /* NULL: a thread waits for `finished` */
  ws_resolver_done *done;
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

static struct ws_resolver *ws_resolver_new(const char *host, uint16_t port) {
  size_t size = strlen(host) + 1;
  struct ws_resolver *resolver = ws_mem_calloc(1, sizeof *resolver + size);
  if (!resolver)
    return NULL;
  memcpy(resolver->host, host, size);
  resolver->port = port;
  atomic_init(&resolver->references, 1);
  pthread_mutex_init(&resolver->lock, NULL);
  ws_sys_condition_init(&resolver->finished);
  return resolver;
}

static void ws_resolver_unref(struct ws_resolver *resolver) {
  if (atomic_fetch_sub(&resolver->references, 1) != 1)
    return;
  pthread_cond_destroy(&resolver->finished);
  pthread_mutex_destroy(&resolver->lock);
  ws_mem_free(resolver);
}

/* ---- answers without a thread */

static bool ws_resolver_fast(const char *host, uint16_t port, struct ws_addresses *addresses) {
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

/* Returns the first entry of this family from `entry` on, or NULL. */
static const struct addrinfo *ws_resolver_next(const struct addrinfo *entry, int family) {
  while (entry && entry->ai_family != family)
    entry = entry->ai_next;
  return entry;
}

static void ws_resolver_add(struct ws_resolver *resolver, const struct addrinfo *entry) {
  struct ws_address *address = &resolver->addresses.at[resolver->addresses.count++];
  memcpy(address, entry->ai_addr, entry->ai_addrlen < sizeof *address ? entry->ai_addrlen : sizeof *address);
  if (address->any.sa_family == AF_INET6)
    address->v6.sin6_port = htons(resolver->port);
  else
    address->v4.sin_port = htons(resolver->port);
}

_Static_assert(WS_RESOLVER_MAX % 2 == 0, "a pair of addresses always fits, or nothing does");

/* Stores the addresses in the order of the answer, with the families alternating, so that a broken family delays the
 * other only a little. */
static void ws_resolver_store(struct ws_resolver *resolver, const struct addrinfo *list) {
  int family = list->ai_family == AF_INET6 ? AF_INET6 : AF_INET;
  int other = family == AF_INET6 ? AF_INET : AF_INET6;
  const struct addrinfo *first = ws_resolver_next(list, family);
  const struct addrinfo *second = ws_resolver_next(list, other);
  while ((first || second) && resolver->addresses.count < WS_RESOLVER_MAX) {
    if (first) {
      ws_resolver_add(resolver, first);
      first = ws_resolver_next(first->ai_next, family);
    }
    if (second) { /* with both families, the room is even */
      ws_resolver_add(resolver, second);
      second = ws_resolver_next(second->ai_next, other);
    }
  }
}

static void ws_resolver_ask(struct ws_resolver *resolver) {
  struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
  struct addrinfo *list = NULL;
  int result = ws_sys_getaddrinfo(resolver->host, &hints, &list);
  if (result == 0)
    ws_resolver_store(resolver, list);
  resolver->failed = resolver->addresses.count == 0;
  if (resolver->failed)
    ws_why_set(&resolver->why, "resolve %s: %s", resolver->host,
               result == EAI_SYSTEM ? ws_why_errno(errno)
               : result             ? gai_strerror(result)
                                    : "the name has no Internet address");
  if (list)
    freeaddrinfo(list);
}

static void *ws_resolver_thread(void *context) {
  struct ws_resolver *resolver = context;
  ws_resolver_ask(resolver);
  pthread_mutex_lock(&resolver->lock);
  resolver->answered = true;
  if (!resolver->cancelled && resolver->loop) {
    atomic_fetch_add(&resolver->references, 1);
    ws_loop_post(resolver->loop, &resolver->task);
  }
  pthread_cond_signal(&resolver->finished);
  pthread_mutex_unlock(&resolver->lock);
  ws_resolver_unref(resolver);
  return NULL;
}

/* Blocks all signals in the new thread: they are for the program's own threads. */
static int ws_resolver_start_thread(struct ws_resolver *resolver, struct ws_why *why) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  atomic_fetch_add(&resolver->references, 1);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread;
  int error = ws_sys_thread(&thread, ws_resolver_thread, resolver);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (error == 0) {
    pthread_detach(thread);
    return 0;
  }
  ws_resolver_unref(resolver);
  return ws_why_set(why, "resolve %s: no thread for it: %s", resolver->host, ws_why_errno(error));
}

/* ---- for a loop */

static void ws_resolver_answered(struct ws_loop *loop, struct ws_task *task) {
  (void)loop;
  struct ws_resolver *resolver = (struct ws_resolver *)task;
  pthread_mutex_lock(&resolver->lock);
  bool cancelled = resolver->cancelled;
  pthread_mutex_unlock(&resolver->lock);
  if (!cancelled) {
    resolver->done(resolver->context, resolver->failed ? NULL : &resolver->addresses, &resolver->why);
    ws_resolver_unref(resolver);
  }
  ws_resolver_unref(resolver);
}

struct ws_resolver *ws_resolver_start(struct ws_loop *loop, const char *host, uint16_t port, ws_resolver_done *done,
                                      void *context, struct ws_why *why) {
  struct ws_resolver *resolver = ws_resolver_new(host, port);
  if (!resolver) {
    ws_why_set(why, "resolve %s: out of memory", host);
    return NULL;
  }
  resolver->task.run = ws_resolver_answered;
  resolver->loop = loop;
  resolver->done = done;
  resolver->context = context;
  if (ws_resolver_fast(host, port, &resolver->addresses)) {
    atomic_fetch_add(&resolver->references, 1);
    ws_loop_post(loop, &resolver->task);
    return resolver;
  }
  resolver->addresses.count = 0;
  if (ws_resolver_start_thread(resolver, why)) {
    ws_resolver_unref(resolver);
    return NULL;
  }
  return resolver;
}

void ws_resolver_cancel(struct ws_resolver *resolver) {
  pthread_mutex_lock(&resolver->lock);
  resolver->cancelled = true;
  pthread_mutex_unlock(&resolver->lock);
  ws_resolver_unref(resolver);
}

/* ---- for a thread that waits */

static struct timespec ws_resolver_deadline(int64_t timeout_ms) {
  int64_t at = ws_clock_ms() + timeout_ms;
  return (struct timespec){.tv_sec = at / 1000, .tv_nsec = at % 1000 * 1000000};
}

static bool ws_resolver_wait(struct ws_resolver *resolver, int64_t timeout_ms) {
  struct timespec deadline = ws_resolver_deadline(timeout_ms);
  pthread_mutex_lock(&resolver->lock);
  int error = 0;
  while (!resolver->answered && error == 0)
    error = ws_sys_condition_wait(&resolver->finished, &resolver->lock, &deadline);
  bool answered = resolver->answered;
  pthread_mutex_unlock(&resolver->lock);
  return answered;
}

int ws_resolver_resolve(const char *host, uint16_t port, int64_t timeout_ms, struct ws_addresses *addresses,
                        struct ws_why *why) {
  if (ws_resolver_fast(host, port, addresses))
    return 0;
  struct ws_resolver *resolver = ws_resolver_new(host, port);
  if (!resolver)
    return ws_why_set(why, "resolve %s: out of memory", host);
  int result = ws_resolver_start_thread(resolver, why);
  if (result == 0) {
    if (!ws_resolver_wait(resolver, timeout_ms))
      result = ws_why_set(why, "resolve %s: no answer within %lld ms", host, (long long)timeout_ms);
    else if (resolver->failed)
      result = ws_why_set(why, "%s", resolver->why.text);
    else
      *addresses = resolver->addresses;
  }
  ws_resolver_unref(resolver);
  return result;
}
