#include "plan.h"

#include <stdio.h>
#include <string.h>

struct plan plan;

static struct sim_random chance;

static int64_t in(int64_t low, int64_t high) {
  return sim_random_in(&chance, low, high);
}

static bool once_in(int64_t n) {
  return in(1, n) == 1;
}

/* A number between low and high whose magnitude is as likely as any other. */
static int64_t spread(int64_t low, int64_t high) {
  int64_t scale = low;
  while (scale < high && !once_in(4))
    scale *= 4;
  return in(low, scale < high ? scale : high);
}

#define ONE_OF(...) ((const int64_t[]){__VA_ARGS__})[in(0, (int64_t)(sizeof((const int64_t[]){__VA_ARGS__}) / 8) - 1)]

static struct sim_link draw_link(void) {
  return (struct sim_link){
      .latency_us = ONE_OF(50, 50, 500, 20000, 150000, 400000),
      .bytes_per_s = ONE_OF(100000, 1000000, 100000000, 1000000000),
      .send_room = (int32_t)ONE_OF(2304, 4608, 16384, 87040, 1048576),
      .receive_room = (int32_t)ONE_OF(2304, 4096, 65536, 131072, 1048576),
      .segment = (int32_t)ONE_OF(100, 536, 1448, 1448, 65536, 65536),
  };
}

static struct plan_server draw_server(void) {
  struct plan_server server = {
      .on = true,
      .opener_refuses = once_in(12),
      .opener_stops = once_in(10),
      .has_message_handler = !once_in(12),
      .idle_ms = ONE_OF(120000, 120000, 30000, 5000, 3000, 0),
      .handshake_ms = ONE_OF(10000, 10000, 3000),
      .close_ms = ONE_OF(60000, 60000, 20000, 3000),
      .message = ONE_OF(1048576, 65536, 16384),
      .memory = ONE_OF(1 << 30, 1 << 30, 1 << 20),
      .rate = ONE_OF(0, 0, 0, 50),
      .compression = once_in(2),
  };
  server.queue = ONE_OF(16777216, 200000, 70000);
  if (server.queue < server.message + 16)
    server.queue = server.message + 16;
  return server;
}

static const char commands[] = "nnnnneeeesspbbxckKmt";

static struct plan_peer draw_peer(bool serves) {
  static const int kinds[] = {PEER_HEALTHY,  PEER_HEALTHY,  PEER_HEALTHY, PEER_HEALTHY, PEER_SLOW,   PEER_SLOW,
                              PEER_STALLED,  PEER_MUTE,     PEER_FLOOD,   PEER_HOSTILE, PEER_RESETS, PEER_HALF,
                              PEER_VANISHES, PEER_TRICKLES, PEER_LATE,    PEER_GARBAGE, PEER_DEAF};
  struct plan_peer peer = {
      .on = true,
      .kind = (enum peer_kind)kinds[in(0, sizeof kinds / sizeof *kinds - 1)],
      .server = serves ? -1 : (int)in(0, PLAN_SERVERS - 1),
      .start_us = in(0, 20 * SIM_S),
      .gap_us = ONE_OF(0, 1000, 200000, 2000000, 20000000),
      .pause_us = ONE_OF(1000, 50000, 1000000),
      .count = (int)spread(1, 60),
      .size = (int)spread(24, 60000),
      .fragments = (int)ONE_OF(1, 1, 1, 2, 5),
      .command = commands[in(0, sizeof commands - 2)],
      .argument = (int)spread(1, 20000),
      .read_bytes = (int)spread(16, 4096),
      .closes = once_in(2),
  };
  if (serves && once_in(6))
    peer.kind = PEER_REFUSES;
  if (serves && (peer.command == 'k' || peer.command == 'K')) /* connects would breed connects */
    peer.command = 'e';
  if (peer.kind == PEER_SLOW)
    peer.command = once_in(2) ? 'e' : peer.command;
  if (peer.kind == PEER_FLOOD)
    peer.count = (int)in(2000, 6000), peer.size = 24, peer.gap_us = 0, peer.command = "nes"[in(0, 2)],
    peer.argument = (int)in(20, 240);
  return peer;
}

