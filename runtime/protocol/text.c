#include "text.h"

#include <stdbool.h>
#include <string.h>

#include "utf8.h"

/* U+0000 in a host's string. */
static const uint8_t ws_text_nul[2] = {0xC0, 0x80};

/* Text is copied by blocks; byte by byte, without branches, where a block contains U+0000. */
enum { WS_TEXT_BLOCK = 16, WS_TEXT_COUNTED = 128, WS_TEXT_PIECE = 1024 };

/* Vectorised by the compiler. */
static bool ws_text_block_has(const uint8_t *block, uint8_t byte) {
  uint8_t found = 0;
  for (int i = 0; i < WS_TEXT_BLOCK; i++)
    found |= block[i] == byte;
  return found;
}

/* Vectorised too: a byte can count the block. */
static size_t ws_text_count_nuls(const uint8_t *bytes) {
  uint8_t count = 0;
  for (int i = 0; i < WS_TEXT_COUNTED; i++)
    count = (uint8_t)(count + (bytes[i] == 0));
  return count;
}

/* Returns true if a C0 in the block is not followed by 80. Reads one byte more. Vectorised. */
static bool ws_text_block_is_wrong(const uint8_t *block) {
  uint8_t wrong = 0;
  for (int i = 0; i < WS_TEXT_BLOCK; i++)
    wrong |= (block[i] == ws_text_nul[0]) & (block[i + 1] != ws_text_nul[1]);
  return wrong;
}

/* Writes n bytes of host text in the form of the wire: C0 is dropped, and the byte behind it becomes 0. `keep` is 1, or
 * 0 if the first byte is behind a C0. Uses room for one byte more than the result. */
static uint8_t *ws_text_narrow(uint8_t *to, const uint8_t *from, size_t n, uint8_t keep) {
  for (size_t i = 0; i < n; i++) {
    uint8_t byte = from[i];
    *to = byte & (uint8_t)-keep;
    keep = byte != ws_text_nul[0];
    to += keep;
  }
  return to;
}

/* The same, for text that ends with a NUL. Blocks without C0 are copied. Sets *wrong at a C0 that is not C0 80. */
static uint8_t *ws_text_convert(uint8_t *to, const uint8_t *from, size_t n, uint8_t keep, bool *wrong) {
  for (; n >= WS_TEXT_BLOCK; n -= WS_TEXT_BLOCK, from += WS_TEXT_BLOCK) {
    if (keep && !ws_text_block_has(from, ws_text_nul[0])) {
      memcpy(to, from, WS_TEXT_BLOCK);
      to += WS_TEXT_BLOCK;
      continue;
    }
    *wrong |= ws_text_block_is_wrong(from);
    to = ws_text_narrow(to, from, WS_TEXT_BLOCK, keep);
    keep = from[WS_TEXT_BLOCK - 1] != ws_text_nul[0];
  }
  for (size_t i = 0; i < n; i++)
    *wrong |= from[i] == ws_text_nul[0] && from[i + 1] != ws_text_nul[1];
  return ws_text_narrow(to, from, n, keep);
}

/* C0 is not part of any well-formed sequence, so each run between its occurrences is checked separately. */
static enum ws_text_outcome ws_text_find_error(const char *text, size_t size, struct ws_text_extent *extent) {
  size_t at = 0;
  for (;;) {
    const uint8_t *bytes = (const uint8_t *)text + at;
    const uint8_t *nul = memchr(bytes, ws_text_nul[0], size - at);
    size_t run = nul ? (size_t)(nul - bytes) : size - at;
    size_t valid = ws_utf8_check(bytes, run);
    at += valid;
    if (valid < run || !nul || nul[1] != ws_text_nul[1])
      break;
    at += 2;
  }
  extent->error_offset = at;
  return WS_TEXT_INVALID;
}

/* Validates a text that contains C0, in the form of the wire. */
static enum ws_text_outcome ws_text_measure_converted(const char *text, size_t size, struct ws_text_extent *extent) {
  const uint8_t *bytes = (const uint8_t *)text;
  struct ws_utf8 state = WS_UTF8_START;
  uint8_t piece[WS_TEXT_PIECE + 1];
  bool wrong = false;
  for (size_t at = 0; at < size && !wrong; at += WS_TEXT_PIECE) {
    size_t from = size - at < WS_TEXT_PIECE ? size - at : WS_TEXT_PIECE;
    uint8_t keep = at == 0 || bytes[at - 1] != ws_text_nul[0];
    size_t n = (size_t)(ws_text_convert(piece, bytes + at, from, keep, &wrong) - piece);
    extent->wire_size += n;
    wrong |= ws_utf8_feed(&state, piece, n) < n;
  }
  return !wrong && ws_utf8_complete(&state) ? WS_TEXT_CONVERT : ws_text_find_error(text, size, extent);
}

enum ws_text_outcome ws_text_measure(const char *text, struct ws_text_extent *extent) {
  size_t size = strlen(text);
  *extent = (struct ws_text_extent){.host_size = size};
  if (ws_utf8_check((const uint8_t *)text, size) < size)
    return ws_text_measure_converted(text, size, extent);
  extent->wire_size = size;
  return WS_TEXT_SAME;
}

void ws_text_from_host(uint8_t *to, const char *text, size_t host_size) {
  bool wrong = false;
  ws_text_convert(to, (const uint8_t *)text, host_size, true, &wrong);
}

size_t ws_text_host_size(const uint8_t *bytes, size_t n) {
  size_t size = n;
  for (; n >= WS_TEXT_COUNTED; n -= WS_TEXT_COUNTED, bytes += WS_TEXT_COUNTED)
    size += ws_text_count_nuls(bytes);
  for (size_t i = 0; i < n; i++)
    size += bytes[i] == 0;
  return size;
}

/* The second byte of C0 80 is written behind each byte; the next one replaces it if it is not wanted. */
static char *ws_text_widen(char *to, const uint8_t *bytes, size_t n) {
  for (size_t i = 0; i < n; i++) {
    bool nul = bytes[i] == 0;
    to[0] = (char)(bytes[i] | (ws_text_nul[0] & -nul));
    to[1] = (char)ws_text_nul[1];
    to += 1 + nul;
  }
  return to;
}

void ws_text_to_host(char *to, const uint8_t *bytes, size_t n) {
  for (; n >= WS_TEXT_BLOCK; n -= WS_TEXT_BLOCK, bytes += WS_TEXT_BLOCK) {
    if (ws_text_block_has(bytes, 0)) {
      to = ws_text_widen(to, bytes, WS_TEXT_BLOCK);
    } else {
      memcpy(to, bytes, WS_TEXT_BLOCK);
      to += WS_TEXT_BLOCK;
    }
  }
  *ws_text_widen(to, bytes, n) = '\0';
}
