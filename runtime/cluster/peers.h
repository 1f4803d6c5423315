#pragma once
/* What this member hears of the others: the numbers of their messages, so that none is delivered twice and those that
 * are missing are counted, and messages in parts until they are whole.
 *
 * On the first loop thread alone, but for what is said otherwise. Memory is charged to the server's budget.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "base/tree.h"
#include "wire.h"

struct ws_server;

struct ws_peers {
  struct ws_server *server;
  uint8_t self[WS_WIRE_ID];
  struct ws_tree tree; /* of struct ws_peer, by ID */
  struct ws_list all;
  int count;
};

/* A message that is whole. */
struct ws_peers_message {
  const uint8_t *bytes; /* valid until the next call */
  size_t size;
};

enum ws_peers_outcome {
  WS_PEERS_WHOLE,   /* *message is set */
  WS_PEERS_NOTHING, /* a part, this member's own, or one that came before */
  WS_PEERS_WRONG,   /* *problem is set */
};

void ws_peers_init(struct ws_peers *peers, struct ws_server *server, const uint8_t self[static WS_WIRE_ID]);
void ws_peers_deinit(struct ws_peers *peers);

/* A message, or a part of one, on a subject that this process subscribes to. `n` bytes follow the head. */
enum ws_peers_outcome ws_peers_hear(struct ws_peers *peers, const struct ws_wire *head, uint64_t stream,
                                    const uint8_t *bytes, size_t n, int64_t now_ms, struct ws_peers_message *message,
                                    const char **problem);

/* A beat, or a farewell. */
void ws_peers_beat(struct ws_peers *peers, const struct ws_wire *head, const uint8_t *entries, int64_t now_ms);

/* A message of the latest `hear` could not be delivered. */
void ws_peers_lost(struct ws_peers *peers, const struct ws_wire *head);

/* This process does not subscribe to the topic any more. */
void ws_peers_forget(struct ws_peers *peers, uint64_t stream);

/* Call this once a second: logs what was missed, gives up parts that are late, and forgets members that are silent.
 * While the engine is away nobody is. */
void ws_peers_tick(struct ws_peers *peers, bool connected, int64_t now_ms);
