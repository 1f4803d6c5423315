#pragma once
/* A client that stays: its ID outlives its connections (websocketReconnect).
 *
 *          the connection ends                      the delay is over
 *   OPEN ───────────────────────► first is PARKED ─────────────────────► a further connection: dial … OPEN
 *                                  its timer: the delay ◄────────────── fails, or ends after it was open
 *
 * The ID is the handle of the first connection, whose memory is kept, PARKED, while later ones come and go. Each of
 * these has a handle of its own, by which look-ups of the ID find it. The client ends for good when the program has
 * closed it (`left`), or when what ended a connection will not change: the timer of the first then retires the ID.
 *
 * A client that was not asked to stay is parked too, for WS_STAY_LATE_MS, because a websocketReconnect may be on its
 * way: WS_STAY_LATE_MAX of a loop thread at most, the oldest are given up first.
 *
 * All on the loop thread, unless said otherwise. */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "conn/conn.h"
#include "protocol/http_head.h"

enum { WS_STAY_LATE_MS = 30000, WS_STAY_LATE_MAX = 256 };

struct ws_stay_plan;

/* A connection of a client, the first or a later one. A later one pins the first, so that it outlives it. */
struct ws_stay {
  struct ws_conn conn;
  struct ws_stay *first; /* itself, unless it is a later one */
  bool distrusts;        /* the certificate of the server was not accepted */
  /* Of the first only. */
  bool over;                           /* it is retired: what was posted to it has no effect */
  _Atomic bool left;                   /* shared: nothing follows, because the program has closed it, or ends */
  _Atomic(struct ws_stay_plan *) plan; /* shared; NULL: it was not asked to stay */
};

static inline struct ws_stay *ws_stay_of(const struct ws_conn *conn) {
  return ws_container_of(conn, struct ws_stay, conn);
}

/* What the program asks for, with its open handler (a root, which it takes). NULL: no memory. Any thread. */
struct ws_stay_plan *ws_stay_plan_new(int64_t first_ms, int64_t longest_ms, void **handler);
void ws_stay_plan_free(struct ws_stay_plan *plan);

/* The client of the connection stays from now on. Takes the plan, in place of an earlier one. */
void ws_stay_set(struct ws_conn *conn, struct ws_stay_plan *plan);

/* The program closes the client: closes its connection if it has one, and nothing follows. */
void ws_stay_close(struct ws_conn *conn, int code, const char *reason, size_t n);

/* The program ends: nothing follows the parked clients of the thread. */
void ws_stays_end(struct ws_loop_thread *thread);

/* ---- later connections */

/* The timer of the parked connection has fired. Returns true if a further connection is due; else it may be freed. */
bool ws_stay_is_due(struct ws_conn *first);
/* It dials, or could not be made (NULL). */
void ws_stay_dialed(struct ws_conn *first, struct ws_stay *later);
/* It was refused; it failed, for this reason; it is open, so that look-ups find it. */
void ws_stay_refused(struct ws_stay *later, const struct ws_http_head *head);
void ws_stay_failed(struct ws_stay *later, const char *cause);
void ws_stay_opened(struct ws_stay *later);
/* Calls the open handler. */
void ws_stay_greet(struct ws_stay *later);

/* ---- operations of a connection (group.h) */

bool ws_stay_outlives(struct ws_conn *conn);
/* Any thread. */
bool ws_stay_returns(const struct ws_conn *conn);

/* ---- look-ups; any thread */

/* Of a PARKED connection: the handle of the connection in its place, 0 while there is none, -1 if it does not stay. */
int64_t ws_stay_now(const struct ws_conn *conn);

/* Returns true if nothing follows. */
bool ws_stay_has_left(const struct ws_conn *conn);
