#pragma once
/* Scripted peers: the clients of the process's servers, and the servers of its clients. They share no code with the
 * runtime. */
#include "oracle.h"
#include "plan.h"

struct peer {
  const struct plan_peer *plan;
  int number; /* from 1 */
  char name[24];
  struct sim_sock *sock;
  struct sim_random chance;
  struct oracle_receiver receiver;
  struct oracle_stream *stream;
  uint8_t *in, *out;
  size_t in_size, in_room, out_size, out_sent, out_room;
  uint8_t *message;
  size_t message_size;
  bool is_server, open, got_close, sent_close, began_close, broken;
  int close_code;
  char close_reason[128];
  int64_t next_send, next_read;
  int sent;
};

void peers_start(void);
/* A peer from which any end but a reset would be a surprise, as long as it has not closed by itself. */
bool peer_is_healthy(const struct peer *peer);

/* Set by program.c and read here: an exit in a handler cuts everything off. */
extern bool program_exits_in_handler;
