/* The course of a frame: its header is decoded (in place, or in `header` if it arrives in pieces), the rules between
 * frames admit it, its payload takes one of three ways, and its end may complete a message.
 *
 *   whole       the whole payload of an unfragmented, uncompressed message was received: unmasked and delivered at
 *               once, without a trace in the session
 *   gathered    unmasked or inflated into partial->data
 *   control     unmasked in place if it was received whole, else gathered in partial->control
 *
 * Before the sink is called, the session has its state after the event, and the arguments belong to this file's stack
 * frames alone: the sink may free the session.
 */
#include "session.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "close_code.h"
#include "inflater.h"

enum {
  WS_SESSION_SMALL = 125,        /* a payload whose length is in the second byte of the header */
  WS_SESSION_SMALL_HEADER = 6,   /* of its masked frame */
  WS_SESSION_KEY = 4,            /* the end of a masked frame's header */
  WS_SESSION_RESERVE_MIN = 4096, /* below this, it is cheaper to receive into the caller's buffer, with later frames */
  WS_PARTIAL_MIN = 16384,
  WS_PARTIAL_GROWTH = 4, /* the capacity is at most this multiple of the received bytes */
};

struct ws_partial {
  uint8_t *data;
  size_t size;
  size_t capacity;
  size_t compressed_size; /* announced payload of a compressed message */
  size_t inflated_from;   /* payload passed to the inflater */
  uint32_t fragments;
  uint8_t control_size;
  uint8_t control[WS_FRAME_CONTROL_MAX];
};

/* The arguments of one call. The sink is not among them: passed on by itself, it is a constant to the compiler, which
 * puts its functions into the caller's (base/path.h). */
struct ws_feed {
  uint8_t *bytes;
  size_t left;
  void *ctx;
};

void ws_session_init(struct ws_session *session, enum ws_role role, uint32_t max_message_bytes, uint32_t max_fragments,
                     const struct ws_deflate_params *deflate) {
  *session = (struct ws_session){
      .role = (uint8_t)role,
      .max_message_bytes = max_message_bytes,
      .max_fragments = max_fragments,
      .max_ratio = WS_DEFLATE_RATIO,
  };
  if (deflate)
    session->deflate = *deflate;
}

static void ws_session_drop_partial(struct ws_session *session) {
  if (!session->partial)
    return;
  ws_mem_free(session->partial->data);
  ws_mem_wipe(session->partial, sizeof *session->partial);
  ws_mem_free(session->partial);
  session->partial = NULL;
}

static void ws_session_drop_inflater(struct ws_session *session) {
  ws_inflater_free(session->inflater);
  session->inflater = NULL;
}

void ws_session_deinit(struct ws_session *session) {
  ws_session_drop_partial(session);
  ws_session_drop_inflater(session);
  ws_mem_wipe(session->key, sizeof session->key);
  ws_mem_wipe(session->header, sizeof session->header);
  session->over = true;
}

/* Ends the session with a violation. */
WS_RARE static enum ws_feed_outcome ws_session_fail(struct ws_session *session, enum ws_violation violation) {
  ws_session_deinit(session);
  session->violation = (uint8_t)violation;
  return WS_FEED_VIOLATION;
}

static enum ws_feed_outcome ws_feed_outcome_of(enum ws_sink_verdict verdict) {
  switch (verdict) {
  case WS_SINK_GO:
    return WS_FEED_MORE;
  case WS_SINK_PAUSE:
    return WS_FEED_PAUSED;
  default:
    return WS_FEED_STOPPED;
  }
}

static struct ws_partial *ws_session_partial(struct ws_session *session) {
  if (!session->partial)
    session->partial = ws_mem_calloc(1, sizeof *session->partial);
  return session->partial;
}

/* ---- gathering */

