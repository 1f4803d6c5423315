#include "text.h"

#include <string.h>

#include "utf8.h"

/* U+0000 in a host's string. */
static const uint8_t ws_text_nul[2] = {0xC0, 0x80};

/* C0 is not part of any well-formed sequence, so each run between its occurrences is checked separately. One pass. */
enum ws_text_outcome ws_text_measure(const char *text, struct ws_text_extent *extent) {
  size_t size = strlen(text), at = 0, nuls = 0;
  *extent = (struct ws_text_extent){.host_size = size};
  for (;;) {
    const uint8_t *bytes = (const uint8_t *)text + at;
    const uint8_t *nul = memchr(bytes, ws_text_nul[0], size - at);
    size_t run = nul ? (size_t)(nul - bytes) : size - at;
    size_t valid = ws_utf8_check(bytes, run);
    at += valid;
    if (valid == run && !nul)
      break;
    if (valid != run || nul[1] != ws_text_nul[1]) {
      extent->error_offset = at;
      return WS_TEXT_INVALID;
    }
    at += 2;
    nuls++;
  }
  extent->wire_size = size - nuls;
  return nuls > 0 ? WS_TEXT_CONVERT : WS_TEXT_SAME;
}

void ws_text_from_host(uint8_t *to, const char *text, size_t host_size) {
  const char *end = text + host_size;
  while (text < end) {
    const char *nul = memchr(text, 0xC0, (size_t)(end - text));
    size_t run = (size_t)((nul ? nul : end) - text);
    memcpy(to, text, run);
    to += run;
    text += run;
    if (nul) {
      *to++ = 0;
      text += 2;
    }
  }
}

size_t ws_text_host_size(const uint8_t *bytes, size_t n) {
  const uint8_t *end = bytes + n;
  size_t size = n;
  while (bytes < end && (bytes = memchr(bytes, 0, (size_t)(end - bytes)))) {
    bytes++;
    size++;
  }
  return size;
}

void ws_text_to_host(char *to, const uint8_t *bytes, size_t n) {
  const uint8_t *end = bytes + n;
  while (bytes < end) {
    const uint8_t *nul = memchr(bytes, 0, (size_t)(end - bytes));
    size_t run = (size_t)((nul ? nul : end) - bytes);
    memcpy(to, bytes, run);
    to += run;
    bytes += run;
    if (nul) {
      memcpy(to, ws_text_nul, sizeof ws_text_nul);
      to += 2;
      bytes++;
    }
  }
  *to = '\0';
}
