#pragma once
/* The engine between the members of a cluster: subjects to publish on and to subscribe to. This is the seam: another
 * engine is another file beside nats.c.
 *
 * An engine has threads of its own. It calls the events on them, none after `close` has returned, and never two at the
 * same time for one link. All operations on a link are called by one thread, which may wait in them for a bounded time.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/why.h"

/* Where to connect: parsed by address.h. Borrowed for the call. */
struct ws_engine_address {
  const char *const *hosts; /* "host:port", without credentials */
  int host_count;
  bool tls;
  const char *user; /* NULL: none; without a password it is a token */
  const char *password;
};

enum ws_engine_state {
  WS_ENGINE_READY, /* connected again */
  WS_ENGINE_AWAY,  /* lost; it connects again by itself */
  WS_ENGINE_GONE,  /* lost for good: the link is of no more use than to be closed */
};

struct ws_engine_events {
  /* `subject` and `bytes` live until the return. */
  void (*received)(void *context, const char *subject, const uint8_t *bytes, size_t n);
  void (*changed)(void *context, enum ws_engine_state state, const char *why);
};

struct ws_engine {
  /* Returns a link, or NULL with the reason, which holds no credentials. */
  void *(*connect)(const struct ws_engine_address *address, int64_t timeout_ms, const struct ws_engine_events *events,
                   void *context, struct ws_why *why);
  /* The largest payload that it carries. */
  size_t (*payload_max)(void *link);
  /* 0, or -1: given up. Waits if the engine is slower. */
  int (*publish)(void *link, const char *subject, const uint8_t *bytes, size_t n);
  /* A subscription, of which at most `pending` bytes wait to be received; NULL: it failed. */
  void *(*subscribe)(void *link, const char *subject, size_t pending);
  void (*unsubscribe)(void *link, void *subscription);
  /* Waits until the engine has taken what was published and subscribed to, or for the time limit. */
  void (*flush)(void *link, int64_t timeout_ms);
  /* What the engine has refused of this link since it connected, such as a subject that its user may not use, as far as
   * it has said so; NULL: nothing. The text is constant. */
  const char *(*refusal)(void *link);
  /* Ends the link and its subscriptions. */
  void (*close)(void *link);
};
