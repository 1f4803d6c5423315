#pragma once
/* The scenario of a seed: what exists, what it does when, and what goes wrong. Each element has a number, by which the
 * shrinker leaves it out. */
#include <stdbool.h>
#include <stdint.h>

#include "sim.h"

enum peer_kind {
  PEER_HEALTHY,  /* reads all, answers all */
  PEER_SLOW,     /* healthy, but reads a little at a time */
  PEER_STALLED,  /* reads nothing after the handshake */
  PEER_MUTE,     /* reads, but never answers */
  PEER_FLOOD,    /* as many tiny messages as the socket takes */
  PEER_HOSTILE,  /* violates the protocol after some messages */
  PEER_RESETS,   /* vanishes with a reset */
  PEER_HALF,     /* shuts down its write side, and reads on */
  PEER_VANISHES, /* closes the socket without a close frame */
  PEER_TRICKLES, /* an unfinished message that gains a byte a second */
  PEER_LATE,     /* a handshake that takes its time, or never ends */
  PEER_GARBAGE,  /* bytes that are no handshake */
  PEER_DEAF,     /* healthy, but does not answer a close frame */
  PEER_REFUSES,  /* as a server: 503 */
  PEER_BURST,    /* `argument` clients at once: of a secure server ClientHellos that are not followed by anything */
  PEER_PAGE,     /* clients of a page, at once: they read it, or nothing */
  PEER_KINDS
};

struct plan_peer {
  bool on;
  enum peer_kind kind;
  int server; /* of the process, that it connects to; or -1: it is a server, for the process's clients */
  int64_t start_us, gap_us, pause_us;
  int count, size, fragments;
  char command;
  int argument;
  int read_bytes; /* at a time, with pause_us between */
  bool closes;    /* after its last message */
};

struct plan_server {
  bool on, secure, opener_refuses, opener_stops, has_message_handler;
  int64_t idle_ms, handshake_ms, close_ms, queue, message, memory, rate;
  bool compression;
};

enum plan_op {
  OP_CONNECT, /* to a server of the process */
  OP_CONNECT_PEER,
  OP_CONNECT_NAME,
  OP_SEND,
  OP_SEND_BINARY,
  OP_BROADCAST,
  OP_CLOSE,
  OP_LOOK,
  OP_STOP,
  OP_SLEEP,
  OP_CREATE,
  OP_WRONG,
  OP_BRIEF, /* a server that is stopped soon, by its creator or by a handler meanwhile */
  OP_KINDS
};

struct plan_action {
  bool on;
  enum plan_op op;
  int64_t before_us;
  int which, count, size;
  char command;
  int argument;
  bool flag;
};

enum plan_fault_kind { FAULT_STOP_PROCESS, FAULT_STALL, FAULT_BREAK, FAULT_DESCRIPTORS, FAULT_KINDS };

struct plan_fault {
  bool on;
  enum plan_fault_kind kind;
  int64_t at_us, for_us;
  int which;
};

/* What a part of the worlds is about: each theme makes likely what chance alone hardly ever brings together. */
enum plan_theme {
  THEME_NONE,
  THEME_CROWD,  /* floods of messages whose handlers are slow or connect, and little patience */
  THEME_FLOOD,  /* floods that pile up behind a slow handler, beside a quiet peer */
  THEME_NARROW, /* threads send more than the queues hold */
  THEME_BRIEF,  /* servers are created by threads and stopped by handlers */
  THEME_RUMOUR, /* handlers send to other connections, which break */
  THEME_STOPS,  /* the process is stopped again and again, while threads connect */
  THEME_STORM,  /* builtins at the end of the program, on threads that are not scheduled for a while */
  THEME_CLOSES, /* handlers close while threads send and broadcast, and others break and connect */
  THEME_DRIPS,  /* fragments over links that carry a few bytes a second, and little patience */
  THEME_STALLS, /* links stall, while threads that send are not scheduled */
  THEME_HEAVY,  /* peers that read nothing, and more for them than a server of several loops may hold */
  THEME_BURST,  /* many clients at once, of servers whose open handlers are slow, and of pages, beside quiet peers */
  THEME_KINDS
};

enum plan_end { END_RETURN, END_EXIT, END_KEEP_ALIVE, END_STOP_ALL, END_HANDLER_EXIT, END_KINDS };

enum { PLAN_SERVERS = 2, PLAN_PEERS = 10, PLAN_THREADS = 3, PLAN_ACTIONS = 14, PLAN_FAULTS = 6, PLAN_DROPS = 256 };

struct plan {
  uint64_t seed;
  enum plan_theme theme;
  int loops;
  bool poll, tls;
  int64_t switch_once_in;
  struct sim_faults faults;
  int link_count;
  struct sim_link links[4];
  struct plan_server servers[PLAN_SERVERS];
  struct plan_peer peers[PLAN_PEERS];
  struct plan_action actions[PLAN_THREADS][PLAN_ACTIONS];
  struct plan_fault trouble[PLAN_FAULTS];
  int64_t length_us;
  enum plan_end end;
  bool stuck;  /* a handler that never returns */
  bool storms; /* a thread calls builtins while the program ends */
  int elements;
};

extern struct plan plan;

/* Draws the scenario of a seed, without the elements that `dropped` marks. */
void plan_make(struct plan *plan, uint64_t seed, const bool dropped[PLAN_DROPS]);
/* The name of the theme of a seed's world. */
const char *plan_theme(uint64_t seed);
/* Prints it, for who reads a trace. */
void plan_print(const struct plan *plan);
