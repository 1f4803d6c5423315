#include "osp_ws_compat.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

/* ---- handlers */

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

/* The records that handlers receive. */
typedef int64_t compat_INT;
typedef bool compat_BOOL;
typedef const char *compat_STRING;
#define WS_P(name, type) compat_##type name;
#define WS_RECORD(name, fields)                                                                                        \
  struct compat_##name {                                                                                               \
    int64_t tag;                                                                                                       \
    fields                                                                                                             \
  };
#include "ws_builtins.def"

/* The Result with this error, which it takes, or without one. */
static void *compat_block(char *error) {
  struct compat_block *block = osp_alloc_tagged(sizeof *block, COMPAT_BLOCK_META);
  memset(block, 0, sizeof *block);
  block->discriminant = error != NULL;
  block->message = error;
  return block;
}

static void *compat_discard(const void *cell, const char *text) {
  (void)cell;
  (void)text;
  return compat_block(NULL);
}

/* ---- welcome and echo */

/* The text as the inside of a JSON string. U+0000 is C0 80 in an Osprey string. */
static void compat_put_escaped(FILE *out, const char *text) {
  for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
    bool is_nul = at[0] == 0xC0 && at[1] == 0x80;
    if (is_nul || *at < ' ')
      fprintf(out, "\\u%04x", is_nul ? 0U : *at);
    else
      fprintf(out, *at == '"' || *at == '\\' ? "\\%c" : "%c", *at);
    at += is_nul;
  }
}

/* Releasing a static string has no effect. */
static char compat_out_of_memory[] = "out of memory";

/* Sends BEFORE…","timestamp":"SECONDS"}. Unless NULL, `text` is put after `before` and after `between`. Returns the
 * Result of the handler. */
static void *compat_send_json(int64_t connection, const char *before, const char *text, const char *between) {
  char *json = NULL, *error = NULL;
  size_t size;
  FILE *out = open_memstream(&json, &size);
  if (!out)
    return compat_block(compat_out_of_memory);
  fputs(before, out);
  if (text) {
    compat_put_escaped(out, text);
    fputs(between, out);
    compat_put_escaped(out, text);
  }
  fprintf(out, "\",\"timestamp\":\"%lld\"}", (long long)time(NULL));
  if (fclose(out))
    error = compat_out_of_memory;
  else
    osp_ws_send(connection, json, &error);
  free(json);
  return compat_block(error);
}

static void *compat_welcome(const void *cell, const struct compat_WebSocketConnection *to) {
  (void)cell;
  return compat_send_json(to->id, "{\"type\":\"welcome\",\"message\":\"Connected to Osprey WebSocket Server!", NULL,
                          NULL);
}

static void *compat_echo(const void *cell, const struct compat_WebSocketConnection *from,
                         const struct compat_WebSocketMessage *message) {
  (void)cell;
  if (strcmp(message->type, "text") != 0)
    return compat_block(NULL);
  return compat_send_json(from->id, "{\"type\":\"echo\",\"original\":\"", message->data,
                          "\",\"echo\":\"Server received: ");
}

static struct { void *(*code)(const void *cell, const char *text); } compat_discard_cell = {compat_discard};
static struct {
  void *(*code)(const void *cell, const struct compat_WebSocketConnection *to);
} compat_welcome_cell = {compat_welcome};
static struct {
  void *(*code)(const void *cell, const struct compat_WebSocketConnection *from,
                const struct compat_WebSocketMessage *message);
} compat_echo_cell = {compat_echo};

/* ---- servers */

/* OSPREY_WS_COMPAT_ECHO */
static void compat_set_echo(int64_t server, char **error) {
  const char *echo = getenv("OSPREY_WS_COMPAT_ECHO");
  *error = NULL;
  if (!echo || !*echo || !strcmp(echo, "0"))
    return;
  osp_ws_server_on_open(server, &compat_welcome_cell, error);
  if (!*error)
    osp_ws_server_on_message(server, &compat_echo_cell, error);
}

/* OSPREY_WS_COMPAT_ORIGINS */
static void compat_allow_origins(int64_t server, char **error) {
  const char *given = getenv("OSPREY_WS_COMPAT_ORIGINS");
  char *origins = strdup(given ? given : ""), *rest = NULL;
  *error = NULL;
  for (char *origin = origins ? strtok_r(origins, " ", &rest) : NULL; origin && !*error;
       origin = strtok_r(NULL, " ", &rest))
    osp_ws_server_allow_origin(server, origin, error);
  free(origins);
}

int64_t websocket_create_server(int64_t port, char *address, char *path) {
  char *error, *ignored;
  int64_t server = osp_ws_create_server(port, compat_text(address), compat_text(path), &error);
  if (error)
    return compat_result(__func__, 0, error);
  compat_allow_origins(server, &error);
  if (!error)
    compat_set_echo(server, &error);
  if (error) {
    osp_ws_stop_server(server, &ignored);
    if (ignored)
      osp_release(ignored);
  }
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
