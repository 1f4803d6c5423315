/* The binary interface: each entry point checks what it can, delegates, and turns a failure into an Osprey string. */
#include "osp_ws.h"

#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "client/connect.h"
#include "client/on_close.h"
#include "client/recently_closed.h"
#include "client/reconnect.h"
#include "client/stay.h"
#include "close.h"
#include "conn/loop_thread.h"
#include "conn/send.h"
#include "kept.h"
#include "lookup.h"
#include "osprey/error.h"
#include "osprey/value.h"
#include "program.h"
#include "protocol/close_code.h"
#include "protocol/target.h"
#include "rooms.h"
#include "server/answer.h"
#include "server/server.h"
#include "server/server_broadcast.h"
#include "server/server_listen.h"
#include "server/server_pages.h"
#include "server/server_settings.h"
#include "server/server_stop.h"
#include "ticker.h"

/* The prototypes of osp_ws.h are those of the table: declaring each again from it makes the compiler compare them. */
#define WS_TYPE_INT int64_t
#define WS_TYPE_BOOL bool
#define WS_TYPE_STRING const char *
#define WS_TYPE_WebSocketOptions const void *
#define WS_TYPE_TextHandler void *
#define WS_TYPE_MessageHandler void *
#define WS_TYPE_OpenHandler void *
#define WS_TYPE_CloseHandler void *
#define WS_TYPE_TickHandler void *
#define WS_RESULT_INT int64_t
#define WS_RESULT_SUCCESS int64_t
#define WS_RESULT_STRING char *
#define WS_RESULT_WebSocketConnection void *
#define WS_P(name, type) WS_TYPE_##type name,
#define WS_BUILTIN(name, alias, symbol, result, requirement, parameters, doc)                                          \
  WS_RESULT_##result symbol(parameters char **error);
#include "ws_builtins.def"

/* The last line of every entry point that returns nothing of interest. */
static int64_t osp_ws_done(const struct ws_error *failure, char **error) {
  *error = ws_error_is_set(failure) ? ws_error_give(failure) : NULL;
  return 0;
}

/* A value that was made, or the error that there is no memory for it. */
static void *osp_ws_made(void *value, const char *op, struct ws_error *failure, char **error) {
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
    id = ws_connect(url, NULL, handler, &failure);
  *error = ws_error_give(&failure);
  return id;
}

int64_t osp_ws_connect_with(const char *url, const void *options, void *handler, char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  int64_t id = 0;
  if (ws_program_start("connect", &failure) == 0)
    id = ws_connect(url, options, handler, &failure);
  *error = ws_error_give(&failure);
  return id;
}

int64_t osp_ws_on_close(int64_t ws_id, void *handler, char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  struct ws_found found = {0};
  if (ws_lookup_client("on close", ws_id, &found, &failure)) {
    if (ws_recently_closed_has(ws_id)) {
      ws_error_clear(&failure);
      ws_on_close(NULL, false, ws_id, handler, &failure);
    }
  } else {
    bool parked = ws_conn_state(found.conn) == WS_CONN_PARKED;
    if (found.conn->group->ops->server_id)
      ws_error_server_connection(&failure, ws_id);
    else if (parked && !ws_stay_returns(found.conn) && !ws_recently_closed_has(ws_id))
      ws_error_closed(&failure, "on close", ws_id);
    else
      ws_on_close(found.conn, found.local, ws_id, handler, &failure);
    ws_lookup_release(&found);
  }
  return osp_ws_done(&failure, error);
}

int64_t osp_ws_reconnect(int64_t ws_id, int64_t first_delay_ms, int64_t longest_delay_ms, void *handler, char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  struct ws_found found;
  if (ws_lookup_client("reconnect", ws_id, &found, &failure) == 0) {
    if (found.conn->group->ops->server_id)
      ws_error_reconnect_server(&failure, ws_id);
    else
      ws_reconnect(found.conn, found.local, first_delay_ms, longest_delay_ms, handler, &failure);
    ws_lookup_release(&found);
  }
  return osp_ws_done(&failure, error);
}

/* ---- connections */