static struct plan_action draw_action(int at) {
  static const int ops[] = {OP_CONNECT, OP_CONNECT, OP_CONNECT_PEER, OP_CONNECT_NAME, OP_SEND,      OP_SEND,
                            OP_SEND,    OP_SEND,    OP_SEND_BINARY,  OP_BROADCAST,    OP_BROADCAST, OP_CLOSE,
                            OP_LOOK,    OP_STOP,    OP_SLEEP,        OP_CREATE,       OP_WRONG};
  return (struct plan_action){
      .on = true,
      .op = at == 0 ? OP_CONNECT : (enum plan_op)ops[in(0, sizeof ops / sizeof *ops - 1)],
      .before_us = ONE_OF(0, 0, 1000, 100000, 3000000, 30000000),
      .which = (int)in(0, 99),
      .count = (int)spread(1, 60),
      .size = (int)spread(24, 60000),
      .command = commands[in(0, sizeof commands - 2)],
      .argument = (int)spread(1, 10000),
      .flag = once_in(2),
  };
}

static struct plan_fault draw_fault(int64_t length_us) {
  return (struct plan_fault){
      .on = true,
      .kind = (enum plan_fault_kind)in(0, FAULT_KINDS - 1),
      .at_us = in(0, length_us),
      .for_us = ONE_OF(300000, 2000000, 20000000, 60000000, 130000000),
      .which = (int)in(0, 99),
  };
}

/* ---- themes */

static const struct sim_link fast = {50, 100000000, 1048576, 1048576, 65536};

static void theme_crowd(struct plan *p) {
  p->loops = 1;
  p->faults.partial = 0;
  p->link_count = 1;
  p->links[0] = fast;
  p->servers[0].idle_ms = ONE_OF(700, 1000, 2000);
  p->servers[0].rate = 0;
  p->servers[0].has_message_handler = true;
  for (int i = 0; i < 7; i++)
    p->peers[i] = (struct plan_peer){.on = p->peers[i].on,
                                     .kind = PEER_FLOOD,
                                     .start_us = in(0, 2 * SIM_S),
                                     .pause_us = 1000,
                                     .count = (int)in(300, 2000),
                                     .size = 24,
                                     .fragments = 1,
                                     .command = "sssj"[in(0, 3)],
                                     .argument = (int)in(100, 249)};
}

static void theme_flood(struct plan *p) {
  p->loops = 1;
  p->faults.partial = 0;
  p->link_count = 1;
  p->links[0] = fast;
  p->servers[0].rate = 0;
  p->servers[0].has_message_handler = true;
  for (int i = 0; i < 7; i++) {
    struct plan_peer *peer = &p->peers[i];
    bool floods = once_in(2);
    peer->server = 0;
    peer->kind = floods ? PEER_FLOOD : PEER_HEALTHY;
    peer->count = floods ? (int)in(2000, 6000) : (int)in(10, 60);
    peer->size = (int)in(24, 60);
    peer->fragments = 1;
    peer->gap_us = floods ? 0 : ONE_OF(200000, 500000, 2000000);
    peer->command = floods ? "nns"[in(0, 2)] : "es"[in(0, 1)];
    peer->argument = floods ? (int)in(6, 40) : (int)in(300, 3000);
  }
}

static void theme_narrow(struct plan *p) {
  p->link_count = 2;
  p->links[0] = (struct sim_link){ONE_OF(500, 20000, 150000), ONE_OF(100000, 1000000), 4608, 4096, 1448};
  for (int i = 0; i < PLAN_SERVERS; i++)
    p->servers[i].message = 16384, p->servers[i].queue = 70000;
  for (int t = 0; t < PLAN_THREADS; t++)
    for (int i = 0; i < PLAN_ACTIONS; i++)
      if (i > 0 && once_in(2)) {
        struct plan_action *action = &p->actions[t][i];
        action->op = OP_SEND;
        action->flag = true;
        action->count = (int)in(5, 30);
        action->size = (int)in(8000, 60000);
        action->command = 'n';
      }
}

