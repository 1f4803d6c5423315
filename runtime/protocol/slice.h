#pragma once
/* Slices: borrowed ranges of bytes.
 *
 * A slice owns nothing and is valid as long as the buffer that it points into. `data` is NULL in an absent slice, and
 * not NULL in an empty one. Comparisons without case follow HTTP: only ASCII letters have case.
 */
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
#define WS_SLICE(literal) ((struct ws_slice){literal, sizeof literal - 1})

/* Returns true for a space or a tab. */
/*@ assigns \nothing; */
static inline bool ws_slice_is_blank(char c) {
  return c == ' ' || c == '\t';
}

/* Returns an ASCII letter in lower case, and any other byte unchanged. */
/*@ assigns \nothing; */
char ws_slice_lower(char c);

/*@ requires slice_readable(a) && slice_readable(b);
    assigns \nothing;
    ensures \result <==> a.size == b.size && \forall integer i; 0 <= i < a.size ==> a.data[i] == b.data[i];
*/
bool ws_slice_equal(struct ws_slice a, struct ws_slice b);

/*@ requires slice_readable(a) && slice_readable(b);
    assigns \nothing;
    ensures \result ==> a.size == b.size;
*/
bool ws_slice_equal_nocase(struct ws_slice a, struct ws_slice b);

/* Returns the slice without leading and trailing spaces and tabs. */
/*@ requires slice_readable(s);
    assigns \nothing;
    ensures slice_within(\result, s) && slice_readable(\result);
*/
struct ws_slice ws_slice_trim(struct ws_slice s);

/* Returns the offset of the first byte `c`, or the size if there is none. */
/*@ requires slice_readable(s);
    assigns \nothing;
    ensures \result <= s.size && (\result < s.size ==> s.data[\result] == c);
    ensures \forall integer i; 0 <= i < \result ==> s.data[i] != c;
*/
size_t ws_slice_find(struct ws_slice s, char c);

/* Returns the bytes from `start` on. */
/*@ requires slice_readable(s) && start <= s.size;
    assigns \nothing;
    ensures \result.data == s.data + start && \result.size == s.size - start && slice_readable(\result);
*/
struct ws_slice ws_slice_from(struct ws_slice s, size_t start);

/* Removes a prefix, compared without case. Returns false, with *s unchanged, if *s does not start with it. */
/*@ requires \valid(s) && slice_readable(*s) && \separated(s, s->data + (0 .. s->size - 1)) && slice_readable(prefix);
    assigns *s;
    ensures slice_within(*s, \old(*s)) && slice_readable(*s);
*/
bool ws_slice_skip_prefix(struct ws_slice *s, struct ws_slice prefix);

/* Removes the next element from a list, and stores it trimmed; it may be empty. Returns false at the end of the list.
 * *list starts as the whole text; after the last element its data is NULL. */
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

/* Returns true for a token of RFC 9110 section 5.6.2: one or more tchars. */
/*@ requires slice_readable(s);
    assigns \nothing;
    ensures \result ==> s.size > 0;
*/
bool ws_slice_is_token(struct ws_slice s);