/* Makes room for `least` to `most` more bytes, in proportion to the size. */
static bool ws_partial_grow(struct ws_partial *partial, size_t least, size_t most) {
  size_t more = partial->size * (WS_PARTIAL_GROWTH - 1);
  uint8_t *data;
  if (partial->capacity - partial->size >= least)
    return true;
  if (more < WS_PARTIAL_MIN)
    more = WS_PARTIAL_MIN;
  if (more > most)
    more = most;
  if (more < least)
    more = least;
  data = ws_mem_realloc(partial->data, partial->size + more);
  if (!data)
    return false;
  partial->data = data;
  partial->capacity = partial->size + more;
  return true;
}

static bool ws_session_is_text(const struct ws_session *session) {
  return session->message == WS_MESSAGE_TEXT;
}

/* Unmasks the next n bytes of the open frame from `from` to `to`, and validates text. */
static enum ws_violation ws_session_unmask(struct ws_session *session, uint8_t *to, const uint8_t *from, size_t n) {
  if (ws_session_is_text(session)) {
    if (ws_utf8_unmask(&session->utf8, to, from, n, session->key) < n)
      return WS_VIOLATION_TEXT_NOT_UTF8;
  } else {
    ws_frame_mask(to, from, n, session->key);
  }
  ws_frame_key_advance(session->key, n);
  return WS_VIOLATION_NONE;
}

/* The most that the message can still need: the rest of a final frame, else the rest of the limit. The rest of a frame
 * that is not final would reallocate a message of many small fragments at each of them. */
static size_t ws_session_most(const struct ws_session *session, size_t rest_of_frame) {
  bool last = (session->head & WS_FRAME_FIN) != 0;
  return last ? rest_of_frame : session->max_message_bytes - session->partial->size;
}

/* Gathers the next n bytes of the payload. `remaining` no longer includes them. */
static enum ws_violation ws_session_gather(struct ws_session *session, const uint8_t *from, size_t n) {
  struct ws_partial *partial = ws_session_partial(session);
  enum ws_violation violation;
  if (!partial || !ws_partial_grow(partial, n, ws_session_most(session, n + (size_t)session->remaining)))
    return WS_VIOLATION_OUT_OF_MEMORY;
  violation = ws_session_unmask(session, partial->data + partial->size, from, n);
  partial->size += n;
  return violation;
}

/* ---- inflating */

static enum ws_violation ws_session_open_inflater(struct ws_session *session) {
  uint8_t bits = session->role == WS_ROLE_SERVER ? session->deflate.client_bits : session->deflate.server_bits;
  if (!session->inflater)
    session->inflater = ws_inflater_new(bits);
  return session->inflater ? WS_VIOLATION_NONE : WS_VIOLATION_OUT_OF_MEMORY;
}

/* Counts and checks n bytes of output. */
static enum ws_violation ws_session_check_inflated(struct ws_session *session, size_t n) {
  struct ws_partial *partial = session->partial;
  const uint8_t *fresh = partial->data + partial->size;
  partial->size += n;
  if (ws_session_is_text(session) && ws_utf8_feed(&session->utf8, fresh, n) < n)
    return WS_VIOLATION_TEXT_NOT_UTF8; /* precedes a byte past the limit, which can only be the last */
  if (partial->size > session->max_message_bytes)
    return WS_VIOLATION_MESSAGE_TOO_BIG;
  if (ws_deflate_expands_too_much(partial->size, partial->inflated_from, session->max_ratio))
    return WS_VIOLATION_DEFLATE_RATIO;
  return WS_VIOLATION_NONE;
}

/* Inflates input within one slice (WS_DEFLATE_SLICE). Room for one byte past the limit detects a message that exceeds
 * it. */
static enum ws_violation ws_session_inflate_slice(struct ws_session *session, const uint8_t *in, size_t n) {
  struct ws_partial *partial = session->partial;
  struct ws_inflater_buffers buffers = {.in = in, .in_size = n};
  do {
    enum ws_violation damage, violation;
    size_t most = (size_t)session->max_message_bytes + 1 - partial->size;
    if (!ws_partial_grow(partial, 1, most))
      return WS_VIOLATION_OUT_OF_MEMORY;
    buffers.to = partial->data + partial->size;
    buffers.room = partial->capacity - partial->size;
    damage = ws_inflater_step(session->inflater, &buffers);
    violation = ws_session_check_inflated(session, (size_t)(buffers.to - partial->data) - partial->size);
    if (violation != WS_VIOLATION_NONE)
      return violation; /* precedes the damage */
    if (damage != WS_VIOLATION_NONE)
      return damage;
  } while (buffers.in_size > 0 || buffers.room == 0);
  return WS_VIOLATION_NONE;
}