static void theme_brief(struct plan *p) {
  for (int i = 0; i < 7; i++)
    if (once_in(2)) {
      p->peers[i].command = 'w';
      p->peers[i].count = (int)in(20, 60);
      p->peers[i].size = 100;
      p->peers[i].gap_us = ONE_OF(0, 1000, 200000);
    }
  for (int t = 0; t < PLAN_THREADS; t++)
    for (int i = 1; i < PLAN_ACTIONS; i++)
      if (once_in(2)) {
        p->actions[t][i].op = OP_BRIEF;
        p->actions[t][i].before_us = in(0, 300) * SIM_MS;
        p->actions[t][i].count = (int)in(1, 10);
      }
}

static void theme_rumour(struct plan *p) {
  for (int i = 0; i < PLAN_SERVERS; i++)
    p->servers[i].rate = 0;
  for (int i = 0; i < 7; i++)
    if (once_in(2)) {
      p->peers[i].kind = once_in(3) ? PEER_RESETS : PEER_HEALTHY;
      p->peers[i].command = "os"[in(0, 1)];
      p->peers[i].argument = (int)in(1, 400);
      p->peers[i].count = (int)in(5, 40);
      p->peers[i].gap_us = ONE_OF(0, 50000, 200000);
      p->peers[i].start_us = in(0, 3 * SIM_S);
    }
  for (int i = 0; i < PLAN_FAULTS; i++)
    p->trouble[i] = (struct plan_fault){
        .kind = FAULT_BREAK, .at_us = in(0, 10 * SIM_S), .for_us = 20 * SIM_S, .which = (int)in(0, 99)};
}

static void theme_stops(struct plan *p) {
  p->poll = false;
  p->faults = (struct sim_faults){0};
  for (int t = 0; t < PLAN_THREADS; t++)
    for (int i = 1; i < PLAN_ACTIONS; i++)
      if (once_in(2)) {
        p->actions[t][i].op = once_in(2) ? OP_CONNECT : OP_CONNECT_PEER;
        p->actions[t][i].argument = 5 * (int)in(1, 100); /* a short timeout */
        p->actions[t][i].flag = true;
        p->actions[t][i].before_us = in(0, 2000) * SIM_MS;
      }
  for (int i = 0; i < PLAN_FAULTS; i++)
    p->trouble[i] = (struct plan_fault){
        .kind = FAULT_STOP_PROCESS, .at_us = in(0, 15 * SIM_S), .for_us = ONE_OF(200000, 1000000, 2000000, 20000000)};
}

static void theme_storm(struct plan *p) {
  p->storms = true;
  p->stuck = false;
  p->faults.descheduled = ONE_OF(3, 10, 30);
  if (p->end == END_HANDLER_EXIT)
    p->end = END_RETURN;
}

static void theme_closes(struct plan *p) {
  p->tls = false;
  p->link_count = 1;
  p->links[0] = fast;
  p->faults.descheduled = ONE_OF(0, 3, 30);
  for (int i = 0; i < PLAN_SERVERS; i++)
    p->servers[i].rate = 0, p->servers[i].has_message_handler = true, p->servers[i].compression = false;
  for (int i = 0; i < 7; i++)
    p->peers[i] = (struct plan_peer){.on = p->peers[i].on,
                                     .kind = once_in(4) ? PEER_RESETS : PEER_HEALTHY,
                                     .server = p->peers[i].server,
                                     .start_us = in(0, 2 * SIM_S),
                                     .gap_us = ONE_OF(0, 1000, 20000),
                                     .pause_us = 1000,
                                     .count = 60,
                                     .size = 60,
                                     .fragments = 1,
                                     .command = "dde"[in(0, 2)],
                                     .argument = (int)in(1, 200)};
  for (int i = 7; i < PLAN_PEERS; i++)
    p->peers[i].kind = PEER_LATE, p->peers[i].argument = (int)in(500, 5000);
  for (int t = 0; t < PLAN_THREADS; t++)
    for (int i = 0; i < PLAN_ACTIONS; i++) {
      struct plan_action *action = &p->actions[t][i];
      action->op = once_in(3) ? OP_BROADCAST : OP_SEND;
      action->flag = true;
      action->before_us = in(0, 300) * SIM_MS;
      action->count = (int)in(1, 60);
      action->size = (int)in(24, 200);
      action->command = 'n';
    }
  if (once_in(4))
    p->servers[0].opener_stops = p->servers[0].opener_refuses = true;
}

