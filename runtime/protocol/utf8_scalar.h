#pragma once
/* The UTF-8 validator's state, and validation one byte at a time.
 *
 * Comments that start with @ are ACSL contracts; Frama-C's WP proves them for every input (tests/proofs/).
 *
 * Invariant: `need` continuation bytes (0 to 3) are missing, and the next byte must be in [low, high]. Between
 * characters need is 0, low is 0x80 and high is 0xBF.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ws_utf8 {
  uint8_t need;
  uint8_t low;
  uint8_t high;
};

#define WS_UTF8_START ((struct ws_utf8){0, 0x80, 0xBF})

/* Returns true if the text so far ends between characters. */
/*@ requires \valid_read(state);
    assigns \nothing;
*/
static inline bool ws_utf8_complete(const struct ws_utf8 *state) {
  return state->need == 0;
}

/*@ // Table 3-7 of the Unicode standard. The length of the character that a byte starts, or 0.
    logic integer utf8_length(integer first) =
      first < 0x80 ? 1 : first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first <= 0xF4 ? 4 : 0;
    logic integer utf8_low(integer first) = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    logic integer utf8_high(integer first) = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    predicate utf8_second(integer first, integer byte) = utf8_low(first) <= byte <= utf8_high(first);
    predicate utf8_continues(integer byte) = 0x80 <= byte <= 0xBF;

    predicate utf8_character{L}(uint8_t *text, integer at, integer length) =
      (length >= 2 ==> utf8_second(text[at], text[at + 1])) &&
      (length >= 3 ==> utf8_continues(text[at + 2])) &&
      (length >= 4 ==> utf8_continues(text[at + 3]));

    // text[from .. end) consists of whole characters.
    axiomatic Utf8Text {
      predicate utf8_text{L}(uint8_t *text, integer from, integer end) reads text[from .. end - 1];
      axiom utf8_text_ends{L}: \forall uint8_t *text, integer end; utf8_text(text, end, end);
      axiom utf8_text_goes_on{L}: \forall uint8_t *text, integer from, end; from < end ==>
        (utf8_text(text, from, end) <==>
         (utf8_length(text[from]) > 0 && from + utf8_length(text[from]) <= end &&
          utf8_character(text, from, utf8_length(text[from])) &&
          utf8_text(text, from + utf8_length(text[from]), end)));
    }

    // The state matches text[from .. at), the start of one character.
    predicate utf8_within{L}(integer need, integer low, integer high, uint8_t *text, integer from, integer at) =
      need == 0 ? at == from :
        at > from && need + (at - from) == utf8_length(text[from]) &&
        (at == from + 1 ==> low == utf8_low(text[from]) && high == utf8_high(text[from])) &&
        (at > from + 1 ==> low == 0x80 && high == 0xBF && utf8_second(text[from], text[from + 1])) &&
        (at > from + 2 ==> utf8_continues(text[from + 2]));
*/

/* Starts a character of two to four bytes. Returns false for any other byte. */
/*@ requires \valid(state);
    assigns *state;
    ensures \result <==> utf8_length(byte) >= 2;
    ensures \result ==> state->need == utf8_length(byte) - 1;
    ensures \result ==> state->low == utf8_low(byte) && state->high == utf8_high(byte);
    ensures !\result ==> *state == \old(*state);
*/
static inline bool ws_utf8_scalar_lead(struct ws_utf8 *state, uint8_t byte) {
  if (byte < 0xC2 || byte > 0xF4)
    return false;
  state->need = byte < 0xE0 ? 1 : byte < 0xF0 ? 2 : 3;
  state->low = byte == 0xE0 ? 0xA0 : byte == 0xF0 ? 0x90 : 0x80;
  state->high = byte == 0xED ? 0x9F : byte == 0xF4 ? 0x8F : 0xBF;
  return true;
}

/* Consumes one byte. Returns false, with the state unchanged, if no well-formed text continues with it. */
/*@ requires \valid(state);
    assigns *state;
    ensures !\result ==> *state == \old(*state);
    behavior first:
      assumes state->need == 0;
      ensures \result <==> utf8_length(byte) > 0;
      ensures \result && byte < 0x80 ==> *state == \old(*state);
      ensures \result && byte >= 0x80 ==> state->need == utf8_length(byte) - 1 && state->low == utf8_low(byte) &&
                                          state->high == utf8_high(byte);
    behavior further:
      assumes state->need > 0;
      ensures \result <==> \old(state->low) <= byte <= \old(state->high);
      ensures \result ==> state->need == \old(state->need) - 1 && state->low == 0x80 && state->high == 0xBF;
    complete behaviors;
    disjoint behaviors;
*/
static inline bool ws_utf8_scalar_step(struct ws_utf8 *state, uint8_t byte) {
  if (state->need == 0)
    return byte < 0x80 || ws_utf8_scalar_lead(state, byte);
  if (byte < state->low || byte > state->high)
    return false;
  state->need--;
  state->low = 0x80;
  state->high = 0xBF;
  return true;
}

/* As ws_utf8_feed. */
/*@ requires \valid(state) && \valid_read(bytes + (0 .. n - 1)) && \separated(state, bytes + (0 .. n - 1));
    assigns *state;
    ensures \result <= n;
    ensures \old(state->need) == 0 ==> (\result == n && state->need == 0 <==> utf8_text{Pre}(bytes, 0, n));
*/
size_t ws_utf8_scalar_feed(struct ws_utf8 *state, const uint8_t *bytes, size_t n);

/* As ws_utf8_unmask. */
/*@ requires \valid(state) && \valid_read(from + (0 .. n - 1)) && \valid(to + (0 .. n - 1));
    requires \valid_read(key + (0 .. 3));
    requires \separated(state, from + (0 .. n - 1)) && \separated(state, to + (0 .. n - 1)) &&
             \separated(state, key + (0 .. 3)) && \separated(to + (0 .. n - 1), key + (0 .. 3));
    requires to == from || \separated(to + (0 .. n - 1), from + (0 .. n - 1));
    assigns *state, to[0 .. n - 1];
    ensures \result <= n;
*/
size_t ws_utf8_scalar_unmask(struct ws_utf8 *state, uint8_t *to, const uint8_t *from, size_t n, const uint8_t key[4]);
