#pragma once
/* The payloads in which a member hands its messages and beats to the engine (wire.h).
 *
 * One thread uses it, the member's. What is given up is counted for its caller.
 */
#include <stddef.h>
#include <stdint.h>

#include "engine.h"
#include "outbox.h"
#include "wire.h"

struct ws_payload {
  const struct ws_engine *engine;
  void *link;
  const uint8_t *sender; /* WS_WIRE_ID bytes, borrowed */
  const char *prefix;    /* borrowed */
  uint8_t *bytes;
  size_t max; /* of a payload */
};

/* For a new link, in place of the one before. 0, or -1: no memory, or the engine's payloads are too small. */
int ws_payload_open(struct ws_payload *payload, const struct ws_engine *engine, void *link, const uint8_t *sender,
                    const char *prefix);
void ws_payload_deinit(struct ws_payload *payload);

/* Sends n messages, those of one subject together where they fit; one that is larger than a payload in parts. Returns
 * how many were given up. */
size_t ws_payload_send(struct ws_payload *payload, struct ws_outbox_message *const *messages, size_t n);

/* Where the entries of a beat are to be written, and how many fit. */
uint8_t *ws_payload_entries(struct ws_payload *payload, size_t *most);
/* Sends a beat with its entries, or a farewell. */
void ws_payload_send_beat(struct ws_payload *payload, enum ws_wire_kind kind, size_t entries);
