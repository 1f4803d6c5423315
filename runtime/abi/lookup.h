#pragma once
/* From an ID to the object, for builtins on any thread; each way to be wrong has its sentence. */
#include <stdbool.h>
#include <stdint.h>

#include "conn/conn.h"
#include "osprey/error.h"
#include "server/server.h"

/* A connection found by its ID. `local`: the caller is on its worker's thread and may touch it; otherwise it is pinned, and
 * only what is shared may be read. */
struct ws_found {
  struct ws_conn *conn;
  bool local;
};

/* 0, or -1 with the error set. A connection that has ended is found while its close handler runs. */
int ws_find_conn(const char *op, int64_t id, struct ws_found *found, struct ws_error *error);
/* The same for a connection that can be sent to: OPENING or OPEN. */
int ws_find_open(const char *op, int64_t id, struct ws_found *found, struct ws_error *error);
/* Once for each that was found. */
void ws_found_done(struct ws_found *found);

/* Pinned: give it back by ws_server_unpin. NULL with the error set. */
struct ws_server *ws_find_server(const char *op, int64_t id, struct ws_error *error);
/* The same where being stopped already is a sentence of its own. */
struct ws_server *ws_find_server_to_stop(int64_t id, struct ws_error *error);

/* Says why a connection in this state takes no message: 0 if it does, else -1 with the error set. */
int ws_check_open(const char *op, const struct ws_conn *conn, struct ws_error *error);
