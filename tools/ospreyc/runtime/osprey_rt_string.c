#include "osprey_rt_library.h"
#include "osprey_rt_text.h"

#include "osprey/osprey_mem.h"

#include <stdio.h>
#include <string.h>

/* The longest string that replace, repeat and the paddings make. A larger number is more likely a mistake, or an
 * attack, than the size of a text. */
enum { STRING_MAX = INT32_MAX };
enum { CODE_POINT_MAX = 0x10ffff };

static char *string_copy(const char *bytes, size_t length) {
  char *text = osprey_rt_text_alloc(length);
  memcpy(text, bytes, length);
  text[length] = '\0';
  return text;
}

/* The string itself, for a result that is the same. */
static char *string_same(const char *s) {
  osp_retain((void *)(uintptr_t)s);
  return (char *)(uintptr_t)s;
}

/* The length, in constant time once the bytes of the string's block are counted. */
static size_t string_length(const char *s) {
  return osp_mem_strnlen(s, SIZE_MAX);
}

/* Whether an index is that of a byte. */
static bool string_has(const char *s, int64_t i) {
  return i >= 0 && osp_mem_strnlen(s, (size_t)i + 1) > (size_t)i;
}

/* `length` bytes from `from` on. */
static char *string_part(const char *s, size_t from, size_t length) {
  return from == 0 && s[length] == '\0' ? string_same(s) : string_copy(s + from, length);
}

/* The bytes from `from` to the end. */
static char *string_rest(const char *s, size_t from) {
  return string_part(s, from, string_length(s) - from);
}

static void *string_fail(const char **error, const char *message) {
  *error = message;
  return NULL;
}

int64_t osp_rt_length(const char *s) {
  return (int64_t)string_length(s);
}

bool osp_rt_is_empty(const char *s) {
  return *s == '\0';
}

bool osp_rt_contains(const char *s, const char *needle) {
  return strstr(s, needle) != NULL;
}

