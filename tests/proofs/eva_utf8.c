/* The scalar UTF-8 validator on every text of up to 64 bytes, from every state, alone and fused with unmasking. (Tests
 * and fuzzing compare it with the blocks and words of utf8.c.) */
#include "eva.h"

#include "protocol/utf8_scalar.h"

#define MOST 64

int main(void) {
  for (size_t n = 0; n <= MOST; n++) {
    struct ws_utf8 state = {any_byte % 4, any_byte, any_byte}, other = {any_byte % 4, any_byte, any_byte};
    uint8_t key[4] = {any_byte, any_byte, any_byte, any_byte}, *bytes = any_input(n), *out = any_input(n);

    ws_utf8_scalar_feed(&state, bytes, n);
    ws_utf8_scalar_unmask(&other, out, bytes, n, key);
    ws_utf8_scalar_unmask(&other, bytes, bytes, n, key);
  }
  return 0;
}
