#include "server_handshake.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base64.h"
#include "host.h"
#include "origin.h"
#include "status.h"
#include "subprotocol.h"
#include "url.h"

/* Sets path and query. The authority of a target in absolute form replaces Host (RFC 9112 section 3.2.2). */
static enum ws_refusal ws_server_handshake_target(const struct ws_http_head *head, struct ws_authority *host,
                                                  struct ws_server_handshake *handshake) {
  struct ws_slice target = ws_http_head_target(head);
  size_t end;
  if (!ws_url_target_valid(target))
    return WS_REFUSAL_TARGET;
  if (target.data[0] != '/') {
    bool absolute =
        ws_slice_skip_prefix(&target, WS_SLICE("http://")) || ws_slice_skip_prefix(&target, WS_SLICE("https://"));
    if (!absolute || target.size == 0)
      return WS_REFUSAL_TARGET;
    end = ws_slice_find((struct ws_slice){target.data, ws_slice_find(target, '?')}, '/');
    handshake->host = (struct ws_slice){target.data, end};
    if (ws_url_authority_parse(host, handshake->host) != WS_URL_OK)
      return WS_REFUSAL_TARGET;
    target = ws_slice_from(target, end);
  }
  end = ws_slice_find(target, '?');
  handshake->path = end > 0 ? (struct ws_slice){target.data, end} : WS_SLICE("/");
  handshake->query = ws_slice_from(target, end);
  return WS_REFUSAL_NONE;
}

static enum ws_refusal ws_server_handshake_host(const struct ws_http_head *head, struct ws_authority *host,
                                                struct ws_server_handshake *handshake) {
  if (ws_http_head_find(head, "Host", &handshake->host) != 1)
    return WS_REFUSAL_HOST_COUNT;
  if (ws_url_authority_parse(host, handshake->host) != WS_URL_OK)
    return WS_REFUSAL_HOST;
  return WS_REFUSAL_NONE;
}

/* One party would parse a body as frames, another as a body or as the next request. */
static bool ws_server_handshake_has_body(const struct ws_http_head *head) {
  struct ws_slice value;
  size_t count = ws_http_head_find(head, "Content-Length", &value);
  if (count > 1 || (count == 1 && !ws_slice_equal(value, ws_slice_of("0"))))
    return true;
  return ws_http_head_find(head, "Transfer-Encoding", &value) > 0;
}

static enum ws_refusal ws_server_handshake_upgrade(const struct ws_http_head *head) {
  struct ws_slice version;
  if (!ws_http_head_list_contains(head, "Upgrade", "websocket"))
    return WS_REFUSAL_UPGRADE;
  if (!ws_http_head_list_contains(head, "Connection", "upgrade"))
    return WS_REFUSAL_CONNECTION;
  if (ws_http_head_find(head, "Sec-WebSocket-Version", &version) != 1)
    return WS_REFUSAL_SOCKET_VERSION_COUNT;
  if (!ws_slice_equal(version, ws_slice_of("13")))
    return WS_REFUSAL_SOCKET_VERSION;
  return WS_REFUSAL_NONE;
}

static enum ws_refusal ws_server_handshake_key(const struct ws_http_head *head, struct ws_server_handshake *handshake) {
  struct ws_slice key;
  uint8_t nonce[18];
  size_t size = 0, error_offset;
  int decoded;
  if (ws_http_head_find(head, "Sec-WebSocket-Key", &key) != 1)
    return WS_REFUSAL_KEY_COUNT;
  if (key.size != WS_HANDSHAKE_KEY_SIZE)
    return WS_REFUSAL_KEY;
  decoded = ws_base64_decode(nonce, key.data, key.size, &size, &error_offset);
  ws_mem_wipe(nonce, sizeof nonce);
  if (decoded < 0 || size != 16)
    return WS_REFUSAL_KEY;
  return ws_handshake_key_accept(handshake->accept, key.data) < 0 ? WS_REFUSAL_INTERNAL : WS_REFUSAL_NONE;
}

