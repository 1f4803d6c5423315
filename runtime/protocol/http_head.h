#pragma once
/* The head of an HTTP/1.1 request or response, parsed as it arrives.
 *
 * Strict (RFC 9112), so that a proxy and this parser agree on where a message ends. Every line ends in CR LF. Errors
 * are: a bare CR or LF, NUL and other control characters (except a tab in a value), folded lines, a space before a
 * colon. One empty line before a request line is a part of the head, and ignored.
 *
 * The caller keeps all bytes of the head in one buffer, and passes the whole of it to each call. The buffer may grow
 * and move between calls. Parsing takes linear time however the bytes arrive. The struct stores offsets; the accessors
 * return slices of `bytes`, the buffer of the latest call. If a complete head is moved, the caller updates `bytes`.
 *
 * Invariant: line <= scanned <= bytes passed <= WS_HTTP_BYTES_MAX; lines before `line` are parsed.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "refusal.h"
#include "slice.h"

enum { WS_HTTP_BYTES_MAX = 16384, WS_HTTP_FIELDS_MAX = 100 };

enum ws_http_kind {
  WS_HTTP_REQUEST,
  WS_HTTP_RESPONSE,
};

enum ws_http_outcome {
  WS_HTTP_COMPLETE = 0, /* the head is the first `size` bytes, with the empty line */
  WS_HTTP_PARTIAL = 1,  /* valid so far, incomplete */
  WS_HTTP_PROBLEM = 2,  /* `problem` is one of WS_HTTP_PROBLEMS; further calls return the same */
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
  uint16_t line;    /* offset of the current line */
  uint16_t scanned; /* bytes searched for its end */
  uint16_t size;    /* of the head; 0 until complete */
  uint8_t kind;
  uint8_t problem;
  struct ws_http_span method, target; /* of a request */
  struct ws_http_span reason;         /* of a response */
  uint16_t status;
  uint16_t field_count;
  struct ws_http_field fields[WS_HTTP_FIELDS_MAX];
};

/*@ // Parsed parts are within the scanned bytes.
    predicate http_span_ends{L}(struct ws_http_span *span, integer end) = span->start + span->size <= end;
    predicate http_fields_end{L}(struct ws_http_head *head, integer end) =
      \forall integer i; 0 <= i < head->field_count ==>
      http_span_ends(&head->fields[i].name, end) && http_span_ends(&head->fields[i].value, end);
    predicate http_head_sound{L}(struct ws_http_head *head) =
      head->line <= head->scanned <= WS_HTTP_BYTES_MAX && (head->size == 0 || head->size == head->scanned) &&
      http_span_ends(&head->method, head->scanned) && http_span_ends(&head->target, head->scanned) &&
      http_span_ends(&head->reason, head->scanned) && head->field_count <= WS_HTTP_FIELDS_MAX;

    // The scanned bytes are readable.
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

/* Continues parsing. `bytes` are the n bytes received so far, from the start of the head. Ignores bytes after it. */
/*@ requires \valid(head) && http_head_sound(head) && http_fields_end(head, head->scanned) && head->scanned <= n;
    requires \valid_read(bytes + (0 .. n - 1)) && \separated(head, bytes + (0 .. n - 1));
    assigns *head;
    ensures http_head_sound(head) && head->scanned <= n;
    ensures http_fields_end(head, head->scanned);
    ensures http_bytes_there(head);
    ensures \result == WS_HTTP_COMPLETE ==> 0 < head->size <= n;
*/
enum ws_http_outcome ws_http_head_parse(struct ws_http_head *head, const char *bytes, size_t n);

/* Parts of a complete head. */
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

/* Returns how many fields have the name. Sets *value to that of the first, or to an absent slice. */
/*@ requires http_head_there(head) && valid_read_string(name) && \valid(value) && \separated(value, head);
    assigns *value;
    ensures \result <= head->field_count && slice_readable(*value);
*/
size_t ws_http_head_find(const struct ws_http_head *head, const char *name, struct ws_slice *value);

/* Returns true if a field with the name, parsed as a comma-separated list, contains `element`. Ignores case. */
/*@ requires http_head_there(head) && valid_read_string(name) && valid_read_string(element);
    assigns \nothing;
*/
bool ws_http_head_list_contains(const struct ws_http_head *head, const char *name, const char *element);
