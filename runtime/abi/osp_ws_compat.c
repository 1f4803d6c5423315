#include "osp_ws_compat.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "osp_ws.h"

/* The host's memory hooks. */
void *osp_alloc_tagged(int64_t size, int64_t meta);
void osp_release(void *block);

/* Returns the value of a call, or prints and releases its error and returns -1. */
static int64_t compat_result(const char *function, int64_t value, char *error) {
  if (!error)
    return value;
  fprintf(stderr, "%s: %s\n", function, error);
  osp_release(error);
  return -1;
}

/* The old functions accept NULL for an empty string. */
static const char *compat_text(const char *text) {
  return text ? text : "";
}

/* ---- servers */

int64_t websocket_create_server(int64_t port, char *address, char *path) {
  char *error;
  int64_t server = osp_ws_create_server(port, compat_text(address), compat_text(path), &error);
  return compat_result(__func__, server, error);
}

int64_t websocket_server_listen(int64_t server) {
  char *error;
  int64_t done = osp_ws_server_listen(server, &error);
  return compat_result(__func__, done, error);
}

int64_t websocket_server_broadcast(int64_t server, char *message) {
  char *error;
  int64_t receivers = osp_ws_server_connections(server, &error);
  if (!error)
    osp_ws_server_broadcast(server, compat_text(message), &error);
  return compat_result(__func__, receivers, error);
}

int64_t websocket_stop_server(int64_t server) {
  char *error;
  int64_t done = osp_ws_stop_server(server, &error);
  return compat_result(__func__, done, error);
}

/* ---- clients */

/* The Result<Success, String> of a handler. */
typedef int64_t compat_T;
typedef int8_t compat_i8;
typedef char *compat_ptr;
struct compat_block {
#define WS_RESULT_FIELD(field, index, ir, counted) compat_##ir field;
#include "ws_layouts.def"
};
enum {
#define WS_META_VALUE(name, value) COMPAT_META_##name = value,
#include "ws_layouts.def"
  COMPAT_BLOCK_META =
      COMPAT_META_kind_masked | 1 << (COMPAT_META_mask_shift + offsetof(struct compat_block, message) / sizeof(void *))
};

static void *compat_discard(const void *cell, const char *text) {
  (void)cell;
  (void)text;
  struct compat_block *success = osp_alloc_tagged(sizeof *success, COMPAT_BLOCK_META);
  memset(success, 0, sizeof *success);
  return success;
}

static struct compat_cell { void *(*code)(const void *cell, const char *text); } compat_discard_cell = {compat_discard};

int64_t websocket_connect(char *url) {
  char *error;
  int64_t connection = osp_ws_connect(compat_text(url), &compat_discard_cell, &error);
  return compat_result(__func__, connection, error);
}

int64_t websocket_send(int64_t connection, char *message) {
  char *error;
  int64_t done = osp_ws_send(connection, compat_text(message), &error);
  return compat_result(__func__, done, error);
}

int64_t websocket_close(int64_t connection) {
  char *error;
  int64_t done = osp_ws_close(connection, &error);
  return compat_result(__func__, done, error);
}

void websocket_keep_alive(void) {
  char *error;
  int64_t done = osp_ws_keep_alive(&error);
  compat_result(__func__, done, error);
}
