#include "outbox.h"

#include <string.h>

#include "base/mem.h"

/* Beats that name a subject after the latest message on it, or after the engine's return; and those after which its
 * numbers are forgotten: more than there are until the engine is found to be away, which has lost them. */
enum { WS_OUTBOX_BEATS = 3, WS_OUTBOX_KEPT = 60 };

/* Messages whose memory is kept: as many as travel together. Their topics are shorter than this. */
enum { WS_OUTBOX_SPARE = WS_WIRE_SEVERAL_MAX, WS_OUTBOX_TOPIC = 64 };

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

void ws_outbox_init(struct ws_outbox *outbox) {
  *outbox = (struct ws_outbox){0};
  ws_queue_init(&outbox->messages);
  ws_queue_init(&outbox->spare);
}

static struct ws_outbox_message *ws_outbox_pop(struct ws_queue *queue) {
  struct ws_queue_node *node = ws_queue_pop(queue);
  return node ? ws_container_of(node, struct ws_outbox_message, node) : NULL;
}

static void ws_outbox_forget(struct ws_outbox *outbox, struct ws_outbox_stream *stream) {
  ws_list_remove(&stream->member);
  ws_tree_remove(&outbox->streams, stream, ws_outbox_compare);
  ws_mem_free(stream);
}

void ws_outbox_deinit(struct ws_outbox *outbox) {
  struct ws_outbox_message *spare;
  ws_outbox_drop(outbox);
  while ((spare = ws_outbox_pop(&outbox->spare)) != NULL)
    ws_mem_free(spare);
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

/* Memory for a message with a topic of this size; NULL: there is none. */
static struct ws_outbox_message *ws_outbox_new(struct ws_outbox *outbox, size_t size) {
  bool is_spare_size = size <= WS_OUTBOX_TOPIC;
  struct ws_outbox_message *message = is_spare_size ? ws_outbox_pop(&outbox->spare) : NULL;
  if (message)
    outbox->spare_count--;
  else
    message = ws_mem_alloc(sizeof *message + (is_spare_size ? WS_OUTBOX_TOPIC : size));
  if (message)
    message->is_spare_size = is_spare_size;
  return message;
}

enum ws_outbox_outcome ws_outbox_add(struct ws_outbox *outbox, size_t bound, const char *topic, struct ws_chunk *frame,
                                     size_t offset, uint8_t opcode) {
  size_t size = topic ? strlen(topic) + 1 : 0;
  size_t bytes = sizeof(struct ws_outbox_message) + WS_OUTBOX_TOPIC + size + sizeof *frame + frame->size;
  if (outbox->bytes > 0 && outbox->bytes + bytes > bound)
    return WS_OUTBOX_FULL;
  struct ws_outbox_stream *stream = ws_outbox_stream(outbox, ws_wire_stream(topic));
  struct ws_outbox_message *message = stream ? ws_outbox_new(outbox, size) : NULL;
  if (!message)
    return WS_OUTBOX_NO_MEMORY;
  outbox->issued++;
  stream->number++;
  stream->queued++;
  message->frame = ws_chunk_ref(frame);
  message->offset = offset;
  message->opcode = opcode;
  message->stream = stream;
  message->since = stream->since;
  message->number = stream->number;
  message->bytes = bytes;
  message->has_topic = topic;
  if (topic)
    memcpy(message->topic, topic, size);
  outbox->bytes += bytes;
  ws_queue_add(&outbox->messages, &message->node);
  return WS_OUTBOX_TAKEN;
}

struct ws_outbox_message *ws_outbox_take(struct ws_outbox *outbox) {
  struct ws_outbox_message *message = ws_outbox_pop(&outbox->messages);
  if (!message)
    return NULL;
  outbox->bytes -= message->bytes;
  message->stream->queued--;
  message->stream->sent = message->number;
  message->stream->beats = WS_OUTBOX_BEATS;
  message->stream->kept = WS_OUTBOX_KEPT;
  return message;
}

void ws_outbox_release(struct ws_outbox_message *message) {
  ws_chunk_unref(message->frame);
  message->frame = NULL;
}

void ws_outbox_give_back(struct ws_outbox *outbox, struct ws_outbox_message *message) {
  if (!message->is_spare_size || outbox->spare_count == WS_OUTBOX_SPARE) {
    ws_mem_free(message);
    return;
  }
  outbox->spare_count++;
  ws_queue_add(&outbox->spare, &message->node);
}

size_t ws_outbox_drop(struct ws_outbox *outbox) {
  size_t count = 0;
  struct ws_outbox_message *message;
  for (; (message = ws_outbox_take(outbox)) != NULL; count++) {
    ws_outbox_release(message);
    ws_outbox_give_back(outbox, message);
  }
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
