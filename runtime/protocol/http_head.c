#include "http_head.h"

/* The size of an empty line. A request may begin with one (RFC 9112 section 2.2); no valid first line is so short. */
enum { WS_HTTP_EMPTY_LINE = 2 };

void ws_http_head_init(struct ws_http_head *head, enum ws_http_kind kind) {
  *head = (struct ws_http_head){.kind = (uint8_t)kind};
}

/*@ requires \valid_read(head) && \valid_read(head->bytes + (span.start .. span.start + span.size - 1));
    assigns \nothing;
    ensures slice_readable(\result);
*/
static struct ws_slice ws_http_head_slice(const struct ws_http_head *head, struct ws_http_span span) {
  return (struct ws_slice){head->bytes + span.start, span.size};
}

/*@ requires \valid(span) && start <= WS_HTTP_BYTES_MAX && size <= WS_HTTP_BYTES_MAX;
    assigns span->start, span->size;
    ensures span->start == start && span->size == size;
*/
static void ws_http_head_keep(struct ws_http_span *span, size_t start, size_t size) {
  span->start = (uint16_t)start;
  span->size = (uint16_t)size;
}

/* Removes the next word and the space behind it from the line. Returns false if there is no space. */
/*@ requires \valid(line) && \valid(word) && slice_readable(*line);
    requires \separated(line, word, line->data + (0 .. line->size - 1));
    assigns *line, *word;
    ensures \result ==> slice_readable(*line) && slice_readable(*word) &&
      word->size + 1 + line->size == \old(line->size);
    ensures !\result ==> *line == \old(*line);
*/
static bool ws_http_head_word(struct ws_slice *line, struct ws_slice *word) {
  size_t n = ws_slice_find(*line, ' ');
  if (n == line->size)
    return false;
  *word = (struct ws_slice){line->data, n};
  *line = ws_slice_from(*line, n + 1);
  return true;
}

/*@ requires slice_readable(s);
    assigns \nothing;
*/
static bool ws_http_head_is_visible(struct ws_slice s) {
  /*@ loop invariant i <= s.size;
      loop assigns i;
      loop variant s.size - i;
  */
  for (size_t i = 0; i < s.size; i++)
    if (s.data[i] < 0x21 || s.data[i] > 0x7E)
      return false;
  return s.size > 0;
}

/* HTTP-version = "HTTP/" DIGIT "." DIGIT ; a later minor version is read as 1.1 (RFC 9110 section 2.5) */
/*@ requires slice_readable(version);
    assigns \nothing;
    ensures \result == WS_REFUSAL_NONE ==> version.size == 8;
*/
static enum ws_refusal ws_http_head_version(struct ws_slice version) {
  if (version.size != 8 || !ws_slice_equal((struct ws_slice){version.data, 5}, WS_SLICE("HTTP/")))
    return WS_REFUSAL_START_LINE;
  if (version.data[5] != '1' || version.data[6] != '.' || version.data[7] < '1' || version.data[7] > '9')
    return WS_REFUSAL_VERSION;
  return WS_REFUSAL_NONE;
}

/*@ predicate http_line_there{L}(struct ws_http_head *head, struct ws_slice line) =
      http_head_there(head) && slice_readable(line) && head->line + line.size + 2 <= head->scanned &&
      \separated(head, line.data + (0 .. line.size - 1));
*/

/* request-line = method SP request-target SP HTTP-version */
/*@ requires http_line_there(head, line);
    assigns head->method.start, head->method.size, head->target.start, head->target.size;
    ensures http_head_sound(head);
    ensures http_fields_end(head, head->scanned);
*/
static enum ws_refusal ws_http_head_request_line(struct ws_http_head *head, struct ws_slice line) {
  struct ws_slice method, target;
  if (!ws_http_head_word(&line, &method) || !ws_slice_is_token(method))
    return WS_REFUSAL_START_LINE;
  if (!ws_http_head_word(&line, &target) || !ws_http_head_is_visible(target))
    return WS_REFUSAL_START_LINE;
  ws_http_head_keep(&head->method, head->line, method.size);
  ws_http_head_keep(&head->target, head->line + method.size + 1, target.size);
  return ws_http_head_version(line);
}

