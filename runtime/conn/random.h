#pragma once
/* Random bytes for masks and keys, from OpenSSL's CSPRNG.
 *
 * Masks are needed one per frame and are four bytes: each thread draws them from a store of its own that is filled a
 * kilobyte at a time, and wipes what it has handed out.
 */
#include <stddef.h>
#include <stdint.h>

#include "protocol/handshake.h"

/* 0, or -1 where the generator fails: then nothing may be sent. */
int ws_random_mask(uint8_t mask[4]);

/* For the protocol's keys. */
extern const struct ws_random ws_random_keys;
