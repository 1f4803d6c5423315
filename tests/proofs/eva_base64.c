/* Base64 on every text and every byte string of up to 64 bytes, with output buffers of exactly the documented size. */
#include "eva.h"

#include "protocol/base64.h"

#define MOST 64

int main(void) {
  for (size_t n = 0; n <= MOST; n++) {
    size_t size, offset;

    ws_base64_decode(any_input(ws_base64_decoded_max(n)), any_input(n), n, &size, &offset);
    ws_base64_encode(any_input(ws_base64_encoded_size(n) + 1), any_input(n), n);
  }
  return 0;
}
