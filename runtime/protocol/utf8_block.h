/* UTF-8 by whole blocks of 64 bytes, where the machine has AVX2. Internal to utf8.c.
 *
 * A block's bytes are classified by table look-ups of their nibbles, 32 at a time (J. Keiser and D. Lemire, "Validating UTF-8 in
 * less than one instruction per byte", 2021).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WS_UTF8_BLOCK 64

#if defined(__x86_64__) && !defined(__FRAMAC__)
#define WS_UTF8_HAVE_BLOCKS 1

/* Whether this machine can. */
bool ws_utf8_blocks_usable(void);

/* Checks `blocks` blocks that start at a character's boundary; the last may end within a character. */
bool ws_utf8_blocks_check(const uint8_t *bytes, size_t blocks);

/* The same, unmasking from `from` to `to` (the same place, or no overlap), to the end whatever comes out. */
bool ws_utf8_blocks_unmask(uint8_t *to, const uint8_t *from, size_t blocks, const uint8_t key[4]);
#endif
