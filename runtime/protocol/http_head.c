#include "http_head.h"

void ws_http_head_init(struct ws_http_head *head, enum ws_http_kind kind) {
  *head = (struct ws_http_head){.kind = (uint8_t)kind};
}

static struct ws_slice ws_http_slice(const struct ws_http_head *head, struct ws_http_span span) {
  return (struct ws_slice){head->bytes + span.start, span.size};
}

static struct ws_http_span ws_http_span(size_t start, size_t size) {
  return (struct ws_http_span){(uint16_t)start, (uint16_t)size};
}

/* Cuts off what stands before the next space; the space is dropped. False if there is none. */
static bool ws_http_word(struct ws_slice *line, struct ws_slice *word) {
  size_t n = 0;

  while (n < line->size && line->data[n] != ' ')
    n++;
  if (n == line->size)
    return false;
  *word = (struct ws_slice){line->data, n};
  *line = (struct ws_slice){line->data + n + 1, line->size - n - 1};
  return true;
}

static bool ws_http_is_visible(struct ws_slice s) {
  for (size_t i = 0; i < s.size; i++)
    if (s.data[i] < 0x21 || s.data[i] > 0x7E)
      return false;
  return s.size > 0;
}

/* HTTP-version = "HTTP/" DIGIT "." DIGIT */
static enum ws_refusal ws_http_version(struct ws_slice version) {
  if (version.size != 8 || !ws_slice_equal((struct ws_slice){version.data, 5}, ws_slice_of("HTTP/")))
    return WS_REFUSAL_START_LINE;
  if (!ws_slice_equal(version, ws_slice_of("HTTP/1.1")))
    return WS_REFUSAL_VERSION;
  return WS_REFUSAL_NONE;
}

/* request-line = method SP request-target SP HTTP-version */
static enum ws_refusal ws_http_request_line(struct ws_http_head *head, struct ws_slice line) {
  struct ws_slice method, target;

  if (!ws_http_word(&line, &method) || !ws_slice_is_token(method))
    return WS_REFUSAL_START_LINE;
  if (!ws_http_word(&line, &target) || !ws_http_is_visible(target))
    return WS_REFUSAL_START_LINE;
  head->method = ws_http_span(head->line, method.size);
  head->target = ws_http_span(head->line + method.size + 1, target.size);
  return ws_http_version(line);
}

/* status-line = HTTP-version SP 3DIGIT [ SP reason ] ; the space before an empty reason is often left out */
static enum ws_refusal ws_http_status_line(struct ws_http_head *head, struct ws_slice line) {
  struct ws_slice version;
  enum ws_refusal refusal;

  if (!ws_http_word(&line, &version))
    return WS_REFUSAL_START_LINE;
  refusal = ws_http_version(version);
  if (refusal != WS_REFUSAL_NONE)
    return refusal;
  if (line.size < 3 || (line.size > 3 && line.data[3] != ' '))
    return WS_REFUSAL_START_LINE;
  for (size_t i = 0; i < 3; i++) {
    if (line.data[i] < '0' || line.data[i] > '9')
      return WS_REFUSAL_START_LINE;
    head->status = (uint16_t)(head->status * 10 + (line.data[i] - '0'));
  }
  if (line.size > 3)
    head->reason = ws_http_span(head->line + version.size + 5, line.size - 4);
  return head->status >= 100 ? WS_REFUSAL_NONE : WS_REFUSAL_START_LINE;
}

/* field-line = field-name ":" OWS field-value OWS */
static enum ws_refusal ws_http_field_line(struct ws_http_head *head, struct ws_slice line) {
  struct ws_http_field *field;
  struct ws_slice name = {line.data, 0};
  size_t value;

  if (ws_slice_is_blank(line.data[0]))
    return WS_REFUSAL_FOLDED;
  while (name.size < line.size && line.data[name.size] != ':')
    name.size++;
  if (name.size == line.size || !ws_slice_is_token(name))
    return WS_REFUSAL_FIELD_NAME;
  if (head->field_count == WS_HTTP_FIELDS_MAX)
    return WS_REFUSAL_TOO_MANY_FIELDS;
  value = name.size + 1;
  while (value < line.size && ws_slice_is_blank(line.data[value]))
    value++;
  while (line.size > value && ws_slice_is_blank(line.data[line.size - 1]))
    line.size--;
  field = &head->fields[head->field_count++];
  field->name = ws_http_span(head->line, name.size);
  field->value = ws_http_span(head->line + value, line.size - value);
  return WS_REFUSAL_NONE;
}

