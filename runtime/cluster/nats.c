#include "nats.h"

#include <nats/nats.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "base/mem.h"

enum {
  WS_NATS_RECONNECT_MS = 250,
  WS_NATS_JITTER_MS = 250,
  WS_NATS_PING_MS = 5000, /* two pings without an answer are the end of a connection */
  WS_NATS_PINGS = 2,
  WS_NATS_WRITE_MS = 5000,
  WS_NATS_HOST_MAX = 300,
};

/* Referenced by its owner, by the library until it has reported that the connection is closed, and by each
 * subscription until the library has called it for the last time. */
struct ws_nats_link {
  pthread_mutex_t lock; /* of what follows; held while an event is called, so that none is called after close */
  const struct ws_engine_events *events; /* NULL: closed */
  void *context;
  int references;
  natsConnection *connection;
};

static void ws_nats_unref(struct ws_nats_link *link) {
  pthread_mutex_lock(&link->lock);
  bool last = --link->references == 0;
  pthread_mutex_unlock(&link->lock);
  if (!last)
    return;
  pthread_mutex_destroy(&link->lock);
  ws_mem_free(link);
}

/* ---- what the library calls, on its threads */

static void ws_nats_received(natsConnection *connection, natsSubscription *subscription, natsMsg *message,
                             void *context) {
  struct ws_nats_link *link = context;
  (void)connection;
  (void)subscription;
  pthread_mutex_lock(&link->lock);
  if (link->events)
    link->events->received(link->context, natsMsg_GetSubject(message), (const uint8_t *)natsMsg_GetData(message),
                           (size_t)natsMsg_GetDataLength(message));
  pthread_mutex_unlock(&link->lock);
  natsMsg_Destroy(message);
}

static void ws_nats_complete(void *context) {
  ws_nats_unref(context);
}

/* The text of the error is the connection's own, and may change meanwhile: its status is enough. */
static void ws_nats_changed(natsConnection *connection, struct ws_nats_link *link, enum ws_engine_state state) {
  const char *ignored;
  natsStatus status = natsConnection_GetLastError(connection, &ignored);
  pthread_mutex_lock(&link->lock);
  if (link->events)
    link->events->changed(link->context, state, status == NATS_OK ? "it closed" : natsStatus_GetText(status));
  pthread_mutex_unlock(&link->lock);
}

static void ws_nats_disconnected(natsConnection *connection, void *context) {
  ws_nats_changed(connection, context, WS_ENGINE_AWAY);
}

static void ws_nats_reconnected(natsConnection *connection, void *context) {
  ws_nats_changed(connection, context, WS_ENGINE_READY);
}

static void ws_nats_closed(natsConnection *connection, void *context) {
  ws_nats_changed(connection, context, WS_ENGINE_GONE);
  ws_nats_unref(context);
}

/* What a slow subscription loses is seen by the numbers of the messages. */
static void ws_nats_failed(natsConnection *connection, natsSubscription *subscription, natsStatus status,
                           void *context) {
  (void)connection;
  (void)subscription;
  (void)status;
  (void)context;
}

/* ---- connecting */

static natsStatus ws_nats_set_servers(natsOptions *options, const struct ws_engine_address *address) {
  char(*urls)[WS_NATS_HOST_MAX] = ws_mem_calloc((size_t)address->host_count, sizeof *urls);
  const char **list = ws_mem_calloc((size_t)address->host_count, sizeof *list);
  natsStatus status = urls && list ? NATS_OK : NATS_NO_MEMORY;
  for (int i = 0; i < address->host_count && status == NATS_OK; i++) {
    snprintf(urls[i], sizeof *urls, "nats://%s", address->hosts[i]);
    list[i] = urls[i];
  }
  if (status == NATS_OK)
    status = natsOptions_SetServers(options, list, address->host_count);
  ws_mem_free(list);
  ws_mem_free(urls);
  return status;
}

static natsStatus ws_nats_set_credentials(natsOptions *options, const struct ws_engine_address *address) {
  natsStatus status = NATS_OK;
  if (address->user && address->password)
    status = natsOptions_SetUserInfo(options, address->user, address->password);
  else if (address->user)
    status = natsOptions_SetToken(options, address->user);
  if (status == NATS_OK && address->tls)
    status = natsOptions_SetSecure(options, true);
  return status;
}

/* Short-circuits at the first option that is refused. */
static natsStatus ws_nats_set_options(natsOptions *options, struct ws_nats_link *link, int64_t timeout_ms) {
  natsStatus status = natsOptions_SetTimeout(options, timeout_ms);
  const struct {
    natsStatus (*set)(natsOptions *options, int64_t value);
    int64_t value;
  } times[] = {
      {natsOptions_SetReconnectWait, WS_NATS_RECONNECT_MS},
      {natsOptions_SetPingInterval, WS_NATS_PING_MS},
      {natsOptions_SetWriteDeadline, WS_NATS_WRITE_MS},
  };
  for (size_t i = 0; i < sizeof times / sizeof *times && status == NATS_OK; i++)
    status = times[i].set(options, times[i].value);
  if (status == NATS_OK)
    status = natsOptions_SetReconnectJitter(options, WS_NATS_JITTER_MS, WS_NATS_JITTER_MS);
  if (status == NATS_OK)
    status = natsOptions_SetMaxPingsOut(options, WS_NATS_PINGS);
  if (status == NATS_OK)
    status = natsOptions_SetMaxReconnect(options, -1);
  if (status == NATS_OK)
    status = natsOptions_SetNoEcho(options, true);
  if (status == NATS_OK)
    status = natsOptions_UseGlobalMessageDelivery(options, true);
  if (status == NATS_OK)
    status = natsOptions_SetErrorHandler(options, ws_nats_failed, NULL);
  if (status == NATS_OK)
    status = natsOptions_SetDisconnectedCB(options, ws_nats_disconnected, link);
  if (status == NATS_OK)
    status = natsOptions_SetReconnectedCB(options, ws_nats_reconnected, link);
  if (status == NATS_OK)
    status = natsOptions_SetClosedCB(options, ws_nats_closed, link);
  return status;
}