/* status-line = HTTP-version SP 3DIGIT [ SP reason ] ; many servers omit the space before an empty reason */
/*@ requires http_line_there(head, line);
    assigns head->status, head->reason.start, head->reason.size;
    ensures http_head_sound(head);
    ensures http_fields_end(head, head->scanned);
*/
static enum ws_refusal ws_http_head_status_line(struct ws_http_head *head, struct ws_slice line) {
  struct ws_slice version;
  enum ws_refusal refusal;
  unsigned status = 0;
  if (!ws_http_head_word(&line, &version))
    return WS_REFUSAL_START_LINE;
  refusal = ws_http_head_version(version);
  if (refusal != WS_REFUSAL_NONE)
    return refusal;
  if (line.size < 3 || (line.size > 3 && line.data[3] != ' '))
    return WS_REFUSAL_START_LINE;
  /*@ loop invariant i <= 3 && status <= (i == 0 ? 0 : i == 1 ? 9 : i == 2 ? 99 : 999);
      loop assigns i, status;
      loop variant 3 - i;
  */
  for (size_t i = 0; i < 3; i++) {
    if (line.data[i] < '0' || line.data[i] > '9')
      return WS_REFUSAL_START_LINE;
    status = status * 10 + (unsigned)(line.data[i] - '0');
  }
  head->status = (uint16_t)status;
  if (line.size > 3)
    ws_http_head_keep(&head->reason, head->line + version.size + 5, line.size - 4);
  return status >= 100 ? WS_REFUSAL_NONE : WS_REFUSAL_START_LINE;
}

/*@ requires \valid(head) && http_head_sound(head) && http_fields_end(head, head->scanned);
    requires head->field_count < WS_HTTP_FIELDS_MAX && head->line + name_size <= head->scanned;
    requires head->line + value + value_size <= head->scanned;
    assigns head->fields[0 .. WS_HTTP_FIELDS_MAX - 1], head->field_count;
    ensures http_head_sound(head);
    ensures http_fields_end(head, head->scanned);
*/
static void ws_http_head_add_field(struct ws_http_head *head, size_t name_size, size_t value, size_t value_size) {
  struct ws_http_field *field = &head->fields[head->field_count];
  ws_http_head_keep(&field->name, head->line, name_size);
  ws_http_head_keep(&field->value, head->line + value, value_size);
  //@ assert http_fields_end(head, head->scanned);
  head->field_count++;
  //@ ghost size_t before = head->field_count - 1;
  //@ assert field == &head->fields[before];
  //@ assert http_span_ends(&field->name, head->scanned) && http_span_ends(&field->value, head->scanned);
  //@ assert \forall integer i; 0 <= i < before ==> http_span_ends(&head->fields[i].name, head->scanned);
  //@ assert \forall integer i; 0 <= i < before ==> http_span_ends(&head->fields[i].value, head->scanned);
}

