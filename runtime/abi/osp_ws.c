/* The binary interface: each entry point checks what it can, delegates, and turns a failure into an Osprey string. */
#include "osp_ws.h"

#include <string.h>

#include "base/mem.h"
#include "client/client.h"
#include "close.h"
#include "osprey/error.h"
#include "lookup.h"
#include "protocol/close_code.h"
#include "server/request.h"
#include "program.h"
#include "conn/send.h"
#include "server/server.h"
#include "io/wait.h"

/* The prototypes of osp_ws.h are those of the table: declaring each again from it makes the compiler compare them. */
#define WS_TYPE_INT int64_t
#define WS_TYPE_BOOL bool
#define WS_TYPE_STRING const char *
#define WS_TYPE_WebSocketOptions const void *
#define WS_TYPE_TextHandler void *
#define WS_TYPE_MessageHandler void *
#define WS_TYPE_OpenHandler void *
#define WS_TYPE_CloseHandler void *
#define WS_RESULT_INT int64_t
#define WS_RESULT_SUCCESS int64_t
#define WS_RESULT_STRING char *
#define WS_RESULT_WebSocketConnection void *
#define WS_P(name, type) WS_TYPE_##type name,
#define WS_BUILTIN(name, alias, symbol, result, requirement, parameters, doc)                                          \
  WS_RESULT_##result symbol(parameters char **error);
#include "ws_builtins.def"

/* The last line of every entry point that returns nothing of interest. */
static int64_t ws_done(const struct ws_error *failure, char **error) {
  *error = ws_error_give(failure);
  return 0;
}

/* A value that was made, or the error that there is no memory for it. */
static void *ws_made(void *value, const char *op, struct ws_error *failure, char **error) {
  if (!value && !ws_error_is_set(failure))
    ws_error_memory(failure, op);
  *error = ws_error_give(failure);
  return value;
}

/* ---- clients */

int64_t osp_ws_connect(const char *url, void *handler, char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  int64_t id = 0;
  if (ws_program_start("connect", &failure) == 0)
    id = ws_client_connect(url, NULL, handler, &failure);
  *error = ws_error_give(&failure);
  return id;
}

int64_t osp_ws_connect_with(const char *url, const void *options, void *handler, char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  int64_t id = 0;
  if (ws_program_start("connect", &failure) == 0)
    id = ws_client_connect(url, options, handler, &failure);
  *error = ws_error_give(&failure);
  return id;
}

int64_t osp_ws_on_close(int64_t ws_id, void *handler, char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  ws_client_on_close(ws_id, handler, &failure);
  return ws_done(&failure, error);
}

/* ---- connections */

int64_t osp_ws_send(int64_t ws_id, const char *message, char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  struct ws_outgoing out;
  if (ws_outgoing_text(&out, "send", message, &failure) == 0)
    ws_send(ws_id, 0, &out, &failure);
  return ws_done(&failure, error);
}

int64_t osp_ws_send_binary(int64_t ws_id, const char *base64, char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  struct ws_outgoing out;
  if (ws_outgoing_base64(&out, "send binary", base64, &failure) == 0)
    ws_send(ws_id, 0, &out, &failure);
  return ws_done(&failure, error);
}

int64_t osp_ws_close(int64_t ws_id, char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  ws_close(ws_id, WS_CLOSE_NORMAL, "", &failure);
  return ws_done(&failure, error);
}

int64_t osp_ws_close_with(int64_t ws_id, int64_t code, const char *reason, char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  if (ws_close_check(code, reason, &failure) == 0)
    ws_close(ws_id, (int)code, reason, &failure);
  return ws_done(&failure, error);
}

void *osp_ws_connection(int64_t ws_id, char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  struct ws_found found;
  void *record = NULL;
  if (ws_find_conn("connection", ws_id, &found, &failure) == 0) {
    record = ws_conn_new_record(found.conn);
    ws_found_done(&found);
  }
  return ws_made(record, "connection", &failure, error);
}

char *osp_ws_remote_address(int64_t ws_id, char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  struct ws_found found;
  char text[WS_ADDRESS_TEXT];
  char *address = NULL;
  if (ws_find_conn("remote address", ws_id, &found, &failure) == 0) {
    ws_conn_remote(found.conn, text);
    ws_found_done(&found);
    address = ws_value_string(text, strlen(text));
  }
  return ws_made(address, "remote address", &failure, error);
}

int64_t osp_ws_queued_bytes(int64_t ws_id, char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  struct ws_found found;
  int64_t bytes = 0;
  if (ws_find_conn("queued bytes", ws_id, &found, &failure) == 0) {
    bytes = (int64_t)ws_outq_bytes(&found.conn->out);
    ws_found_done(&found);
  }
  *error = ws_error_give(&failure);
  return bytes;
}

/* The header's value as an Osprey string; NULL with the error set, or without memory. */
static char *ws_header_value(const struct ws_conn *conn, const char *name, struct ws_error *failure) {
  const struct ws_request *request = conn->handshake;
  long size = ws_request_header(request, name, NULL, 0);
  char *scratch = size < 0 ? NULL : ws_mem_alloc((size_t)size + 1);
  if (size < 0)
    ws_error_no_header(failure, conn->id, name);
  if (!scratch)
    return NULL;
  ws_request_header(request, name, scratch, (size_t)size);
  char *value = ws_value_string(scratch, (size_t)size);
  ws_mem_wipe(scratch, (size_t)size);
  ws_mem_free(scratch);
  return value;
}