static enum ws_violation ws_session_inflate(struct ws_session *session, const uint8_t *in, size_t n) {
  struct ws_partial *partial = session->partial;
  enum ws_violation violation = WS_VIOLATION_NONE;
  while (n > 0 && violation == WS_VIOLATION_NONE) {
    size_t slice = WS_DEFLATE_SLICE - partial->inflated_from % WS_DEFLATE_SLICE;
    if (slice > n)
      slice = n;
    partial->inflated_from += slice;
    violation = ws_session_inflate_slice(session, in, slice);
    in += slice;
    n -= slice;
  }
  return violation;
}

/* Unmasks a piece of a compressed frame in place, and inflates it into the message. */
static enum ws_violation ws_session_gather_inflated(struct ws_session *session, uint8_t *bytes, size_t n) {
  enum ws_violation violation = ws_session_open_inflater(session);
  if (violation != WS_VIOLATION_NONE)
    return violation;
  ws_frame_mask(bytes, bytes, n, session->key);
  ws_frame_key_advance(session->key, n);
  return ws_session_inflate(session, bytes, n);
}

/* Ends a compressed message: inflates the tail that the sender removed. Without takeover, frees the context. */
static enum ws_violation ws_session_end_inflating(struct ws_session *session) {
  bool no_takeover =
      session->role == WS_ROLE_SERVER ? session->deflate.client_no_takeover : session->deflate.server_no_takeover;
  enum ws_violation violation = WS_VIOLATION_NONE;
  /* Some senders compress an empty message to no bytes, so there is no block to complete. */
  if (session->partial->compressed_size > 0 && !ws_inflater_at_final(session->inflater)) {
    violation = ws_session_inflate(session, WS_DEFLATE_TAIL, sizeof WS_DEFLATE_TAIL);
    if (violation == WS_VIOLATION_NONE && !ws_inflater_at_boundary(session->inflater))
      violation = WS_VIOLATION_DEFLATE_DATA;
  }
  if (no_takeover)
    ws_session_drop_inflater(session);
  return violation;
}

/* ---- frames */

static bool ws_session_frame_is_control(const struct ws_session *session) {
  return (session->head & WS_FRAME_CONTROL) != 0;
}

static bool ws_session_frame_is_final(const struct ws_session *session) {
  return (session->head & WS_FRAME_FIN) != 0;
}

/* Checks the first byte of a data frame against the frames before it, and the limit on fragments. */
static enum ws_violation ws_session_check_head(const struct ws_session *session, uint8_t head) {
  const struct ws_partial *partial = session->partial;
  uint8_t opcode = head & WS_FRAME_OPCODE_MASK;
  if (opcode == WS_OPCODE_CONTINUATION && session->message == 0)
    return WS_VIOLATION_NOTHING_TO_CONTINUE;
  if (opcode != WS_OPCODE_CONTINUATION && session->message != 0)
    return WS_VIOLATION_MESSAGE_INSIDE_MESSAGE;
  if (partial && partial->fragments >= session->max_fragments)
    return WS_VIOLATION_TOO_MANY_FRAGMENTS;
  return WS_VIOLATION_NONE;
}

/* Checks the limit on the message. Compressed data may be slightly longer than the inflated message. */
static enum ws_violation ws_session_check_length(const struct ws_session *session, bool compressed, uint64_t length) {
  const struct ws_partial *partial = session->partial;
  uint64_t cap = session->max_message_bytes;
  uint64_t before = 0;
  if (compressed)
    cap += cap / 8 + 1024;
  if (partial)
    before = compressed ? partial->compressed_size : partial->size;
  return length > cap - before ? WS_VIOLATION_MESSAGE_TOO_BIG : WS_VIOLATION_NONE;
}

