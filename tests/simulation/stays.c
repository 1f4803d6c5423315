#include "stays.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "conn/loop_thread.h"
#include "oracle.h"
#include "osp_ws.h"
#include "osprey/hooks.h"
#include "plan.h"
#include "program.h"
#include "sim.h"

enum { STAYS = 3 };

struct connection {
  int64_t tag, id;
  const char *url;
  bool is_connected;
};

struct stay {
  void *cells[3][2]; /* closures: code, and the stay */
  int64_t id;
  bool open; /* as its handlers say */
  bool left; /* websocketClose has returned */
  int returns;
};

static struct stay stays[STAYS];

static void *succeed(void) {
  return osp_alloc_tagged(24, 0x401);
}

static void *stays_text(void *cell, const char *text) {
  const struct stay *stay = ((void **)cell)[1];
  (void)text;
  if (stay->left || (stay->id && !stay->open))
    sim_fail("4 handlers", "client %" PRId64 " hears a message, but is not open", stay->id);
  return succeed();
}

static void *stays_open(void *cell, const struct connection *connection) {
  struct stay *stay = ((void **)cell)[1];
  if (stay->left || stay->open || !connection->is_connected || connection->id != stay->id)
    sim_fail("4 handlers", "the open handler of client %" PRId64 " is called, which is %s", stay->id,
             stay->left ? "closed" : "open");
  stay->open = true;
  stay->returns++;
  sim_note("client %" PRId64 " is back", stay->id);
  return succeed();
}

static void *stays_close(void *cell, const struct connection *connection, int64_t code, const char *reason) {
  struct stay *stay = ((void **)cell)[1];
  (void)reason;
  if (!stay->open || connection->is_connected)
    sim_fail("4 handlers", "the close handler of client %" PRId64 " is called, which is not open", stay->id);
  stay->open = false;
  sim_note("client %" PRId64 " is lost with %" PRId64, stay->id, code);
  if (code % 2)
    sim_sleep(5 * SIM_MS);
  return succeed();
}

#define CALL(what, bound_ms, expression)                                                                               \
  ({                                                                                                                   \
    char *error_ = NULL;                                                                                               \
    char **error = &error_;                                                                                            \
    struct oracle_call call_ = oracle_call_begins(what);                                                               \
    (void)(expression);                                                                                                \
    oracle_call_ends(&call_, bound_ms, error_);                                                                        \
    bool ok_ = !error_;                                                                                                \
    osp_release(error_);                                                                                               \
    ok_;                                                                                                               \
  })

static void stays_run(void *context) {
  struct stay *stay = context;
  int index = (int)(stay - stays);
  char url[64];
  sim_sleep((int64_t)(sim_mix(plan.seed + (uint64_t)index) % (uint64_t)(20 * SIM_S)));
  snprintf(url, sizeof url, "%s://%s:%d/sim", plan.servers[index % PLAN_SERVERS].secure ? "wss" : "ws", PROGRAM_ADDRESS,
           PROGRAM_PORT + index % PLAN_SERVERS);
  stay->open = true; /* its close handler may be called before the call returns */
  if (!CALL("connect", 10600, stay->id = osp_ws_connect(url, stay->cells[0], error)))
    return;
  if (!CALL("on close", 0, osp_ws_on_close(stay->id, stay->cells[2], error)) ||
      !CALL("reconnect", 0, osp_ws_reconnect(stay->id, 100 << index, 4000, stay->cells[1], error)))
    return;
  for (int i = 0; i < 40 && !ws_loop_threads_are_ending(); i++) {
    CALL("queued bytes", 0, osp_ws_queued_bytes(stay->id, error));
    sim_sleep(SIM_S);
  }
  if (sim_mix(plan.seed + (uint64_t)index + STAYS) % 3 == 0 && !ws_loop_threads_are_ending())
    stay->left = CALL("close", 60000 + 5400, osp_ws_close(stay->id, error));
}

void stays_start(void) {
  if (sim_mix(plan.seed) % 3)
    return;
  for (int i = 0; i < STAYS; i++) {
    struct stay *stay = &stays[i];
    void *const codes[3] = {(void *)stays_text, (void *)stays_open, (void *)stays_close};
    for (int cell = 0; cell < 3; cell++) {
      stay->cells[cell][0] = codes[cell];
      stay->cells[cell][1] = stay;
    }
    if (plan.servers[i % PLAN_SERVERS].on)
      sim_thread_new("stay", true, stays_run, stay);
  }
}
