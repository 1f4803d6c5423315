#pragma once
/* UTF-8 validation in blocks of 64 bytes, with the vectors of AVX2 or NEON. Internal to utf8.c.
 *
 * Table look-ups classify the nibbles of a vector of bytes at a time (J. Keiser and D. Lemire, "Validating UTF-8 in
 * less than one instruction per byte", 2021).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vector.h"

#define WS_UTF8_BLOCK 64

#ifdef WS_VECTOR_SIZE
#define WS_UTF8_HAVE_BLOCKS 1

/* Returns true if this machine has such vectors. */
bool ws_utf8_blocks_usable(void);

/* Validates blocks that start between characters; the last may end within a character. */
bool ws_utf8_blocks_check(const uint8_t *bytes, size_t blocks);

/* The same, and unmasks from `from` to `to` (equal, or no overlap). Unmasks all blocks even if one is invalid. */
bool ws_utf8_blocks_unmask(uint8_t *to, const uint8_t *from, size_t blocks, const uint8_t key[4]);
#endif