static enum ws_refusal ws_server_handshake_origin(const struct ws_http_head *head,
                                                  const struct ws_server_handshake_rules *rules,
                                                  const struct ws_authority *host,
                                                  struct ws_server_handshake *handshake) {
  size_t count = ws_http_head_find(head, "Origin", &handshake->origin);
  if (count > 1)
    return WS_REFUSAL_ORIGIN_COUNT;
  if (count == 0 || rules->any_origin || ws_origin_is_host(handshake->origin, host))
    return WS_REFUSAL_NONE;
  for (size_t i = 0; i < rules->origin_count; i++)
    if (ws_slice_equal(handshake->origin, ws_slice_of(rules->origins[i])))
      return WS_REFUSAL_NONE;
  return WS_REFUSAL_ORIGIN;
}

static enum ws_refusal ws_server_handshake_protocol(const struct ws_http_head *head,
                                                    const struct ws_server_handshake_rules *rules,
                                                    struct ws_server_handshake *handshake) {
  struct ws_subprotocol_list offered;
  struct ws_slice spoken = {NULL, 0}, name;
  offered.count = 0;
  for (size_t i = 0; i < head->field_count; i++)
    if (ws_slice_equal_nocase(ws_http_head_field_name(head, i), ws_slice_of("Sec-WebSocket-Protocol")) &&
        ws_subprotocol_list_add(&offered, ws_http_head_field_value(head, i), &name))
      return WS_REFUSAL_PROTOCOL;
  if (rules->protocols)
    spoken = ws_slice_of(rules->protocols);
  while (ws_slice_next(&spoken, ',', &name)) {
    if (ws_subprotocol_list_contains(&offered, name)) {
      handshake->protocol = name;
      break;
    }
  }
  return WS_REFUSAL_NONE;
}

static enum ws_refusal ws_server_handshake_extensions(const struct ws_http_head *head,
                                                      const struct ws_server_handshake_rules *rules,
                                                      struct ws_server_handshake *handshake) {
  for (size_t i = 0; i < head->field_count; i++) {
    struct ws_deflate_params params;
    if (!ws_slice_equal_nocase(ws_http_head_field_name(head, i), ws_slice_of("Sec-WebSocket-Extensions")))
      continue;
    if (ws_deflate_negotiate(&params, ws_http_head_field_value(head, i)) == WS_DEFLATE_MALFORMED)
      return WS_REFUSAL_EXTENSIONS;
    if (rules->compression && !ws_deflate_in_use(&handshake->deflate)) {
      handshake->deflate = params;
      handshake->deflate.server_no_takeover |= rules->no_context;
    }
  }
  return WS_REFUSAL_NONE;
}

/* Decides between a page, which is looked for unless the client asks for a WebSocket, and a handshake. */
static enum ws_refusal ws_server_handshake_route(const struct ws_http_head *head,
                                                 const struct ws_server_handshake_rules *rules,
                                                 struct ws_server_handshake *handshake) {
  struct ws_slice method = ws_http_head_method(head);
  bool get = ws_slice_equal(method, WS_SLICE("GET"));
  bool upgrade = ws_http_head_list_contains(head, "Upgrade", "websocket");
  if (!upgrade)
    handshake->page = ws_routes_page(&rules->routes, handshake->path);
  if (!handshake->page && !ws_route_matches(rules->path, handshake->path) &&
      !ws_routes_have_endpoint(&rules->routes, handshake->path))
    return upgrade ? WS_REFUSAL_PATH : WS_REFUSAL_NO_PAGE;
  if (handshake->page && !get && !ws_slice_equal(method, WS_SLICE("HEAD")))
    return WS_REFUSAL_PAGE_METHOD;
  if (!handshake->page && !get)
    return WS_REFUSAL_METHOD;
  return ws_server_handshake_has_body(head) ? WS_REFUSAL_BODY : WS_REFUSAL_NONE;
}

