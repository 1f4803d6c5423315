/* UTF-8, the host's text and base64: vectors agree with the scalar code, and conversions round-trip.
 * FRAME-10 WS-TEXT-2 WS-SENDBINARY-2 */
#include "fuzz.h"

#include "protocol/base64.h"
#include "protocol/frame.h"
#include "protocol/text.h"
#include "protocol/utf8.h"
#include "protocol/utf8_scalar.h"

static void check_utf8(const uint8_t *bytes, size_t n, uint8_t cut_at, const uint8_t key[4]) {
  struct ws_utf8 scalar = WS_UTF8_START, fused = WS_UTF8_START;
  uint8_t *masked = copy_of(bytes, n), turned[4] = {key[0], key[1], key[2], key[3]};
  size_t cut = cut_at < n ? cut_at : n, valid = ws_utf8_scalar_feed(&scalar, bytes, n), got;

  for (size_t i = 0; i < n; i++)
    masked[i] ^= key[i & 3];
  got = ws_utf8_unmask(&fused, masked, masked, cut, turned);
  if (got == cut) {
    ws_frame_key_advance(turned, cut);
    got += ws_utf8_unmask(&fused, masked + cut, masked + cut, n - cut, turned);
  }
  must(got == valid && memcmp(&scalar, &fused, sizeof scalar) == 0);
  must(got < n || n == 0 || memcmp(masked, bytes, n) == 0);
  free(masked);
}

static void check_text(const uint8_t *bytes, size_t n) {
  size_t host_size = ws_text_host_size(bytes, n);
  char *text = malloc(host_size + 1);
  uint8_t *back = malloc(n ? n : 1);
  struct ws_text_extent extent;

  must(text && back);
  ws_text_to_host(text, bytes, n);
  must(strlen(text) == host_size);
  if (ws_utf8_check(bytes, n) == n) {
    must(ws_text_measure(text, &extent) != WS_TEXT_INVALID && extent.wire_size == n && extent.host_size == host_size);
    ws_text_from_host(back, text, host_size);
    must(n == 0 || memcmp(back, bytes, n) == 0);
  } else {
    enum ws_text_outcome outcome = ws_text_measure(text, &extent);

    must(outcome != WS_TEXT_INVALID || extent.error_offset < host_size);
  }
  free(text);
  free(back);
}

static void check_base64(const uint8_t *bytes, size_t n) {
  char *text = malloc(ws_base64_encoded_size(n) + 1);
  uint8_t *back = malloc(n + 3);
  size_t size = 0, offset = 0, text_size;

  must(text && back);
  ws_base64_encode(text, bytes, n);
  text_size = strlen(text);
  must(text_size == ws_base64_encoded_size(n) && ws_base64_decode(back, text, text_size, &size, &offset) == 0);
  must(size == n && (n == 0 || memcmp(back, bytes, n) == 0));
  if (ws_base64_decode(back, (const char *)bytes, n, &size, &offset) == 0) { /* only the canonical encoding decodes */
    ws_base64_encode(text, back, size);
    must(strlen(text) == n && (n == 0 || memcmp(text, bytes, n) == 0));
  } else {
    must(offset <= n);
  }
  free(text);
  free(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct input input = {data, size};
  uint8_t cut = take_byte(&input), key[4];

  for (size_t i = 0; i < sizeof key; i++)
    key[i] = take_byte(&input);
  uint8_t *bytes = copy_of(input.data, input.size);

  check_utf8(bytes, input.size, cut, key);
  check_text(bytes, input.size);
  check_base64(bytes, input.size);
  free(bytes);
  return 0;
}
