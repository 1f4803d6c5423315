#pragma once
/* What members send each other, and the subjects that they send it on.
 *
 *   PREFIX.all            broadcasts
 *   PREFIX.topic.HEX      what is published to a topic, whose bytes are in hexadecimal: no topic makes another subject
 *   PREFIX.beat           beats, and the farewell of a member that stops
 *
 * A payload is a head of WS_WIRE_HEAD bytes, numbers in network order, and what it announces:
 *
 *   0  magic and version, "OWC" 2     4  kind     5  opcode of the message     6  zero     8  ID of the sender, random
 *  24  since      32  number    40  bytes of the whole message    44  offset of this part
 *
 * Small messages of one subject that are sent at once travel together: `number` is that of the first, and `total` of
 * them follow the head, each behind its length in 4 bytes (WS_WIRE_SEVERAL).
 *
 * A sender numbers the messages of each subject. It forgets a subject that is idle, and numbers it anew from a number
 * that is as high as any that it gave: `since`. So between two messages that a member hears in turn, those numbered
 * above max(since, the first) and below the second are missing. A beat has `number` entries of WS_WIRE_ENTRY bytes: the
 * hash of a topic (0: broadcasts), `since`, and the number of the latest message.
 */
#include <stddef.h>
#include <stdint.h>

#include "server/topics.h"

enum { WS_WIRE_SENDER = 8, WS_WIRE_ID = 16, WS_WIRE_HEAD = 48, WS_WIRE_ENTRY = 24, WS_WIRE_PREFIX_MAX = 64 };

/* Of messages that travel together: how many, and what each takes besides its bytes. */
enum { WS_WIRE_SEVERAL_MAX = 64, WS_WIRE_LENGTH = 4 };

/* Of any subject, with its NUL. */
enum { WS_WIRE_SUBJECT = WS_WIRE_PREFIX_MAX + sizeof ".topic." + 2 * WS_TOPIC_MAX };

enum ws_wire_kind { WS_WIRE_MESSAGE = 'M', WS_WIRE_SEVERAL = 'S', WS_WIRE_BEAT = 'B', WS_WIRE_LEAVE = 'L' };

struct ws_wire {
  enum ws_wire_kind kind;
  uint8_t opcode;
  uint8_t sender[WS_WIRE_ID];
  uint64_t since;
  uint64_t number;
  uint32_t total;
  uint32_t offset;
};

struct ws_wire_entry {
  uint64_t stream;
  uint64_t since;
  uint64_t number;
};

void ws_wire_encode(uint8_t to[static WS_WIRE_HEAD], const struct ws_wire *head);
/* Returns what is wrong with the payload; NULL: nothing, and *head is set. */
const char *ws_wire_decode(struct ws_wire *head, const uint8_t *bytes, size_t n);

/* A message among several. Writes its length. */
void ws_wire_encode_length(uint8_t to[static WS_WIRE_LENGTH], size_t n);
/* Sets *message to the first of the several messages at `bytes`, which were decoded, and returns its size. */
size_t ws_wire_next(const uint8_t **message, const uint8_t *bytes);

void ws_wire_encode_entry(uint8_t to[static WS_WIRE_ENTRY], const struct ws_wire_entry *entry);
void ws_wire_decode_entry(struct ws_wire_entry *entry, const uint8_t from[static WS_WIRE_ENTRY]);

/* The beginning of a member's ID, for the log. Returns `to`. */
enum { WS_WIRE_NAME = 9 };
const char *ws_wire_name(char to[static WS_WIRE_NAME], const uint8_t id[static WS_WIRE_ID]);

/* What tells the subjects of a sender apart in a beat: 0 for broadcasts (NULL), else a hash of the topic. */
uint64_t ws_wire_stream(const char *topic);

/* The subject of a topic, of broadcasts (NULL), or of beats. */
void ws_wire_subject(char to[static WS_WIRE_SUBJECT], const char *prefix, const char *topic);
void ws_wire_beat_subject(char to[static WS_WIRE_SUBJECT], const char *prefix);

enum ws_wire_where { WS_WIRE_ALL, WS_WIRE_TOPIC, WS_WIRE_BEATS, WS_WIRE_NOWHERE };

/* The opposite of the two above; sets the topic for WS_WIRE_TOPIC. */
enum ws_wire_where ws_wire_parse_subject(char topic[static WS_TOPIC_MAX + 1], const char *prefix, const char *subject);
