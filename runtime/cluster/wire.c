#include "wire.h"

#include <stdbool.h>
#include <string.h>

static const uint8_t ws_wire_magic[4] = {'O', 'W', 'C', 2};

enum { KIND = 4, OPCODE = 5, ZERO = 6, SINCE = 24, NUMBER = 32, TOTAL = 40, OFFSET = 44 };

static void ws_wire_put(uint8_t *to, uint64_t value, size_t size) {
  while (size-- > 0) {
    to[size] = (uint8_t)value;
    value >>= 8;
  }
}

static uint64_t ws_wire_get(const uint8_t *from, size_t size) {
  uint64_t value = 0;
  for (size_t i = 0; i < size; i++)
    value = value << 8 | from[i];
  return value;
}

void ws_wire_encode(uint8_t to[static WS_WIRE_HEAD], const struct ws_wire *head) {
  memset(to, 0, WS_WIRE_HEAD);
  memcpy(to, ws_wire_magic, sizeof ws_wire_magic);
  to[KIND] = (uint8_t)head->kind;
  to[OPCODE] = head->opcode;
  memcpy(to + WS_WIRE_SENDER, head->sender, WS_WIRE_ID);
  ws_wire_put(to + SINCE, head->since, 8);
  ws_wire_put(to + NUMBER, head->number, 8);
  ws_wire_put(to + TOTAL, head->total, 4);
  ws_wire_put(to + OFFSET, head->offset, 4);
}

void ws_wire_encode_length(uint8_t to[static WS_WIRE_LENGTH], size_t n) {
  ws_wire_put(to, n, WS_WIRE_LENGTH);
}

size_t ws_wire_next(const uint8_t **message, const uint8_t *bytes) {
  *message = bytes + WS_WIRE_LENGTH;
  return (size_t)ws_wire_get(bytes, WS_WIRE_LENGTH);
}

/* Whether n bytes are `count` messages, each behind its length. */
static bool ws_wire_are_several(uint32_t count, const uint8_t *bytes, size_t n) {
  if (count == 0 || count > WS_WIRE_SEVERAL_MAX)
    return false;
  for (; count > 0; count--) {
    const uint8_t *message;
    size_t size = n >= WS_WIRE_LENGTH ? ws_wire_next(&message, bytes) : SIZE_MAX;
    if (n < WS_WIRE_LENGTH || size > n - WS_WIRE_LENGTH)
      return false;
    bytes = message + size;
    n -= WS_WIRE_LENGTH + size;
  }
  return n == 0;
}

const char *ws_wire_decode(struct ws_wire *head, const uint8_t *bytes, size_t n) {
  if (n < WS_WIRE_HEAD || memcmp(bytes, ws_wire_magic, sizeof ws_wire_magic) != 0)
    return "it is not of this cluster's kind";
  head->kind = (enum ws_wire_kind)bytes[KIND];
  head->opcode = bytes[OPCODE];
  memcpy(head->sender, bytes + WS_WIRE_SENDER, WS_WIRE_ID);
  head->since = ws_wire_get(bytes + SINCE, 8);
  head->number = ws_wire_get(bytes + NUMBER, 8);
  head->total = (uint32_t)ws_wire_get(bytes + TOTAL, 4);
  head->offset = (uint32_t)ws_wire_get(bytes + OFFSET, 4);
  n -= WS_WIRE_HEAD;
  if (bytes[ZERO] || bytes[ZERO + 1])
    return "its head is broken";
  if (head->kind == WS_WIRE_LEAVE)
    return NULL;
  if (head->kind == WS_WIRE_BEAT)
    return n % WS_WIRE_ENTRY == 0 && n / WS_WIRE_ENTRY == head->number ? NULL : "its beat is broken";
  if (head->kind == WS_WIRE_SEVERAL)
    return head->number > head->since && head->number <= UINT64_MAX - WS_WIRE_SEVERAL_MAX && head->offset == 0 &&
                   ws_wire_are_several(head->total, bytes + WS_WIRE_HEAD, n)
               ? NULL
               : "its messages do not fit together";
  if (head->kind != WS_WIRE_MESSAGE)
    return "its kind is unknown";
  if (head->number <= head->since || head->offset > head->total || n > head->total - head->offset ||
      (n == 0 && head->total > 0))
    return "its numbers do not fit together";
  return NULL;
}

