#include "slice.h"

/*@ assigns \nothing; */
char ws_slice_lower(char c) {
  return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool ws_slice_equal(struct ws_slice a, struct ws_slice b) {
  if (a.size != b.size)
    return false;
  /*@ loop invariant 0 <= i <= a.size && \forall integer k; 0 <= k < i ==> a.data[k] == b.data[k];
      loop assigns i;
      loop variant a.size - i;
  */
  for (size_t i = 0; i < a.size; i++)
    if (a.data[i] != b.data[i])
      return false;
  return true;
}

bool ws_slice_equal_nocase(struct ws_slice a, struct ws_slice b) {
  if (a.size != b.size)
    return false;
  /*@ loop invariant 0 <= i <= a.size;
      loop assigns i;
      loop variant a.size - i;
  */
  for (size_t i = 0; i < a.size; i++)
    if (ws_slice_lower(a.data[i]) != ws_slice_lower(b.data[i]))
      return false;
  return true;
}

struct ws_slice ws_slice_trim(struct ws_slice s) {
  /*@ loop invariant slice_within(s, \at(s, Pre)) && slice_readable(s);
      loop assigns s;
      loop variant s.size;
  */
  while (s.size > 0 && ws_slice_is_blank(s.data[0])) {
    s.data++;
    s.size--;
  }
  /*@ loop invariant slice_within(s, \at(s, Pre)) && slice_readable(s);
      loop assigns s.size;
      loop variant s.size;
  */
  while (s.size > 0 && ws_slice_is_blank(s.data[s.size - 1]))
    s.size--;
  return s;
}

size_t ws_slice_find(struct ws_slice s, char c) {
  size_t i = 0;
  /*@ loop invariant i <= s.size && \forall integer k; 0 <= k < i ==> s.data[k] != c;
      loop assigns i;
      loop variant s.size - i;
  */
  while (i < s.size && s.data[i] != c)
    i++;
  return i;
}

struct ws_slice ws_slice_from(struct ws_slice s, size_t start) {
  return (struct ws_slice){s.data + start, s.size - start};
}

bool ws_slice_skip_prefix(struct ws_slice *s, struct ws_slice prefix) {
  if (s->size < prefix.size || !ws_slice_equal_nocase((struct ws_slice){s->data, prefix.size}, prefix))
    return false;
  *s = ws_slice_from(*s, prefix.size);
  return true;
}

bool ws_slice_next(struct ws_slice *list, char separator, struct ws_slice *element) {
  size_t n;
  if (!list->data)
    return false;
  n = ws_slice_find(*list, separator);
  *element = ws_slice_trim((struct ws_slice){list->data, n});
  if (n == list->size) {
    *list = (struct ws_slice){NULL, 0};
  } else {
    list->data += n + 1;
    list->size -= n + 1;
  }
  return true;
}

/* tchar: letters, digits and "!#$%&'*+-.^_`|~". */
/*@ assigns \nothing; */
static bool ws_slice_is_tchar(char c) {
  if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))
    return true;
  switch (c) {
  case '!':
  case '#':
  case '$':
  case '%':
  case '&':
  case '\'':
  case '*':
  case '+':
  case '-':
  case '.':
  case '^':
  case '_':
  case '`':
  case '|':
  case '~':
    return true;
  default:
    return false;
  }
}

bool ws_slice_is_token(struct ws_slice s) {
  /*@ loop invariant 0 <= i <= s.size;
      loop assigns i;
      loop variant s.size - i;
  */
  for (size_t i = 0; i < s.size; i++)
    if (!ws_slice_is_tchar(s.data[i]))
      return false;
  return s.size > 0;
}
