#include "client_headers.h"

#include "utf8.h"

static const char *const ws_client_headers_problem_texts[WS_CLIENT_HEADERS_PROBLEM_COUNT] = {
    [WS_CLIENT_HEADERS_OK] = "none",
#define WS_CLIENT_HEADERS_PROBLEM(name, text) [WS_CLIENT_HEADERS_##name] = text,
    WS_CLIENT_HEADERS_PROBLEMS(WS_CLIENT_HEADERS_PROBLEM)
#undef WS_CLIENT_HEADERS_PROBLEM
};

const char *ws_client_headers_problem_text(enum ws_client_headers_problem problem) {
  return ws_client_headers_problem_texts[problem];
}

bool ws_client_headers_next(struct ws_slice *rest, struct ws_slice *line) {
  size_t n = ws_slice_find(*rest, '\n');
  if (rest->size == 0)
    return false;
  *line = (struct ws_slice){rest->data, n};
  *rest = ws_slice_from(*rest, n < rest->size ? n + 1 : n);
  if (line->size > 0 && line->data[line->size - 1] == '\r')
    line->size--;
  return true;
}

/* Headers that frame the message, or that the handshake writes. */
static bool ws_client_headers_reserved(struct ws_slice name) {
  static const char *const names[] = {"Host", "Upgrade", "Connection", "Content-Length", "Transfer-Encoding",
                                      "TE",   "Trailer", "Expect"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (ws_slice_equal_nocase(name, ws_slice_of(names[i])))
      return true;
  return ws_slice_skip_prefix(&name, WS_SLICE("Sec-WebSocket-"));
}

static enum ws_client_headers_problem ws_client_headers_check_line(struct ws_slice line) {
  struct ws_slice name = {line.data, ws_slice_find(line, ':')};
  if (name.size == line.size || !ws_slice_is_token(name))
    return WS_CLIENT_HEADERS_LINE;
  for (size_t i = name.size; i < line.size; i++)
    if (((uint8_t)line.data[i] < 0x20 && line.data[i] != '\t') || line.data[i] == 0x7F)
      return WS_CLIENT_HEADERS_CHARACTER;
  if (ws_utf8_check((const uint8_t *)line.data, line.size) < line.size)
    return WS_CLIENT_HEADERS_CHARACTER;
  return ws_client_headers_reserved(name) ? WS_CLIENT_HEADERS_RESERVED : WS_CLIENT_HEADERS_OK;
}

enum ws_client_headers_problem ws_client_headers_check(const char *headers, struct ws_slice *wrong) {
  struct ws_slice rest = ws_slice_of(headers), line = {headers, 0};
  enum ws_client_headers_problem problem = WS_CLIENT_HEADERS_OK;
  if (rest.size > WS_CLIENT_HEADERS_MAX)
    problem = WS_CLIENT_HEADERS_TOO_LONG;
  while (problem == WS_CLIENT_HEADERS_OK && ws_client_headers_next(&rest, &line))
    problem = ws_client_headers_check_line(line);
  if (wrong)
    *wrong = line;
  return problem;
}
