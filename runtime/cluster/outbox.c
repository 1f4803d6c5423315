#include "outbox.h"

#include <string.h>

#include "base/mem.h"

/* Beats that name a subject after the latest message on it, or after the engine's return; and those after which its
 * numbers are forgotten: more than there are until the engine is found to be away, which has lost them. */
enum { WS_OUTBOX_BEATS = 3, WS_OUTBOX_KEPT = 60 };

/* The numbers of one subject. */
struct ws_outbox_stream {
  struct ws_list_node member; /* of the outbox's `named` */
  uint64_t stream;
  uint64_t since;
  uint64_t number; /* of the latest message */
  uint64_t sent;   /* of the latest message that was taken from the queue */
  size_t queued;
  int beats; /* that will name it */
  int kept;  /* beats until it is forgotten */
};

static int ws_outbox_compare(const void *one, const void *other) {
  uint64_t a = ((const struct ws_outbox_stream *)one)->stream;
  uint64_t b = ((const struct ws_outbox_stream *)other)->stream;
  return (a > b) - (a < b);
}

void ws_outbox_init(struct ws_outbox *outbox, const char *prefix) {
  *outbox = (struct ws_outbox){.prefix = prefix};
  ws_queue_init(&outbox->messages);
}

static void ws_outbox_forget(struct ws_outbox *outbox, struct ws_outbox_stream *stream) {
  ws_list_remove(&stream->member);
  ws_tree_remove(&outbox->streams, stream, ws_outbox_compare);
  ws_mem_free(stream);
}

void ws_outbox_deinit(struct ws_outbox *outbox) {
  ws_outbox_drop(outbox);
  while (outbox->named.first)
    ws_outbox_forget(outbox, ws_container_of(outbox->named.first, struct ws_outbox_stream, member));
}

/* NULL: no memory. */
static struct ws_outbox_stream *ws_outbox_stream(struct ws_outbox *outbox, uint64_t hash) {
  const struct ws_outbox_stream wanted = {.stream = hash};
  struct ws_outbox_stream *stream = ws_tree_find(&outbox->streams, &wanted, ws_outbox_compare);
  if (stream)
    return stream;
  stream = ws_mem_calloc(1, sizeof *stream);
  if (!stream)
    return NULL;
  stream->stream = hash;
  stream->since = stream->number = stream->sent = outbox->issued;
  if (ws_tree_add(&outbox->streams, stream, ws_outbox_compare)) {
    ws_mem_free(stream);
    return NULL;
  }
  ws_list_add(&outbox->named, &stream->member);
  return stream;
}

enum ws_outbox_outcome ws_outbox_add(struct ws_outbox *outbox, size_t bound, const char *topic, struct ws_chunk *frame,
                                     size_t offset, uint8_t opcode) {
  char subject[WS_WIRE_SUBJECT];
  ws_wire_subject(subject, outbox->prefix, topic);
  size_t room = strlen(subject) + 1;
  size_t bytes = sizeof(struct ws_outbox_message) + room + sizeof *frame + frame->size;
  if (outbox->bytes > 0 && outbox->bytes + bytes > bound)
    return WS_OUTBOX_FULL;
  struct ws_outbox_stream *stream = ws_outbox_stream(outbox, ws_wire_stream(topic));
  struct ws_outbox_message *message = stream ? ws_mem_alloc(sizeof *message + room) : NULL;
  if (!message)
    return WS_OUTBOX_NO_MEMORY;
  outbox->issued++;
  stream->number++;
  stream->queued++;
  *message = (struct ws_outbox_message){
      .frame = ws_chunk_ref(frame),
      .offset = offset,
      .opcode = opcode,
      .stream = stream,
      .since = stream->since,
      .number = stream->number,
      .bytes = bytes,
  };
  memcpy(message->subject, subject, room);
  outbox->bytes += bytes;
  ws_queue_add(&outbox->messages, &message->node);
  return WS_OUTBOX_TAKEN;
}

struct ws_outbox_message *ws_outbox_take(struct ws_outbox *outbox) {
  struct ws_queue_node *node = ws_queue_pop(&outbox->messages);
  struct ws_outbox_message *message = node ? ws_container_of(node, struct ws_outbox_message, node) : NULL;
  if (!message)
    return NULL;
  outbox->bytes -= message->bytes;
  message->stream->queued--;
  message->stream->sent = message->number;
  message->stream->beats = WS_OUTBOX_BEATS;
  message->stream->kept = WS_OUTBOX_KEPT;
  return message;
}

void ws_outbox_free(struct ws_outbox_message *message) {
  ws_chunk_unref(message->frame);
  ws_mem_free(message);
}

size_t ws_outbox_drop(struct ws_outbox *outbox) {
  size_t count = 0;
  struct ws_outbox_message *message;
  for (; (message = ws_outbox_take(outbox)) != NULL; count++)
    ws_outbox_free(message);
  return count;
}

void ws_outbox_tell_again(struct ws_outbox *outbox) {
  for (struct ws_list_node *node = outbox->named.first; node; node = node->next)
    ws_container_of(node, struct ws_outbox_stream, member)->beats = WS_OUTBOX_BEATS;
}

size_t ws_outbox_beat(struct ws_outbox *outbox, uint8_t *to, size_t max, struct ws_list_node **next) {
  struct ws_list_node *node = *next;
  size_t count = 0;
  while (node && count < max) {
    struct ws_outbox_stream *stream = ws_container_of(node, struct ws_outbox_stream, member);
    node = node->next;
    if (stream->beats > 0) {
      const struct ws_wire_entry entry = {stream->stream, stream->since, stream->sent};
      ws_wire_encode_entry(to + WS_WIRE_ENTRY * count++, &entry);
      stream->beats--;
    }
    if (stream->queued == 0 && stream->kept-- <= 0) {
      ws_outbox_forget(outbox, stream);
    }
  }
  *next = node;
  return count;
}