/* Sends to any connection, or with server_id not 0 to one of that server. */
static void osp_ws_send_to(int64_t id, int64_t server_id, const struct ws_outgoing *out, struct ws_error *failure) {
  struct ws_found found;
  if (ws_lookup_open(out->op, id, &found, failure))
    return;
  int64_t (*owner)(const struct ws_conn *) = found.conn->group->ops->server_id;
  if (server_id && (!owner || owner(found.conn) != server_id))
    ws_error_foreign(failure, out->op, id, server_id);
  else
    ws_send(found.conn, found.local, out, failure);
  ws_lookup_release(&found);
}

/* An ordinary answer: what the handler was given goes back to its own connection. Returns false if this is none. */
static bool osp_ws_send_back(int64_t ws_id, const char *op, const char *text, bool binary, char **error) {
  struct ws_outgoing out;
  struct ws_found found;
  *error = NULL;
  return ws_outgoing_is_in_hand(&out, op, text, binary) && ws_lookup_in_hand(ws_id, &found) &&
         ws_send_straight(found.conn, &out);
}

WS_ASIDE WS_STRAIGHT static int64_t osp_ws_send_text(int64_t ws_id, const char *message, char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  struct ws_outgoing out;
  if (ws_outgoing_text(&out, "send", message, &failure) == 0)
    osp_ws_send_to(ws_id, 0, &out, &failure);
  return osp_ws_done(&failure, error);
}

WS_ASIDE WS_STRAIGHT static int64_t osp_ws_send_base64(int64_t ws_id, const char *base64, char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  struct ws_outgoing out;
  if (ws_outgoing_base64(&out, "send binary", base64, &failure) == 0)
    osp_ws_send_to(ws_id, 0, &out, &failure);
  return osp_ws_done(&failure, error);
}

WS_STRAIGHT int64_t osp_ws_send(int64_t ws_id, const char *message, char **error) {
  return osp_ws_send_back(ws_id, "send", message, false, error) ? 0 : osp_ws_send_text(ws_id, message, error);
}

WS_STRAIGHT int64_t osp_ws_send_binary(int64_t ws_id, const char *base64, char **error) {
  return osp_ws_send_back(ws_id, "send binary", base64, true, error) ? 0 : osp_ws_send_base64(ws_id, base64, error);
}

int64_t osp_ws_close(int64_t ws_id, char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  ws_close(ws_id, WS_CLOSE_NORMAL, "", &failure);
  return osp_ws_done(&failure, error);
}

int64_t osp_ws_close_with(int64_t ws_id, int64_t code, const char *reason, char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  if (ws_close_check(code, reason, &failure) == 0)
    ws_close(ws_id, (int)code, reason, &failure);
  return osp_ws_done(&failure, error);
}

void *osp_ws_connection(int64_t ws_id, char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  struct ws_found found;
  void *record = NULL;
  if (ws_lookup_id("connection", ws_id, &found, &failure) == 0) {
    record = ws_conn_new_record(found.conn);
    ws_lookup_release(&found);
  }
  return osp_ws_made(record, "connection", &failure, error);
}

char *osp_ws_remote_address(int64_t ws_id, char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  struct ws_found found;
  char text[WS_ADDRESS_TEXT];
  char *address = NULL;
  if (ws_lookup_conn("remote address", ws_id, &found, &failure) == 0) {
    ws_conn_remote(found.conn, text);
    ws_lookup_release(&found);
    address = ws_value_string(text, strlen(text));
  }
  return osp_ws_made(address, "remote address", &failure, error);
}

int64_t osp_ws_queued_bytes(int64_t ws_id, char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  struct ws_found found;
  int64_t bytes = 0;
  if (ws_lookup_conn("queued bytes", ws_id, &found, &failure) == 0) {
    bytes = (int64_t)ws_outq_bytes(&found.conn->out);
    ws_lookup_release(&found);
  }
  *error = ws_error_give(&failure);
  return bytes;
}

