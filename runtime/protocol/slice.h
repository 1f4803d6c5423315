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

/*@ predicate slice_readable{L}(struct ws_slice s) = \valid_read(s.data + (0 .. s.size - 1));
    predicate slice_within(struct ws_slice part, struct ws_slice whole) =
      \base_addr(part.data) == \base_addr(whole.data) && whole.data <= part.data &&
      part.data + part.size <= whole.data + whole.size;
*/

/*@ requires valid_read_string(text);
    assigns \nothing;
    ensures \result.data == text && \result.size == strlen(text) && slice_readable(\result);
*/
static inline struct ws_slice ws_slice_of(const char *text) {
  return (struct ws_slice){text, strlen(text)};
}

/* The slice of a literal. */
#define WS_SLICE(literal) ((struct ws_slice){literal, sizeof(literal) - 1})

/* Whether a byte is white space within a line. */
/*@ assigns \nothing; */
static inline bool ws_slice_is_blank(char c) {
  return c == ' ' || c == '\t';
}

/* ASCII letters only. */
/*@ assigns \nothing; */
char ws_slice_lower(char c);

/* Whether two slices hold the same bytes. */
/*@ requires slice_readable(a) && slice_readable(b);
    assigns \nothing;
    ensures \result <==> a.size == b.size && \forall integer i; 0 <= i < a.size ==> a.data[i] == b.data[i];
*/
bool ws_slice_equal(struct ws_slice a, struct ws_slice b);

/* The same without regard to the case of ASCII letters. */
/*@ requires slice_readable(a) && slice_readable(b);
    assigns \nothing;
    ensures \result ==> a.size == b.size;
*/
bool ws_slice_equal_nocase(struct ws_slice a, struct ws_slice b);

/* The slice without the spaces and tabs around it. */
/*@ requires slice_readable(s);
    assigns \nothing;
    ensures slice_within(\result, s) && slice_readable(\result);
*/
struct ws_slice ws_slice_trim(struct ws_slice s);

/* Cuts the next element off a list that is separated by `separator`, trimmed; an element may be empty.
 * False when the list is used up. A `list` starts as the whole text; its `data` becomes NULL at the end. */
/*@ requires \valid(list) && \valid(element) && \separated(list, element);
    requires slice_readable(*list) && \separated(list, list->data + (0 .. list->size - 1));
    requires \separated(element, list->data + (0 .. list->size - 1));
    assigns *list, *element;
    ensures \result <==> \old(list->data) != \null;
    ensures \result ==> slice_within(*element, \old(*list)) && slice_readable(*element);
    ensures list->data == \null ? list->size == 0 : list->size < \old(list->size) && slice_within(*list, \old(*list));
    ensures slice_readable(*list);
*/
bool ws_slice_next(struct ws_slice *list, char separator, struct ws_slice *element);

/* Whether every byte is a tchar of RFC 9110 section 5.6.2, and there is at least one. */
/*@ requires slice_readable(s);
    assigns \nothing;
    ensures \result ==> s.size > 0;
*/
bool ws_slice_is_token(struct ws_slice s);
