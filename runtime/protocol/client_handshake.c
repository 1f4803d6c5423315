#include "client_handshake.h"

#include <stdio.h>
#include <string.h>

#include "client_headers.h"
#include "subprotocol.h"

/* Output: counted in full, written as far as there is room. */
struct ws_client_handshake_text {
  char *to;
  size_t room;
  size_t size;
};

static void ws_client_handshake_put(struct ws_client_handshake_text *out, struct ws_slice s) {
  if (s.size > 0 && out->size <= out->room && s.size <= out->room - out->size)
    memcpy(out->to + out->size, s.data, s.size);
  out->size += s.size;
}

static void ws_client_handshake_put_text(struct ws_client_handshake_text *out, const char *text) {
  ws_client_handshake_put(out, ws_slice_of(text));
}

static void ws_client_handshake_put_host(struct ws_client_handshake_text *out, const struct ws_url *url) {
  bool ipv6 = url->authority.kind == WS_HOST_IPV6;
  char port[8];
  ws_client_handshake_put_text(out, ipv6 ? "Host: [" : "Host: ");
  ws_client_handshake_put(out, url->authority.host);
  ws_client_handshake_put_text(out, ipv6 ? "]" : "");
  if (url->authority.port != ws_url_default_port(url->secure)) {
    snprintf(port, sizeof port, ":%u", url->authority.port);
    ws_client_handshake_put_text(out, port);
  }
  ws_client_handshake_put_text(out, "\r\n");
}

static void ws_client_handshake_put_headers(struct ws_client_handshake_text *out, const char *headers) {
  struct ws_slice rest = ws_slice_of(headers), line;
  while (ws_client_headers_next(&rest, &line)) {
    ws_client_handshake_put(out, line);
    ws_client_handshake_put_text(out, "\r\n");
  }
}

size_t ws_client_handshake_request(char *to, size_t room, const struct ws_client_handshake_offer *offer) {
  struct ws_client_handshake_text out = {to, room, 0};
  struct ws_slice protocols = ws_slice_trim(ws_slice_of(offer->protocols ? offer->protocols : ""));
  ws_client_handshake_put_text(&out, "GET ");
  ws_client_handshake_put(&out, offer->url->path.size > 0 ? offer->url->path : ws_slice_of("/"));
  ws_client_handshake_put(&out, offer->url->query);
  ws_client_handshake_put_text(&out, " HTTP/1.1\r\n");
  ws_client_handshake_put_host(&out, offer->url);
  ws_client_handshake_put_text(&out, "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ");
  ws_client_handshake_put_text(&out, offer->key);
  ws_client_handshake_put_text(&out, "\r\nSec-WebSocket-Version: 13\r\n");
  if (protocols.size > 0) {
    ws_client_handshake_put_text(&out, "Sec-WebSocket-Protocol: ");
    ws_client_handshake_put(&out, protocols);
    ws_client_handshake_put_text(&out, "\r\n");
  }
  if (offer->compression)
    ws_client_handshake_put_text(&out, "Sec-WebSocket-Extensions: " WS_DEFLATE_OFFER "\r\n");
  if (offer->headers)
    ws_client_handshake_put_headers(&out, offer->headers);
  ws_client_handshake_put_text(&out, "\r\n");
  return out.size;
}

static enum ws_client_handshake_problem ws_client_handshake_accept(const struct ws_http_head *head,
                                                                   const struct ws_client_handshake_offer *offer) {
  struct ws_slice value;
  char accept[WS_HANDSHAKE_ACCEPT_SIZE + 1];
  if (ws_handshake_key_accept(accept, offer->key) < 0)
    return WS_CLIENT_HANDSHAKE_DIGEST;
  if (ws_http_head_find(head, "Sec-WebSocket-Accept", &value) != 1 || !ws_slice_equal(value, ws_slice_of(accept)))
    return WS_CLIENT_HANDSHAKE_ACCEPT;
  return WS_CLIENT_HANDSHAKE_OK;
}