static void theme_drips(struct plan *p) {
  p->tls = false;
  p->link_count = 1;
  p->links[0] = (struct sim_link){ONE_OF(500, 20000, 400000), in(50, 80), 4608, 4096, (int32_t)in(5, 20)};
  for (int i = 0; i < PLAN_SERVERS; i++)
    p->servers[i].rate = 0, p->servers[i].idle_ms = ONE_OF(3000, 5000), p->servers[i].handshake_ms = 10000,
    p->servers[i].close_ms = ONE_OF(3000, 20000);
  for (int i = 0; i < 7; i++)
    p->peers[i] = (struct plan_peer){.on = p->peers[i].on,
                                     .kind = PEER_HEALTHY,
                                     .server = p->peers[i].server,
                                     .start_us = in(0, 2 * SIM_S),
                                     .pause_us = 1000,
                                     .count = (int)in(5, 60),
                                     .size = (int)in(40, 80),
                                     .fragments = (int)in(2, 5),
                                     .command = "ndd"[in(0, 2)],
                                     .argument = (int)in(1, 200)};
}

static void theme_stalls(struct plan *p) {
  p->tls = false;
  p->link_count = 1;
  p->links[0] = fast;
  p->faults.descheduled = 3;
  for (int i = 0; i < PLAN_SERVERS; i++)
    p->servers[i].rate = 0, p->servers[i].has_message_handler = true, p->servers[i].compression = false,
    p->servers[i].idle_ms = ONE_OF(1000, 1500, 2000), p->servers[i].close_ms = ONE_OF(3000, 20000);
  for (int i = 0; i < 7; i++)
    p->peers[i] = (struct plan_peer){.on = p->peers[i].on,
                                     .kind = PEER_HEALTHY,
                                     .server = p->peers[i].server,
                                     .start_us = in(0, 4 * SIM_S),
                                     .gap_us = 200 * SIM_MS,
                                     .pause_us = 1000,
                                     .count = 60,
                                     .size = 40,
                                     .fragments = 1,
                                     .command = 'n'};
  for (int t = 0; t < PLAN_THREADS; t++)
    for (int i = 0; i < PLAN_ACTIONS; i++)
      p->actions[t][i] = (struct plan_action){.on = true,
                                              .op = OP_SEND,
                                              .before_us = in(0, 300) * SIM_MS,
                                              .which = (int)in(0, 99),
                                              .count = (int)in(1, 4),
                                              .size = (int)in(100, 600),
                                              .command = 'n',
                                              .flag = true};
  for (int i = 0; i < PLAN_FAULTS; i++)
    p->trouble[i] = (struct plan_fault){
        .kind = FAULT_STALL, .at_us = in(0, 6 * SIM_S), .for_us = 20 * SIM_S, .which = (int)in(0, 99)};
}

static void theme_heavy(struct plan *p) {
  p->loops = (int)in(2, 3);
  p->tls = false;
  p->link_count = 1;
  p->links[0] = (struct sim_link){50, 100000000, 4608, 4096, 65536};
  p->servers[0].rate = 0, p->servers[0].has_message_handler = true, p->servers[0].compression = false;
  p->servers[0].opener_refuses = p->servers[0].opener_stops = false;
  p->servers[0].memory = 1 << 20, p->servers[0].message = 16384, p->servers[0].queue = 500000;
  for (int i = 0; i < 7; i++) {
    bool stalls = i < 5;
    p->peers[i] = (struct plan_peer){.on = p->peers[i].on,
                                     .kind = stalls ? PEER_STALLED : PEER_HEALTHY,
                                     .start_us = in(0, 2 * SIM_S),
                                     .gap_us = in(1, 300) * SIM_MS,
                                     .pause_us = 1000,
                                     .count = (int)in(1, 60),
                                     .size = (int)(stalls ? in(100, 12000) : 60),
                                     .fragments = 1,
                                     .command = "nes"[in(0, 2)],
                                     .argument = (int)in(1, 200)};
  }
  for (int t = 0; t < PLAN_THREADS; t++)
    for (int i = 0; i < PLAN_ACTIONS; i++)
      p->actions[t][i] = (struct plan_action){.on = true,
                                              .op = once_in(6) ? OP_BROADCAST : OP_SEND,
                                              .before_us = i ? in(0, 200) * SIM_MS : 3 * SIM_S,
                                              .which = (int)in(0, 99),
                                              .count = (int)in(2, 20),
                                              .size = (int)in(500, 14000),
                                              .command = 'n',
                                              .flag = true};
}

