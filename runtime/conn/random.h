#pragma once
/* Random bytes for masks and keys, from OpenSSL's CSPRNG.
 *
 * A mask of four bytes is needed for every frame of a client. Each thread draws them from a buffer of its own, which is
 * filled a kilobyte at a time, and wipes what it has returned.
 */
#include <stddef.h>
#include <stdint.h>

#include "protocol/handshake_key.h"

/* 0, or -1: the generator failed, and nothing may be sent. Any thread. */
int ws_random_mask(uint8_t mask[4]);

/* The generator for the protocol's keys. */
extern const struct ws_random ws_random_keys;
