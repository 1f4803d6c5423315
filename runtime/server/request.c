#include "request.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

/* Headers of every handshake: kept as bits if they have these values. */
static const struct {
  const char *name;
  const char *value;
} ws_request_usual[] = {
    {"Upgrade", "websocket"},
    {"Connection", "Upgrade"},
    {"Sec-WebSocket-Version", "13"},
};

enum { WS_REQUEST_USUAL = sizeof ws_request_usual / sizeof *ws_request_usual };

/* text: path and query, NUL; then name, NUL, value, NUL for each header, in the order of the request. */
struct ws_request {
  _Atomic uint32_t references;
  uint32_t size;
  uint16_t host; /* where Host's value starts */
  uint16_t usual;
  char text[];
};

/* The bit of a header that has its usual value and occurs once; else 0. */
static unsigned ws_request_bit(const struct ws_http_head *head, size_t field) {
  struct ws_slice first;
  for (unsigned i = 0; i < WS_REQUEST_USUAL; i++) {
    if (ws_slice_equal_nocase(ws_http_head_field_name(head, field), ws_slice_of(ws_request_usual[i].name)) &&
        ws_slice_equal(ws_http_head_field_value(head, field), ws_slice_of(ws_request_usual[i].value)) &&
        ws_http_head_find(head, ws_request_usual[i].name, &first) == 1)
      return 1u << i;
  }
  return 0;
}

static bool ws_request_keeps(const struct ws_http_head *head, size_t i) {
  struct ws_slice name = ws_http_head_field_name(head, i);
  return !ws_slice_equal_nocase(name, ws_slice_of("Sec-WebSocket-Key")) && !ws_request_bit(head, i);
}

static bool ws_request_is_host(const struct ws_http_head *head, size_t i) {
  return ws_slice_equal_nocase(ws_http_head_field_name(head, i), ws_slice_of("Host"));
}

/* The value of a field; of Host, the one that the target may have replaced. */
static struct ws_slice ws_request_value(const struct ws_http_head *head, size_t i,
                                        const struct ws_server_handshake *accepted) {
  return ws_request_is_host(head, i) ? accepted->host : ws_http_head_field_value(head, i);
}

static size_t ws_request_size(const struct ws_http_head *head, const struct ws_server_handshake *accepted) {
  size_t size = accepted->path.size + accepted->query.size + 1;
  for (size_t i = 0; i < head->field_count; i++) {
    if (ws_request_keeps(head, i))
      size += ws_http_head_field_name(head, i).size + ws_request_value(head, i, accepted).size + 2;
  }
  return size;
}

static char *ws_request_put(char *to, struct ws_slice text) {
  if (text.size)
    memcpy(to, text.data, text.size);
  to[text.size] = '\0';
  return to + text.size + 1;
}

static struct ws_request *ws_request_new(const struct ws_http_head *head, const struct ws_server_handshake *accepted) {
  size_t size = ws_request_size(head, accepted);
  struct ws_request *request = ws_mem_alloc(sizeof *request + size);
  if (!request)
    return NULL;
  *request = (struct ws_request){.references = 1, .size = (uint32_t)size};
  char *to = ws_request_put(request->text, accepted->path);
  to = ws_request_put(to - 1, accepted->query);
  for (size_t i = 0; i < head->field_count; i++) {
    struct ws_slice name = ws_http_head_field_name(head, i);
    struct ws_slice value = ws_request_value(head, i, accepted);
    request->usual |= (uint16_t)ws_request_bit(head, i);
    if (!ws_request_keeps(head, i))
      continue;
    to = ws_request_put(to, name);
    if (ws_request_is_host(head, i))
      request->host = (uint16_t)(to - request->text);
    to = ws_request_put(to, value);
  }
  return request;
}

static bool ws_request_is_short(const struct ws_request *request) {
  return request->size <= WS_REQUESTS_SHARED_MAX;
}

size_t ws_request_held(const struct ws_request *request) {
  return ws_request_is_short(request) ? 0 : sizeof *request + request->size;
}

void ws_request_unref(struct ws_request *request) {
  if (!request || atomic_fetch_sub(&request->references, 1) != 1)
    return;
  ws_mem_wipe(request, sizeof *request + request->size);
  ws_mem_free(request);
}

/* ---- sharing */

static const char *const ws_request_common[] = {
    "Host",
    "User-Agent",
    "Origin",
    "Pragma",
    "Cache-Control",
    "Accept-Encoding",
    "Accept-Language",
    "Sec-WebSocket-Protocol",
    "Sec-WebSocket-Extensions",
};