/* Checks the first n bytes of a header, valid in themselves, against the frames before it. */
WS_ASIDE static enum ws_violation ws_session_foresee(const struct ws_session *session, const uint8_t *header,
                                                     size_t n) {
  bool begins = (header[0] & WS_FRAME_OPCODE_MASK) != WS_OPCODE_CONTINUATION;
  bool compressed = begins ? (header[0] & WS_FRAME_RSV1) != 0 : session->compressed;
  enum ws_violation violation;
  if ((header[0] & WS_FRAME_CONTROL) != 0)
    return WS_VIOLATION_NONE;
  violation = ws_session_check_head(session, header[0]);
  if (violation != WS_VIOLATION_NONE)
    return violation;
  return ws_session_check_length(session, compressed, ws_frame_length_least(header, n));
}

static enum ws_violation ws_session_admit_data(struct ws_session *session, const struct ws_frame *frame) {
  uint8_t opcode = frame->head & WS_FRAME_OPCODE_MASK;
  bool unfinished = (frame->head & WS_FRAME_FIN) == 0;
  enum ws_violation violation = ws_session_check_head(session, frame->head);
  if (violation != WS_VIOLATION_NONE)
    return violation;
  if (opcode != WS_OPCODE_CONTINUATION) {
    session->message = opcode;
    session->compressed = (frame->head & WS_FRAME_RSV1) != 0;
    session->utf8 = WS_UTF8_START;
  }
  if ((unfinished || session->compressed) && !ws_session_partial(session))
    return WS_VIOLATION_OUT_OF_MEMORY;
  violation = ws_session_check_length(session, session->compressed, frame->length);
  if (violation == WS_VIOLATION_NONE && session->partial) {
    session->partial->fragments++;
    if (session->compressed)
      session->partial->compressed_size += (size_t)frame->length;
  }
  return violation;
}

/* Admits a frame. */
WS_ASIDE static enum ws_violation ws_session_open_frame(struct ws_session *session, const struct ws_frame *frame) {
  if ((frame->head & WS_FRAME_CONTROL) == 0) {
    enum ws_violation violation = ws_session_admit_data(session, frame);
    if (violation != WS_VIOLATION_NONE)
      return violation;
  }
  session->frame_open = true;
  session->head = frame->head;
  session->remaining = frame->length;
  memcpy(session->key, frame->key, sizeof session->key);
  return WS_VIOLATION_NONE;
}

static void ws_feed_skip(struct ws_feed *feed, size_t n) {
  feed->bytes += n;
  feed->left -= n;
}

/* Continues a header of an earlier call, byte by byte so as to consume none after it. */
WS_ASIDE static enum ws_frame_outcome ws_session_resume_header(struct ws_session *session, struct ws_frame_rules rules,
                                                               struct ws_feed *feed, struct ws_frame *frame) {
  enum ws_frame_outcome outcome = WS_FRAME_PARTIAL;
  while (outcome == WS_FRAME_PARTIAL && feed->left > 0) {
    session->header[session->header_size++] = *feed->bytes;
    ws_feed_skip(feed, 1);
    outcome = ws_frame_decode(frame, rules, session->header, session->header_size);
  }
  if (outcome != WS_FRAME_PARTIAL)
    session->header_size = 0;
  return outcome;
}

/* A violation between frames that the first byte shows precedes one that decoding found in later bytes, as if the
 * header had arrived byte by byte. */
WS_RARE static void ws_session_prefer_earlier(const struct ws_session *session, struct ws_frame_rules rules,
                                              uint8_t head, struct ws_frame *frame) {
  struct ws_frame first;
  enum ws_violation violation = WS_VIOLATION_NONE;
  if (ws_frame_decode(&first, rules, &head, 1) == WS_FRAME_PARTIAL)
    violation = ws_session_foresee(session, &head, 1);
  if (violation != WS_VIOLATION_NONE)
    frame->violation = (uint8_t)violation;
}