/* The header's value as an Osprey string; NULL with the error set, or without memory. */
static char *osp_ws_header_value(const struct ws_conn *conn, const char *name, struct ws_error *failure) {
  long (*header)(const struct ws_conn *, const char *, char *, size_t) = conn->group->ops->request_header;
  long size = header(conn, name, NULL, 0);
  if (size < 0) {
    ws_error_no_header(failure, conn->id, name);
    return NULL;
  }
  char *scratch = ws_mem_alloc((size_t)size + 1);
  if (!scratch)
    return NULL;
  header(conn, name, scratch, (size_t)size);
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
  if (ws_lookup_conn("request header", ws_id, &found, &failure) == 0) {
    if (found.conn->group->ops->request_header)
      value = osp_ws_header_value(found.conn, name, &failure);
    else
      ws_error_no_request(&failure, "request header", ws_id);
    ws_lookup_release(&found);
  }
  return osp_ws_made(value, "request header", &failure, error);
}

/* The path of the request, or a parameter of its query, as an Osprey string; NULL as osp_ws_header_value. */
static char *osp_ws_target_part(const struct ws_conn *conn, const char *parameter, struct ws_error *failure) {
  struct ws_slice target = conn->group->ops->request_target(conn);
  char *scratch = ws_mem_alloc(target.size);
  char *part = NULL;
  if (!scratch)
    return NULL;
  long size = parameter ? ws_target_parameter(scratch, target, parameter) : (long)ws_target_path(scratch, target);
  if (size < 0)
    ws_error_no_parameter(failure, conn->id, parameter);
  else
    part = ws_value_string(scratch, (size_t)size);
  ws_mem_wipe(scratch, target.size);
  ws_mem_free(scratch);
  return part;
}

static char *osp_ws_request_part(const char *op, int64_t ws_id, const char *parameter, char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  struct ws_found found;
  char *part = NULL;
  if (ws_lookup_conn(op, ws_id, &found, &failure) == 0) {
    if (found.conn->group->ops->request_target)
      part = osp_ws_target_part(found.conn, parameter, &failure);
    else
      ws_error_no_request(&failure, op, ws_id);
    ws_lookup_release(&found);
  }
  return osp_ws_made(part, op, &failure, error);
}

char *osp_ws_request_path(int64_t ws_id, char **error) {
  return osp_ws_request_part("request path", ws_id, NULL, error);
}

char *osp_ws_request_query(int64_t ws_id, const char *name, char **error) {
  return osp_ws_request_part("request query", ws_id, name, error);
}

int64_t osp_ws_refuse(int64_t ws_id, int64_t status, const char *reason, char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  struct ws_found found;
  if (ws_answer_check_refusal(status, reason, &failure) == 0 &&
      ws_lookup_conn("refuse", ws_id, &found, &failure) == 0) {
    ws_answer_refuse(found.conn, found.here, status, reason, &failure);
    ws_lookup_release(&found);
  }
  return osp_ws_done(&failure, error);
}

int64_t osp_ws_answer_header(int64_t ws_id, const char *name, const char *value, char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  struct ws_found found;
  if (ws_answer_check_header(name, value, &failure) == 0 &&
      ws_lookup_conn("answer header", ws_id, &found, &failure) == 0) {
    ws_answer_add_header(found.conn, found.here, name, value, &failure);
    ws_lookup_release(&found);
  }
  return osp_ws_done(&failure, error);
}

char *osp_ws_protocol(int64_t ws_id, char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  struct ws_found found;
  char *protocol = NULL;
  if (ws_lookup_conn("protocol", ws_id, &found, &failure) == 0) {
    struct ws_slice name = found.conn->group->ops->protocol(found.conn);
    protocol = ws_value_string(name.data, name.size);
    ws_lookup_release(&found);
  }
  return osp_ws_made(protocol, "protocol", &failure, error);
}

/* ---- servers */

static int64_t osp_ws_create(int64_t port, const char *address, const char *path, const char *certificate_file,
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
  return osp_ws_create(port, address, path, NULL, NULL, error);
}

int64_t osp_ws_create_secure_server(int64_t port, const char *address, const char *path, const char *certificate_file,
                                    const char *key_file, char **error) {
  return osp_ws_create(port, address, path, certificate_file, key_file, error);
}

