#include "text.h"

#include <stdbool.h>
#include <string.h>

#include "utf8.h"

/* U+0000 in a host's string. */
static const uint8_t ws_text_nul[2] = {0xC0, 0x80};

/* Text is copied by blocks where U+0000 is rare, and byte by byte without branches where it is not: a search for each
 * U+0000 would cost more than the copy. */
enum { WS_TEXT_BLOCK = 64, WS_TEXT_RARE = 3, WS_TEXT_PIECE = 1024 };

/* Vectorised by the compiler. */
static unsigned ws_text_block_count(const uint8_t *block, uint8_t byte) {
  uint8_t count = 0;
  for (int i = 0; i < WS_TEXT_BLOCK; i++)
    count = (uint8_t)(count + (block[i] == byte));
  return count;
}

/* Converts host text from *from up to `end`, or one byte past it, and moves *from. Returns the bytes written. */
static size_t ws_text_convert(uint8_t *to, const uint8_t **from, const uint8_t *end) {
  const uint8_t *at = *from;
  uint8_t *start = to;
  while (at < end) {
    bool nul = at[0] == ws_text_nul[0] && at[1] == ws_text_nul[1];
    *to++ = nul ? 0 : at[0];
    at += 1 + nul;
  }
  *from = at;
  return (size_t)(to - start);
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
  const uint8_t *at = (const uint8_t *)text, *end = at + size;
  struct ws_utf8 state = WS_UTF8_START;
  uint8_t piece[WS_TEXT_PIECE];
  while (at < end) {
    size_t n = ws_text_convert(piece, &at, end - at < WS_TEXT_PIECE ? end : at + WS_TEXT_PIECE);
    extent->wire_size += n;
    if (ws_utf8_feed(&state, piece, n) < n)
      return ws_text_find_error(text, size, extent);
  }
  return ws_utf8_complete(&state) ? WS_TEXT_CONVERT : ws_text_find_error(text, size, extent);
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
  const uint8_t *at = (const uint8_t *)text, *end = at + host_size;
  while (end - at >= WS_TEXT_BLOCK) {
    if (ws_text_block_count(at, ws_text_nul[0]) > WS_TEXT_RARE) {
      to += ws_text_convert(to, &at, at + WS_TEXT_BLOCK);
      continue;
    }
    const uint8_t *nul = memchr(at, ws_text_nul[0], WS_TEXT_BLOCK);
    size_t run = nul ? (size_t)(nul - at) : WS_TEXT_BLOCK;
    memcpy(to, at, run);
    to += run;
    at += run;
    if (nul)
      to += ws_text_convert(to, &at, at + 1);
  }
  ws_text_convert(to, &at, end);
}

size_t ws_text_host_size(const uint8_t *bytes, size_t n) {
  size_t nuls = 0;
  for (size_t i = 0; i < n; i++)
    nuls += bytes[i] == 0;
  return n + nuls;
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
  while (n >= WS_TEXT_BLOCK) {
    const uint8_t *nul = memchr(bytes, 0, WS_TEXT_BLOCK);
    size_t run = nul ? (size_t)(nul - bytes) : WS_TEXT_BLOCK;
    if (nul && ws_text_block_count(bytes, 0) > WS_TEXT_RARE) {
      run = WS_TEXT_BLOCK;
      to = ws_text_widen(to, bytes, run);
    } else {
      memcpy(to, bytes, run);
      to += run;
      if (nul)
        to = ws_text_widen(to, bytes + run++, 1);
    }
    bytes += run;
    n -= run;
  }
  *ws_text_widen(to, bytes, n) = '\0';
}