static enum ws_frame_outcome ws_session_read_header(struct ws_session *session, struct ws_feed *feed,
                                                    struct ws_frame *frame) {
  struct ws_frame_rules rules = {session->role == WS_ROLE_SERVER, ws_deflate_in_use(&session->deflate)};
  enum ws_frame_outcome outcome;
  if (session->header_size > 0)
    return ws_session_resume_header(session, rules, feed, frame);
  outcome = ws_frame_decode(frame, rules, feed->bytes, feed->left);
  if (outcome == WS_FRAME_OK) {
    ws_feed_skip(feed, frame->size);
  } else if (outcome == WS_FRAME_VIOLATION) {
    ws_session_prefer_earlier(session, rules, feed->bytes[0], frame);
  } else if (outcome == WS_FRAME_PARTIAL) {
    memcpy(session->header, feed->bytes, feed->left);
    session->header_size = (uint8_t)feed->left;
    ws_feed_skip(feed, feed->left);
  }
  return outcome;
}

/* ---- events */

static enum ws_feed_outcome ws_session_deliver_close(struct ws_session *session, const struct ws_feed *feed,
                                                     const struct ws_session_sink *sink, const uint8_t *payload,
                                                     size_t n) {
  int code = WS_CLOSE_NO_STATUS;
  const char *reason = "";
  size_t reason_size = 0;
  if (n == 1)
    return ws_session_fail(session, WS_VIOLATION_CLOSE_ONE_BYTE);
  if (n >= 2) {
    code = payload[0] << 8 | payload[1];
    reason = (const char *)payload + 2;
    reason_size = n - 2;
    if (!ws_close_code_valid(code))
      return ws_session_fail(session, WS_VIOLATION_CLOSE_CODE);
    if (ws_utf8_check(payload + 2, reason_size) < reason_size)
      return ws_session_fail(session, WS_VIOLATION_CLOSE_REASON);
  }
  ws_session_deinit(session);
  if (sink->on_close(feed->ctx, code, reason, reason_size) == WS_SINK_STOP)
    return WS_FEED_STOPPED;
  return WS_FEED_CLOSED;
}

/* The payload of a control frame is complete. */
static enum ws_feed_outcome ws_session_end_control(struct ws_session *session, const struct ws_feed *feed,
                                                   const struct ws_session_sink *sink, const uint8_t *payload,
                                                   size_t n) {
  session->frame_open = false;
  switch (session->head & WS_FRAME_OPCODE_MASK) {
  case WS_OPCODE_PING:
    return ws_feed_outcome_of(sink->on_ping(feed->ctx, payload, n));
  case WS_OPCODE_PONG:
    return ws_feed_outcome_of(sink->on_pong(feed->ctx, payload, n));
  default:
    return ws_session_deliver_close(session, feed, sink, payload, n);
  }
}

WS_ASIDE static enum ws_feed_outcome ws_session_feed_control(struct ws_session *session, struct ws_feed *feed,
                                                             const struct ws_session_sink *sink) {
  size_t n = feed->left < session->remaining ? feed->left : (size_t)session->remaining;
  struct ws_partial *partial = session->partial;
  uint8_t *bytes = feed->bytes, payload[WS_FRAME_CONTROL_MAX];
  if (n == session->remaining && (!partial || partial->control_size == 0)) {
    session->remaining = 0;
    ws_feed_skip(feed, n);
    ws_frame_mask(bytes, bytes, n, session->key);
    return ws_session_end_control(session, feed, sink, bytes, n);
  }
  if (n == 0)
    return WS_FEED_MORE;
  partial = ws_session_partial(session);
  if (!partial)
    return ws_session_fail(session, WS_VIOLATION_OUT_OF_MEMORY);
  ws_frame_mask(partial->control + partial->control_size, bytes, n, session->key);
  ws_frame_key_advance(session->key, n);
  partial->control_size = (uint8_t)(partial->control_size + n);
  session->remaining -= n;
  ws_feed_skip(feed, n);
  if (session->remaining > 0)
    return WS_FEED_MORE;

  n = partial->control_size;
  memcpy(payload, partial->control, n);
  partial->control_size = 0;
  if (session->message == 0)
    ws_session_drop_partial(session);
  return ws_session_end_control(session, feed, sink, payload, n);
}