static int64_t osp_ws_set_handler(int64_t server_id, const char *op, enum ws_server_event event, void *handler,
                                  char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  struct ws_server *server = ws_lookup_server(op, server_id, &failure);
  if (server) {
    ws_server_settings_handler(server, op, event, handler, &failure);
    ws_server_unpin(server);
  }
  return osp_ws_done(&failure, error);
}

int64_t osp_ws_server_on_message(int64_t server_id, void *handler, char **error) {
  return osp_ws_set_handler(server_id, "on message", WS_ON_MESSAGE, handler, error);
}

int64_t osp_ws_server_on_open(int64_t server_id, void *handler, char **error) {
  return osp_ws_set_handler(server_id, "on open", WS_ON_OPEN, handler, error);
}

int64_t osp_ws_server_on_close(int64_t server_id, void *handler, char **error) {
  return osp_ws_set_handler(server_id, "on close", WS_ON_CLOSE, handler, error);
}

int64_t osp_ws_server_allow_origin(int64_t server_id, const char *origin, char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  struct ws_server *server = ws_lookup_server("allow origin", server_id, &failure);
  if (server) {
    ws_server_settings_origin(server, origin, &failure);
    ws_server_unpin(server);
  }
  return osp_ws_done(&failure, error);
}

int64_t osp_ws_server_allow_host(int64_t server_id, const char *host, char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  struct ws_server *server = ws_lookup_server("allow host", server_id, &failure);
  if (server) {
    ws_server_settings_host(server, host, &failure);
    ws_server_unpin(server);
  }
  return osp_ws_done(&failure, error);
}

int64_t osp_ws_server_trust_proxy(int64_t server_id, const char *network, char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  struct ws_server *server = ws_lookup_server("trust proxy", server_id, &failure);
  if (server) {
    ws_server_settings_proxy(server, network, &failure);
    ws_server_unpin(server);
  }
  return osp_ws_done(&failure, error);
}

int64_t osp_ws_server_limit(int64_t server_id, const char *limit, int64_t value, char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  struct ws_server *server = ws_lookup_server("limit", server_id, &failure);
  if (server) {
    ws_server_settings_limit(server, limit, value, &failure);
    ws_server_unpin(server);
  }
  return osp_ws_done(&failure, error);
}

int64_t osp_ws_server_protocols(int64_t server_id, const char *protocols, char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  struct ws_server *server = ws_lookup_server("protocols", server_id, &failure);
  if (server) {
    ws_server_settings_protocols(server, protocols, &failure);
    ws_server_unpin(server);
  }
  return osp_ws_done(&failure, error);
}

int64_t osp_ws_server_path(int64_t server_id, const char *path, char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  struct ws_server *server = ws_lookup_server("server path", server_id, &failure);
  if (server) {
    ws_server_pages_endpoint(server, path, &failure);
    ws_server_unpin(server);
  }
  return osp_ws_done(&failure, error);
}

int64_t osp_ws_server_page(int64_t server_id, const char *path, const char *content_type, const char *body,
                           char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  struct ws_server *server = ws_lookup_server("server page", server_id, &failure);
  if (server) {
    ws_server_pages_text(server, path, content_type, body, &failure);
    ws_server_unpin(server);
  }
  return osp_ws_done(&failure, error);
}

int64_t osp_ws_server_file(int64_t server_id, const char *path, const char *file, char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  struct ws_server *server = ws_lookup_server("server file", server_id, &failure);
  if (server) {
    ws_server_pages_file(server, path, file, &failure);
    ws_server_unpin(server);
  }
  return osp_ws_done(&failure, error);
}

int64_t osp_ws_server_metrics(int64_t server_id, const char *path, char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  struct ws_server *server = ws_lookup_server("server metrics", server_id, &failure);
  if (server) {
    ws_server_pages_metrics(server, path, &failure);
    ws_server_unpin(server);
  }
  return osp_ws_done(&failure, error);
}

int64_t osp_ws_server_listen(int64_t server_id, char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  struct ws_server *server = ws_lookup_server("listen", server_id, &failure);
  if (server) {
    ws_server_listen(server, &failure);
    ws_server_unpin(server);
  }
  return osp_ws_done(&failure, error);
}

