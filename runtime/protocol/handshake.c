#include "handshake.h"

#include <openssl/evp.h>
#include <stdio.h>

#include "base/mem.h"
#include "base64.h"
#include "subprotocol.h"
#include "utf8.h"

#define WS_HANDSHAKE_KEY_GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

int ws_handshake_key_accept(char accept[WS_HANDSHAKE_ACCEPT_SIZE + 1], const char *key) {
  char text[WS_HANDSHAKE_KEY_SIZE + sizeof WS_HANDSHAKE_KEY_GUID - 1];
  uint8_t digest[20];
  int ok;

  memcpy(text, key, WS_HANDSHAKE_KEY_SIZE);
  memcpy(text + WS_HANDSHAKE_KEY_SIZE, WS_HANDSHAKE_KEY_GUID, sizeof WS_HANDSHAKE_KEY_GUID - 1);
  ok = EVP_Digest(text, sizeof text, digest, NULL, EVP_sha1(), NULL);
  ws_mem_wipe(text, sizeof text);
  if (ok != 1)
    return -1;
  ws_base64_encode(accept, digest, sizeof digest);
  return 0;
}

/* Server ----------------------------------------------------------------------------------------------------------- */

/* The target's path and query. In absolute form its authority must be Host's. */
static enum ws_refusal ws_server_handshake_target(const struct ws_http_head *head,
                                                  struct ws_server_handshake *request) {
  struct ws_slice target = ws_http_head_target(head), authority = {NULL, 0};
  size_t end = 0;

  if (!ws_url_target_valid(target))
    return WS_REFUSAL_TARGET;
  if (target.data[0] != '/') {
    size_t skip = 0;

    if (target.size > 7 && ws_slice_equal_nocase((struct ws_slice){target.data, 7}, ws_slice_of("http://")))
      skip = 7;
    else if (target.size > 8 && ws_slice_equal_nocase((struct ws_slice){target.data, 8}, ws_slice_of("https://")))
      skip = 8;
    else
      return WS_REFUSAL_TARGET;
    authority.data = target.data + skip;
    while (skip + authority.size < target.size && !strchr("/?", authority.data[authority.size]))
      authority.size++;
    target = (struct ws_slice){authority.data + authority.size, target.size - skip - authority.size};
    if (!ws_slice_equal_nocase(authority, request->host))
      return WS_REFUSAL_HOST;
  }
  while (end < target.size && target.data[end] != '?')
    end++;
  request->path = end > 0 ? (struct ws_slice){target.data, end} : ws_slice_of("/");
  request->query = (struct ws_slice){target.data + end, target.size - end};
  return WS_REFUSAL_NONE;
}

static enum ws_refusal ws_server_handshake_host(const struct ws_http_head *head,
                                                const struct ws_server_handshake_rules *rules,
                                                struct ws_server_handshake *request, struct ws_authority *host) {
  if (ws_http_head_find(head, "Host", &request->host) != 1)
    return WS_REFUSAL_HOST_COUNT;
  if (ws_url_authority_parse(host, request->host) != WS_URL_OK)
    return WS_REFUSAL_HOST;
  if (rules->loopback && !ws_url_host_is_loopback(host))
    return WS_REFUSAL_HOST_NOT_LOOPBACK;
  return WS_REFUSAL_NONE;
}

/* A body would be read as frames by one party and as a body, or as a next request, by another. */
static bool ws_server_handshake_has_body(const struct ws_http_head *head) {
  struct ws_slice value;
  size_t count = ws_http_head_find(head, "Content-Length", &value);

  if (count > 1 || (count == 1 && !ws_slice_equal(value, ws_slice_of("0"))))
    return true;
  return ws_http_head_find(head, "Transfer-Encoding", &value) > 0;
}

static enum ws_refusal ws_server_handshake_upgrade(const struct ws_http_head *head) {
  struct ws_slice version;

  if (!ws_http_head_list_holds(head, "Upgrade", "websocket"))
    return WS_REFUSAL_UPGRADE;
  if (!ws_http_head_list_holds(head, "Connection", "upgrade"))
    return WS_REFUSAL_CONNECTION;
  if (ws_http_head_find(head, "Sec-WebSocket-Version", &version) != 1)
    return WS_REFUSAL_SOCKET_VERSION_COUNT;
  if (!ws_slice_equal(version, ws_slice_of("13")))
    return WS_REFUSAL_SOCKET_VERSION;
  return WS_REFUSAL_NONE;
}

static enum ws_refusal ws_server_handshake_key(const struct ws_http_head *head, struct ws_server_handshake *request) {
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
  return ws_handshake_key_accept(request->accept, key.data) < 0 ? WS_REFUSAL_INTERNAL : WS_REFUSAL_NONE;
}

