/* The head of an HTTP/1.1 request or response, parsed as it arrives.
 *
 * Strict by RFC 9112: every line ends in CR LF, no bare CR or LF, no NUL or other control character (a tab may stand in a
 * value), no folded line, no space before a colon. Strictness is what keeps a proxy and this parser of one mind about where a
 * message ends.
 *
 * The caller keeps the bytes, from the first of the head on, in one buffer, which may grow and move between calls; each call gets
 * all of them. Every byte is looked at a bounded number of times whatever the pieces it arrives in. What was parsed is kept as
 * offsets; the accessors return slices of `bytes`, the buffer of the latest call (set it when a finished head is moved).
 *
 * Invariant: line <= scanned <= number of bytes seen <= max_bytes; lines before `line` are parsed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "refusal.h"
#include "slice.h"

#define WS_HTTP_BYTES_MAX 16384
#define WS_HTTP_FIELDS_MAX 100

enum ws_http_kind {
  WS_HTTP_REQUEST,
  WS_HTTP_RESPONSE,
};

enum ws_http_outcome {
  WS_HTTP_COMPLETE = 0, /* the first `size` bytes are the head, its empty line included */
  WS_HTTP_PARTIAL = 1,  /* more bytes are needed; nothing wrong so far */
  WS_HTTP_PROBLEM = 2,  /* `problem` tells which of WS_HTTP_PROBLEMS; further calls return the same */
};

struct ws_http_span {
  uint16_t start;
  uint16_t size;
};

struct ws_http_field {
  struct ws_http_span name;
  struct ws_http_span value;
};

struct ws_http_head {
  const char *bytes;
  uint16_t line;    /* where the line being read starts */
  uint16_t scanned; /* how far its end was looked for */
  uint16_t size;    /* of the whole head, once complete */
  uint8_t kind;
  uint8_t problem;
  struct ws_http_span method, target; /* of a request */
  struct ws_http_span reason;         /* of a response */
  uint16_t status;
  uint16_t field_count;
  struct ws_http_field fields[WS_HTTP_FIELDS_MAX];
};

/*@ // What was parsed lies within the bytes scanned.
    predicate http_span_ends{L}(struct ws_http_span *span, integer end) = span->start + span->size <= end;
    predicate http_fields_end{L}(struct ws_http_head *head, integer end) = \forall integer i; 0 <= i < head->field_count ==>
      http_span_ends(&head->fields[i].name, end) && http_span_ends(&head->fields[i].value, end);
    predicate http_head_sound{L}(struct ws_http_head *head) =
      head->line <= head->scanned <= WS_HTTP_BYTES_MAX && (head->size == 0 || head->size == head->scanned) &&
      http_span_ends(&head->method, head->scanned) && http_span_ends(&head->target, head->scanned) &&
      http_span_ends(&head->reason, head->scanned) && head->field_count <= WS_HTTP_FIELDS_MAX;

    // These bytes are there to be read.
    predicate http_bytes_there{L}(struct ws_http_head *head) =
      \valid(head) && \valid_read(head->bytes + (0 .. head->scanned - 1)) &&
      \separated(head, head->bytes + (0 .. head->scanned - 1));
    predicate http_head_there{L}(struct ws_http_head *head) =
      http_head_sound(head) && http_fields_end(head, head->scanned) && http_bytes_there(head);
*/

/*@ requires \valid(head);
    assigns *head;
    ensures http_head_sound(head) && http_fields_end(head, 0);
*/
void ws_http_head_init(struct ws_http_head *head, enum ws_http_kind kind);

/* Parses on: `bytes` are all n bytes from the head's first one on. Bytes after the head are not looked at. */
/*@ requires \valid(head) && http_head_sound(head) && http_fields_end(head, head->scanned) && head->scanned <= n;
    requires \valid_read(bytes + (0 .. n - 1)) && \separated(head, bytes + (0 .. n - 1));
    assigns *head;
    ensures http_head_sound(head) && head->scanned <= n;
    ensures http_fields_end(head, head->scanned);
    ensures http_bytes_there(head);
    ensures \result == WS_HTTP_COMPLETE ==> 0 < head->size <= n;
*/
enum ws_http_outcome ws_http_head_parse(struct ws_http_head *head, const char *bytes, size_t n);

/* Slices of a finished head. */
/*@ requires http_head_there(head);
    assigns \nothing;
    ensures slice_readable(\result);
*/
struct ws_slice ws_http_head_method(const struct ws_http_head *head);
/*@ requires http_head_there(head);
    assigns \nothing;
    ensures slice_readable(\result);
*/
struct ws_slice ws_http_head_target(const struct ws_http_head *head);
/*@ requires http_head_there(head);
    assigns \nothing;
    ensures slice_readable(\result);
*/
struct ws_slice ws_http_head_reason(const struct ws_http_head *head);
/*@ requires http_head_there(head) && i < head->field_count;
    assigns \nothing;
    ensures slice_readable(\result);
*/
struct ws_slice ws_http_head_field_name(const struct ws_http_head *head, size_t i);
/*@ requires http_head_there(head) && i < head->field_count;
    assigns \nothing;
    ensures slice_readable(\result);
*/
struct ws_slice ws_http_head_field_value(const struct ws_http_head *head, size_t i);

/* How many fields have this name; *value is the first one's value (absent if there is none). */
/*@ requires http_head_there(head) && valid_read_string(name) && \valid(value) && \separated(value, head);
    assigns *value;
    ensures \result <= head->field_count && slice_readable(*value);
*/
size_t ws_http_head_find(const struct ws_http_head *head, const char *name, struct ws_slice *value);

/* Whether one of the fields of this name, read as comma-separated lists, holds `element` (case of letters ignored). */
/*@ requires http_head_there(head) && valid_read_string(name) && valid_read_string(element);
    assigns \nothing;
*/
bool ws_http_head_list_holds(const struct ws_http_head *head, const char *name, const char *element);