/* The payload of a data frame is complete and gathered. */
static enum ws_feed_outcome ws_session_end_gathered(struct ws_session *session, const struct ws_feed *feed,
                                                    const struct ws_session_sink *sink) {
  uint8_t nothing[1] = {0}, *data;
  struct ws_partial *partial = session->partial;
  enum ws_message_kind kind = (enum ws_message_kind)session->message;
  enum ws_sink_verdict verdict;
  size_t size;
  session->frame_open = false;
  if (!ws_session_frame_is_final(session))
    return WS_FEED_MORE;
  if (session->compressed) {
    enum ws_violation violation = ws_session_end_inflating(session);
    if (violation != WS_VIOLATION_NONE)
      return ws_session_fail(session, violation);
  }
  if (ws_session_is_text(session) && !ws_utf8_complete(&session->utf8))
    return ws_session_fail(session, WS_VIOLATION_TEXT_NOT_UTF8);
  data = partial->data;
  size = partial->size;
  partial->data = NULL;
  ws_session_drop_partial(session);
  session->message = 0;
  verdict = sink->on_message(feed->ctx, kind, data ? data : nothing, size);
  ws_mem_free(data);
  return ws_feed_outcome_of(verdict);
}

/* Unmasks the payload of a whole message, and validates text. */
static bool ws_session_unmask_whole(enum ws_message_kind kind, uint8_t *to, const uint8_t *from, size_t n,
                                    const uint8_t key[4]) {
  struct ws_utf8 utf8 = WS_UTF8_START;
  if (kind == WS_MESSAGE_TEXT)
    return ws_utf8_unmask(&utf8, to, from, n, key) == n && ws_utf8_complete(&utf8);
  ws_frame_mask(to, from, n, key);
  return true;
}

/* The whole payload of an unfragmented, uncompressed message was received. */
static enum ws_feed_outcome ws_session_feed_payload(struct ws_session *session, struct ws_feed *feed,
                                                    const struct ws_session_sink *sink, enum ws_message_kind kind,
                                                    const uint8_t key[4], size_t n) {
  uint8_t *to = sink->room ? sink->room(feed->ctx, kind, n) : NULL;
  if (!to)
    to = feed->bytes;
  if (!ws_session_unmask_whole(kind, to, feed->bytes, n, key))
    return ws_session_fail(session, WS_VIOLATION_TEXT_NOT_UTF8);
  ws_feed_skip(feed, n);
  return ws_feed_outcome_of(sink->on_message(feed->ctx, kind, to, n));
}

/* Returns true for a frame that ws_session_feed_payload takes. A message that is too long takes the longer way to its
 * violation. */
static bool ws_session_is_whole(const struct ws_session *session, const struct ws_frame *frame, size_t left) {
  uint8_t opcode = frame->head & (uint8_t)~WS_FRAME_FIN;
  return (frame->head & WS_FRAME_FIN) != 0 && (opcode == WS_OPCODE_TEXT || opcode == WS_OPCODE_BINARY) &&
         session->message == 0 && frame->length <= left && frame->length <= session->max_message_bytes;
}

WS_ASIDE static enum ws_feed_outcome ws_session_feed_data(struct ws_session *session, struct ws_feed *feed,
                                                          const struct ws_session_sink *sink) {
  size_t n = feed->left < session->remaining ? feed->left : (size_t)session->remaining;
  enum ws_violation violation = WS_VIOLATION_NONE;
  /* Without a partial message this is the only frame: an earlier fragment would have created one. */
  if (n == session->remaining && !session->partial) {
    enum ws_message_kind kind = (enum ws_message_kind)session->message;
    session->frame_open = false;
    session->remaining = 0;
    session->message = 0;
    return ws_session_feed_payload(session, feed, sink, kind, session->key, n);
  }
  session->remaining -= n;
  if (n > 0 && session->compressed)
    violation = ws_session_gather_inflated(session, feed->bytes, n);
  else if (n > 0)
    violation = ws_session_gather(session, feed->bytes, n);
  if (violation != WS_VIOLATION_NONE)
    return ws_session_fail(session, violation);
  ws_feed_skip(feed, n);
  return session->remaining > 0 ? WS_FEED_MORE : ws_session_end_gathered(session, feed, sink);
}