static enum ws_client_handshake_problem ws_client_handshake_protocol(const struct ws_http_head *head,
                                                                     const struct ws_client_handshake_offer *offer,
                                                                     struct ws_client_handshake_answer *answer) {
  struct ws_subprotocol_list offered;
  struct ws_slice wrong;
  size_t count = ws_http_head_find(head, "Sec-WebSocket-Protocol", &answer->protocol);
  if (count == 0)
    return WS_CLIENT_HANDSHAKE_OK;
  offered.count = 0;
  if (offer->protocols && offer->protocols[0])
    ws_subprotocol_list_add(&offered, ws_slice_of(offer->protocols), &wrong); /* the caller checked it */
  return count == 1 && ws_subprotocol_list_contains(&offered, answer->protocol) ? WS_CLIENT_HANDSHAKE_OK
                                                                                : WS_CLIENT_HANDSHAKE_PROTOCOL;
}

static enum ws_client_handshake_problem ws_client_handshake_extensions(const struct ws_http_head *head,
                                                                       const struct ws_client_handshake_offer *offer,
                                                                       struct ws_client_handshake_answer *answer) {
  struct ws_slice value;
  size_t count = ws_http_head_find(head, "Sec-WebSocket-Extensions", &value);
  if (count == 0)
    return WS_CLIENT_HANDSHAKE_OK;
  if (count > 1 || ws_deflate_agree(&answer->deflate, value) == WS_DEFLATE_MALFORMED)
    return WS_CLIENT_HANDSHAKE_EXTENSIONS;
  return offer->compression || !ws_deflate_in_use(&answer->deflate) ? WS_CLIENT_HANDSHAKE_OK
                                                                    : WS_CLIENT_HANDSHAKE_EXTENSIONS;
}

enum ws_client_handshake_problem ws_client_handshake_check(const struct ws_http_head *head,
                                                           const struct ws_client_handshake_offer *offer,
                                                           struct ws_client_handshake_answer *answer) {
  enum ws_client_handshake_problem problem;
  struct ws_slice upgrade;
  *answer = (struct ws_client_handshake_answer){0};
  if (head->status != 101)
    return WS_CLIENT_HANDSHAKE_STATUS;
  if (ws_http_head_find(head, "Upgrade", &upgrade) != 1 || !ws_slice_equal_nocase(upgrade, ws_slice_of("websocket")))
    return WS_CLIENT_HANDSHAKE_UPGRADE;
  if (!ws_http_head_list_contains(head, "Connection", "upgrade"))
    return WS_CLIENT_HANDSHAKE_CONNECTION;
  if ((problem = ws_client_handshake_accept(head, offer)) != WS_CLIENT_HANDSHAKE_OK ||
      (problem = ws_client_handshake_protocol(head, offer, answer)) != WS_CLIENT_HANDSHAKE_OK)
    return problem;
  return ws_client_handshake_extensions(head, offer, answer);
}

void ws_client_handshake_clean(char *to, size_t room, struct ws_slice text) {
  size_t n = 0;
  for (; n < text.size && n + 1 < room; n++)
    to[n] = text.data[n] >= 0x20 && text.data[n] < 0x7F ? text.data[n] : '?';
  to[n] = '\0';
}

void ws_client_handshake_explain(char *to, size_t room, enum ws_client_handshake_problem problem,
                                 const struct ws_http_head *head) {
  static const char *const texts[] = {[WS_CLIENT_HANDSHAKE_OK] = "none",
#define WS_CLIENT_HANDSHAKE_PROBLEM(name, text) [WS_CLIENT_HANDSHAKE_##name] = text,
                                      WS_CLIENT_HANDSHAKE_PROBLEMS(WS_CLIENT_HANDSHAKE_PROBLEM)
#undef WS_CLIENT_HANDSHAKE_PROBLEM
  };
  char reason[65];
  if (problem != WS_CLIENT_HANDSHAKE_STATUS) {
    snprintf(to, room, "handshake refused: %s", texts[problem]);
    return;
  }
  ws_client_handshake_clean(reason, sizeof reason, ws_http_head_reason(head));
  snprintf(to, room, "handshake refused: HTTP %d%s%s", head->status, reason[0] ? " " : "", reason);
}

void ws_client_handshake_explain_head(char *to, size_t room, const struct ws_http_head *head) {
  snprintf(to, room, "handshake refused: the response is not valid HTTP: %s",
           ws_refusal_text((enum ws_refusal)head->problem));
}
