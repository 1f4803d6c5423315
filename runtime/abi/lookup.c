#include "lookup.h"

#include "client/stay.h"
#include "conn/conn.h"
#include "conn/handle.h"
#include "server/server.h"

void ws_lookup_failed(const char *op, enum ws_handle_kind kind, int64_t id, enum ws_handle_state state,
                      struct ws_error *error) {
  if (state == WS_HANDLE_OTHER_KIND)
    ws_error_other_kind(error, op, id, ws_handle_kind_name(ws_handle_kind_of(id)), ws_handle_kind_name(kind));
  else if (state == WS_HANDLE_UNKNOWN)
    ws_error_unknown_id(error, op, ws_handle_kind_name(kind), id);
  else if (kind == WS_HANDLE_CONNECTION)
    ws_error_closed(error, op, id);
  else if (kind == WS_HANDLE_SERVER)
    ws_error_stopped(error, op, id);
  else
    ws_error_timer_over(error, op, id);
}

/* Why it is not found, otherwise. */
static enum ws_handle_state ws_lookup_handle(int64_t handle, struct ws_found *found) {
  const struct ws_loop_thread *here = ws_loop_thread_current();
  enum ws_handle_state state = WS_HANDLE_ALIVE;
  found->conn = here && !here->behind ? ws_handle_owned(WS_HANDLE_CONNECTION, handle, here->index) : NULL;
  found->local = found->conn != NULL;
  if (!found->local)
    found->conn = ws_handle_pin(WS_HANDLE_CONNECTION, handle, &state);
  found->here = here && found->conn && found->conn->group->thread == here;
  return state;
}

/* From the first connection of a client to the one in its place, if there is one now. */
static void ws_lookup_follow(struct ws_found *found) {
  struct ws_found now;
  int64_t handle = ws_stay_now(found->conn);
  if (handle <= 0)
    return;
  ws_lookup_handle(handle, &now);
  if (!now.conn)
    return;
  ws_lookup_release(found);
  *found = now;
}

int ws_lookup_client(const char *op, int64_t id, struct ws_found *found, struct ws_error *error) {
  enum ws_handle_state state = ws_lookup_handle(id, found);
  if (found->conn && !ws_conn_is_refused(found->conn) && found->conn->id == id) {
    if (ws_conn_state(found->conn) == WS_CONN_PARKED)
      ws_lookup_follow(found);
    return 0;
  }
  if (found->conn) {
    state = found->conn->id == id ? WS_HANDLE_GONE : WS_HANDLE_UNKNOWN;
    ws_lookup_release(found);
  }
  ws_lookup_failed(op, WS_HANDLE_CONNECTION, id, state, error);
  return -1;
}

int ws_lookup_id(const char *op, int64_t id, struct ws_found *found, struct ws_error *error) {
  if (ws_lookup_client(op, id, found, error))
    return -1;
  if (ws_conn_state(found->conn) != WS_CONN_PARKED || ws_stay_returns(found->conn))
    return 0;
  ws_lookup_release(found);
  ws_error_closed(error, op, id);
  return -1;
}

int ws_lookup_conn(const char *op, int64_t id, struct ws_found *found, struct ws_error *error) {
  if (ws_lookup_id(op, id, found, error))
    return -1;
  if (ws_conn_state(found->conn) != WS_CONN_PARKED)
    return 0;
  ws_lookup_release(found);
  ws_error_reconnecting(error, op, id);
  return -1;
}

/* If the connection is not open, another may have taken its place. */
bool ws_lookup_in_hand(int64_t id, struct ws_found *found) {
  struct ws_loop_thread *here = ws_loop_thread_current();
  struct ws_conn *conn = here ? ws_loop_thread_run(here)->conn : NULL;
  if (!conn || conn->id != id || here->behind || ws_conn_state(conn) != WS_CONN_OPEN)
    return false;
  *found = (struct ws_found){.conn = conn, .local = true, .here = true};
  return true;
}

int ws_lookup_open(const char *op, int64_t id, struct ws_found *found, struct ws_error *error) {
  if (ws_lookup_in_hand(id, found))
    return 0;
  if (ws_lookup_conn(op, id, found, error))
    return -1;
  if (ws_conn_check_open(op, found->conn, error) == 0)
    return 0;
  ws_lookup_release(found);
  return -1;
}

void ws_lookup_release(struct ws_found *found) {
  if (!found->local)
    ws_conn_unpin(found->conn);
}

struct ws_server *ws_lookup_server(const char *op, int64_t id, struct ws_error *error) {
  enum ws_handle_state state;
  struct ws_server *server = ws_handle_pin(WS_HANDLE_SERVER, id, &state);
  if (!server)
    ws_lookup_failed(op, WS_HANDLE_SERVER, id, state, error);
  return server;
}

struct ws_ticker *ws_lookup_timer(const char *op, int64_t id, struct ws_error *error) {
  enum ws_handle_state state;
  struct ws_ticker *ticker = ws_handle_pin(WS_HANDLE_TIMER, id, &state);
  if (!ticker)
    ws_lookup_failed(op, WS_HANDLE_TIMER, id, state, error);
  return ticker;
}
