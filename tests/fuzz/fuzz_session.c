/* The session in both roles, with and without permessage-deflate: whole, in pieces, with pauses and through the
 * reserved room, the same bytes cause the same events and the same end. WS-TEXT-1 */
#include "fuzz.h"

#include "protocol/session.h"

struct observed {
  uint32_t hash; /* of all events so far */
  size_t events;
  bool pause;
};

static void observe(struct observed *seen, const void *bytes, size_t n) {
  const uint8_t *at = bytes;

  for (size_t i = 0; i < n; i++)
    seen->hash = (seen->hash ^ at[i]) * 16777619u;
}

static enum ws_sink_verdict observe_event(void *ctx, int kind, const void *bytes, size_t n) {
  struct observed *seen = ctx;

  observe(seen, &kind, sizeof kind);
  observe(seen, &n, sizeof n);
  observe(seen, bytes, n);
  seen->events++;
  return seen->pause ? WS_SINK_PAUSE : WS_SINK_GO;
}

static enum ws_sink_verdict on_message(void *ctx, enum ws_message_kind kind, uint8_t *bytes, size_t n) {
  struct ws_utf8 utf8 = WS_UTF8_START;
  enum ws_sink_verdict verdict;

  must(kind == WS_MESSAGE_TEXT || kind == WS_MESSAGE_BINARY);
  must(kind == WS_MESSAGE_BINARY || (ws_utf8_feed(&utf8, bytes, n) == n && ws_utf8_complete(&utf8)));
  verdict = observe_event(ctx, (int)kind, bytes, n);
  memset(bytes, 0xEE, n);
  return verdict;
}

static enum ws_sink_verdict on_ping(void *ctx, const uint8_t *payload, size_t n) {
  must(n <= WS_FRAME_CONTROL_MAX);
  return observe_event(ctx, 9, payload, n);
}

static enum ws_sink_verdict on_pong(void *ctx, const uint8_t *payload, size_t n) {
  must(n <= WS_FRAME_CONTROL_MAX);
  return observe_event(ctx, 10, payload, n);
}

static enum ws_sink_verdict on_close(void *ctx, int code, const char *reason, size_t n) {
  return observe_event(ctx, code, reason, n);
}

static const struct ws_session_sink sink = {NULL, on_message, on_ping, on_pong, on_close};

static struct ws_session start(uint8_t flags, uint8_t bits) {
  struct ws_deflate_params deflate = {0};
  struct ws_session session;

  if (flags & 2)
    deflate = (struct ws_deflate_params){.server_bits = (uint8_t)(8 + bits % 8),
                                         .client_bits = (uint8_t)(8 + bits / 8 % 8),
                                         .server_no_takeover = (flags & 4) != 0,
                                         .client_no_takeover = (flags & 8) != 0};
  ws_session_init(&session, flags & 1 ? WS_ROLE_CLIENT : WS_ROLE_SERVER, flags & 16 ? 100 : 200000,
                  flags & 32 ? 3 : 1000, &deflate);
  return session;
}

/* Consumes one piece: through the reserved room if there is any, else by feeding. */
static enum ws_feed_outcome feed_piece(struct ws_session *session, const uint8_t *data, size_t n, bool reserve,
                                       struct observed *seen) {
  enum ws_feed_outcome outcome = WS_FEED_MORE;
  uint8_t *room, *piece;
  size_t there = reserve ? ws_session_reserve(session, &room) : 0, consumed, at = 0;

  if (there > 0) {
    at = n < there ? n : there;
    memcpy(room, data, at);
    outcome = ws_session_commit(session, at, &sink, seen);
  }
  piece = copy_of(data + at, n - at);
  for (size_t done = 0; outcome <= WS_FEED_PAUSED && done < n - at; done += consumed) {
    consumed = 0;
    if (reserve && ws_session_is_between(session))
      outcome = ws_session_feed_whole(session->max_message_bytes, piece + done, n - at - done, &sink, seen, &consumed);
    if (consumed == 0)
      outcome = ws_session_feed(session, piece + done, n - at - done, &sink, seen, &consumed);
  }
  free(piece);
  return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct input input = {data, size};
  uint8_t flags = take_byte(&input), bits = take_byte(&input), step = take_byte(&input), how = take_byte(&input);
  struct observed whole = {0}, pieces = {.pause = (how & 1) != 0};
  struct ws_session session = start(flags, bits);
  enum ws_feed_outcome first = feed_piece(&session, input.data, input.size, false, &whole), second = WS_FEED_MORE;
  enum ws_violation violation = session.violation;

  ws_session_deinit(&session);
  session = start(flags, bits);
  for (size_t at = 0; at < input.size && second <= WS_FEED_PAUSED;) {
    size_t n = 1 + step * (size_t)(1 + how / 2);

    n = n < input.size - at ? n : input.size - at;
    second = feed_piece(&session, input.data + at, n, (how & 2) != 0, &pieces);
    at += n;
    step = (uint8_t)(step * 5 + 3);
  }
  must(whole.events == pieces.events && whole.hash == pieces.hash);
  must((first > WS_FEED_PAUSED || second > WS_FEED_PAUSED) ? first == second : true);
  must(session.violation == violation);
  must(first <= WS_FEED_PAUSED || (session.partial == NULL && session.inflater == NULL));
  ws_session_deinit(&session);
  return 0;
}
