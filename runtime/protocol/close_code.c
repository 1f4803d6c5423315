#include "close_code.h"

#include <assert.h>
#include <string.h>

struct ws_close_row {
  int code;
  bool wire;
  const char *text;
};

static const struct ws_close_row ws_close_rows[] = {
#define WS_CLOSE_CODE(name, number, wire, text) {number, wire, text},
    WS_CLOSE_CODES(WS_CLOSE_CODE)
#undef WS_CLOSE_CODE
};

static const struct ws_close_row *ws_close_row(int64_t code) {
  for (size_t i = 0; i < sizeof ws_close_rows / sizeof *ws_close_rows; i++)
    if (ws_close_rows[i].code == code)
      return &ws_close_rows[i];
  return NULL;
}

static bool ws_close_code_is_application(int64_t code) {
  return code >= 3000 && code <= 4999;
}

bool ws_close_code_valid(int64_t code) {
  const struct ws_close_row *row = ws_close_row(code);
  return row ? row->wire : ws_close_code_is_application(code);
}

const char *ws_close_code_text(int64_t code) {
  const struct ws_close_row *row = ws_close_row(code);
  if (row)
    return row->text;
  return ws_close_code_is_application(code) ? "application code" : "unknown code";
}

size_t ws_close_code_encode(uint8_t payload[WS_CLOSE_PAYLOAD_MAX], int code, const char *reason, size_t reason_size) {
  if (code == WS_CLOSE_NO_STATUS)
    return 0;
  assert(ws_close_code_valid(code) && reason_size <= WS_CLOSE_REASON_MAX);
  payload[0] = (uint8_t)(code >> 8);
  payload[1] = (uint8_t)code;
  if (reason_size > 0)
    memcpy(payload + 2, reason, reason_size);
  return 2 + reason_size;
}
