#include "utf8_scalar.h"

size_t ws_utf8_scalar_feed(struct ws_utf8 *state, const uint8_t *bytes, size_t n) {
  /* The start of the current character, if the text starts here. */
  //@ ghost size_t start = 0;
  /*@ loop invariant 0 <= i <= n && start <= i;
      loop invariant \forall integer k; 0 <= k < n ==> bytes[k] == \at(bytes[k], Pre);
      loop invariant \at(state->need, Pre) == 0 ==>
        utf8_within{Pre}(\at(state->need, Here), \at(state->low, Here), \at(state->high, Here), bytes, start, i);
      loop invariant \at(state->need, Pre) == 0 ==> (utf8_text{Pre}(bytes, 0, n) <==> utf8_text{Pre}(bytes, start, n));
      loop assigns i, start, *state;
      loop variant n - i;
  */
  for (size_t i = 0; i < n; i++) {
    if (!ws_utf8_scalar_step(state, bytes[i])) {
      //@ assert \at(state->need, Pre) == 0 ==> !utf8_text{Pre}(bytes, start, n);
      return i;
    }
    /*@ assert \at(state->need, Pre) == 0 && state->need == 0 ==>
          utf8_length(bytes[start]) == i + 1 - start && utf8_character{Pre}(bytes, start, i + 1 - start); */
    /*@ assert \at(state->need, Pre) == 0 && state->need == 0 ==>
          (utf8_text{Pre}(bytes, start, n) <==> utf8_text{Pre}(bytes, i + 1, n)); */
    //@ ghost if (state->need == 0) start = i + 1;
  }
  //@ assert \at(state->need, Pre) == 0 && start < n ==> !utf8_text{Pre}(bytes, start, n);
  return n;
}

size_t ws_utf8_scalar_unmask(struct ws_utf8 *state, uint8_t *to, const uint8_t *from, size_t n, const uint8_t key[4]) {
  /*@ loop invariant 0 <= i <= n;
      loop assigns i, *state, to[0 .. n - 1];
      loop variant n - i;
  */
  for (size_t i = 0; i < n; i++) {
    to[i] = from[i] ^ key[i % 4];
    if (!ws_utf8_scalar_step(state, to[i]))
      return i;
  }
  return n;
}