void ws_wire_encode_entry(uint8_t to[static WS_WIRE_ENTRY], const struct ws_wire_entry *entry) {
  ws_wire_put(to, entry->stream, 8);
  ws_wire_put(to + 8, entry->since, 8);
  ws_wire_put(to + 16, entry->number, 8);
}

void ws_wire_decode_entry(struct ws_wire_entry *entry, const uint8_t from[static WS_WIRE_ENTRY]) {
  *entry = (struct ws_wire_entry){ws_wire_get(from, 8), ws_wire_get(from + 8, 8), ws_wire_get(from + 16, 8)};
}

static const char ws_wire_digits[] = "0123456789abcdef";

const char *ws_wire_name(char to[static WS_WIRE_NAME], const uint8_t id[static WS_WIRE_ID]) {
  for (int i = 0; i < WS_WIRE_NAME - 1; i++)
    to[i] = ws_wire_digits[id[i / 2] >> (i % 2 ? 0 : 4) & 15];
  to[WS_WIRE_NAME - 1] = '\0';
  return to;
}

/* FNV-1a. Two topics with one hash make a count of missed messages wrong, and nothing else. */
uint64_t ws_wire_stream(const char *topic) {
  uint64_t hash = 0xCBF29CE484222325u;
  if (!topic)
    return 0;
  for (; *topic; topic++)
    hash = (hash ^ (uint8_t)*topic) * 0x100000001B3u;
  return hash ? hash : 1;
}

/* ---- subjects */

static char *ws_wire_append(char *to, const char *text) {
  size_t n = strlen(text);
  memcpy(to, text, n + 1);
  return to + n;
}

/* For each message of a topic, so that it is not left to printf. */
void ws_wire_subject(char to[static WS_WIRE_SUBJECT], const char *prefix, const char *topic) {
  to = ws_wire_append(to, prefix);
  to = ws_wire_append(to, topic ? ".topic." : ".all");
  for (; topic && *topic; topic++) {
    *to++ = ws_wire_digits[(uint8_t)*topic >> 4];
    *to++ = ws_wire_digits[(uint8_t)*topic & 15];
  }
  *to = '\0';
}

void ws_wire_beat_subject(char to[static WS_WIRE_SUBJECT], const char *prefix) {
  ws_wire_append(ws_wire_append(to, prefix), ".beat");
}

static int ws_wire_digit(char c) {
  return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

enum ws_wire_where ws_wire_parse_subject(char topic[static WS_TOPIC_MAX + 1], const char *prefix, const char *subject) {
  static const char topics[] = ".topic.";
  size_t n = strlen(prefix);
  if (strncmp(subject, prefix, n) != 0)
    return WS_WIRE_NOWHERE;
  subject += n;
  if (strcmp(subject, ".all") == 0)
    return WS_WIRE_ALL;
  if (strcmp(subject, ".beat") == 0)
    return WS_WIRE_BEATS;
  if (strncmp(subject, topics, sizeof topics - 1) != 0)
    return WS_WIRE_NOWHERE;
  subject += sizeof topics - 1;
  for (n = 0; *subject && n < WS_TOPIC_MAX; n++, subject += 2) {
    int high = ws_wire_digit(subject[0]);
    int low = high < 0 ? -1 : ws_wire_digit(subject[1]);
    if (low < 0 || (high | low) == 0)
      return WS_WIRE_NOWHERE;
    topic[n] = (char)(high << 4 | low);
  }
  topic[n] = '\0';
  return *subject || n == 0 ? WS_WIRE_NOWHERE : WS_WIRE_TOPIC;
}