static void theme_burst(struct plan *p) {
  p->loops = 1;
  p->faults.partial = p->faults.interrupted = 0; /* what they leave unread waits for a further turn */
  p->tls = once_in(2);
  p->link_count = 1;
  p->links[0] = (struct sim_link){50, 100000000, 87040, 65536, 65536};
  for (int i = 0; i < PLAN_SERVERS; i++)
    p->servers[i].rate = 0, p->servers[i].has_message_handler = true, p->servers[i].handshake_ms = ONE_OF(1000, 10000),
    p->servers[i].memory = 1 << 30, p->servers[i].opener_stops = false;
  for (int i = 0; i < 7; i++)
    p->peers[i] = (struct plan_peer){.on = p->peers[i].on,
                                     .kind = i < 3   ? PEER_HEALTHY
                                             : i < 6 ? PEER_BURST
                                                     : PEER_PAGE,
                                     .server = i < 5 ? 0 : PLAN_SERVERS - 1,
                                     .start_us = i < 3 ? in(0, SIM_S) : 5 * SIM_S + in(0, 100) * SIM_MS,
                                     .gap_us = i < 3 ? in(20, 200) * SIM_MS : 0,
                                     .pause_us = 1000,
                                     .count = i < 3 ? 200 : 1,
                                     .size = 40,
                                     .fragments = 1,
                                     .command = 'n',
                                     .argument = (int)in(5, 25),
                                     .closes = once_in(2)};
  p->peers[6].server = p->tls ? 0 : p->peers[6].server;
  /* For the thread that closes while a handler holds the loop: servers that talk, and that hold it. */
  for (int i = 7; i < PLAN_PEERS; i++)
    p->peers[i] = (struct plan_peer){.on = p->peers[i].on,
                                     .kind = PEER_HEALTHY,
                                     .server = -1,
                                     .gap_us = 200 * SIM_MS,
                                     .pause_us = 1000,
                                     .count = i == 7 ? 100 : 1,
                                     .size = 40,
                                     .fragments = 1,
                                     .command = i == 7 ? 'n' : 's',
                                     .argument = 6000};
}

/* Three quarters of the worlds have a theme. The rest of their scenario is as without. */
static void draw_theme(struct plan *p) {
  static void (*const themes[THEME_KINDS])(struct plan *) = {
      [THEME_CROWD] = theme_crowd,   [THEME_FLOOD] = theme_flood,   [THEME_NARROW] = theme_narrow,
      [THEME_BRIEF] = theme_brief,   [THEME_RUMOUR] = theme_rumour, [THEME_STOPS] = theme_stops,
      [THEME_STORM] = theme_storm,   [THEME_CLOSES] = theme_closes, [THEME_DRIPS] = theme_drips,
      [THEME_STALLS] = theme_stalls, [THEME_HEAVY] = theme_heavy,   [THEME_BURST] = theme_burst};
  chance.state = sim_mix(p->seed ^ 0x7e3e);
  int64_t theme = in(0, 15);
  if (theme == 0)
    p->theme = THEME_BURST;
  else if (theme <= THEME_STORM)
    p->theme = (enum plan_theme)theme;
  else if (theme == 9 || theme == 10 || theme == 12)
    p->theme = theme == 10 ? THEME_CLOSES : theme == 12 ? THEME_DRIPS : THEME_STALLS;
  chance.state = sim_mix(p->seed ^ 0x7071);
  if (!p->theme && once_in(8))
    p->theme = THEME_HEAVY;
  if (p->theme)
    themes[p->theme](p);
}