enum ws_refusal ws_server_handshake_check(const struct ws_http_head *head,
                                          const struct ws_server_handshake_rules *rules,
                                          struct ws_server_handshake *handshake) {
  struct ws_authority host;
  enum ws_refusal refusal;
  *handshake = (struct ws_server_handshake){0};
  if ((refusal = ws_server_handshake_host(head, &host, handshake)) != WS_REFUSAL_NONE ||
      (refusal = ws_server_handshake_target(head, &host, handshake)) != WS_REFUSAL_NONE)
    return refusal;
  if (rules->loopback && !ws_url_host_is_loopback(&host) &&
      !ws_host_is_listed(&host, rules->hosts, rules->host_count) &&
      !ws_host_has_origin(&host, rules->origins, rules->origin_count))
    return WS_REFUSAL_HOST_NOT_LOOPBACK;
  if ((refusal = ws_server_handshake_route(head, rules, handshake)) != WS_REFUSAL_NONE || handshake->page)
    return refusal;
  if ((refusal = ws_server_handshake_upgrade(head)) != WS_REFUSAL_NONE ||
      (refusal = ws_server_handshake_origin(head, rules, &host, handshake)) != WS_REFUSAL_NONE ||
      (refusal = ws_server_handshake_protocol(head, rules, handshake)) != WS_REFUSAL_NONE ||
      (refusal = ws_server_handshake_extensions(head, rules, handshake)) != WS_REFUSAL_NONE)
    return refusal;
  return ws_server_handshake_key(head, handshake);
}

size_t ws_server_handshake_accept(char to[WS_SERVER_HANDSHAKE_MAX], const struct ws_server_handshake *handshake) {
  char extension[WS_DEFLATE_RESPONSE_MAX] = "";
  bool protocol = handshake->protocol.data != NULL, deflate = ws_deflate_in_use(&handshake->deflate);
  if (deflate)
    ws_deflate_response(extension, &handshake->deflate);
  return (size_t)snprintf(to, WS_SERVER_HANDSHAKE_MAX,
                          "HTTP/1.1 101 Switching Protocols\r\n"
                          "Upgrade: websocket\r\n"
                          "Connection: Upgrade\r\n"
                          "Sec-WebSocket-Accept: %s\r\n"
                          "%s%.*s%s"
                          "%s%s%s"
                          "\r\n",
                          handshake->accept, protocol ? "Sec-WebSocket-Protocol: " : "", (int)handshake->protocol.size,
                          protocol ? handshake->protocol.data : "", protocol ? "\r\n" : "",
                          deflate ? "Sec-WebSocket-Extensions: " : "", extension, deflate ? "\r\n" : "");
}

/* The headers that a status requires. */
static const char *ws_server_handshake_headers(int status) {
  switch (status) {
  case 405:
    return "Allow: GET\r\nConnection: close\r\n";
  case 426:
    return "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nConnection: close, Upgrade\r\n";
  default:
    return "Connection: close\r\n";
  }
}

static size_t ws_server_handshake_write(char *to, size_t room, int status, const char *required, const char *text,
                                        const char *date, struct ws_slice headers) {
  return (size_t)snprintf(to, room,
                          "HTTP/1.1 %d %s\r\n"
                          "Date: %s\r\n"
                          "%s%.*s"
                          "Content-Type: text/plain; charset=utf-8\r\n"
                          "Content-Length: %zu\r\n"
                          "\r\n"
                          "%s\n",
                          status, ws_status_phrase(status), date, required, (int)headers.size, headers.data,
                          strlen(text) + 1, text);
}

size_t ws_server_handshake_refuse_with(char *to, size_t room, int status, const char *text, const char *date,
                                       struct ws_slice headers) {
  return ws_server_handshake_write(to, room, status, ws_server_handshake_headers(status), text, date, headers);
}

size_t ws_server_handshake_refuse(char to[WS_SERVER_HANDSHAKE_MAX], enum ws_refusal refusal, const char *date) {
  int status = ws_refusal_status(refusal);
  const char *required = refusal == WS_REFUSAL_PAGE_METHOD ? "Allow: GET, HEAD\r\nConnection: close\r\n"
                                                           : ws_server_handshake_headers(status);
  return ws_server_handshake_write(to, WS_SERVER_HANDSHAKE_MAX, status, required, ws_refusal_text(refusal), date,
                                   WS_SLICE(""));
}
