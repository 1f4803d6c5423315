#pragma once
/* The close codes of RFC 6455 section 7.4 and of its IANA registry, and the payload of close frames.
 *
 *   WS_CLOSE_CODE(name, number, wire, text)
 *       wire   true if a close frame may contain the code; the others appear only in an endpoint's own reports
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WS_CLOSE_CODES(WS_CLOSE_CODE)                                                                                  \
  WS_CLOSE_CODE(NORMAL, 1000, true, "normal closure")                                                                  \
  WS_CLOSE_CODE(GOING_AWAY, 1001, true, "going away")                                                                  \
  WS_CLOSE_CODE(PROTOCOL_ERROR, 1002, true, "protocol error")                                                          \
  WS_CLOSE_CODE(UNSUPPORTED_DATA, 1003, true, "unsupported data")                                                      \
  WS_CLOSE_CODE(NO_STATUS, 1005, false, "no status received")                                                          \
  WS_CLOSE_CODE(ABNORMAL, 1006, false, "abnormal closure")                                                             \
  WS_CLOSE_CODE(INVALID_PAYLOAD, 1007, true, "invalid payload data")                                                   \
  WS_CLOSE_CODE(POLICY_VIOLATION, 1008, true, "policy violation")                                                      \
  WS_CLOSE_CODE(MESSAGE_TOO_BIG, 1009, true, "message too big")                                                        \
  WS_CLOSE_CODE(MANDATORY_EXTENSION, 1010, true, "mandatory extension")                                                \
  WS_CLOSE_CODE(INTERNAL_ERROR, 1011, true, "internal error")                                                          \
  WS_CLOSE_CODE(SERVICE_RESTART, 1012, true, "service restart")                                                        \
  WS_CLOSE_CODE(TRY_AGAIN_LATER, 1013, true, "try again later")                                                        \
  WS_CLOSE_CODE(BAD_GATEWAY, 1014, true, "bad gateway")                                                                \
  WS_CLOSE_CODE(TLS_HANDSHAKE, 1015, false, "TLS handshake failed")

enum ws_close_code {
#define WS_CLOSE_CODE(name, number, wire, text) WS_CLOSE_##name = number,
  WS_CLOSE_CODES(WS_CLOSE_CODE)
#undef WS_CLOSE_CODE
};

enum { WS_CLOSE_REASON_MAX = 123, WS_CLOSE_PAYLOAD_MAX = 125 }; /* bytes */

/* Returns true if a close frame may contain the code: 1000-1003, 1007-1014, 3000-4999. */
bool ws_close_code_valid(int64_t code);

/* Returns the meaning of a code: "application code" for 3000-4999, "unknown code" for codes that are not listed. */
const char *ws_close_code_text(int64_t code);

/* Writes the payload of a close frame. Returns its size. The code is valid, or WS_CLOSE_NO_STATUS for an empty
 * payload; the reason is UTF-8 of at most WS_CLOSE_REASON_MAX bytes. */
size_t ws_close_code_encode(uint8_t payload[WS_CLOSE_PAYLOAD_MAX], int code, const char *reason, size_t reason_size);
