/* Incremental UTF-8 validation, alone and fused with unmasking.
 *
 * The validator accepts exactly the well-formed sequences of RFC 3629: no overlong form, no surrogate, nothing above
 * U+10FFFF. It fails at the first byte after which the text can no longer become well-formed, also in the middle of a
 * sequence that began in an earlier call.
 *
 * Invariant of the state: `need` continuation bytes (0 to 3) are missing, and the next byte must lie in [low, high].
 * At a character's boundary need is 0; then low and high are 0x80 and 0xBF, and are not looked at.
 * After a failure the state is that before the failing byte, so that the same byte fails again.
 *
 * On x86-64 whole blocks are checked with AVX2 where the machine has it. Everything else is done by the scalar twin in
 * utf8_scalar.h, which is proved; a test shows the two to be equal.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ws_utf8 {
  uint8_t need;
  uint8_t low;
  uint8_t high;
};

#define WS_UTF8_START ((struct ws_utf8){0, 0x80, 0xBF})

/* Validates the next n bytes. Returns n, or the offset of the first byte that cannot be part of a well-formed text. */
size_t ws_utf8_feed(struct ws_utf8 *state, const uint8_t *bytes, size_t n);

/* Whether the text so far ends at a character's boundary. */
/*@ requires \valid_read(state);
    assigns \nothing;
*/
static inline bool ws_utf8_complete(const struct ws_utf8 *state) {
  return state->need == 0;
}

/* Whole text at once. Returns n if it is well-formed, else the offset of the first byte that is not part of a well-formed
 * sequence: for a text that is cut within a character, where that character starts. */
size_t ws_utf8_check(const uint8_t *bytes, size_t n);

/* Unmasks n bytes from `from` to `to` (the same place, or no overlap) and validates what comes out, in one pass.
 * `key` is rotated to the first byte. Returns as ws_utf8_feed; after a failure `to` holds no promise. */
size_t ws_utf8_unmask(struct ws_utf8 *state, uint8_t *to, const uint8_t *from, size_t n, const uint8_t key[4]);
