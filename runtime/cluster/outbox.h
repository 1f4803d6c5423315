#pragma once
/* What this member sends: messages that wait for the engine, the numbers of its subjects, and its beats (wire.h).
 *
 * The caller holds a lock, unless a function says otherwise. A message shares its frame with the queues of this
 * process's connections. Invariant: `bytes` is what the queued messages hold, at most the bound that each was added
 * with, but for a message that found the queue empty.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "base/tree.h"
#include "io/chunk.h"
#include "wire.h"

struct ws_outbox_stream;

/* A message on its way. */
struct ws_outbox_message {
  struct ws_queue_node node;
  struct ws_chunk *frame; /* a reference */
  size_t offset;          /* of the payload in it */
  uint8_t opcode;
  struct ws_outbox_stream *stream;
  uint64_t since;
  uint64_t number;
  size_t bytes;
  bool is_spare_size; /* its memory can be used again */
  bool has_topic;     /* else it is a broadcast */
  char topic[];
};

struct ws_outbox {
  struct ws_queue messages;
  struct ws_queue spare; /* memory of messages that were sent */
  size_t spare_count;
  size_t bytes;
  uint64_t issued; /* messages so far; no number is higher */
  struct ws_tree streams;
  struct ws_list named; /* streams that a beat may name */
};

enum ws_outbox_outcome { WS_OUTBOX_TAKEN, WS_OUTBOX_FULL, WS_OUTBOX_NO_MEMORY };

void ws_outbox_init(struct ws_outbox *outbox);
void ws_outbox_deinit(struct ws_outbox *outbox);

/* Numbers and queues a message; `bound` is maxClusterQueuedBytes. */
enum ws_outbox_outcome ws_outbox_add(struct ws_outbox *outbox, size_t bound, const char *topic, struct ws_chunk *frame,
                                     size_t offset, uint8_t opcode);

/* Takes the first message; NULL: there is none. The caller releases its frame, without the lock, and gives it back. */
struct ws_outbox_message *ws_outbox_take(struct ws_outbox *outbox);
void ws_outbox_release(struct ws_outbox_message *message);
void ws_outbox_give_back(struct ws_outbox *outbox, struct ws_outbox_message *message);

/* NULL: a broadcast. */
static inline const char *ws_outbox_topic(const struct ws_outbox_message *message) {
  return message->has_topic ? message->topic : NULL;
}

/* Gives up all that waits. Returns how many messages. */
size_t ws_outbox_drop(struct ws_outbox *outbox);

/* The engine has returned: the next beats name all subjects of the last minute. */
void ws_outbox_tell_again(struct ws_outbox *outbox);

/* Writes entries of a beat, at most `max`, and returns how many. *next is outbox->named.first at first; the beat is
 * complete when it is NULL. The lock may be left between calls. */
size_t ws_outbox_beat(struct ws_outbox *outbox, uint8_t *to, size_t max, struct ws_list_node **next);
