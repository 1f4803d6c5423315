#include "server_pages.h"

#include <string.h>

#include "base/mem.h"
#include "io/file.h"
#include "page.h"
#include "protocol/media_type.h"
#include "server_metrics.h"
#include "server_settings.h"

/* ---- routes; the lock is held */

/* The route of a path, made if it is missing. NULL: no memory. */
static struct ws_route *ws_server_pages_route(struct ws_server *server, const char *path) {
  struct ws_routes *routes = &server->handshake.routes;
  for (size_t i = 0; i < routes->count; i++) {
    if (strcmp(routes->at[i].path, path) == 0)
      return &routes->at[i];
  }
  struct ws_route *at = ws_mem_realloc(routes->at, (routes->count + 1) * sizeof *at);
  if (!at)
    return NULL;
  routes->at = at;
  char *copy = ws_mem_strdup(path);
  if (!copy)
    return NULL;
  at[routes->count] = (struct ws_route){.path = copy};
  return &at[routes->count++];
}

/* Bytes that further pages may have: the pages of a server hold at most half of maxMemoryBytes, and what a piece of an
 * output queue can. */
static size_t ws_server_pages_room(const struct ws_server *server) {
  size_t half = (size_t)server->rules.limits.max_memory_bytes / 2;
  size_t most = half < UINT32_MAX ? half : UINT32_MAX;
  size_t held = 0;
  for (size_t i = 0; i < server->handshake.routes.count; i++) {
    const struct ws_page *page = server->handshake.routes.at[i].page;
    held += page && page->body ? page->body->size : 0;
  }
  return held < most ? most - held : 0;
}

/* Puts a page at a path. Takes the body (NULL: none), also if it fails. */
static int ws_server_pages_put(struct ws_server *server, const char *op, const char *path, const char *type,
                               struct ws_chunk *body, struct ws_error *error) {
  struct ws_page *page = ws_page_new(body, type, &server->budget.held);
  struct ws_route *route = page ? ws_server_pages_route(server, path) : NULL;
  if (!page)
    ws_chunk_unref(body);
  if (!route) {
    ws_page_free(page);
    ws_error_memory(error, op);
    return -1;
  }
  ws_page_free(route->page);
  route->page = page;
  return 0;
}

/* ---- settings */

int ws_server_pages_endpoint(struct ws_server *server, const char *path, struct ws_error *error) {
  if (ws_server_check_path("server path", path, error) || ws_server_settings_lock(server, "server path", error))
    return -1;
  struct ws_route *route = ws_server_pages_route(server, path);
  if (route)
    route->endpoint = true;
  else
    ws_error_memory(error, "server path");
  pthread_mutex_unlock(&server->lock);
  return route ? 0 : -1;
}

int ws_server_pages_text(struct ws_server *server, const char *path, const char *type, const char *body,
                         struct ws_error *error) {
  static const char op[] = "server page";
  size_t size = strlen(body);
  int outcome = -1;
  if (ws_server_check_path(op, path, error))
    return -1;
  if (!ws_media_type_valid(type)) {
    ws_error_media_type(error, type);
    return -1;
  }
  if (ws_server_settings_lock(server, op, error))
    return -1;
  if (size > ws_server_pages_room(server)) {
    ws_error_pages_full(error, path, size, ws_server_pages_room(server));
  } else {
    struct ws_chunk *chunk = ws_chunk_new(size);
    if (chunk) {
      memcpy(chunk->bytes, body, size);
      outcome = ws_server_pages_put(server, op, path, type, chunk, error);
    } else {
      ws_error_memory(error, op);
    }
  }
  pthread_mutex_unlock(&server->lock);
  return outcome;
}

int ws_server_pages_file(struct ws_server *server, const char *path, const char *file, struct ws_error *error) {
  static const char op[] = "server file";
  struct ws_why why;
  int outcome = -1;
  if (ws_server_check_path(op, path, error))
    return -1;
  if (!*file) {
    ws_error_page_file(error, "\"\"", "the name is empty");
    return -1;
  }
  if (ws_server_settings_lock(server, op, error))
    return -1;
  struct ws_chunk *body = ws_file_read(file, ws_server_pages_room(server), &why);
  if (body)
    outcome = ws_server_pages_put(server, op, path, ws_media_type_of(file), body, error);
  else
    ws_error_page_file(error, file, why.text);
  pthread_mutex_unlock(&server->lock);
  return outcome;
}

int ws_server_pages_metrics(struct ws_server *server, const char *path, struct ws_error *error) {
  static const char op[] = "server metrics";
  if (ws_server_check_path(op, path, error) || ws_server_settings_lock(server, op, error))
    return -1;
  int outcome = ws_server_pages_put(server, op, path, WS_SERVER_METRICS_TYPE, NULL, error);
  server->counts = server->counts || outcome == 0;
  pthread_mutex_unlock(&server->lock);
  return outcome;
}
