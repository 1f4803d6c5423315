#pragma once
/* Protocol violations by a peer after the handshake.
 *
 *   WS_VIOLATION(name, close_code, text)
 *       close_code   of the close frame that fails the connection
 *       text         its reason, also logged; at most WS_CLOSE_REASON_MAX bytes
 */

#define WS_VIOLATIONS(WS_VIOLATION)                                                                                    \
  WS_VIOLATION(RESERVED_BITS, 1002, "a reserved bit is set")                                                           \
  WS_VIOLATION(RESERVED_OPCODE, 1002, "a reserved opcode")                                                             \
  WS_VIOLATION(NOT_MASKED, 1002, "a client's frame is not masked")                                                     \
  WS_VIOLATION(MASKED, 1002, "a server's frame is masked")                                                             \
  WS_VIOLATION(LENGTH_NOT_MINIMAL, 1002, "a length is not in its shortest form")                                       \
  WS_VIOLATION(LENGTH_TOP_BIT, 1002, "a length has its top bit set")                                                   \
  WS_VIOLATION(CONTROL_FRAGMENTED, 1002, "a control frame is fragmented")                                              \
  WS_VIOLATION(CONTROL_TOO_LONG, 1002, "a control frame is longer than 125 bytes")                                     \
  WS_VIOLATION(NOTHING_TO_CONTINUE, 1002, "a continuation frame without a message")                                    \
  WS_VIOLATION(MESSAGE_INSIDE_MESSAGE, 1002, "a message starts within a fragmented message")                           \
  WS_VIOLATION(CLOSE_ONE_BYTE, 1002, "a close frame has one byte of payload")                                          \
  WS_VIOLATION(CLOSE_CODE, 1002, "a close code is not valid")                                                          \
  WS_VIOLATION(CLOSE_REASON, 1007, "a close reason is not UTF-8")                                                      \
  WS_VIOLATION(TEXT_NOT_UTF8, 1007, "a text message is not UTF-8")                                                     \
  WS_VIOLATION(MESSAGE_TOO_BIG, 1009, "a message is too big")                                                          \
  WS_VIOLATION(TOO_MANY_FRAGMENTS, 1008, "a message has too many fragments")                                           \
  WS_VIOLATION(DEFLATE_DATA, 1007, "a compressed message is damaged")                                                  \
  WS_VIOLATION(DEFLATE_RATIO, 1009, "a compressed message over 1 MiB expands too much")                                \
  WS_VIOLATION(OUT_OF_MEMORY, 1011, "out of memory")

enum ws_violation {
  WS_VIOLATION_NONE = 0,
#define WS_VIOLATION(name, close_code, text) WS_VIOLATION_##name,
  WS_VIOLATIONS(WS_VIOLATION)
#undef WS_VIOLATION
      WS_VIOLATION_COUNT,
};

/* The close code and the reason. Not for WS_VIOLATION_NONE. */
int ws_violation_code(enum ws_violation violation);
const char *ws_violation_text(enum ws_violation violation);