bool osp_rt_starts_with(const char *s, const char *prefix) {
  return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool osp_rt_ends_with(const char *s, const char *suffix) {
  size_t length = string_length(s), tail = string_length(suffix);
  return tail <= length && memcmp(s + length - tail, suffix, tail) == 0;
}

int64_t osp_rt_index_of(const char *s, const char *needle, const char **error) {
  const char *found = strstr(s, needle);
  *error = found ? NULL : "indexOf: substring not found";
  return found ? found - s : 0;
}

char *osp_rt_substring(const char *s, int64_t start, int64_t end, const char **error) {
  *error = NULL;
  if (start < 0 || end < start || osp_mem_strnlen(s, (size_t)end) < (size_t)end)
    return string_fail(error, "substring: index out of range");
  return string_part(s, (size_t)start, (size_t)(end - start));
}

/* A count of bytes as an index of the string. */
static size_t string_clamp(const char *s, int64_t n) {
  return n <= 0 ? 0 : osp_mem_strnlen(s, (size_t)n);
}

char *osp_rt_take(const char *s, int64_t n) {
  return string_part(s, 0, string_clamp(s, n));
}

char *osp_rt_drop(const char *s, int64_t n) {
  return string_rest(s, string_clamp(s, n));
}

int64_t osp_rt_byte_at(const char *s, int64_t i, const char **error) {
  bool inside = string_has(s, i);
  *error = inside ? NULL : "byteAt: index out of range";
  return inside ? (unsigned char)s[i] : 0;
}

/* Decodes the character at `at`. Returns its number of bytes, or 0 with the reason. */
static size_t string_decode(const char *at, int64_t *codepoint, const char **reason) {
  static const int64_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const unsigned char *bytes = (const unsigned char *)at;
  size_t width = bytes[0] < 0x80             ? 1
                 : (bytes[0] & 0xe0) == 0xc0 ? 2
                 : (bytes[0] & 0xf0) == 0xe0 ? 3
                 : (bytes[0] & 0xf8) == 0xf0 ? 4
                                             : 0;
  *reason = "codePointAt: invalid UTF-8 lead byte";
  if (width == 0)
    return 0;
  int64_t value = width == 1 ? bytes[0] : bytes[0] & (0x7f >> width);
  for (size_t i = 1; i < width; i++) {
    bool truncated = strnlen(at, width) < width;
    *reason = truncated ? "codePointAt: truncated codepoint" : "codePointAt: invalid continuation byte";
    if ((bytes[i] & 0xc0) != 0x80)
      return 0;
    value = value << 6 | (bytes[i] & 0x3f);
  }
  *reason = "codePointAt: invalid UTF-8 sequence";
  if (value < smallest[width] || value > CODE_POINT_MAX || (value >= 0xd800 && value <= 0xdfff))
    return 0;
  *codepoint = value;
  return width;
}

int64_t osp_rt_code_point_at(const char *s, int64_t byte_index, const char **error) {
  int64_t codepoint = 0;
  const char *reason = "codePointAt: index out of range";
  *error = string_has(s, byte_index) && string_decode(s + byte_index, &codepoint, &reason) ? NULL : reason;
  return codepoint;
}

int64_t osp_rt_code_point_width(int64_t codepoint, const char **error) {
  *error = NULL;
  if (codepoint < 0 || codepoint > CODE_POINT_MAX)
    *error = "codePointWidth: code point out of range";
  if (codepoint >= 0xd800 && codepoint <= 0xdfff)
    *error = "codePointWidth: surrogate is not a scalar";
  if (*error)
    return 0;
  return codepoint < 0x80 ? 1 : codepoint < 0x800 ? 2 : codepoint < 0x10000 ? 3 : 4;
}

char *osp_rt_from_code_point(int64_t codepoint, const char **error) {
  const char *reason;
  size_t width = (size_t)osp_rt_code_point_width(codepoint, &reason);
  *error = NULL;
  if (reason || codepoint == 0)
    return string_fail(error, "fromCodePoint: invalid code point");
  char bytes[4] = {(char)codepoint};
  for (size_t i = width; width > 1 && i-- > 0; codepoint >>= 6)
    bytes[i] = (char)(i > 0 ? 0x80 | (codepoint & 0x3f) : (0xf0 << (4 - width) & 0xff) | codepoint);
  return string_copy(bytes, width);
}

/* A copy in which the letters from `first` to `last` have the other case. */
static char *string_change_case(const char *s, char first, char last) {
  char *text = string_copy(s, string_length(s));
  for (char *at = text; *at; at++)
    if (*at >= first && *at <= last)
      *at = (char)(*at ^ ('a' ^ 'A'));
  return text;
}

char *osp_rt_upper(const char *s) {
  return string_change_case(s, 'a', 'z');
}

char *osp_rt_lower(const char *s) {
  return string_change_case(s, 'A', 'Z');
}

static const char string_space[] = " \t\n\r\v\f";

/* The length of a string without the white space at its end. */
static size_t string_trimmed(const char *s) {
  size_t length = string_length(s);
  while (length > 0 && strchr(string_space, s[length - 1]))
    length--;
  return length;
}

char *osp_rt_trim(const char *s) {
  size_t from = strspn(s, string_space), end = string_trimmed(s);
  return string_part(s, from, end > from ? end - from : 0);
}

char *osp_rt_trim_start(const char *s) {
  return string_rest(s, strspn(s, string_space));
}

char *osp_rt_trim_end(const char *s) {
  return string_part(s, 0, string_trimmed(s));
}

char *osp_rt_reverse(const char *s) {
  size_t length = string_length(s);
  char *text = osprey_rt_text_alloc(length);
  for (size_t i = 0; i < length; i++)
    text[i] = s[length - 1 - i];
  text[length] = '\0';
  return text;
}

/* Returns the end of the copy. */
static char *string_put(char *to, const char *from, size_t count) {
  return (char *)memcpy(to, from, count) + count;
}

char *osp_rt_replace(const char *s, const char *needle, const char *replacement, const char **error) {
  size_t needle_length = string_length(needle), replacement_length = string_length(replacement);
  size_t length = string_length(s);
  *error = NULL;
  if (needle_length == 0)
    return string_fail(error, "replace: needle must not be empty");
  size_t count = 0;
  for (const char *at = s; (at = strstr(at, needle)); at += needle_length)
    count++;
  if (count == 0)
    return string_same(s);
  length -= count * needle_length;
  if (replacement_length > 0 && count > (STRING_MAX - length) / replacement_length)
    return string_fail(error, "replace: the string would be too long");
  char *text = osprey_rt_text_alloc(length + count * replacement_length), *to = text;
  for (const char *found; (found = strstr(s, needle)); s = found + needle_length) {
    to = string_put(to, s, (size_t)(found - s));
    to = string_put(to, replacement, replacement_length);
  }
  strcpy(to, s);
  return text;
}

/* Writes bytes of a string that is not empty, over and over. */
static char *string_fill(char *to, size_t count, const char *with, size_t length) {
  for (; count > length; count -= length)
    to = string_put(to, with, length);
  return string_put(to, with, count);
}

char *osp_rt_repeat(const char *s, int64_t n, const char **error) {
  size_t length = string_length(s);
  *error = NULL;
  if (n < 0)
    return string_fail(error, "repeat: count must not be negative");
  if (n == 1 || length == 0)
    return string_same(s);
  if ((uint64_t)n > STRING_MAX / length)
    return string_fail(error, "repeat: the string would be too long");
  char *text = osprey_rt_text_alloc((size_t)n * length);
  *string_fill(text, (size_t)n * length, s, length) = '\0';
  return text;
}

/* The bytes of `fill` and the string, either first. */
static char *string_pad(const char *s, int64_t length, const char *fill, bool at_start) {
  size_t own = string_length(s), padding = (size_t)length - own;
  if (length <= (int64_t)own)
    return string_same(s);
  char *text = osprey_rt_text_alloc((size_t)length), *to = text;
  if (!at_start)
    to = string_put(to, s, own);
  to = string_fill(to, padding, fill, string_length(fill));
  if (at_start)
    to = string_put(to, s, own);
  *to = '\0';
  return text;
}

char *osp_rt_pad_start(const char *s, int64_t length, const char *fill, const char **error) {
  *error = *fill == '\0'         ? "padStart: fill must not be empty"
           : length > STRING_MAX ? "padStart: the string would be too long"
                                 : NULL;
  return *error ? NULL : string_pad(s, length, fill, true);
}

char *osp_rt_pad_end(const char *s, int64_t length, const char *fill, const char **error) {
  *error = *fill == '\0'         ? "padEnd: fill must not be empty"
           : length > STRING_MAX ? "padEnd: the string would be too long"
                                 : NULL;
  return *error ? NULL : string_pad(s, length, fill, false);
}

/* A byte becomes at most six: \u001f. */
char *osp_rt_json_string(const char *text) {
  static const char letters[] = "\"\\\b\f\n\r\t", escapes[] = "\"\\bfnrt";
  char *literal = osprey_rt_text_alloc(6 * strlen(text) + 2), *to = literal;
  *to++ = '"';
  while (*text) {
    const char *letter = strchr(letters, *text), *reason;
    int64_t codepoint;
    size_t width = string_decode(text, &codepoint, &reason);
    if (letter) {
      *to++ = '\\';
      *to++ = escapes[letter - letters];
    } else if (strncmp(text, "\xc0\x80", 2) == 0) {
      to = stpcpy(to, "\\u0000");
      width = 2;
    } else if (width == 0) {
      to = stpcpy(to, "\xef\xbf\xbd");
    } else if (codepoint < ' ') {
      to += snprintf(to, sizeof "\\u0000", "\\u%04x", (unsigned)codepoint);
    } else {
      to = string_put(to, text, width);
    }
    text += width ? width : 1;
  }
  strcpy(to, "\"");
  return literal;
}
