/* The header decoder on every input of up to 20 bytes, in both roles, and masking of up to 80 bytes. */
#include "eva.h"

#include "protocol/frame.h"

#define HEADER_MOST 20
#define PAYLOAD_MOST 80

static void decode(size_t n, bool masked, bool rsv1) {
  struct ws_frame frame;
  struct ws_frame_rules rules = {masked, rsv1};
  uint8_t header[WS_FRAME_HEADER_MAX];

  if (ws_frame_decode(&frame, rules, any_input(n), n) == WS_FRAME_OK)
    ws_frame_encode(header, frame.head, frame.length, masked ? frame.key : NULL);
  if (n > 0)
    ws_frame_length_least(any_input(n), n);
}

static void mask(size_t n) {
  uint8_t *bytes = any_input(n), *out = any_input(n), key[4] = {any_byte, any_byte, any_byte, any_byte};

  ws_frame_key_advance(key, n);
  ws_frame_mask(out, bytes, n, key);
  ws_frame_mask(bytes, bytes, n, key);
}

/* One case to a path: what Eva keeps apart of one would multiply the cases after it. */
int main(void) {
  for (size_t n = 0; n <= HEADER_MOST; n++) {
    for (int rules = 0; rules < 4; rules++) {
      if (any_byte) {
        decode(n, rules & 1, rules & 2);
        return 0;
      }
    }
  }
  for (size_t n = 0; n <= PAYLOAD_MOST; n++) {
    if (any_byte) {
      mask(n);
      return 0;
    }
  }
  return 0;
}