/* field-line = field-name ":" OWS field-value OWS */
/*@ requires http_line_there(head, line) && line.size > 0;
    assigns head->fields[0 .. WS_HTTP_FIELDS_MAX - 1], head->field_count;
    ensures http_head_sound(head);
    ensures http_fields_end(head, head->scanned);
*/
static enum ws_refusal ws_http_head_field_line(struct ws_http_head *head, struct ws_slice line) {
  struct ws_slice name = {line.data, ws_slice_find(line, ':')};
  size_t value;
  if (ws_slice_is_blank(line.data[0]))
    return WS_REFUSAL_FOLDED;
  if (name.size == line.size || !ws_slice_is_token(name))
    return WS_REFUSAL_FIELD_NAME;
  if (head->field_count == WS_HTTP_FIELDS_MAX)
    return WS_REFUSAL_TOO_MANY_FIELDS;
  value = name.size + 1;
  /*@ loop invariant name.size < value <= line.size;
      loop assigns value;
      loop variant line.size - value;
  */
  while (value < line.size && ws_slice_is_blank(line.data[value]))
    value++;
  /*@ loop invariant value <= line.size <= \at(line.size, Pre);
      loop assigns line.size;
      loop variant line.size;
  */
  while (line.size > value && ws_slice_is_blank(line.data[line.size - 1]))
    line.size--;
  ws_http_head_add_field(head, name.size, value, line.size - value);
  return WS_REFUSAL_NONE;
}

/* Scans to the end of the line, and sets *found, or to the end of the bytes. Reports control characters and bare CR or
 * LF at once. */
/*@ requires http_head_sound(head) && http_fields_end(head, head->scanned) && head->scanned <= n <= WS_HTTP_BYTES_MAX;
    requires \valid(head) && \valid(found) && head->size == 0;
    requires \valid_read(head->bytes + (0 .. n - 1)) && \separated(head, head->bytes + (0 .. n - 1), found);
    assigns head->scanned, *found;
    ensures http_head_sound(head) && http_bytes_there(head) && head->scanned <= n;
    ensures http_fields_end(head, head->scanned);
    ensures *found != 0 ==> \result == WS_REFUSAL_NONE && head->line + 2 <= head->scanned;
*/
static enum ws_refusal ws_http_head_scan(struct ws_http_head *head, size_t n, bool *found) {
  *found = false;
  /*@ loop invariant \at(head->scanned, Pre) <= head->scanned <= n && *found == 0;
      loop assigns head->scanned;
      loop variant n - head->scanned;
  */
  while (head->scanned < n) {
    char c = head->bytes[head->scanned];
    bool after_cr = head->scanned > head->line && head->bytes[head->scanned - 1] == '\r';
    if (c == '\n') {
      if (!after_cr)
        return WS_REFUSAL_LINE_ENDING;
      head->scanned++;
      *found = true;
      return WS_REFUSAL_NONE;
    }
    if (after_cr)
      return WS_REFUSAL_LINE_ENDING;
    bool control = (c & 0xE0) == 0; /* below 0x20, whether or not char is signed */
    if ((control && c != '\t' && c != '\r') || c == 0x7F)
      return WS_REFUSAL_CONTROL_CHARACTER;
    head->scanned++;
  }
  return WS_REFUSAL_NONE;
}

/* Parses the line from `line` to `scanned`, which includes CR LF. */
/*@ requires http_head_there(head) && head->size == 0 && head->line + 2 <= head->scanned;
    assigns *head;
    ensures http_head_sound(head) && http_bytes_there(head);
    ensures http_fields_end(head, head->scanned);
    ensures head->line == \old(head->line) && head->scanned == \old(head->scanned);
    ensures head->bytes == \old(head->bytes);
*/
static enum ws_refusal ws_http_head_line(struct ws_http_head *head) {
  struct ws_slice line = {head->bytes + head->line, (size_t)head->scanned - head->line - 2u};
  if (head->kind == WS_HTTP_REQUEST && head->line == 0 && line.size == 0)
    return WS_REFUSAL_NONE;
  if (head->line <= WS_HTTP_EMPTY_LINE)
    return head->kind == WS_HTTP_REQUEST ? ws_http_head_request_line(head, line) : ws_http_head_status_line(head, line);
  if (line.size > 0)
    return ws_http_head_field_line(head, line);
  head->size = head->scanned;
  return WS_REFUSAL_NONE;
}

/*@ requires \valid(head) && http_head_sound(head) && http_fields_end(head, head->scanned);
    assigns head->line;
    ensures http_head_sound(head) && head->line == head->scanned;
    ensures http_fields_end(head, head->scanned);
*/
static void ws_http_head_next_line(struct ws_http_head *head) {
  head->line = head->scanned;
}

