#include "forwarded.h"

static const struct ws_slice ws_forwarded_none = {NULL, 0};

void ws_forwarded_begin(struct ws_forwarded *forwarded, const struct ws_http_head *head, enum ws_forwarded_kind kind) {
  *forwarded = (struct ws_forwarded){.head = head, .kind = kind};
}

/* Moves to the next field of the name, if there is one. */
static bool ws_forwarded_next_field(struct ws_forwarded *forwarded) {
  struct ws_slice name = forwarded->kind == WS_FORWARDED_RFC ? WS_SLICE("Forwarded") : WS_SLICE("X-Forwarded-For");
  while (forwarded->field < forwarded->head->field_count) {
    size_t i = forwarded->field++;
    if (ws_slice_equal_nocase(ws_http_head_field_name(forwarded->head, i), name)) {
      forwarded->rest = ws_http_head_field_value(forwarded->head, i);
      return true;
    }
  }
  return false;
}

/* A port, or an obfuscated one: "_" and a name. */
static bool ws_forwarded_is_port(struct ws_slice port) {
  if (port.size > 1 && port.data[0] == '_')
    return true;
  for (size_t i = 0; i < port.size; i++)
    if (port.data[i] < '0' || port.data[i] > '9')
      return false;
  return port.size > 0 && port.size <= 5;
}

/* "[" IPv6 "]" [ ":" port ], IPv6, or a text without colons and an optional port. */
struct ws_slice ws_forwarded_host(enum ws_forwarded_kind kind, struct ws_slice node, char room[WS_QUOTED_MAX]) {
  if (kind == WS_FORWARDED_RFC && node.size > 0 && node.data[0] == '"')
    node = ws_quoted_value((struct ws_slice){node.data + 1, node.size - 2}, room);
  struct ws_slice host, port, unreadable = {node.data, 0};
  size_t end = ws_slice_find(node, ':');
  if (node.size > 0 && node.data[0] == '[') {
    end = ws_slice_find(node, ']');
    if (end == node.size)
      return unreadable;
    host = (struct ws_slice){node.data + 1, end++ - 1};
  } else {
    if (end < node.size && ws_slice_find(ws_slice_from(node, end + 1), ':') < node.size - end - 1)
      return node;
    host = (struct ws_slice){node.data, end};
  }
  if (end == node.size)
    return host;
  port = ws_slice_from(node, end + 1);
  return node.data[end] == ':' && ws_forwarded_is_port(port) ? host : unreadable;
}

/* ---- Forwarded: elements, separated by commas, of pairs name=value, separated by semicolons */

static void ws_forwarded_skip(struct ws_slice *rest, size_t n) {
  *rest = ws_slice_from(*rest, n);
}

static void ws_forwarded_skip_blanks(struct ws_slice *rest) {
  while (rest->size > 0 && ws_slice_is_blank(rest->data[0]))
    ws_forwarded_skip(rest, 1);
}

/* Removes a quoted string. *value: the same, with its quotes. */
static bool ws_forwarded_quoted(struct ws_slice *rest, struct ws_slice *value) {
  size_t i = 1;
  while (i < rest->size && rest->data[i] != '"')
    i += rest->data[i] == '\\' ? 2 : 1;
  if (i >= rest->size)
    return false;
  *value = (struct ws_slice){rest->data, i + 1};
  ws_forwarded_skip(rest, i + 1);
  return true;
}

/* Removes a value without quotes. Colons and brackets, which RFC 7239 wants quoted, are taken. */
static bool ws_forwarded_plain(struct ws_slice *rest, struct ws_slice *value) {
  size_t i = 0;
  while (i < rest->size && rest->data[i] != ',' && rest->data[i] != ';' && rest->data[i] != '"' &&
         !ws_slice_is_blank(rest->data[i]))
    i++;
  *value = (struct ws_slice){rest->data, i};
  ws_forwarded_skip(rest, i);
  return i > 0;
}

static bool ws_forwarded_pair(struct ws_slice *rest, struct ws_slice *name, struct ws_slice *value) {
  size_t end = ws_slice_find(*rest, '=');
  *name = (struct ws_slice){rest->data, end};
  if (end == rest->size || !ws_slice_is_token(*name))
    return false;
  ws_forwarded_skip(rest, end + 1);
  if (rest->size == 0)
    return false;
  if (!(rest->data[0] == '"' ? ws_forwarded_quoted : ws_forwarded_plain)(rest, value))
    return false;
  ws_forwarded_skip_blanks(rest);
  return rest->size == 0 || rest->data[0] == ';' || rest->data[0] == ',';
}

/* Removes an element with the comma behind it. Sets *node to its "for". */
static enum ws_forwarded_outcome ws_forwarded_element(struct ws_slice *rest, struct ws_slice *node) {
  struct ws_slice name, value;
  bool empty = true, has_for = false;
  *node = ws_forwarded_none;
  for (;;) {
    ws_forwarded_skip_blanks(rest);
    if (rest->size == 0 || rest->data[0] == ',')
      break;
    if (rest->data[0] == ';') {
      ws_forwarded_skip(rest, 1);
      continue;
    }
    if (!ws_forwarded_pair(rest, &name, &value))
      return WS_FORWARDED_MALFORMED;
    empty = false;
    if (!ws_slice_equal_nocase(name, WS_SLICE("for")))
      continue;
    if (has_for)
      return WS_FORWARDED_MALFORMED;
    has_for = true;
    *node = value;
  }
  if (rest->size > 0)
    ws_forwarded_skip(rest, 1);
  else
    *rest = ws_forwarded_none;
  return empty ? WS_FORWARDED_END : WS_FORWARDED_NODE;
}

/* The next element of the present field; WS_FORWARDED_END for an empty one. */
static enum ws_forwarded_outcome ws_forwarded_next_node(struct ws_forwarded *forwarded, struct ws_slice *node) {
  if (forwarded->kind == WS_FORWARDED_RFC)
    return ws_forwarded_element(&forwarded->rest, node);
  ws_slice_next(&forwarded->rest, ',', node);
  return node->size > 0 ? WS_FORWARDED_NODE : WS_FORWARDED_END;
}

enum ws_forwarded_outcome ws_forwarded_next(struct ws_forwarded *forwarded, struct ws_slice *node) {
  while (forwarded->rest.data || ws_forwarded_next_field(forwarded)) {
    enum ws_forwarded_outcome outcome = ws_forwarded_next_node(forwarded, node);
    if (outcome != WS_FORWARDED_END)
      return outcome;
  }
  return WS_FORWARDED_END;
}