/* scheme "://" authority */
static bool ws_origin_parse(struct ws_slice origin, struct ws_slice *scheme, struct ws_authority *authority) {
  size_t n = 0;

  while (n < origin.size && origin.data[n] != ':')
    n++;
  if (origin.size - n < 3 || memcmp(origin.data + n, "://", 3) != 0)
    return false;
  *scheme = (struct ws_slice){origin.data, n};
  return ws_url_authority_parse(authority, (struct ws_slice){origin.data + n + 3, origin.size - n - 3}) == WS_URL_OK;
}

/* scheme = ALPHA *( ALPHA | DIGIT | "+" | "-" | "." ) */
static bool ws_origin_scheme_valid(struct ws_slice scheme) {
  enum { SCHEME_MAX = 32 };

  for (size_t i = 0; i < scheme.size; i++) {
    char c = scheme.data[i];
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

    if (!letter && !(i > 0 && ((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.')))
      return false;
  }
  return scheme.size > 0 && scheme.size <= SCHEME_MAX;
}

bool ws_origin_valid(struct ws_slice origin) {
  struct ws_slice scheme;
  struct ws_authority authority;

  return ws_origin_parse(origin, &scheme, &authority) && ws_origin_scheme_valid(scheme) &&
         !ws_slice_equal_nocase(scheme, ws_slice_of("ws")) && !ws_slice_equal_nocase(scheme, ws_slice_of("wss"));
}

/* The port that an origin without one has; 0: it is no page of a host. */
static uint16_t ws_origin_implied_port(struct ws_slice scheme) {
  if (ws_slice_equal_nocase(scheme, ws_slice_of("http")))
    return 80;
  return ws_slice_equal_nocase(scheme, ws_slice_of("https")) ? 443 : 0;
}

size_t ws_origin_normalize(char *to, struct ws_slice origin) {
  struct ws_slice scheme;
  struct ws_authority authority;
  size_t n = origin.size;

  for (size_t i = 0; i < n; i++)
    to[i] = ws_slice_lower(origin.data[i]);
  if (ws_origin_parse(origin, &scheme, &authority) && authority.port != 0 &&
      authority.port == ws_origin_implied_port(scheme))
    while (to[--n] != ':')
      ;
  return n;
}

/* A proxy that ends TLS shows a server another scheme than the browser saw, so a Host without a port is taken to mean the port
 * that the origin's scheme implies. */
static bool ws_origin_is_host(struct ws_slice origin, const struct ws_authority *host) {
  struct ws_slice scheme;
  struct ws_authority authority;
  uint16_t implied, port;

  if (!ws_origin_parse(origin, &scheme, &authority))
    return false;
  implied = ws_origin_implied_port(scheme);
  if (implied == 0)
    return false;
  port = authority.port ? authority.port : implied;
  return ws_slice_equal_nocase(authority.host, host->host) && port == (host->port ? host->port : implied);
}

static enum ws_refusal ws_server_handshake_origin(const struct ws_http_head *head,
                                                  const struct ws_server_handshake_rules *rules,
                                                  const struct ws_authority *host,
                                                  struct ws_server_handshake *request) {
  size_t count = ws_http_head_find(head, "Origin", &request->origin);

  if (count > 1)
    return WS_REFUSAL_ORIGIN_COUNT;
  if (count == 0 || rules->any_origin || ws_origin_is_host(request->origin, host))
    return WS_REFUSAL_NONE;
  for (size_t i = 0; i < rules->origin_count; i++)
    if (ws_slice_equal(request->origin, ws_slice_of(rules->origins[i])))
      return WS_REFUSAL_NONE;
  return WS_REFUSAL_ORIGIN;
}

static enum ws_refusal ws_server_handshake_protocol(const struct ws_http_head *head,
                                                    const struct ws_server_handshake_rules *rules,
                                                    struct ws_server_handshake *request) {
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
    if (ws_subprotocol_list_holds(&offered, name)) {
      request->protocol = name;
      break;
    }
  }
  return WS_REFUSAL_NONE;
}

static enum ws_refusal ws_server_handshake_extensions(const struct ws_http_head *head,
                                                      const struct ws_server_handshake_rules *rules,
                                                      struct ws_server_handshake *request) {
  for (size_t i = 0; i < head->field_count; i++) {
    struct ws_deflate_params params;

    if (!ws_slice_equal_nocase(ws_http_head_field_name(head, i), ws_slice_of("Sec-WebSocket-Extensions")))
      continue;
    if (ws_deflate_negotiate(&params, ws_http_head_field_value(head, i)) == WS_DEFLATE_MALFORMED)
      return WS_REFUSAL_EXTENSIONS;
    if (rules->compression && !ws_deflate_in_use(&request->deflate))
      request->deflate = params;
  }
  return WS_REFUSAL_NONE;
}

enum ws_refusal ws_server_handshake_check(const struct ws_http_head *head,
                                          const struct ws_server_handshake_rules *rules,
                                          struct ws_server_handshake *request) {
  struct ws_authority host;
  enum ws_refusal refusal;

  *request = (struct ws_server_handshake){0};
  if (!ws_slice_equal(ws_http_head_method(head), ws_slice_of("GET")))
    return WS_REFUSAL_METHOD;
  if (ws_server_handshake_has_body(head))
    return WS_REFUSAL_BODY;
  if ((refusal = ws_server_handshake_host(head, rules, request, &host)) != WS_REFUSAL_NONE ||
      (refusal = ws_server_handshake_target(head, request)) != WS_REFUSAL_NONE)
    return refusal;
  if (!ws_slice_equal(request->path, ws_slice_of(rules->path)))
    return WS_REFUSAL_PATH;
  if ((refusal = ws_server_handshake_upgrade(head)) != WS_REFUSAL_NONE ||
      (refusal = ws_server_handshake_origin(head, rules, &host, request)) != WS_REFUSAL_NONE ||
      (refusal = ws_server_handshake_protocol(head, rules, request)) != WS_REFUSAL_NONE ||
      (refusal = ws_server_handshake_extensions(head, rules, request)) != WS_REFUSAL_NONE)
    return refusal;
  return ws_server_handshake_key(head, request);
}

size_t ws_server_handshake_accept(char to[WS_SERVER_HANDSHAKE_MAX], const struct ws_server_handshake *request) {
  char extension[WS_DEFLATE_RESPONSE_MAX] = "";
  bool protocol = request->protocol.data != NULL, deflate = ws_deflate_in_use(&request->deflate);

  if (deflate)
    ws_deflate_response(extension, &request->deflate);
  return (size_t)snprintf(to, WS_SERVER_HANDSHAKE_MAX,
                          "HTTP/1.1 101 Switching Protocols\r\n"
                          "Upgrade: websocket\r\n"
                          "Connection: Upgrade\r\n"
                          "Sec-WebSocket-Accept: %s\r\n"
                          "%s%.*s%s"
                          "%s%s%s"
                          "\r\n",
                          request->accept, protocol ? "Sec-WebSocket-Protocol: " : "", (int)request->protocol.size,
                          protocol ? request->protocol.data : "", protocol ? "\r\n" : "",
                          deflate ? "Sec-WebSocket-Extensions: " : "", extension, deflate ? "\r\n" : "");
}

static const char *ws_server_handshake_phrase(int status) {
  switch (status) {
  case 400:
    return "Bad Request";
  case 403:
    return "Forbidden";
  case 404:
    return "Not Found";
  case 405:
    return "Method Not Allowed";
  case 426:
    return "Upgrade Required";
  case 429:
    return "Too Many Requests";
  case 431:
    return "Request Header Fields Too Large";
  case 503:
    return "Service Unavailable";
  default:
    return "Internal Server Error";
  }
}

/* The headers that a status calls for. */
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

size_t ws_server_handshake_refuse(char to[WS_SERVER_HANDSHAKE_MAX], enum ws_refusal refusal) {
  int status = ws_refusal_status(refusal);
  const char *text = ws_refusal_text(refusal);

  return (size_t)snprintf(to, WS_SERVER_HANDSHAKE_MAX,
                          "HTTP/1.1 %d %s\r\n"
                          "%s"
                          "Content-Type: text/plain; charset=utf-8\r\n"
                          "Content-Length: %zu\r\n"
                          "\r\n"
                          "%s\n",
                          status, ws_server_handshake_phrase(status), ws_server_handshake_headers(status),
                          strlen(text) + 1, text);
}

/* Client ----------------------------------------------------------------------------------------------------------- */

static const char *const ws_client_headers_problem_texts[WS_CLIENT_HEADERS_PROBLEM_COUNT] = {
    [WS_CLIENT_HEADERS_OK] = "none",
#define WS_CLIENT_HEADERS_PROBLEM(name, text) [WS_CLIENT_HEADERS_##name] = text,
    WS_CLIENT_HEADERS_PROBLEMS(WS_CLIENT_HEADERS_PROBLEM)
#undef WS_CLIENT_HEADERS_PROBLEM
};

const char *ws_client_headers_problem_text(enum ws_client_headers_problem problem) {
  return ws_client_headers_problem_texts[problem];
}

/* Cuts off the next line, without its LF or CR LF; what follows the last LF is a line unless it is empty. */
static bool ws_client_headers_next(struct ws_slice *rest, struct ws_slice *line) {
  size_t n = 0;

  if (rest->size == 0)
    return false;
  while (n < rest->size && rest->data[n] != '\n')
    n++;
  *line = (struct ws_slice){rest->data, n};
  n += n < rest->size;
  *rest = (struct ws_slice){rest->data + n, rest->size - n};
  if (line->size > 0 && line->data[line->size - 1] == '\r')
    line->size--;
  return true;
}

/* Headers that decide how the message is read, or that the handshake itself writes. */
static bool ws_client_headers_reserved(struct ws_slice name) {
  static const char *const names[] = {"Host", "Upgrade", "Connection", "Content-Length", "Transfer-Encoding",
                                      "TE",   "Trailer", "Expect"};
  struct ws_slice prefix = ws_slice_of("Sec-WebSocket-");

  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (ws_slice_equal_nocase(name, ws_slice_of(names[i])))
      return true;
  return name.size >= prefix.size && ws_slice_equal_nocase((struct ws_slice){name.data, prefix.size}, prefix);
}

static enum ws_client_headers_problem ws_client_headers_check_line(struct ws_slice line) {
  struct ws_slice name = {line.data, 0};

  while (name.size < line.size && line.data[name.size] != ':')
    name.size++;
  if (name.size == line.size || !ws_slice_is_token(name))
    return WS_CLIENT_HEADERS_LINE;
  for (size_t i = name.size; i < line.size; i++)
    if (((uint8_t)line.data[i] < 0x20 && line.data[i] != '\t') || line.data[i] == 0x7F)
      return WS_CLIENT_HEADERS_CHARACTER;
  if (ws_utf8_check((const uint8_t *)line.data, line.size) < line.size)
    return WS_CLIENT_HEADERS_CHARACTER;
  return ws_client_headers_reserved(name) ? WS_CLIENT_HEADERS_RESERVED : WS_CLIENT_HEADERS_OK;
}

enum ws_client_headers_problem ws_client_headers_check(const char *headers, struct ws_slice *wrong) {
  struct ws_slice rest = ws_slice_of(headers), line = {headers, 0};
  enum ws_client_headers_problem problem = WS_CLIENT_HEADERS_OK;

  if (rest.size > WS_CLIENT_HEADERS_MAX)
    problem = WS_CLIENT_HEADERS_TOO_LONG;
  while (problem == WS_CLIENT_HEADERS_OK && ws_client_headers_next(&rest, &line))
    problem = ws_client_headers_check_line(line);
  if (wrong)
    *wrong = line;
  return problem;
}

int ws_handshake_key_generate(char key[WS_HANDSHAKE_KEY_SIZE + 1], const struct ws_random *random) {
  uint8_t nonce[16];

  if (random->fill(random->ctx, nonce, sizeof nonce) < 0)
    return -1;
  ws_base64_encode(key, nonce, sizeof nonce);
  ws_mem_wipe(nonce, sizeof nonce);
  return 0;
}

/* Text that is counted in full, and written as far as there is room. */
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
    ws_subprotocol_list_add(&offered, ws_slice_of(offer->protocols), &wrong); /* valid: the caller has checked it */
  return count == 1 && ws_subprotocol_list_holds(&offered, answer->protocol) ? WS_CLIENT_HANDSHAKE_OK
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

  *answer = (struct ws_client_handshake_answer){0};
  if (head->status != 101)
    return WS_CLIENT_HANDSHAKE_STATUS;
  if (!ws_http_head_list_holds(head, "Upgrade", "websocket"))
    return WS_CLIENT_HANDSHAKE_UPGRADE;
  if (!ws_http_head_list_holds(head, "Connection", "upgrade"))
    return WS_CLIENT_HANDSHAKE_CONNECTION;
  if ((problem = ws_client_handshake_accept(head, offer)) != WS_CLIENT_HANDSHAKE_OK ||
      (problem = ws_client_handshake_protocol(head, offer, answer)) != WS_CLIENT_HANDSHAKE_OK)
    return problem;
  return ws_client_handshake_extensions(head, offer, answer);
}

/* What a server chose to say: visible ASCII and spaces, not too much of it. */
static void ws_client_handshake_clean(char *to, size_t room, struct ws_slice text) {
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
  snprintf(to, room, "handshake refused: the answer is not valid HTTP: %s",
           ws_refusal_text((enum ws_refusal)head->problem));
}