static bool ws_request_is_common(const struct ws_http_head *head, size_t i) {
  for (size_t j = 0; j < sizeof ws_request_common / sizeof *ws_request_common; j++) {
    if (ws_slice_equal_nocase(ws_http_head_field_name(head, i), ws_slice_of(ws_request_common[j])))
      return true;
  }
  return !ws_request_keeps(head, i);
}

/* Sec-WebSocket-Protocol is the one header in which a browser's page can send a token: any but the chosen subprotocol
 * may be one. */
static bool ws_request_may_hold_token(const struct ws_http_head *head, size_t i,
                                      const struct ws_server_handshake *accepted) {
  return ws_slice_equal_nocase(ws_http_head_field_name(head, i), ws_slice_of("Sec-WebSocket-Protocol")) &&
         !ws_slice_equal(ws_http_head_field_value(head, i), accepted->protocol);
}

static bool ws_request_is_impersonal(const struct ws_http_head *head, const struct ws_server_handshake *accepted) {
  for (size_t i = 0; i < head->field_count; i++) {
    if (!ws_request_is_common(head, i) || ws_request_may_hold_token(head, i, accepted))
      return false;
  }
  return accepted->query.size == 0;
}

void ws_requests_init(struct ws_requests *requests) {
  *requests = (struct ws_requests){.lock = PTHREAD_MUTEX_INITIALIZER};
}

void ws_requests_deinit(struct ws_requests *requests) {
  for (int i = 0; i < WS_REQUESTS_SHARED; i++)
    ws_request_unref(requests->recent[i]);
  pthread_mutex_destroy(&requests->lock);
}

static uint32_t ws_request_hash(const struct ws_request *request) {
  uint32_t hash = 2166136261u;
  for (uint32_t i = 0; i < request->size; i++)
    hash = (hash ^ (uint8_t)request->text[i]) * 16777619u;
  return hash ^ hash >> 16;
}

/* Returns the equal request that is shared already, or shares this one. */
static struct ws_request *ws_requests_share(struct ws_requests *requests, struct ws_request *request) {
  struct ws_request **recent = &requests->recent[ws_request_hash(request) % WS_REQUESTS_SHARED];
  struct ws_request *spare = request;
  pthread_mutex_lock(&requests->lock);
  bool alike = *recent && (*recent)->size == request->size && (*recent)->usual == request->usual &&
               memcmp((*recent)->text, request->text, request->size) == 0;
  if (alike) {
    request = *recent;
  } else {
    spare = *recent;
    *recent = request;
  }
  atomic_fetch_add(&request->references, 1);
  pthread_mutex_unlock(&requests->lock);
  ws_request_unref(spare);
  return request;
}

struct ws_request *ws_requests_get(struct ws_requests *requests, const struct ws_http_head *head,
                                   const struct ws_server_handshake *accepted) {
  struct ws_request *request = ws_request_new(head, accepted);
  bool may_share = request && ws_request_is_short(request) && ws_request_is_impersonal(head, accepted);
  return may_share ? ws_requests_share(requests, request) : request;
}

/* ---- looking up */

void ws_request_url(const struct ws_request *request, bool secure, char *to, size_t room) {
  snprintf(to, room, "%s%s%s", secure ? "wss://" : "ws://", request->text + request->host, request->text);
}

struct ws_slice ws_request_target(const struct ws_request *request) {
  return ws_slice_of(request->text);
}

/* Appends a value to a list of *size bytes (-1: no list yet). Cookies are separated by semicolons (RFC 9113 section
 * 8.2.3), all else by commas. */
static void ws_request_join(char *to, size_t room, long *size, struct ws_slice name, const char *value) {
  size_t n = strlen(value);
  size_t at = *size < 0 ? 0 : (size_t)*size + 2;
  if (at > 1 && at <= room)
    memcpy(to + at - 2, ws_slice_equal_nocase(name, ws_slice_of("Cookie")) ? "; " : ", ", 2);
  if (n && at + n <= room)
    memcpy(to + at, value, n);
  *size = (long)(at + n);
}

long ws_request_header(const struct ws_request *request, const char *name, char *to, size_t room) {
  struct ws_slice wanted = ws_slice_of(name);
  const char *end = request->text + request->size;
  long size = -1;
  for (unsigned i = 0; i < WS_REQUEST_USUAL; i++) {
    if (request->usual & 1u << i && ws_slice_equal_nocase(wanted, ws_slice_of(ws_request_usual[i].name)))
      ws_request_join(to, room, &size, wanted, ws_request_usual[i].value);
  }
  for (const char *at = request->text + strlen(request->text) + 1; at < end;) {
    const char *value = at + strlen(at) + 1;
    if (ws_slice_equal_nocase(wanted, ws_slice_of(at)))
      ws_request_join(to, room, &size, wanted, value);
    at = value + strlen(value) + 1;
  }
  return size;
}
