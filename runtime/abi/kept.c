#include "kept.h"

#include <string.h>

#include "conn/conn.h"
#include "conn/handle.h"
#include "conn/held.h"
#include "conn/values.h"
#include "lookup.h"
#include "server/server.h"

/* Whose value it is: a connection or a server. */
struct ws_owner {
  int64_t id;
  enum ws_handle_kind kind;
  struct ws_found found;
  struct ws_server *server; /* pinned */
};

/* 0, or -1 with the error set. */
static int ws_owner_find(struct ws_owner *owner, const char *op, int64_t id, const char *key, struct ws_error *error) {
  size_t size = strlen(key);
  *owner = (struct ws_owner){.id = id, .kind = ws_handle_kind_of(id)};
  if (size == 0 || size > WS_VALUES_KEY_MAX) {
    ws_error_value_key(error, op, size);
    return -1;
  }
  if (owner->kind == WS_HANDLE_SERVER) {
    owner->server = ws_lookup_server(op, id, error);
    return owner->server ? 0 : -1;
  }
  if (owner->kind == WS_HANDLE_CONNECTION)
    return ws_lookup_id(op, id, &owner->found, error);
  ws_error_value_owner(error, op, id);
  return -1;
}

static void ws_owner_release(struct ws_owner *owner) {
  if (owner->server)
    ws_server_unpin(owner->server);
  else
    ws_lookup_release(&owner->found);
}

/* Charges what the values hold to the server's memory. A connection counts it at the end of the turn, or if another
 * thread owns it with its next input or output. A client has no such limit: its values outlive its connections. */
static void ws_owner_charge(struct ws_owner *owner, int64_t bytes) {
  if (owner->server) {
    ws_held_add(&owner->server->budget, bytes);
    return;
  }
  struct ws_conn *conn = owner->found.conn;
  if (!conn->group->budget)
    return;
  atomic_fetch_add(&conn->kept, (uint32_t)bytes);
  /* One that has ended is not queued again: its close handler may be running. */
  if (owner->found.local && ws_conn_state(conn) != WS_CONN_ENDED)
    ws_conn_queue(conn);
}

int ws_kept_set(int64_t id, const char *key, const char *value, struct ws_error *error) {
  struct ws_owner owner;
  struct ws_values_change change;
  if (ws_owner_find(&owner, "set value", id, key, error))
    return -1;
  int64_t cap = owner.server ? owner.server->rules.limits.max_server_value_bytes
                             : owner.found.conn->group->rules->limits.max_value_bytes;
  enum ws_values_outcome outcome = ws_values_set(id, key, value, cap, &change);
  if (outcome == WS_VALUES_DONE)
    ws_owner_charge(&owner, change.bytes);
  else if (outcome == WS_VALUES_FULL)
    ws_error_values_full(error, "set value", ws_handle_kind_name(owner.kind), id, change.held,
                         owner.server ? "maxServerValueBytes" : "maxValueBytes", cap);
  else if (outcome == WS_VALUES_NO_MEMORY)
    ws_error_memory(error, "set value");
  else
    ws_lookup_failed("set value", owner.kind, id, WS_HANDLE_GONE, error);
  ws_owner_release(&owner);
  return outcome == WS_VALUES_DONE ? 0 : -1;
}

int ws_kept_remove(int64_t id, const char *key, struct ws_error *error) {
  struct ws_owner owner;
  struct ws_values_change change;
  if (ws_owner_find(&owner, "remove value", id, key, error))
    return -1;
  enum ws_values_outcome outcome = ws_values_remove(id, key, &change);
  if (outcome == WS_VALUES_DONE)
    ws_owner_charge(&owner, change.bytes);
  else
    ws_error_no_value(error, "remove value", ws_handle_kind_name(owner.kind), id, key);
  ws_owner_release(&owner);
  return outcome == WS_VALUES_DONE ? 0 : -1;
}

char *ws_kept_get(int64_t id, const char *key, struct ws_error *error) {
  struct ws_owner owner;
  char *copy = NULL;
  if (ws_owner_find(&owner, "value", id, key, error))
    return NULL;
  enum ws_values_outcome outcome = ws_values_get(id, key, &copy);
  if (outcome == WS_VALUES_MISSING)
    ws_error_no_value(error, "value", ws_handle_kind_name(owner.kind), id, key);
  else if (!copy)
    ws_error_memory(error, "value");
  ws_owner_release(&owner);
  return copy;
}
