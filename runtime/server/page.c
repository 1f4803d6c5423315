#include "page.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

struct ws_page *ws_page_new(struct ws_chunk *body, const char *type, _Atomic int64_t *budget) {
  size_t size = strlen(type) + 1;
  struct ws_page *page = ws_mem_calloc(1, sizeof *page + size);
  if (!page)
    return NULL;
  memcpy(page->type, type, size);
  if (!body)
    return page;
  if (ws_etag_make(page->etag, type, body->bytes, body->size)) {
    ws_mem_free(page);
    return NULL;
  }
  body->kept = 1;
  ws_chunk_count(body, budget);
  page->body = body;
  return page;
}

void ws_page_free(struct ws_page *page) {
  if (!page)
    return;
  ws_chunk_unref(page->body);
  ws_mem_free(page);
}

void ws_pages_free(struct ws_routes *routes) {
  for (size_t i = 0; i < routes->count; i++) {
    ws_page_free(routes->at[i].page);
    ws_mem_free(routes->at[i].path);
  }
  ws_mem_free(routes->at);
}

/* "no-cache" lets a client keep the page, and makes it ask with the ETag each time. */
size_t ws_page_head(char to[WS_PAGE_HEAD_MAX], const struct ws_page *page, size_t size, const char *date) {
  bool kept = page->body != NULL;
  return (size_t)snprintf(to, WS_PAGE_HEAD_MAX,
                          "HTTP/1.1 200 OK\r\n"
                          "Date: %s\r\n"
                          "Connection: close\r\n"
                          "Content-Type: %s\r\n"
                          "Content-Length: %zu\r\n"
                          "X-Content-Type-Options: nosniff\r\n"
                          "Cache-Control: %s\r\n"
                          "%s%s%s"
                          "\r\n",
                          date, page->type, size, kept ? "no-cache" : "no-store", kept ? "ETag: " : "", page->etag,
                          kept ? "\r\n" : "");
}

size_t ws_page_head_unchanged(char to[WS_PAGE_HEAD_MAX], const struct ws_page *page, const char *date) {
  return (size_t)snprintf(to, WS_PAGE_HEAD_MAX,
                          "HTTP/1.1 304 Not Modified\r\n"
                          "Date: %s\r\n"
                          "Connection: close\r\n"
                          "Cache-Control: no-cache\r\n"
                          "ETag: %s\r\n"
                          "\r\n",
                          date, page->etag);
}