/*@ requires \valid(head);
    assigns head->problem;
    ensures \result == WS_HTTP_PROBLEM;
*/
static enum ws_http_outcome ws_http_head_fail(struct ws_http_head *head, enum ws_refusal problem) {
  head->problem = (uint8_t)problem;
  return WS_HTTP_PROBLEM;
}

enum ws_http_outcome ws_http_head_parse(struct ws_http_head *head, const char *bytes, size_t n) {
  size_t end = n < WS_HTTP_BYTES_MAX ? n : WS_HTTP_BYTES_MAX;
  head->bytes = bytes;
  if (head->problem != WS_REFUSAL_NONE)
    return WS_HTTP_PROBLEM;
  /*@ loop invariant http_head_sound(head) && http_bytes_there(head) && head->bytes == bytes && head->scanned <= end;
      loop invariant http_fields_end(head, head->scanned);
      loop assigns *head;
      loop variant end - head->line;
  */
  while (head->size == 0) {
    bool found;
    enum ws_refusal problem = ws_http_head_scan(head, end, &found);
    if (problem == WS_REFUSAL_NONE && found)
      problem = ws_http_head_line(head);
    if (problem != WS_REFUSAL_NONE)
      return ws_http_head_fail(head, problem);
    if (!found)
      return end == WS_HTTP_BYTES_MAX ? ws_http_head_fail(head, WS_REFUSAL_HEAD_TOO_BIG) : WS_HTTP_PARTIAL;
    ws_http_head_next_line(head);
  }
  return WS_HTTP_COMPLETE;
}

struct ws_slice ws_http_head_method(const struct ws_http_head *head) {
  return ws_http_head_slice(head, head->method);
}

struct ws_slice ws_http_head_target(const struct ws_http_head *head) {
  return ws_http_head_slice(head, head->target);
}

struct ws_slice ws_http_head_reason(const struct ws_http_head *head) {
  return ws_http_head_slice(head, head->reason);
}

struct ws_slice ws_http_head_field_name(const struct ws_http_head *head, size_t i) {
  return ws_http_head_slice(head, head->fields[i].name);
}

struct ws_slice ws_http_head_field_value(const struct ws_http_head *head, size_t i) {
  return ws_http_head_slice(head, head->fields[i].value);
}

size_t ws_http_head_find(const struct ws_http_head *head, const char *name, struct ws_slice *value) {
  struct ws_slice want = ws_slice_of(name);
  size_t count = 0;
  *value = (struct ws_slice){NULL, 0};
  /*@ loop invariant count <= i <= head->field_count && slice_readable(*value);
      loop assigns i, count, *value;
      loop variant head->field_count - i;
  */
  for (size_t i = 0; i < head->field_count; i++) {
    if (!ws_slice_equal_nocase(ws_http_head_field_name(head, i), want))
      continue;
    if (count++ == 0)
      *value = ws_http_head_field_value(head, i);
  }
  return count;
}

bool ws_http_head_list_contains(const struct ws_http_head *head, const char *name, const char *element) {
  struct ws_slice field = ws_slice_of(name), want = ws_slice_of(element), list, item;
  /*@ loop invariant i <= head->field_count;
      loop assigns i, list, item;
      loop variant head->field_count - i;
  */
  for (size_t i = 0; i < head->field_count; i++) {
    if (!ws_slice_equal_nocase(ws_http_head_field_name(head, i), field))
      continue;
    list = ws_http_head_field_value(head, i);
    /*@ loop invariant slice_readable(list);
        loop assigns list, item;
        loop variant list.data == \null ? 0 : list.size + 1;
    */
    while (ws_slice_next(&list, ',', &item))
      if (ws_slice_equal_nocase(item, want))
        return true;
  }
  return false;
}
