#include "close_code.h"

#include <assert.h>
#include <string.h>

bool ws_close_code_valid(int64_t code) {
  switch (code) {
#define WS_CLOSE_CODE(name, number, wire, text)                                                                        \
  case number:                                                                                                         \
    return wire;
    WS_CLOSE_CODES(WS_CLOSE_CODE)
#undef WS_CLOSE_CODE
  default:
    return code >= 3000 && code <= 4999;
  }
}

const char *ws_close_code_text(int64_t code) {
  switch (code) {
#define WS_CLOSE_CODE(name, number, wire, text)                                                                        \
  case number:                                                                                                         \
    return text;
    WS_CLOSE_CODES(WS_CLOSE_CODE)
#undef WS_CLOSE_CODE
  default:
    return ws_close_code_valid(code) ? "application code" : "unknown code";
  }
}

size_t ws_close_encode(uint8_t payload[WS_CLOSE_PAYLOAD_MAX], int code, const char *reason, size_t reason_size) {
  if (code == WS_CLOSE_NO_STATUS)
    return 0;
  assert(ws_close_code_valid(code) && reason_size <= WS_CLOSE_REASON_MAX);
  payload[0] = (uint8_t)(code >> 8);
  payload[1] = (uint8_t)code;
  if (reason_size > 0)
    memcpy(payload + 2, reason, reason_size);
  return 2 + reason_size;
}
