#include "answer_header.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "slice.h"
#include "utf8.h"

static bool ws_answer_header_reserved(struct ws_slice name) {
  static const char *const names[] = {"Upgrade",          "Connection",        "Date", "Content-Length", "Content-Type",
                                      "Content-Encoding", "Transfer-Encoding", "TE",   "Trailer",        "Keep-Alive",
                                      "Proxy-Connection"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (ws_slice_equal_nocase(name, ws_slice_of(names[i])))
      return true;
  return ws_slice_skip_prefix(&name, WS_SLICE("Sec-WebSocket-"));
}

const char *ws_answer_header_problem(const char *name, const char *value) {
  size_t n = strlen(value);
  if (!ws_slice_is_token(ws_slice_of(name)))
    return "its name is not an HTTP token";
  if (ws_answer_header_reserved(ws_slice_of(name)))
    return "the handshake itself sets it";
  for (size_t i = 0; i < n; i++)
    if (((uint8_t)value[i] < 0x20 && value[i] != '\t') || value[i] == 0x7F)
      return "its value contains a control character";
  return ws_utf8_check((const uint8_t *)value, n) < n ? "its value is not UTF-8" : NULL;
}

size_t ws_answer_header_size(const char *name, const char *value) {
  return strlen(name) + strlen(value) + 4;
}

char *ws_answer_header_write(char *to, const char *name, const char *value) {
  to = stpcpy(stpcpy(stpcpy(to, name), ": "), value);
  memcpy(to, "\r\n", 2);
  return to + 2;
}
