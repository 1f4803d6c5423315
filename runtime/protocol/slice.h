/* A borrowed run of bytes.
 *
 * A slice owns nothing: it lives as long as the buffer that it points into. An absent slice has a NULL `data`; an empty one
 * that is present has not. Comparisons of names are those of HTTP: only ASCII letters have case.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct ws_slice {
  const char *data;
  size_t size;
};

static inline struct ws_slice ws_slice_of(const char *text) {
  return (struct ws_slice){text, strlen(text)};
}

/* Whether a byte is white space within a line. */
static inline bool ws_slice_is_blank(char c) {
  return c == ' ' || c == '\t';
}

/* Whether two slices hold the same bytes. */
/* ASCII only. */
char ws_slice_lower(char c);

bool ws_slice_equal(struct ws_slice a, struct ws_slice b);

/* The same without regard to the case of ASCII letters. */
bool ws_slice_equal_nocase(struct ws_slice a, struct ws_slice b);

/* The slice without the spaces and tabs around it. */
struct ws_slice ws_slice_trim(struct ws_slice s);

/* Cuts the next element off a list that is separated by `separator`, trimmed; an element may be empty.
 * False when the list is used up. A `list` starts as the whole text; its `data` becomes NULL at the end. */
bool ws_slice_next(struct ws_slice *list, char separator, struct ws_slice *element);

/* Whether every byte is a tchar of RFC 9110 section 5.6.2, and there is at least one. */
bool ws_slice_is_token(struct ws_slice s);