/* Consumes one frame, or the part that was received. */
WS_ASIDE static enum ws_feed_outcome ws_session_feed_frame(struct ws_session *session, struct ws_feed *feed,
                                                           const struct ws_session_sink *sink) {
  struct ws_frame frame;
  enum ws_violation violation;
  if (!session->frame_open) {
    switch (ws_session_read_header(session, feed, &frame)) {
    case WS_FRAME_OK:
      break;
    case WS_FRAME_PARTIAL:
      violation = ws_session_foresee(session, session->header, session->header_size);
      return violation != WS_VIOLATION_NONE ? ws_session_fail(session, violation) : WS_FEED_MORE;
    case WS_FRAME_VIOLATION:
      return ws_session_fail(session, (enum ws_violation)frame.violation);
    }
    if (ws_session_is_whole(session, &frame, feed->left))
      return ws_session_feed_payload(session, feed, sink, (enum ws_message_kind)(frame.head & WS_FRAME_OPCODE_MASK),
                                     frame.key, (size_t)frame.length);
    violation = ws_session_open_frame(session, &frame);
    if (violation != WS_VIOLATION_NONE)
      return ws_session_fail(session, violation);
  }
  return ws_session_frame_is_control(session) ? ws_session_feed_control(session, feed, sink)
                                              : ws_session_feed_data(session, feed, sink);
}

static enum ws_feed_outcome ws_session_outcome_when_over(const struct ws_session *session) {
  return session->violation != WS_VIOLATION_NONE ? WS_FEED_VIOLATION : WS_FEED_CLOSED;
}

/* A whole message of a client that follows: its header, and the payload's size. */
struct ws_whole {
  size_t header; /* 0: something else follows */
  uint64_t size;
};

WS_ASIDE static struct ws_whole ws_whole_decode(const struct ws_feed *feed) {
  struct ws_frame frame;
  const struct ws_frame_rules rules = {.masked = true};
  if (ws_frame_decode(&frame, rules, feed->bytes, feed->left) != WS_FRAME_OK)
    return (struct ws_whole){0};
  return (struct ws_whole){frame.size, frame.length};
}

/* The frame of a small message breaks no rule, as its first two bytes show. So it needs no decoding. */
static struct ws_whole ws_whole_next(const struct ws_feed *feed, size_t most) {
  const uint8_t *at = feed->bytes;
  if (feed->left < WS_SESSION_SMALL_HEADER ||
      (at[0] != (WS_FRAME_FIN | WS_OPCODE_TEXT) && at[0] != (WS_FRAME_FIN | WS_OPCODE_BINARY)))
    return (struct ws_whole){0};
  struct ws_whole whole = {WS_SESSION_SMALL_HEADER, at[1] ^ 0x80u};
  if (whole.size > WS_SESSION_SMALL) /* or the frame is not masked */
    whole = ws_whole_decode(feed);
  if (whole.size > most || whole.size > feed->left - whole.header)
    whole.header = 0;
  return whole;
}

/* A text that is not valid is left, unchanged, to ws_session_feed. */
enum ws_feed_outcome ws_session_feed_whole(uint32_t max_message_bytes, uint8_t *bytes, size_t n,
                                           const struct ws_session_sink *sink, void *ctx, size_t *consumed) {
  struct ws_feed feed = {bytes, n, ctx};
  struct ws_whole whole;
  enum ws_feed_outcome outcome = WS_FEED_MORE;
  while (outcome == WS_FEED_MORE && (whole = ws_whole_next(&feed, max_message_bytes)).header) {
    uint8_t *from = feed.bytes + whole.header;
    size_t size = (size_t)whole.size;
    enum ws_message_kind kind = (enum ws_message_kind)(feed.bytes[0] & WS_FRAME_OPCODE_MASK);
    uint8_t *to = sink->room ? sink->room(ctx, kind, size) : NULL;
    if (!to && kind == WS_MESSAGE_TEXT)
      break;
    if (!to)
      to = from;
    if (!ws_session_unmask_whole(kind, to, from, size, from - WS_SESSION_KEY))
      break;
    ws_feed_skip(&feed, whole.header + size);
    outcome = ws_feed_outcome_of(sink->on_message(ctx, kind, to, size));
  }
  *consumed = n - feed.left;
  return outcome;
}

