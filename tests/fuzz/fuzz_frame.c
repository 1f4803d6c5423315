/* The frame decoder: the result depends on the header alone, and encodes back to it. FRAME-7 FRAME-8 */
#include "fuzz.h"

#include "protocol/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct input input = {data, size};
  uint8_t flags = take_byte(&input);
  struct ws_frame_rules rules = {(flags & 1) != 0, (flags & 2) != 0};
  struct ws_frame whole, part;
  uint8_t *bytes = copy_of(input.data, input.size), header[WS_FRAME_HEADER_MAX];
  enum ws_frame_outcome outcome = ws_frame_decode(&whole, rules, bytes, input.size);

  for (size_t n = 0; n <= input.size && n <= WS_FRAME_HEADER_MAX; n++) {
    uint8_t *piece = copy_of(bytes, n);
    enum ws_frame_outcome early = ws_frame_decode(&part, rules, piece, n);

    free(piece);
    if (early == WS_FRAME_PARTIAL)
      continue;
    must(early == outcome && part.violation == whole.violation);
    break;
  }
  if (outcome == WS_FRAME_OK) {
    must(whole.size <= input.size && whole.length <= INT64_MAX);
    must(ws_frame_encode(header, whole.head, whole.length, rules.masked ? whole.key : NULL) == whole.size);
    must(memcmp(header, bytes, whole.size) == 0);
  }
  free(bytes);
  return 0;
}
