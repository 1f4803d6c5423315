#pragma once
/* The reasons for which a server refuses a handshake.
 *
 *   WS_REFUSAL(name, status, text)
 *       status   of the HTTP response
 *       text     its body, also logged
 *
 * WS_HTTP_PROBLEMS are found by the parser of http_head.h, also in a response that a client receives.
 */

#define WS_HTTP_PROBLEMS(WS_REFUSAL)                                                                                   \
  WS_REFUSAL(HEAD_TOO_BIG, 431, "the HTTP head is too big")                                                            \
  WS_REFUSAL(TOO_MANY_FIELDS, 431, "the HTTP head has too many fields")                                                \
  WS_REFUSAL(LINE_ENDING, 400, "a line of the HTTP head does not end in CR LF")                                        \
  WS_REFUSAL(CONTROL_CHARACTER, 400, "the HTTP head contains a control character")                                     \
  WS_REFUSAL(START_LINE, 400, "the start line is malformed")                                                           \
  WS_REFUSAL(VERSION, 400, "the HTTP version is neither 1.1 nor a later 1.x")                                          \
  WS_REFUSAL(FIELD_NAME, 400, "a header has no valid name")                                                            \
  WS_REFUSAL(FOLDED, 400, "a header is folded over lines")

#define WS_HANDSHAKE_REFUSALS(WS_REFUSAL)                                                                              \
  WS_REFUSAL(METHOD, 405, "the method is not GET")                                                                     \
  WS_REFUSAL(PAGE_METHOD, 405, "the method is neither GET nor HEAD")                                                   \
  WS_REFUSAL(TARGET, 400, "the request target is not a path")                                                          \
  WS_REFUSAL(BODY, 400, "the handshake request has a body")                                                            \
  WS_REFUSAL(HOST_COUNT, 400, "there must be exactly one Host header")                                                 \
  WS_REFUSAL(HOST, 400, "the Host header is not a host with an optional port")                                         \
  WS_REFUSAL(PATH, 404, "nothing is served at this path")                                                              \
  WS_REFUSAL(NO_PAGE, 404, "nothing is served at this path")                                                           \
  WS_REFUSAL(UPGRADE, 426, "the Upgrade header does not ask for websocket")                                            \
  WS_REFUSAL(CONNECTION, 400, "the Connection header does not contain Upgrade")                                        \
  WS_REFUSAL(SOCKET_VERSION_COUNT, 400, "there must be exactly one Sec-WebSocket-Version header")                      \
  WS_REFUSAL(SOCKET_VERSION, 426, "the WebSocket version is not 13")                                                   \
  WS_REFUSAL(KEY_COUNT, 400, "there must be exactly one Sec-WebSocket-Key header")                                     \
  WS_REFUSAL(KEY, 400, "the Sec-WebSocket-Key is not 16 bytes in base64")                                              \
  WS_REFUSAL(PROTOCOL, 400, "the Sec-WebSocket-Protocol header is not a list of distinct tokens")                      \
  WS_REFUSAL(EXTENSIONS, 400, "the Sec-WebSocket-Extensions header is malformed")                                      \
  WS_REFUSAL(HOST_NOT_LOOPBACK, 403, "the Host header does not name this machine")                                     \
  WS_REFUSAL(METRICS_PEER, 403, "the metrics are for this machine, without a proxy")                                   \
  WS_REFUSAL(ORIGIN_COUNT, 400, "there is more than one Origin header")                                                \
  WS_REFUSAL(ORIGIN, 403, "the origin is not allowed")                                                                 \
  WS_REFUSAL(FORWARDED, 400, "the Forwarded header is malformed")                                                      \
  WS_REFUSAL(FORWARDED_TWICE, 400, "X-Forwarded-For and Forwarded name different clients")                             \
  WS_REFUSAL(HANDLER, 403, "the server does not accept this client")                                                   \
  WS_REFUSAL(TOO_MANY_CONNECTIONS, 503, "the server has too many connections")                                         \
  WS_REFUSAL(TOO_MANY_FROM_ADDRESS, 429, "there are too many connections from this address")                           \
  WS_REFUSAL(STOPPING, 503, "the server is stopping")                                                                  \
  WS_REFUSAL(INTERNAL, 500, "the server could not complete the handshake")

enum ws_refusal {
  WS_REFUSAL_NONE = 0,
#define WS_REFUSAL(name, status, text) WS_REFUSAL_##name,
  WS_HTTP_PROBLEMS(WS_REFUSAL) WS_HANDSHAKE_REFUSALS(WS_REFUSAL)
#undef WS_REFUSAL
      WS_REFUSAL_COUNT,
};

/* The HTTP status and the text. Not for WS_REFUSAL_NONE. */
int ws_refusal_status(enum ws_refusal refusal);
const char *ws_refusal_text(enum ws_refusal refusal);