bool ws_session_is_between(const struct ws_session *session) {
  return !session->frame_open && !session->header_size && !session->message && !session->over &&
         session->role == WS_ROLE_SERVER;
}

enum ws_feed_outcome ws_session_feed(struct ws_session *session, uint8_t *bytes, size_t n,
                                     const struct ws_session_sink *sink, void *ctx, size_t *consumed) {
  struct ws_feed feed = {bytes, n, ctx};
  enum ws_feed_outcome outcome = WS_FEED_MORE;
  *consumed = n;
  if (session->over)
    return ws_session_outcome_when_over(session);
  while (outcome == WS_FEED_MORE && feed.left > 0) {
    outcome = ws_session_feed_frame(session, &feed, sink);
    if (outcome == WS_FEED_MORE && ws_session_is_between(session) &&
        ws_whole_next(&feed, session->max_message_bytes).header)
      break;
  }
  if (outcome == WS_FEED_MORE || outcome == WS_FEED_PAUSED || outcome == WS_FEED_STOPPED)
    *consumed = n - feed.left;
  return outcome;
}

WS_ASIDE size_t ws_session_reserve(struct ws_session *session, uint8_t **room) {
  struct ws_partial *partial;
  size_t remaining = (size_t)session->remaining, least, there;
  if (session->over || !session->frame_open || ws_session_frame_is_control(session) || session->compressed ||
      remaining < WS_SESSION_RESERVE_MIN)
    return 0;
  partial = ws_session_partial(session);
  if (!partial)
    return 0; /* ws_session_feed then reports the lack of memory */
  least = partial->size > WS_PARTIAL_MIN ? partial->size : WS_PARTIAL_MIN;
  if (!ws_partial_grow(partial, least < remaining ? least : remaining, ws_session_most(session, remaining)))
    return 0;
  there = partial->capacity - partial->size;
  *room = partial->data + partial->size;
  return there < remaining ? there : remaining;
}

WS_ASIDE enum ws_feed_outcome ws_session_commit(struct ws_session *session, size_t n,
                                                const struct ws_session_sink *sink, void *ctx) {
  struct ws_feed feed = {.ctx = ctx};
  uint8_t *fresh = session->partial->data + session->partial->size;
  enum ws_violation violation;
  assert(n <= session->remaining && n <= session->partial->capacity - session->partial->size);
  violation = ws_session_unmask(session, fresh, fresh, n);
  if (violation != WS_VIOLATION_NONE)
    return ws_session_fail(session, violation);
  session->partial->size += n;
  session->remaining -= n;
  return session->remaining > 0 ? WS_FEED_MORE : ws_session_end_gathered(session, &feed, sink);
}

uint32_t ws_session_unfinished(const struct ws_session *session) {
  const struct ws_partial *partial = session->partial;
  if (!session->message || !partial)
    return 0;
  return (uint32_t)(session->compressed ? partial->inflated_from : partial->size) + 1;
}

uint64_t ws_session_work(const struct ws_session *session) {
  const struct ws_partial *partial = session->partial;
  if (!session->message || !partial)
    return 0;
  return (uint64_t)partial->size + partial->inflated_from + (uint64_t)WS_SESSION_FRAME * partial->fragments;
}

size_t ws_session_held(const struct ws_session *session) {
  size_t held = sizeof *session;
  if (session->partial)
    held += sizeof *session->partial + session->partial->capacity;
  if (session->inflater)
    held += ws_inflater_held(session->inflater);
  return held;
}
