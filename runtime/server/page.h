#pragma once
/* A page: the bytes that GET and HEAD get at a path, made before listen and constant afterwards. */
#include <stddef.h>

#include "io/chunk.h"
#include "protocol/etag.h"
#include "protocol/route.h"

struct ws_page {
  struct ws_chunk *body; /* NULL: the server's metrics, made at the request */
  char etag[WS_ETAG_SIZE + 1];
  char type[]; /* Content-Type */
};

/* A page with the caller's body, whose memory `budget` counts. NULL: no memory; the body is still the caller's. */
struct ws_page *ws_page_new(struct ws_chunk *body, const char *type, _Atomic int64_t *budget);
void ws_page_free(struct ws_page *page);

/* Frees the routes of a server, with their pages. */
void ws_pages_free(struct ws_routes *routes);

enum { WS_PAGE_HEAD_MAX = 1024 };

/* Writes the head of a 200, with the size of the body. Returns its own size. */
size_t ws_page_head(char to[WS_PAGE_HEAD_MAX], const struct ws_page *page, size_t size, const char *date);

/* Writes the head of a 304. Returns its size. */
size_t ws_page_head_unchanged(char to[WS_PAGE_HEAD_MAX], const struct ws_page *page, const char *date);