/* The library's text is "(file:line): what the system or the engine said". */
static void ws_nats_why(struct ws_why *why, natsStatus status) {
  const char *text = nats_GetLastError(NULL);
  const char *said = text ? strstr(text, "): ") : NULL;
  if (said)
    text = said + 3;
  if (text && *text && strcmp(text, natsStatus_GetText(status)) != 0)
    ws_why_set(why, "%s (%s)", natsStatus_GetText(status), text);
  else
    ws_why_set(why, "%s", natsStatus_GetText(status));
}

/* One delivery thread for all subscriptions: it keeps the order of a member's messages, whatever their subjects. */
static void *ws_nats_connect(const struct ws_engine_address *address, int64_t timeout_ms,
                             const struct ws_engine_events *events, void *context, struct ws_why *why) {
  natsOptions *options = NULL;
  struct ws_nats_link *link = ws_mem_calloc(1, sizeof *link);
  if (!link) {
    ws_why_set(why, "out of memory");
    return NULL;
  }
  *link = (struct ws_nats_link){.events = events, .context = context, .references = 2};
  pthread_mutex_init(&link->lock, NULL);
  natsStatus status = ws_fault_hit() ? NATS_NO_MEMORY : nats_Open(-1);
  if (status == NATS_OK)
    status = natsOptions_Create(&options);
  if (status == NATS_OK)
    status = ws_nats_set_servers(options, address);
  if (status == NATS_OK)
    status = ws_nats_set_credentials(options, address);
  if (status == NATS_OK)
    status = ws_nats_set_options(options, link, timeout_ms);
  if (status == NATS_OK)
    status = natsConnection_Connect(&link->connection, options);
  if (status != NATS_OK)
    ws_nats_why(why, status);
  natsOptions_Destroy(options);
  if (status == NATS_OK)
    return link;
  /* No event comes of a connection that was never made. */
  pthread_mutex_destroy(&link->lock);
  ws_mem_free(link);
  return NULL;
}

/* ---- a link */

static size_t ws_nats_payload_max(void *context) {
  struct ws_nats_link *link = context;
  return (size_t)natsConnection_GetMaxPayload(link->connection);
}

static int ws_nats_publish(void *context, const char *subject, const uint8_t *bytes, size_t n) {
  struct ws_nats_link *link = context;
  if (ws_fault_hit())
    return -1;
  return natsConnection_Publish(link->connection, subject, bytes, (int)n) == NATS_OK ? 0 : -1;
}

static void *ws_nats_subscribe(void *context, const char *subject, size_t pending) {
  struct ws_nats_link *link = context;
  natsSubscription *subscription = NULL;
  if (ws_fault_hit())
    return NULL;
  pthread_mutex_lock(&link->lock);
  link->references++;
  pthread_mutex_unlock(&link->lock);
  if (natsConnection_Subscribe(&subscription, link->connection, subject, ws_nats_received, link) != NATS_OK) {
    ws_nats_unref(link);
    return NULL;
  }
  natsSubscription_SetPendingLimits(subscription, -1, pending > INT32_MAX ? INT32_MAX : (int)pending);
  if (natsSubscription_SetOnCompleteCB(subscription, ws_nats_complete, link) == NATS_OK)
    return subscription;
  /* Its reference stays: it may still be called. */
  natsSubscription_Destroy(subscription);
  return NULL;
}

static void ws_nats_unsubscribe(void *context, void *subscription) {
  (void)context;
  natsSubscription_Unsubscribe(subscription);
  natsSubscription_Destroy(subscription);
}

static void ws_nats_flush(void *context, int64_t timeout_ms) {
  struct ws_nats_link *link = context;
  natsConnection_FlushTimeout(link->connection, timeout_ms);
}

static const char *ws_nats_refusal(void *context) {
  struct ws_nats_link *link = context;
  const char *ignored;
  natsStatus status = natsConnection_GetLastError(link->connection, &ignored);
  return status == NATS_NOT_PERMITTED ? natsStatus_GetText(status) : NULL;
}

static void ws_nats_close(void *context) {
  struct ws_nats_link *link = context;
  pthread_mutex_lock(&link->lock);
  link->events = NULL;
  pthread_mutex_unlock(&link->lock);
  natsConnection_Destroy(link->connection);
  ws_nats_unref(link);
}

const struct ws_engine ws_nats_engine = {
    .connect = ws_nats_connect,
    .payload_max = ws_nats_payload_max,
    .publish = ws_nats_publish,
    .subscribe = ws_nats_subscribe,
    .unsubscribe = ws_nats_unsubscribe,
    .flush = ws_nats_flush,
    .refusal = ws_nats_refusal,
    .close = ws_nats_close,
};
