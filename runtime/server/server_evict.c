#include "server_evict.h"

#include "conn/evict.h"
#include "conn/held.h"
#include "server.h"

enum {
  WS_SERVER_EVICT_SPARE = 8, /* this part of maxMemoryBytes is left to the round */
  WS_SERVER_EVICT_MOST = 4,  /* past this part no loop waits for it */
};

enum ws_server_round_state {
  WS_ROUND_NONE,
  WS_ROUND_RUNS,
  WS_ROUND_FOUND, /* it runs, and the limit was found exceeded since its lap began */
};

static void ws_server_evict_post(struct ws_server *server, unsigned at,
                                 void (*run)(struct ws_loop *loop, struct ws_task *task)) {
  server->round.at = at;
  server->round.task.run = run;
  ws_loop_post(server->shares[at].group.thread->loop, &server->round.task);
}

static void ws_server_evict_look(struct ws_loop *loop, struct ws_task *task);

/* What was found exceeded before is what this lap sees: an exchange, so that it sees what the finder counted. */
static void ws_server_evict_lap(struct ws_server *server) {
  atomic_exchange(&server->round.state, WS_ROUND_RUNS);
  server->round.most = 0;
  server->round.second = 0;
  ws_server_evict_post(server, 0, ws_server_evict_look);
}

/* Ends the round, unless there is more to do. Once its state says so, the next one may begin on another thread. */
static void ws_server_evict_end_lap(struct ws_server *server, bool more) {
  int state = WS_ROUND_RUNS;
  if (more || !atomic_compare_exchange_strong(&server->round.state, &state, WS_ROUND_NONE))
    ws_server_evict_lap(server);
  else
    ws_server_leave(server);
}

static void ws_server_evict_close(struct ws_loop *loop, struct ws_task *task) {
  struct ws_server *server = ws_container_of(task, struct ws_server, round.task);
  struct ws_group *group = &server->shares[server->round.at].group;
  (void)loop;
  ws_evict_here(group, 0, server->round.second);
  ws_server_evict_end_lap(server, ws_held_excess(group) > 0);
}

static void ws_server_evict_note(struct ws_server_round *round, int64_t weight) {
  if (weight > round->most) {
    round->second = round->most;
    round->most = weight;
    round->heaviest = round->at;
  } else if (weight > round->second) {
    round->second = weight;
  }
}

/* A share that does not accept yet, or is done, has no connections. */
static void ws_server_evict_look(struct ws_loop *loop, struct ws_task *task) {
  struct ws_server *server = ws_container_of(task, struct ws_server, round.task);
  struct ws_server_round *round = &server->round;
  const struct ws_group *group = &server->shares[round->at].group;
  (void)loop;
  bool exceeded = ws_held_excess(group) > 0;
  if (exceeded)
    ws_server_evict_note(round, ws_evict_heaviest(group));
  if (exceeded && round->at + 1 < server->share_count)
    ws_server_evict_post(server, round->at + 1, ws_server_evict_look);
  else if (exceeded && round->most > 0)
    ws_server_evict_post(server, round->heaviest, ws_server_evict_close);
  else
    ws_server_evict_end_lap(server, false);
}

/* A loop that a handler keeps holds up the round. Meanwhile a connection below the average goes only in need: it is not
 * the heaviest.
 *
 * The server is not done before the round is: the share of the connection on the stack is not done yet. */
void ws_server_evict(struct ws_group *group) {
  struct ws_server *server = ws_container_of(group, struct ws_server_share, group)->server;
  int64_t most = group->rules->limits.max_memory_bytes;
  int64_t average = server->budget.held / (atomic_load(&server->connections) + 1);
  ws_evict_here(group, most / WS_SERVER_EVICT_SPARE, average);
  ws_evict_here(group, most / WS_SERVER_EVICT_MOST, 0);
  if (ws_held_excess(group) <= 0 || atomic_exchange(&server->round.state, WS_ROUND_FOUND) != WS_ROUND_NONE)
    return;
  atomic_fetch_add(&server->busy, 1);
  ws_server_evict_lap(server);
}
