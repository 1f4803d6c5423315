#pragma once
/* Looks up the object of an ID, for builtins. Each kind of failure has its own error. Any thread. */
#include <stdbool.h>
#include <stdint.h>

#include "base/path.h"
#include "conn/handle.h"
#include "osprey/error.h"

struct ws_conn;
struct ws_server;
struct ws_ticker;

/* A connection found by its ID. */
struct ws_found {
  struct ws_conn *conn;
  /* The caller is on its loop thread, and no message of the caller waits there. Otherwise it is pinned, and only shared
   * members may be read. */
  bool local;
  bool here; /* the caller is on its loop thread, whether or not messages wait */
};

/* 0, or -1 with the error set. A connection that has ended is found until its close handler has returned. */
WS_ASIDE int ws_lookup_conn(const char *op, int64_t id, struct ws_found *found, struct ws_error *error);

/* The same, also for a client that has no connection now, but dials again (PARKED). */
int ws_lookup_id(const char *op, int64_t id, struct ws_found *found, struct ws_error *error);

/* The same, also for a client that has just ended, and may still be asked to dial again. */
int ws_lookup_client(const char *op, int64_t id, struct ws_found *found, struct ws_error *error);

/* As ws_lookup_conn, for a connection that takes messages. */
int ws_lookup_open(const char *op, int64_t id, struct ws_found *found, struct ws_error *error);

/* The connection whose handler calls, as most do. Returns false if the ID is not its, or it is not open. */
bool ws_lookup_in_hand(int64_t id, struct ws_found *found);

/* Sets the error of an ID of this kind, from why it is not alive. */
void ws_lookup_failed(const char *op, enum ws_handle_kind kind, int64_t id, enum ws_handle_state state,
                      struct ws_error *error);

/* Call this once for each connection found. */
void ws_lookup_release(struct ws_found *found);

/* Pins a server: ws_server_unpin gives it back. NULL with the error set. */
struct ws_server *ws_lookup_server(const char *op, int64_t id, struct ws_error *error);

/* Pins a timer: ws_handle_unpin gives it back. NULL with the error set. */
struct ws_ticker *ws_lookup_timer(const char *op, int64_t id, struct ws_error *error);
