#include "payload.h"

#include <string.h>

#include "base/mem.h"

int ws_payload_open(struct ws_payload *payload, const struct ws_engine *engine, void *link, const uint8_t *sender,
                    const char *prefix) {
  ws_payload_deinit(payload);
  *payload = (struct ws_payload){
      .engine = engine,
      .link = link,
      .sender = sender,
      .prefix = prefix,
      .max = engine->payload_max(link),
  };
  if (payload->max >= WS_WIRE_HEAD + WS_WIRE_ENTRY)
    payload->bytes = ws_mem_alloc(payload->max);
  return payload->bytes ? 0 : -1;
}

void ws_payload_deinit(struct ws_payload *payload) {
  ws_mem_free(payload->bytes);
  payload->bytes = NULL;
}

/* Publishes a head and the n bytes behind it, which are there. 0, or -1: given up. */
static int ws_payload_publish(struct ws_payload *payload, const char *subject, const struct ws_wire *head, size_t n) {
  ws_wire_encode(payload->bytes, head);
  memcpy(payload->bytes + WS_WIRE_SENDER, payload->sender, WS_WIRE_ID);
  return payload->engine->publish(payload->link, subject, payload->bytes, WS_WIRE_HEAD + n);
}

static struct ws_wire ws_payload_head(const struct ws_outbox_message *message, enum ws_wire_kind kind, size_t total) {
  return (struct ws_wire){
      .kind = kind,
      .opcode = message->opcode,
      .since = message->since,
      .number = message->number,
      .total = (uint32_t)total,
  };
}

static size_t ws_payload_size_of(const struct ws_outbox_message *message) {
  return message->frame->size - message->offset;
}

/* 0, or -1: given up. */
static int ws_payload_send_one(struct ws_payload *payload, const char *subject,
                               const struct ws_outbox_message *message) {
  const uint8_t *bytes = message->frame->bytes + message->offset;
  size_t total = ws_payload_size_of(message);
  size_t most = payload->max - WS_WIRE_HEAD;
  size_t offset = 0;
  struct ws_wire head = ws_payload_head(message, WS_WIRE_MESSAGE, total);
  do {
    size_t part = total - offset < most ? total - offset : most;
    memcpy(payload->bytes + WS_WIRE_HEAD, bytes + offset, part);
    head.offset = (uint32_t)offset;
    if (ws_payload_publish(payload, subject, &head, part))
      return -1;
    offset += part;
  } while (offset < total);
  return 0;
}

/* Whether a message that comes `at` places after the first can travel with it. Topics whose hashes are equal share
 * their numbers, and no more. */
static bool ws_payload_follows(const struct ws_outbox_message *first, const struct ws_outbox_message *message,
                               size_t at) {
  return message->stream == first->stream && message->number == first->number + at &&
         message->opcode == first->opcode && (!first->has_topic || strcmp(message->topic, first->topic) == 0);
}

/* How many of the messages can travel together, from the first on; 0: not even that one. */
static size_t ws_payload_count_together(const struct ws_payload *payload, struct ws_outbox_message *const *messages,
                                        size_t n) {
  size_t room = payload->max - WS_WIRE_HEAD;
  size_t count = 0;
  for (; count < n && count < WS_WIRE_SEVERAL_MAX; count++) {
    size_t size = ws_payload_size_of(messages[count]);
    if (room < WS_WIRE_LENGTH || room - WS_WIRE_LENGTH < size || !ws_payload_follows(*messages, messages[count], count))
      break;
    room -= WS_WIRE_LENGTH + size;
  }
  return count;
}

/* 0, or -1: given up. */
static int ws_payload_send_several(struct ws_payload *payload, const char *subject,
                                   struct ws_outbox_message *const *messages, size_t n) {
  const struct ws_wire head = ws_payload_head(*messages, WS_WIRE_SEVERAL, n);
  size_t used = 0;
  for (size_t i = 0; i < n; i++) {
    uint8_t *to = payload->bytes + WS_WIRE_HEAD + used;
    size_t size = ws_payload_size_of(messages[i]);
    ws_wire_encode_length(to, size);
    memcpy(to + WS_WIRE_LENGTH, messages[i]->frame->bytes + messages[i]->offset, size);
    used += WS_WIRE_LENGTH + size;
  }
  return ws_payload_publish(payload, subject, &head, used);
}

size_t ws_payload_send(struct ws_payload *payload, struct ws_outbox_message *const *messages, size_t n) {
  char subject[WS_WIRE_SUBJECT];
  size_t given_up = 0;
  while (n > 0) {
    size_t count = ws_payload_count_together(payload, messages, n);
    if (count < 2)
      count = 1;
    ws_wire_subject(subject, payload->prefix, ws_outbox_topic(*messages));
    if (count > 1 ? ws_payload_send_several(payload, subject, messages, count)
                  : ws_payload_send_one(payload, subject, *messages))
      given_up += count;
    messages += count;
    n -= count;
  }
  return given_up;
}

uint8_t *ws_payload_entries(struct ws_payload *payload, size_t *most) {
  *most = (payload->max - WS_WIRE_HEAD) / WS_WIRE_ENTRY;
  return payload->bytes + WS_WIRE_HEAD;
}

void ws_payload_send_beat(struct ws_payload *payload, enum ws_wire_kind kind, size_t entries) {
  char subject[WS_WIRE_SUBJECT];
  const struct ws_wire head = {.kind = kind, .number = entries};
  ws_wire_beat_subject(subject, payload->prefix);
  ws_payload_publish(payload, subject, &head, WS_WIRE_ENTRY * entries);
}
