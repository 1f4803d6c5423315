#include "printable.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "protocol/utf8.h"

/* Returns true for a C1 control, a line or paragraph separator, or a bidirectional control. */
static bool ws_printable_is_control(const uint8_t *p, size_t size) {
  if (size == 2)
    return (*p == 0xC2 && p[1] < 0xA0) || (*p == 0xD8 && p[1] == 0x9C);
  if (size != 3 || *p != 0xE2)
    return false;
  if (p[1] == 0x80)
    return p[2] == 0x8E || p[2] == 0x8F || (p[2] >= 0xA8 && p[2] <= 0xAE);
  return p[1] == 0x81 && p[2] >= 0xA6 && p[2] <= 0xA9;
}

/* Returns the size of the character at `p`, or 0 if its first byte must be escaped. */
static size_t ws_printable_run(const uint8_t *p, size_t n) {
  size_t size = *p < 0x80 ? 1 : *p < 0xE0 ? 2 : *p < 0xF0 ? 3 : 4;
  if (*p < 0x20 || *p == 0x7F || size > n)
    return 0;
  if (ws_printable_is_control(p, size))
    return 0;
  return ws_utf8_check(p, size) == size ? size : 0;
}

size_t ws_printable(char *to, size_t room, const char *text) {
  const uint8_t *p = (const uint8_t *)text;
  size_t left = strlen(text);
  size_t used = 0;
  while (left > 0) {
    size_t run = ws_printable_run(p, left);
    if (used + (run ? run : 4) >= room)
      break;
    if (run)
      memcpy(to + used, p, run);
    else
      snprintf(to + used, 5, "\\x%02x", *p);
    used += run ? run : 4;
    p += run ? run : 1;
    left -= run ? run : 1;
  }
  to[used] = '\0';
  return used;
}
