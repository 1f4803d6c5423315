#pragma once
/* A message as a builtin was given it: measured, validated, and written as payload or as a frame. Any thread. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "osprey/error.h"

struct ws_outgoing {
  const char *op;   /* the builtin, for errors */
  const char *text; /* borrowed */
  size_t host_size; /* bytes of `text`, unless `plain` */
  size_t size;      /* bytes on the wire */
  uint8_t opcode;
  bool plain; /* the bytes on the wire are those of `text` */
};

/* Room beyond `size` that a write may use: the base64 decoder writes a whole group before it checks the padding. */
enum { WS_OUTGOING_SLACK = 3 };

/* Returns true for what the running handler was given: its bytes on the wire are at hand, as they were received. */
bool ws_outgoing_is_in_hand(struct ws_outgoing *out, const char *op, const char *text, bool binary);

/* 0, or -1 with the error set: not UTF-8; not base64. */
int ws_outgoing_text(struct ws_outgoing *out, const char *op, const char *text, struct ws_error *error);
int ws_outgoing_base64(struct ws_outgoing *out, const char *op, const char *base64, struct ws_error *error);

/* Writes the payload, or the whole frame. 0, or -1 with the error set. */
int ws_outgoing_write(const struct ws_outgoing *out, uint8_t *to, struct ws_error *error);
int ws_outgoing_encode(const struct ws_outgoing *out, bool masked, uint8_t *to, struct ws_error *error);
