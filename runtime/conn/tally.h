#pragma once
/* What a server with metrics counts, on each loop thread by itself. Only that thread writes, so a count is a plain
 * addition; any thread may read. A server without metrics has no tallies.
 */
#include <stdatomic.h>
#include <stdint.h>

#include "base/clock.h"
#include "group.h"

enum {
  WS_TALLY_STATUS = 400,   /* the first status of a refusal */
  WS_TALLY_STATUSES = 200, /* up to 599 */
  WS_TALLY_CODE = 1000,    /* the first close code */
  WS_TALLY_CODES = 18, /* 1000 to 1015 by themselves, then 3000 to 3999 and 4000 to 4999 together: peers choose them */
};

struct ws_tally {
  _Atomic uint64_t accepted; /* handshakes that were answered with 101 */
  _Atomic uint64_t refused[WS_TALLY_STATUSES];
  _Atomic uint64_t closed[WS_TALLY_CODES];
  _Atomic uint64_t received, received_bytes; /* messages, and their payload as the program sees it */
  _Atomic uint64_t sent, sent_bytes;
  _Atomic uint64_t handler_ms;
};

static inline void ws_tally_add(_Atomic uint64_t *count, uint64_t n) {
  atomic_store_explicit(count, atomic_load_explicit(count, memory_order_relaxed) + n, memory_order_relaxed);
}

static inline void ws_tally_received(const struct ws_group *group, size_t bytes) {
  struct ws_tally *tally = group->tally;
  if (!tally)
    return;
  ws_tally_add(&tally->received, 1);
  ws_tally_add(&tally->received_bytes, bytes);
}

static inline void ws_tally_sent(const struct ws_group *group, size_t bytes) {
  struct ws_tally *tally = group->tally;
  if (!tally)
    return;
  ws_tally_add(&tally->sent, 1);
  ws_tally_add(&tally->sent_bytes, bytes);
}

static inline void ws_tally_accepted(const struct ws_group *group) {
  struct ws_tally *tally = group->tally;
  if (tally)
    ws_tally_add(&tally->accepted, 1);
}

static inline void ws_tally_refused(const struct ws_group *group, int status) {
  struct ws_tally *tally = group->tally;
  if (tally && status >= WS_TALLY_STATUS && status < WS_TALLY_STATUS + WS_TALLY_STATUSES)
    ws_tally_add(&tally->refused[status - WS_TALLY_STATUS], 1);
}

static inline void ws_tally_closed(const struct ws_group *group, int code) {
  struct ws_tally *tally = group->tally;
  int place = code >= 4000 ? WS_TALLY_CODES - 1 : code >= 3000 ? WS_TALLY_CODES - 2 : code - WS_TALLY_CODE;
  if (tally && place >= 0 && place < WS_TALLY_CODES)
    ws_tally_add(&tally->closed[place], 1);
}

/* The time of the handler that has just begun, or is about to return, on the group's thread. The clock is coarse:
 * it costs little, and is right on average. */
static inline void ws_tally_handler_begins(const struct ws_group *group) {
  struct ws_loop_thread *thread = group->thread;
  if (group->tally)
    ws_loop_thread_run(thread)->since_ms = ws_clock_coarse_ms();
}

static inline void ws_tally_handler_returns(const struct ws_group *group) {
  struct ws_tally *tally = group->tally;
  struct ws_loop_thread *thread = group->thread;
  if (tally) {
    int64_t since_ms = ws_loop_thread_run(thread)->since_ms;
    ws_tally_add(&tally->handler_ms, (uint64_t)(ws_clock_coarse_ms() - since_ms));
  }
}
