/* URLs and a program's headers: accepted ones make an unambiguous request, which this server parses and accepts.
 * URL-2 HS-14 WS-CONNECTWITH-3 */
#include "fuzz.h"

#include "protocol/client_handshake.h"
#include "protocol/client_headers.h"
#include "protocol/server_handshake.h"

static void check_request(const struct ws_url *url, const char *headers) {
  struct ws_client_handshake_offer offer = {.url = url, .headers = headers, .key = "dGhlIHNhbXBsZSBub25jZQ=="};
  size_t room = ws_client_handshake_request(NULL, 0, &offer);
  char *text = malloc(room), *path = calloc(1, url->path.size + 2);
  const struct ws_server_handshake_rules rules = {.path = path, .any_origin = true};
  struct ws_server_handshake request;
  struct ws_http_head head;
  struct ws_slice origin;

  must(text && path && ws_client_handshake_request(text, room, &offer) == room);
  path[0] = '/';
  if (url->path.size > 0)
    memcpy(path, url->path.data, url->path.size);
  ws_http_head_init(&head, WS_HTTP_REQUEST);
  if (ws_http_head_parse(&head, text, room) == WS_HTTP_COMPLETE) {
    enum ws_refusal refusal = ws_server_handshake_check(&head, &rules, &request);

    must(head.size == room);
    must(refusal == WS_REFUSAL_NONE ||
         (refusal == WS_REFUSAL_ORIGIN_COUNT && ws_http_head_find(&head, "Origin", &origin) > 1));
    must(refusal != WS_REFUSAL_NONE || ws_slice_equal(request.query, url->query));
  } else { /* only for the number or size of the headers */
    must(head.problem == WS_REFUSAL_HEAD_TOO_BIG || head.problem == WS_REFUSAL_TOO_MANY_FIELDS);
  }
  free(text);
  free(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const uint8_t *cut = memchr(data, '\n', size); /* the URL's line, then the headers */
  size_t url_size = cut ? (size_t)(cut - data) : size, rest = cut ? size - url_size - 1 : 0;
  char *text = (char *)copy_of(data, url_size), *headers = calloc(1, rest + 1);
  struct ws_url url;

  must(headers != NULL);
  if (rest > 0)
    memcpy(headers, cut + 1, rest);
  if (ws_url_parse(&url, text, url_size) == WS_URL_OK && ws_client_headers_check(headers, NULL) == WS_CLIENT_HEADERS_OK)
    check_request(&url, headers);
  free(text);
  free(headers);
  return 0;
}
