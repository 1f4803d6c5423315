/* Paths, entity tags and media types: for any text, the answers are those of a plain reading. WS-PATH-2 WS-PAGE-3
 * WS-PAGE-8 */
#include "fuzz.h"

#include "protocol/etag.h"
#include "protocol/media_type.h"
#include "protocol/route.h"

/* The route and the path stand before and behind the first newline. */
static void check_route(const char *text) {
  size_t size = strcspn(text, "\n");
  char *route = (char *)copy_of((const uint8_t *)text, size + 1);
  struct ws_slice path = ws_slice_of(text[size] ? text + size + 1 : "");
  route[size] = '\0';
  struct ws_route at = {.path = route, .endpoint = true, .page = route};
  struct ws_routes routes = {&at, 1};
  bool matches = ws_route_matches(route, path);
  bool star = size >= 2 && strcmp(route + size - 2, "/*") == 0;
  bool begins = path.size >= size - star && memcmp(path.data, route, size - star) == 0;
  must(matches == (begins && (star || path.size == size)));
  must(ws_routes_have_endpoint(&routes, path) == matches);
  must((ws_routes_page(&routes, path) != NULL) == matches);
  free(route);
}

/* What can be injected is in none. */
static void check_type(const char *text) {
  const char *of_file = ws_media_type_of(text);
  must(ws_media_type_valid(of_file));
  if (!ws_media_type_valid(text))
    return;
  must(strlen(text) <= WS_MEDIA_TYPE_MAX && strchr(text, '/'));
  for (; *text; text++)
    must(*text >= ' ' && *text <= '~');
}

/* A tag that is known stands in the head, unless all are known. */
static void check_tags(const char *text, size_t size) {
  char etag[WS_ETAG_SIZE + 1];
  struct ws_http_head head;
  ws_http_head_init(&head, WS_HTTP_REQUEST);
  if (ws_http_head_parse(&head, text, size) != WS_HTTP_COMPLETE)
    return;
  must(ws_etag_make(etag, "text/plain", (const uint8_t *)"hello", 5) == 0);
  if (ws_etag_is_known(&head, etag))
    must(memmem(head.bytes, head.size, etag, WS_ETAG_SIZE) || memchr(head.bytes, '*', head.size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  char *text = malloc(size + 1);
  must(text != NULL);
  memcpy(text, data, size);
  text[size] = '\0';
  check_route(text);
  check_type(text);
  free(text);
  text = (char *)copy_of(data, size);
  check_tags(text, size);
  free(text);
  return 0;
}