char *osp_ws_request_header(int64_t ws_id, const char *name, char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  struct ws_found found;
  char *value = NULL;
  if (ws_find_conn("request header", ws_id, &found, &failure) == 0) {
    if (found.conn->group->server)
      value = ws_header_value(found.conn, name, &failure);
    else
      ws_error_no_request(&failure, ws_id);
    ws_found_done(&found);
  }
  return ws_made(value, "request header", &failure, error);
}

char *osp_ws_protocol(int64_t ws_id, char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  struct ws_found found;
  char *protocol = NULL;
  if (ws_find_conn("protocol", ws_id, &found, &failure) == 0) {
    const struct ws_conn *conn = found.conn;
    if (!conn->group->server) {
      const char *text = ws_client_protocol(conn);
      protocol = ws_value_string(text, strlen(text));
    } else {
      const char *list = conn->group->server->protocols;
      protocol = ws_value_string(conn->protocol_size ? list + conn->protocol_start : "", conn->protocol_size);
    }
    ws_found_done(&found);
  }
  return ws_made(protocol, "protocol", &failure, error);
}

/* ---- servers */

static int64_t ws_create(int64_t port, const char *address, const char *path, const char *certificate_file,
                         const char *key_file, char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  int64_t id = 0;
  if (ws_program_start("create server", &failure) == 0)
    id = ws_server_create(port, address, path, certificate_file, key_file, &failure);
  *error = ws_error_give(&failure);
  return id;
}

int64_t osp_ws_create_server(int64_t port, const char *address, const char *path, char **error) {
  return ws_create(port, address, path, NULL, NULL, error);
}

int64_t osp_ws_create_secure_server(int64_t port, const char *address, const char *path, const char *certificate_file,
                                    const char *key_file, char **error) {
  return ws_create(port, address, path, certificate_file, key_file, error);
}

static int64_t ws_set_handler(int64_t server_id, const char *op, enum ws_server_event event, void *handler,
                              char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  struct ws_server *server = ws_find_server(op, server_id, &failure);
  if (server) {
    ws_server_set_handler(server, op, event, handler, &failure);
    ws_server_unpin(server);
  }
  return ws_done(&failure, error);
}

int64_t osp_ws_server_on_message(int64_t server_id, void *handler, char **error) {
  return ws_set_handler(server_id, "on message", WS_ON_MESSAGE, handler, error);
}

int64_t osp_ws_server_on_open(int64_t server_id, void *handler, char **error) {
  return ws_set_handler(server_id, "on open", WS_ON_OPEN, handler, error);
}

int64_t osp_ws_server_on_close(int64_t server_id, void *handler, char **error) {
  return ws_set_handler(server_id, "on close", WS_ON_CLOSE, handler, error);
}

int64_t osp_ws_server_allow_origin(int64_t server_id, const char *origin, char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  struct ws_server *server = ws_find_server("allow origin", server_id, &failure);
  if (server) {
    ws_server_allow_origin(server, origin, &failure);
    ws_server_unpin(server);
  }
  return ws_done(&failure, error);
}

int64_t osp_ws_server_limit(int64_t server_id, const char *limit, int64_t value, char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  struct ws_server *server = ws_find_server("limit", server_id, &failure);
  if (server) {
    ws_server_set_limit(server, limit, value, &failure);
    ws_server_unpin(server);
  }
  return ws_done(&failure, error);
}

int64_t osp_ws_server_protocols(int64_t server_id, const char *protocols, char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  struct ws_server *server = ws_find_server("protocols", server_id, &failure);
  if (server) {
    ws_server_set_protocols(server, protocols, &failure);
    ws_server_unpin(server);
  }
  return ws_done(&failure, error);
}

int64_t osp_ws_server_listen(int64_t server_id, char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  struct ws_server *server = ws_find_server("listen", server_id, &failure);
  if (server) {
    ws_server_listen(server, &failure);
    ws_server_unpin(server);
  }
  return ws_done(&failure, error);
}

int64_t osp_ws_server_broadcast(int64_t server_id, const char *message, char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  struct ws_server *server = ws_find_server("broadcast", server_id, &failure);
  if (server) {
    ws_server_broadcast(server, message, &failure);
    ws_server_unpin(server);
  }
  return ws_done(&failure, error);
}

int64_t osp_ws_server_send(int64_t server_id, int64_t ws_id, const char *message, char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  struct ws_outgoing out;
  struct ws_server *server = ws_find_server("server send", server_id, &failure);
  if (server) {
    if (ws_outgoing_text(&out, "server send", message, &failure) == 0)
      ws_send(ws_id, server_id, &out, &failure);
    ws_server_unpin(server);
  }
  return ws_done(&failure, error);
}

int64_t osp_ws_server_connections(int64_t server_id, char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  struct ws_server *server = ws_find_server("server connections", server_id, &failure);
  int64_t count = 0;
  if (server) {
    count = ws_server_open_count(server);
    ws_server_unpin(server);
  }
  *error = ws_error_give(&failure);
  return count;
}

int64_t osp_ws_stop_server(int64_t server_id, char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  struct ws_server *server = ws_find_server_to_stop(server_id, &failure);
  if (server) {
    if (!ws_server_stop(server))
      ws_error_stopped_already(&failure, server_id);
    else if (!ws_loop_thread_current())
      ws_server_await(server);
    ws_server_unpin(server);
  }
  return ws_done(&failure, error);
}

int64_t osp_ws_keep_alive(char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  ws_program_keep_alive(&failure);
  return ws_done(&failure, error);
}
