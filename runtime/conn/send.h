#pragma once
/* Messages on their way out.
 *
 * On the connection's own worker a message is encoded straight into the output queue, which is written at the end of the
 * turn. On any other thread it is encoded into a block of its own, its bytes are charged to the queue (that is where a full
 * queue is noticed), and the block is posted to the worker: no lock. A broadcast is encoded once, into a block that all
 * receivers share. With compression a message is encoded on the worker: what a connection's context makes of it depends on
 * what went before, and without contexts the worker compresses it once for each size of window.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conn.h"
#include "osprey/error.h"

/* A message as a builtin was given it. */
struct ws_outgoing {
  const char *op;   /* for errors */
  const char *text; /* borrowed */
  size_t host_size; /* bytes of `text` */
  size_t size;      /* bytes on the wire */
  uint8_t opcode;
  bool plain; /* the wire's bytes are those of `text` */
};

enum { WS_SEND_TIMEOUT_MS = 5000, WS_POSTED_MAX = 65536 };

/* Measure and validate. 0, or -1 with the error set. */
int ws_outgoing_text(struct ws_outgoing *out, const char *op, const char *text, struct ws_error *error);
int ws_outgoing_base64(struct ws_outgoing *out, const char *op, const char *base64, struct ws_error *error);

/* Sends to the connection of this ID; server 0 for any, else it must be one of that server. 0, or -1 with the error set. */
int ws_send(int64_t id, int64_t server, const struct ws_outgoing *out, struct ws_error *error);

/* A broadcast: the message, and its frame where connections do not compress. */
struct ws_broadcast {
  struct ws_chunk *frame;
  size_t offset; /* of the payload in the frame */
  uint8_t opcode;
};

/* The frame of a broadcast as it is compressed for every receiver that keeps no context, by the bits of its window. Made when it
 * is first needed; of one thread. */
struct ws_compressed {
  struct ws_chunk *chunk; /* NULL: not made yet */
  size_t offset;
  size_t size;
};

/* 0, or -1: no memory. */
int ws_broadcast_encode(struct ws_broadcast *broadcast, const struct ws_outgoing *out);

/* Gives the message to a connection of the caller's thread; fails the connection if it is too slow to take it. */
void ws_broadcast_to(struct ws_conn *conn, const struct ws_broadcast *broadcast,
                     struct ws_compressed compressed[WS_DEFLATE_BITS_MAX + 1]);