/* Every element is drawn, so that leaving one out changes no other. */
void plan_make(struct plan *p, uint64_t seed, const bool dropped[PLAN_DROPS]) {
  int n = 0;
  chance.state = sim_mix(seed ^ 0x91a9);
  memset(p, 0, sizeof *p);
  p->seed = seed;
  p->loops = (int)ONE_OF(1, 1, 2, 3);
  p->poll = once_in(5);
  p->tls = once_in(8);
  p->switch_once_in = ONE_OF(2, 4, 10, 50);
  bool faulty = once_in(3);
  p->faults = (struct sim_faults){.interrupted = once_in(3) ? 20 : 0,
                                  .partial = once_in(2) ? ONE_OF(2, 5) : 0,
                                  .accept_fails = once_in(3) ? 4 : 0,
                                  .no_buffers = once_in(4) ? 60 : 0,
                                  .no_thread = once_in(4) ? 6 : 0};
  if (!faulty)
    p->faults.no_buffers = p->faults.no_thread = 0;
  p->link_count = (int)in(1, 4);
  for (int i = 0; i < 4; i++)
    p->links[i] = draw_link();
  p->length_us = spread(20, 900) * SIM_S;
  p->end = (enum plan_end)in(0, END_KINDS - 1);
  p->stuck = once_in(15);
  p->storms = once_in(3);
  for (int i = 0; i < PLAN_SERVERS; i++)
    p->servers[i] = draw_server();

  int peers = (int)in(0, PLAN_PEERS);
  for (int i = 0; i < PLAN_PEERS; i++)
    p->peers[i] = draw_peer(i >= 7);
  int threads = (int)in(0, PLAN_THREADS);
  int counts[PLAN_THREADS];
  for (int t = 0; t < PLAN_THREADS; t++) {
    counts[t] = (int)in(1, PLAN_ACTIONS);
    for (int i = 0; i < PLAN_ACTIONS; i++)
      p->actions[t][i] = draw_action(i);
  }
  int faults = faulty ? (int)in(1, PLAN_FAULTS) : 0;
  for (int i = 0; i < PLAN_FAULTS; i++)
    p->trouble[i] = draw_fault(p->length_us);
  if (!dropped[n++])
    draw_theme(p);
  p->servers[PLAN_SERVERS - 1].secure = p->tls; /* some themes have no TLS */
  if (p->theme == THEME_CROWD || p->theme == THEME_FLOOD || p->theme == THEME_RUMOUR)
    peers = peers < 4 ? 7 : peers;
  if (p->theme == THEME_NARROW || p->theme == THEME_BRIEF || p->theme == THEME_STOPS)
    threads = PLAN_THREADS;
  if (p->theme == THEME_RUMOUR || p->theme == THEME_STOPS)
    faults = PLAN_FAULTS;
  if (p->theme == THEME_CLOSES)
    peers = PLAN_PEERS, threads = PLAN_THREADS;
  if (p->theme == THEME_HEAVY)
    peers = 7, threads = PLAN_THREADS;
  if (p->theme == THEME_DRIPS)
    peers = 7, threads = 0;
  if (p->theme == THEME_BURST)
    peers = PLAN_PEERS, threads = 0;
  if (p->theme == THEME_STALLS)
    peers = 7, threads = PLAN_THREADS, faults = PLAN_FAULTS;

  if (dropped[n++])
    p->loops = 1;
  if (dropped[n++])
    p->poll = false;
  if (dropped[n++])
    p->faults = (struct sim_faults){0};
  if (dropped[n++])
    p->switch_once_in = 1000000;
  if (dropped[n++])
    p->stuck = false;
  if (dropped[n++])
    p->storms = false;
  if (dropped[n++])
    p->link_count = 1, p->links[0] = (struct sim_link){50, 1000000000, 87040, 65536, 65536};
  if (dropped[n++])
    p->servers[0] = (struct plan_server){.on = true,
                                         .has_message_handler = true,
                                         .idle_ms = 120000,
                                         .handshake_ms = 10000,
                                         .close_ms = 60000,
                                         .queue = 16777216,
                                         .message = 1048576,
                                         .memory = 1 << 30};
  for (int i = 0; i < PLAN_SERVERS; i++)
    p->servers[i].on = i == 0 || !dropped[n++];
  for (int i = 0; i < PLAN_PEERS; i++)
    p->peers[i].on = i < peers ? !dropped[n++] : false;
  for (int t = 0; t < PLAN_THREADS; t++)
    for (int i = 0; i < PLAN_ACTIONS; i++)
      p->actions[t][i].on = t < threads && i < counts[t] ? !dropped[n++] : false;
  for (int i = 0; i < PLAN_FAULTS; i++)
    p->trouble[i].on = i < faults ? !dropped[n++] : false;
  p->elements = n;
}