/* What the bytes from `scanned` on show before their line is whole: a control character, or a CR that no LF follows.
 * Stops at the line's end with *found set, or where the bytes end. */
static enum ws_refusal ws_http_scan(struct ws_http_head *head, size_t n, bool *found) {
  *found = false;
  while (head->scanned < n) {
    uint8_t c = (uint8_t)head->bytes[head->scanned];
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
    if ((c < 0x20 && c != '\t' && c != '\r') || c == 0x7F)
      return WS_REFUSAL_CONTROL_CHARACTER;
    head->scanned++;
  }
  return WS_REFUSAL_NONE;
}

/* Parses the whole line from `line` to `scanned`, CR LF included. */
static enum ws_refusal ws_http_line(struct ws_http_head *head) {
  struct ws_slice line = {head->bytes + head->line, (size_t)head->scanned - head->line - 2u};

  if (head->line == 0)
    return head->kind == WS_HTTP_REQUEST ? ws_http_request_line(head, line) : ws_http_status_line(head, line);
  if (line.size > 0)
    return ws_http_field_line(head, line);
  head->size = head->scanned;
  return WS_REFUSAL_NONE;
}

static enum ws_http_outcome ws_http_fail(struct ws_http_head *head, enum ws_refusal problem) {
  head->problem = (uint8_t)problem;
  return WS_HTTP_PROBLEM;
}

enum ws_http_outcome ws_http_head_parse(struct ws_http_head *head, const char *bytes, size_t n) {
  size_t end = n < WS_HTTP_BYTES_MAX ? n : WS_HTTP_BYTES_MAX;

  head->bytes = bytes;
  if (head->problem != WS_REFUSAL_NONE)
    return WS_HTTP_PROBLEM;
  while (head->size == 0) {
    bool found;
    enum ws_refusal problem = ws_http_scan(head, end, &found);

    if (problem == WS_REFUSAL_NONE && found)
      problem = ws_http_line(head);
    if (problem != WS_REFUSAL_NONE)
      return ws_http_fail(head, problem);
    if (!found)
      return end == WS_HTTP_BYTES_MAX ? ws_http_fail(head, WS_REFUSAL_HEAD_TOO_BIG) : WS_HTTP_PARTIAL;
    head->line = head->scanned;
  }
  return WS_HTTP_COMPLETE;
}

struct ws_slice ws_http_method(const struct ws_http_head *head) {
  return ws_http_slice(head, head->method);
}

struct ws_slice ws_http_target(const struct ws_http_head *head) {
  return ws_http_slice(head, head->target);
}

struct ws_slice ws_http_reason(const struct ws_http_head *head) {
  return ws_http_slice(head, head->reason);
}

struct ws_slice ws_http_field_name(const struct ws_http_head *head, size_t i) {
  return ws_http_slice(head, head->fields[i].name);
}

struct ws_slice ws_http_field_value(const struct ws_http_head *head, size_t i) {
  return ws_http_slice(head, head->fields[i].value);
}

size_t ws_http_find(const struct ws_http_head *head, const char *name, struct ws_slice *value) {
  struct ws_slice want = ws_slice_of(name);
  size_t count = 0;

  *value = (struct ws_slice){NULL, 0};
  for (size_t i = 0; i < head->field_count; i++) {
    if (!ws_slice_equal_nocase(ws_http_field_name(head, i), want))
      continue;
    if (count++ == 0)
      *value = ws_http_field_value(head, i);
  }
  return count;
}

bool ws_http_list_holds(const struct ws_http_head *head, const char *name, const char *element) {
  struct ws_slice field = ws_slice_of(name), want = ws_slice_of(element), list, item;

  for (size_t i = 0; i < head->field_count; i++) {
    if (!ws_slice_equal_nocase(ws_http_field_name(head, i), field))
      continue;
    list = ws_http_field_value(head, i);
    while (ws_slice_next(&list, ',', &item))
      if (ws_slice_equal_nocase(item, want))
        return true;
  }
  return false;
}
