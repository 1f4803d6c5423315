#include "lookup.h"

#include "conn/handle.h"

/* The connection itself; *state tells why there is none. */
static struct ws_conn *ws_find(int64_t id, bool *local, enum ws_handle_state *state) {
  struct ws_loop_thread *here = ws_loop_thread_current();
  struct ws_conn *conn = here ? ws_handle_owned(WS_HANDLE_CONNECTION, id, here->index) : NULL;
  *local = conn != NULL;
  return conn ? conn : ws_handle_pin(WS_HANDLE_CONNECTION, id, state);
}

int ws_find_conn(const char *op, int64_t id, struct ws_found *found, struct ws_error *error) {
  enum ws_handle_state state = WS_HANDLE_GONE;
  found->conn = ws_find(id, &found->local, &state);
  if (found->conn && ws_conn_state(found->conn) != WS_CONN_REFUSED)
    return 0;
  if (found->conn)
    ws_found_done(found);
  if (state == WS_HANDLE_OTHER_KIND)
    ws_error_is_server(error, op, id);
  else if (state == WS_HANDLE_UNKNOWN)
    ws_error_no_connection(error, op, id);
  else
    ws_error_closed(error, op, id);
  return -1;
}

int ws_check_open(const char *op, const struct ws_conn *conn, struct ws_error *error) {
  switch (ws_conn_state(conn)) {
  case WS_CONN_CLOSING:
    ws_error_closing(error, op, conn->id);
    return -1;
  case WS_CONN_REFUSED:
  case WS_CONN_ENDED:
    ws_error_closed(error, op, conn->id);
    return -1;
  default:
    return 0;
  }
}

int ws_find_open(const char *op, int64_t id, struct ws_found *found, struct ws_error *error) {
  if (ws_find_conn(op, id, found, error))
    return -1;
  if (ws_check_open(op, found->conn, error) == 0)
    return 0;
  ws_found_done(found);
  return -1;
}

void ws_found_done(struct ws_found *found) {
  if (!found->local)
    ws_conn_unpin(found->conn);
}

struct ws_server *ws_find_server(const char *op, int64_t id, struct ws_error *error) {
  enum ws_handle_state state;
  struct ws_server *server = ws_handle_pin(WS_HANDLE_SERVER, id, &state);
  if (server)
    return server;
  if (state == WS_HANDLE_OTHER_KIND)
    ws_error_is_connection(error, op, id);
  else if (state == WS_HANDLE_GONE)
    ws_error_stopped(error, op, id);
  else
    ws_error_no_server(error, op, id);
  return NULL;
}

struct ws_server *ws_find_server_to_stop(int64_t id, struct ws_error *error) {
  enum ws_handle_state state;
  struct ws_server *server = ws_handle_pin(WS_HANDLE_SERVER, id, &state);
  if (server)
    return server;
  if (state == WS_HANDLE_GONE) {
    ws_error_stopped_already(error, id);
    return NULL;
  }
  return ws_find_server("stop server", id, error);
}
