/* permessage-deflate: negotiation of any text, inflating of any bytes within the limits, and round trips of messages.
 * DEFLATE-5 DEFLATE-6 DEFLATE-8 */
#include "fuzz.h"

#include "protocol/deflater.h"
#include "protocol/session.h"

#define CAP 100000

struct expected {
  const uint8_t *bytes;
  size_t size;
  size_t messages;
};

static enum ws_sink_verdict on_message(void *ctx, enum ws_message_kind kind, uint8_t *bytes, size_t n) {
  struct expected *expected = ctx;

  (void)kind;
  must(n <= CAP);
  if (expected->bytes)
    must(n == expected->size && (n == 0 || memcmp(bytes, expected->bytes, n) == 0));
  expected->messages++;
  return WS_SINK_GO;
}

static enum ws_sink_verdict on_control(void *ctx, const uint8_t *payload, size_t n) {
  (void)ctx;
  (void)payload;
  (void)n;
  return WS_SINK_GO;
}

static enum ws_sink_verdict on_close(void *ctx, int code, const char *reason, size_t n) {
  (void)ctx;
  (void)code;
  (void)reason;
  (void)n;
  return WS_SINK_GO;
}

static const struct ws_session_sink sink = {NULL, on_message, on_control, on_control, on_close};

/* Feeds a client a payload as one compressed frame. */
static enum ws_feed_outcome receive(struct ws_session *session, const uint8_t *payload, size_t n,
                                    struct expected *expected) {
  uint8_t *bytes = malloc(n + WS_FRAME_HEADER_MAX);
  size_t header, consumed;
  enum ws_feed_outcome outcome;

  must(bytes != NULL);
  header = ws_frame_encode(bytes, WS_FRAME_FIN | WS_FRAME_RSV1 | WS_OPCODE_BINARY, n, NULL);
  if (n > 0)
    memcpy(bytes + header, payload, n);
  outcome = ws_session_feed(session, bytes, n + header, &sink, expected, &consumed);
  free(bytes);
  return outcome;
}

/* Any bytes, twice: the second time with the context of the first. */
static void inflate_any(const uint8_t *data, size_t n, const struct ws_deflate_params *params) {
  struct ws_session session;
  struct expected none = {0};

  ws_session_init(&session, WS_ROLE_CLIENT, CAP, 10, params);
  receive(&session, data, n, &none);
  receive(&session, data, n, &none);
  ws_session_deinit(&session);
}

/* The input as a message: compressed, sent three times, received. */
static void there_and_back(const uint8_t *data, size_t n, const struct ws_deflate_params *params) {
  struct ws_deflater *deflater = ws_deflater_new(params->server_bits, params->server_no_takeover);
  size_t bound = ws_deflater_bound(deflater, n);
  uint8_t *payload = malloc(bound);
  struct ws_session session;
  struct expected expected = {data, n, 0};

  must(deflater && payload);
  ws_session_init(&session, WS_ROLE_CLIENT, CAP, 10, params);
  for (int i = 0; i < 3; i++) {
    size_t size = ws_deflater_run(deflater, payload, data, n);

    must(size <= bound && receive(&session, payload, size, &expected) == WS_FEED_MORE);
  }
  must(expected.messages == 3);
  ws_session_deinit(&session);
  ws_deflater_free(deflater);
  free(payload);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct input input = {data, size};
  uint8_t flags = take_byte(&input);
  struct ws_deflate_params params = {(uint8_t)(9 + flags / 4 % 7), 15, (flags & 2) != 0, false, false}, negotiated;
  uint8_t *bytes = copy_of(input.data, input.size);
  struct ws_slice text = {(char *)bytes, input.size};
  char answer[WS_DEFLATE_RESPONSE_MAX];

  if (flags & 1)
    inflate_any(bytes, input.size, &params);
  else if (input.size <= CAP)
    there_and_back(bytes, input.size, &params);
  if (ws_deflate_negotiate(&negotiated, text) == WS_DEFLATE_AGREED) {
    must(negotiated.server_bits >= 9 && negotiated.server_bits <= 15);
    must(negotiated.client_bits >= 8 && negotiated.client_bits <= 15);
    must(ws_deflate_response(answer, &negotiated) < sizeof answer);
  }
  if (ws_deflate_agree(&negotiated, text) == WS_DEFLATE_AGREED)
    must(negotiated.client_bits >= 9 && negotiated.client_bits <= 15);
  free(bytes);
  return 0;
}