static const char *const kinds[] = {"healthy",   "slow",         "stalled",   "mute",        "flooding", "hostile",
                                    "resetting", "half-closing", "vanishing", "trickling",   "late",     "garbage",
                                    "deaf",      "refusing",     "bursting",  "page reading"};
static const char *const ops[] = {"connect",
                                  "connect to a peer",
                                  "connect by name",
                                  "send",
                                  "send binary",
                                  "broadcast",
                                  "close",
                                  "look",
                                  "stop",
                                  "sleep",
                                  "create",
                                  "wrong calls",
                                  "create a brief server"};
static const char *const troubles[] = {"the process stops", "links stall", "a connection breaks", "no descriptors"};
static const char *const themes[] = {"none",  "crowd",  "flood", "narrow", "brief", "rumour", "stops",
                                     "storm", "closes", "drips", "stalls", "heavy", "burst"};
static const char *const ends[] = {"main returns", "exit", "keepAlive and SIGTERM", "stop, then return",
                                   "exit in a handler"};

const char *plan_theme(uint64_t seed) {
  static const bool none[PLAN_DROPS];
  static struct plan drawn;
  plan_make(&drawn, seed, none);
  return themes[drawn.theme];
}

void plan_print(const struct plan *p) {
  printf("seed %llu: theme %s, %d loops, %s, %.0f s, then %s%s; switch once in %lld; faults: EINTR %lld, short %lld, "
         "accept %lld, buffers %lld, threads %lld, descheduled %lld\n",
         (unsigned long long)p->seed, themes[p->theme], p->loops, p->poll ? "poll" : "epoll",
         (double)p->length_us / 1e6, ends[p->end], p->stuck ? " (a handler is stuck)" : "",
         (long long)p->switch_once_in, (long long)p->faults.interrupted, (long long)p->faults.partial,
         (long long)p->faults.accept_fails, (long long)p->faults.no_buffers, (long long)p->faults.no_thread,
         (long long)p->faults.descheduled);
  for (int i = 0; i < p->link_count; i++)
    printf("  link: %lld us, %lld B/s, buffers %d and %d, segments of %d\n", (long long)p->links[i].latency_us,
           (long long)p->links[i].bytes_per_s, p->links[i].send_room, p->links[i].receive_room, p->links[i].segment);
  for (int i = 0; i < PLAN_SERVERS; i++) {
    const struct plan_server *s = &p->servers[i];
    if (s->on)
      printf("  server %d: %s idle %lld close %lld handshake %lld queue %lld message %lld memory %lld rate %lld%s%s\n",
             i, s->secure ? "TLS" : "plain", (long long)s->idle_ms, (long long)s->close_ms, (long long)s->handshake_ms,
             (long long)s->queue, (long long)s->message, (long long)s->memory, (long long)s->rate,
             s->compression ? " compression" : "", s->opener_stops ? " stops in its open handler" : "");
  }
  for (int i = 0; i < PLAN_PEERS; i++) {
    const struct plan_peer *peer = &p->peers[i];
    if (peer->on)
      printf("  peer %d: %s, %s %d at %.1f s, %d messages of %d '%c%d' every %.3f s%s\n", i, kinds[peer->kind],
             peer->server < 0 ? "a server" : "of server", peer->server, (double)peer->start_us / 1e6, peer->count,
             peer->size, peer->command, peer->argument, (double)peer->gap_us / 1e6, peer->closes ? ", closes" : "");
  }
  for (int t = 0; t < PLAN_THREADS; t++)
    for (int i = 0; i < PLAN_ACTIONS; i++) {
      const struct plan_action *a = &p->actions[t][i];
      if (a->on)
        printf("  thread %d: after %.3f s %s %d (%d of %d bytes '%c%d')\n", t, (double)a->before_us / 1e6, ops[a->op],
               a->which, a->count, a->size, a->command, a->argument);
    }
  for (int i = 0; i < PLAN_FAULTS; i++)
    if (p->trouble[i].on)
      printf("  at %.1f s %s for %.1f s\n", (double)p->trouble[i].at_us / 1e6, troubles[p->trouble[i].kind],
             (double)p->trouble[i].for_us / 1e6);
}
