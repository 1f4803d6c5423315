#pragma once
/* Incremental UTF-8 validation, alone and fused with unmasking.
 *
 * Accepts the well-formed sequences of RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. Fails at
 * the first byte that cannot continue a well-formed text, also in a sequence that an earlier call began. The state
 * then remains that before the byte, so the byte fails again.
 *
 * On x86-64 with AVX2, utf8_block.h checks whole blocks. Everything else uses the code of utf8_scalar.h, which is
 * proved; a test shows that both agree.
 */
#include <stddef.h>
#include <stdint.h>

#include "utf8_scalar.h"

/* Validates the next n bytes. Returns n, or the offset of the first invalid byte. */
size_t ws_utf8_feed(struct ws_utf8 *state, const uint8_t *bytes, size_t n);

/* Unmasks n bytes from `from` to `to` (equal, or no overlap) and validates the result, in one pass. `key` is rotated to
 * the first byte. Returns as ws_utf8_feed; after a failure the bytes at `to` are unspecified. */
size_t ws_utf8_unmask(struct ws_utf8 *state, uint8_t *to, const uint8_t *from, size_t n, const uint8_t key[4]);

/* Validates a whole text. Returns n, or the offset of the first byte that is not part of a well-formed sequence: for a
 * truncated character, its first byte. */
size_t ws_utf8_check(const uint8_t *bytes, size_t n);
