#include "target.h"

#include <stdbool.h>
#include <stdint.h>

#include "utf8_scalar.h"

/* The value of a hexadecimal digit, or -1. */
static int ws_target_digit(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  c = ws_slice_lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Sets the byte that a text, which is not empty, begins with. Returns how many bytes stand for it. */
static size_t ws_target_byte(struct ws_slice text, bool form, uint8_t *byte) {
  if (text.data[0] == '%' && text.size >= 3) {
    int high = ws_target_digit(text.data[1]), low = ws_target_digit(text.data[2]);
    *byte = (uint8_t)(high * 16 + low);
    if (high >= 0 && low >= 0)
      return 3;
  }
  *byte = form && text.data[0] == '+' ? ' ' : (uint8_t)text.data[0];
  return 1;
}

static char *ws_target_put_replacement(char *to) {
  memcpy(to, "\xEF\xBF\xBD", 3);
  return to + 3;
}

static size_t ws_target_decode(char *to, struct ws_slice text, bool form) {
  struct ws_utf8 state = WS_UTF8_START;
  char *end = to, *character = to; /* the last one, if it is not complete */
  while (text.size > 0) {
    uint8_t byte;
    size_t width = ws_target_byte(text, form, &byte);
    if (ws_utf8_scalar_step(&state, byte)) {
      if (byte == 0)
        *end++ = '\xC0';
      *end++ = (char)(byte ? byte : 0x80);
      if (ws_utf8_complete(&state))
        character = end;
    } else { /* replaces the bytes of the character before this one, which then may begin another; else this one */
      if (character < end)
        width = 0;
      end = character = ws_target_put_replacement(character);
      state = WS_UTF8_START;
    }
    text = ws_slice_from(text, width);
  }
  if (character < end)
    end = ws_target_put_replacement(character);
  return (size_t)(end - to);
}

size_t ws_target_path(char *to, struct ws_slice target) {
  return ws_target_decode(to, (struct ws_slice){target.data, ws_slice_find(target, '?')}, false);
}

long ws_target_parameter(char *to, struct ws_slice target, const char *name) {
  struct ws_slice query = ws_slice_from(target, ws_slice_find(target, '?')), parameter;
  if (query.size == 0)
    return -1;
  query = ws_slice_from(query, 1);
  while (ws_slice_next(&query, '&', &parameter)) {
    size_t end = ws_slice_find(parameter, '=');
    size_t size = ws_target_decode(to, (struct ws_slice){parameter.data, end}, true);
    if (parameter.size > 0 && ws_slice_equal((struct ws_slice){to, size}, ws_slice_of(name))) {
      size_t start = end < parameter.size ? end + 1 : end;
      return (long)ws_target_decode(to, ws_slice_from(parameter, start), true);
    }
  }
  return -1;
}