int64_t osp_ws_server_broadcast(int64_t server_id, const char *message, char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  struct ws_server *server = ws_lookup_server("broadcast", server_id, &failure);
  if (server) {
    ws_server_broadcast(server, message, &failure);
    ws_server_unpin(server);
  }
  return osp_ws_done(&failure, error);
}

int64_t osp_ws_server_send(int64_t server_id, int64_t ws_id, const char *message, char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  struct ws_outgoing out;
  struct ws_server *server = ws_lookup_server("server send", server_id, &failure);
  if (server) {
    if (ws_outgoing_text(&out, "server send", message, &failure) == 0)
      osp_ws_send_to(ws_id, server_id, &out, &failure);
    ws_server_unpin(server);
  }
  return osp_ws_done(&failure, error);
}

int64_t osp_ws_server_connections(int64_t server_id, char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  struct ws_server *server = ws_lookup_server("server connections", server_id, &failure);
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
  struct ws_server *server = ws_lookup_server("stop server", server_id, &failure);
  if (server) {
    if (!ws_server_stop(server))
      ws_error_stopped(&failure, "stop server", server_id);
    else if (!ws_loop_thread_current())
      ws_server_stop_wait(server);
    ws_server_unpin(server);
  }
  return osp_ws_done(&failure, error);
}

/* ---- values */

int64_t osp_ws_set_value(int64_t id, const char *key, const char *value, char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  ws_kept_set(id, key, value, &failure);
  return osp_ws_done(&failure, error);
}

char *osp_ws_value(int64_t id, const char *key, char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  char *text = ws_kept_get(id, key, &failure);
  char *value = text ? ws_value_string(text, strlen(text)) : NULL;
  ws_mem_free(text);
  return osp_ws_made(value, "value", &failure, error);
}

int64_t osp_ws_remove_value(int64_t id, const char *key, char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  ws_kept_remove(id, key, &failure);
  return osp_ws_done(&failure, error);
}

/* ---- topics */

int64_t osp_ws_subscribe(int64_t ws_id, const char *topic, char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  ws_rooms_subscribe(ws_id, topic, &failure);
  return osp_ws_done(&failure, error);
}

int64_t osp_ws_unsubscribe(int64_t ws_id, const char *topic, char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  ws_rooms_unsubscribe(ws_id, topic, &failure);
  return osp_ws_done(&failure, error);
}

int64_t osp_ws_publish(int64_t server_id, const char *topic, const char *message, char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  ws_rooms_publish(server_id, topic, message, &failure);
  return osp_ws_done(&failure, error);
}

int64_t osp_ws_publish_from(int64_t ws_id, const char *topic, const char *message, char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  ws_rooms_publish_from(ws_id, topic, message, &failure);
  return osp_ws_done(&failure, error);
}

int64_t osp_ws_subscribers(int64_t server_id, const char *topic, char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  int64_t count = ws_rooms_subscribers(server_id, topic, &failure);
  *error = ws_error_give(&failure);
  return count;
}

/* ---- timers */

static int64_t osp_ws_tick(const char *op, int64_t milliseconds, bool repeats, void *handler, char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  int64_t id = 0;
  if (ws_program_start(op, &failure) == 0)
    id = ws_ticker_start(op, milliseconds, repeats, handler, &failure);
  *error = ws_error_give(&failure);
  return id;
}

int64_t osp_ws_every(int64_t milliseconds, void *handler, char **error) {
  return osp_ws_tick("every", milliseconds, true, handler, error);
}

int64_t osp_ws_after(int64_t milliseconds, void *handler, char **error) {
  return osp_ws_tick("after", milliseconds, false, handler, error);
}

int64_t osp_ws_cancel(int64_t timer_id, char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  ws_ticker_cancel(timer_id, &failure);
  return osp_ws_done(&failure, error);
}

void osp_ws_sleep(int64_t milliseconds) {
  ws_program_sleep(milliseconds);
}

int64_t osp_ws_keep_alive(char **error) {
  struct ws_error failure;
  ws_error_clear(&failure);
  ws_program_keep_alive(&failure);
  return osp_ws_done(&failure, error);
}
