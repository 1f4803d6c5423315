#include "input.h"

#include <inttypes.h>
#include <string.h>

#include "awake.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/path.h"
#include "crowd.h"
#include "end.h"
#include "evict.h"
#include "flush.h"
#include "held.h"
#include "osprey/log.h"
#include "output.h"
#include "protocol/close_code.h"
#include "tally.h"

/* Per turn: the most reads of one connection, and the milliseconds after which it starts no further read or handler, or
 * no further connection of a kind is resumed. A run late in a turn has less time. After WS_INPUT_OVER_MS none is begun:
 * hundreds may have sent one message each. */
enum { WS_INPUT_READS_PER_TURN = 8, WS_INPUT_MS_PER_TURN = 4, WS_INPUT_LATE_MS = 1, WS_INPUT_OVER_MS = 8 };

/* The steps of the coarse clock. One that falls into a quick handler ends the run, but shows nothing of the handler. */
enum { WS_INPUT_TICK_MS = 4 };

/* With this many that wait, further ones are not watched. */
enum { WS_INPUT_WATCHED = 64 };

/* What one run of a connection may cost, in bytes of messages, and what each event costs besides its bytes. */
enum { WS_INPUT_WORK = 64 * 1024, WS_INPUT_EVENT = 256 };

/* Late in a turn that has taken WS_INPUT_MS_PER_TURN, a run may cost little, and each message that it queues by a
 * broadcast counts: it is for those who send little. The rest waits for a run of ws_input_resume, which counts no
 * receivers, so that what is published together is written together. */
enum { WS_INPUT_LATE_WORK = 8 * 1024, WS_INPUT_LATE_DELIVERY = 64 };

/* With more than this posted to other loop threads, a connection whose run did all its work waits for them, which may
 * take long: it looks again after this time. */
enum { WS_INPUT_AHEAD = 256 * 1024, WS_INPUT_AHEAD_MS = 1 };

/* Compressed input is parsed in pieces, of which one may expand 1032 times: the work is counted after each. Late in a
 * turn they are small. */
enum { WS_INPUT_COMPRESSED_PIECE = 1024, WS_INPUT_LATE_PIECE = 16 };

/* With more output than this queued, a ping is not answered: the peer does not read, and the answer to a later ping
 * serves (RFC 6455 section 5.5.3). */
enum { WS_INPUT_PONG_BACKLOG = 64 * 1024 };

/* Input is parsed up to the peer's close frame, and discarded once it arrived or this end failed or refused. */
static bool ws_input_is_parsed(const struct ws_conn *conn) {
  return ws_conn_state(conn) <= WS_CONN_CLOSING;
}

static void ws_input_seen(struct ws_conn *conn) {
  ws_activity_heard(&conn->activity, ws_conn_loop(conn));
  conn->pinged = false;
}

/* ---- the session's events */

/* Counts the work of an event with n bytes. */
static enum ws_sink_verdict ws_input_verdict(struct ws_conn *conn, size_t n) {
  struct ws_loop_thread *thread = conn->group->thread;
  thread->work_left -= (int64_t)n + WS_INPUT_EVENT;
  if (!ws_input_is_parsed(conn))
    return WS_SINK_STOP;
  return thread->work_left > 0 ? WS_SINK_GO : WS_SINK_PAUSE;
}

/* Texts are unmasked into the strings that handlers get, unless a handler that turns the loop has the call's room. */
static uint8_t *ws_input_room(void *context, enum ws_message_kind kind, size_t n) {
  const struct ws_conn *conn = context;
  struct ws_loop_thread *thread = conn->group->thread;
  return kind == WS_MESSAGE_TEXT && !thread->call_in_use ? ws_call_room(&thread->call, n) : NULL;
}

/* A second starts with the first message after the last second ended. Messages that piled up while the loop was away
 * may come besides; a quarter of them in the next second, because the client's kernel holds some. */
static bool ws_input_rate_exceeded(struct ws_conn *conn) {
  int64_t cap = conn->group->rules->limits.max_messages_per_second;
  if (!cap)
    return false;
  struct ws_loop *loop = ws_conn_loop(conn);
  uint32_t now = (uint32_t)ws_loop_refresh(loop);
  uint32_t away = (uint32_t)ws_loop_away(loop);
  if (conn->rate_count == 0 || now - conn->rate_start >= 1000) {
    conn->rate_start = now;
    conn->rate_count = 0;
    conn->rate_more_ms /= 4;
  }
  conn->rate_more_ms += away - conn->rate_away;
  conn->rate_away = away;
  return conn->rate_count++ >= cap + (cap * (int64_t)conn->rate_more_ms + 999) / 1000;
}

static enum ws_verdict ws_input_hand_over(struct ws_conn *conn, struct ws_call *call, bool binary, const uint8_t *bytes,
                                          size_t n) {
  const struct ws_group *group = conn->group;
  if (group->text_only && binary) {
    ws_end_fail(conn, WS_CLOSE_UNSUPPORTED_DATA, "binary messages are not handled here", NULL);
    return WS_VERDICT_SUCCESS;
  }
  if (group->text_only)
    return ws_call_text(call, *group->on_message, bytes, n);
  void *record = ws_awake_record(conn);
  return record ? ws_call_message(call, *group->on_message, record, binary, bytes, n, ws_loop_now(ws_conn_loop(conn)))
                : WS_VERDICT_NO_MEMORY;
}

static void ws_input_call_handler(struct ws_conn *conn, bool binary, const uint8_t *bytes, size_t n) {
  struct ws_loop_thread *thread = conn->group->thread;
  struct ws_call *call = ws_conn_call_begin(conn, "message");
  if (!call) {
    ws_end_fail(conn, WS_CLOSE_INTERNAL_ERROR, "out of memory", NULL);
    return;
  }
  enum ws_verdict verdict = ws_input_hand_over(conn, call, binary, bytes, n);
  if (verdict == WS_VERDICT_ERROR) {
    ws_log(WS_LOG_WARN, "connection %" PRId64 ": the message handler failed: %s", conn->id, call->message);
    ws_end_fail(conn, WS_CLOSE_INTERNAL_ERROR, "the handler failed", NULL);
  } else if (verdict == WS_VERDICT_NO_MEMORY) {
    ws_end_fail(conn, WS_CLOSE_INTERNAL_ERROR, "out of memory", NULL);
  }
  ws_conn_call_end(conn, call);
  if (n > WS_INPUT_WORK)
    conn->plain = true;
  /* Slow handlers are work too: hundreds of them in one run would hold the loop for long. */
  int64_t over_ns = ws_clock_coarse_ns() - thread->work_until_ns;
  if (over_ns > 0) {
    thread->work_left = 0;
    thread->work_ticked = over_ns <= (int64_t)WS_INPUT_TICK_MS * WS_CLOCK_NS;
  }
}

static enum ws_sink_verdict ws_input_on_message(void *context, enum ws_message_kind kind, uint8_t *bytes, size_t n) {
  struct ws_conn *conn = context;
  ws_activity_message_ended(&conn->activity);
  ws_tally_received(conn->group, n);
  if (ws_input_rate_exceeded(conn)) {
    struct ws_exceeded rate = {"maxMessagesPerSecond", conn->group->rules->limits.max_messages_per_second};
    ws_end_fail(conn, WS_CLOSE_POLICY_VIOLATION, "too many messages in a second", &rate);
  } else if (conn->group->on_message && ws_conn_state(conn) == WS_CONN_OPEN && !atomic_load(&conn->hushed)) {
    ws_input_call_handler(conn, kind == WS_MESSAGE_BINARY, bytes, n);
  }
  return ws_input_verdict(conn, n);
}

/* Returns true if the queue has room for a pong of this size, flushing first if needed. An empty queue takes any. */
static bool ws_input_has_pong_room(struct ws_conn *conn, size_t size) {
  size_t cap = (size_t)conn->group->rules->limits.max_queued_bytes;
  size_t most = cap < WS_INPUT_PONG_BACKLOG ? cap : WS_INPUT_PONG_BACKLOG;
  size_t waiting = ws_outq_bytes(&conn->out);
  if (waiting > 0 && waiting + size > most && !conn->blocked) {
    ws_flush(conn);
    waiting = ws_outq_bytes(&conn->out);
  }
  /* What this end is still to compress does not show that the peer does not read. */
  if (!conn->blocked && ws_outq_is_unready(&conn->out))
    waiting -= ws_outq_shared(&conn->out);
  return waiting == 0 || waiting + size <= most;
}

WS_ASIDE static enum ws_sink_verdict ws_input_on_ping(void *context, const uint8_t *payload, size_t n) {
  struct ws_conn *conn = context;
  size_t size = ws_frame_header_size(n, conn->group->rules->role == WS_ROLE_CLIENT) + n;
  bool answer = ws_input_has_pong_room(conn, size) && ws_conn_state(conn) == WS_CONN_OPEN;
  if (answer && ws_output_frame(conn, WS_FRAME_FIN | WS_OPCODE_PONG, payload, n))
    ws_end_drop(conn, WS_DROP_LOCAL, "out of memory");
  return ws_input_verdict(conn, n);
}

WS_ASIDE static enum ws_sink_verdict ws_input_on_pong(void *context, const uint8_t *payload, size_t n) {
  (void)payload;
  return ws_input_verdict(context, n);
}

WS_ASIDE static enum ws_sink_verdict ws_input_on_close(void *context, int code, const char *reason, size_t n) {
  ws_end_close_received(context, code, reason, n);
  return WS_SINK_STOP;
}

static const struct ws_session_sink ws_input_sink = {
    .room = ws_input_room,
    .on_message = ws_input_on_message,
    .on_ping = ws_input_on_ping,
    .on_pong = ws_input_on_pong,
    .on_close = ws_input_on_close,
};

/* ---- the session */

static bool ws_input_session_is_blank(const struct ws_session *session) {
  return !session->frame_open && session->header_size == 0 && session->message == 0 && !session->partial &&
         !session->inflater;
}

/* Moves a session that began on the stack to the heap, or frees one that holds no state. */
static void ws_input_keep_session(struct ws_conn *conn, struct ws_session *session) {
  if (!ws_input_is_parsed(conn) || ws_input_session_is_blank(session)) {
    ws_session_deinit(session);
    ws_mem_free(conn->session);
    conn->session = NULL;
  } else if (!conn->session) {
    conn->session = ws_mem_alloc(sizeof *session);
    if (conn->session) {
      memcpy(conn->session, session, sizeof *session);
    } else {
      ws_session_deinit(session);
      ws_end_fail(conn, WS_CLOSE_INTERNAL_ERROR, "out of memory", NULL);
    }
  }
}

/* The limit that a violation exceeds; its name is NULL if no program can set it. */
static struct ws_exceeded ws_input_exceeded(const struct ws_rules *rules, enum ws_violation violation) {
  bool server = rules->role == WS_ROLE_SERVER;
  switch (violation) {
  case WS_VIOLATION_MESSAGE_TOO_BIG:
    return (struct ws_exceeded){"maxMessageBytes", rules->limits.max_message_bytes};
  case WS_VIOLATION_TOO_MANY_FRAGMENTS:
    return (struct ws_exceeded){server ? "maxFragments" : NULL, rules->limits.max_fragments};
  case WS_VIOLATION_DEFLATE_RATIO:
    return (struct ws_exceeded){server ? "maxCompressionRatio" : NULL, rules->limits.max_ratio};
  default:
    return (struct ws_exceeded){0};
  }
}

static void ws_input_fed(struct ws_conn *conn, struct ws_session *session, enum ws_feed_outcome outcome) {
  if (outcome == WS_FEED_VIOLATION) {
    enum ws_violation violation = (enum ws_violation)session->violation;
    struct ws_exceeded exceeded = ws_input_exceeded(conn->group->rules, violation);
    ws_end_fail(conn, ws_violation_code(violation), ws_violation_text(violation), exceeded.limit ? &exceeded : NULL);
  }
  ws_input_keep_session(conn, session);
}

/* Feeds the session until the work of this run is done, or whole messages follow. Returns how many bytes were
 * consumed. */
static size_t ws_input_feed_pieces(struct ws_conn *conn, struct ws_session *session, uint8_t *bytes, size_t n,
                                   enum ws_feed_outcome *outcome) {
  struct ws_loop_thread *thread = conn->group->thread;
  size_t small = thread->work_left > WS_INPUT_LATE_WORK ? WS_INPUT_COMPRESSED_PIECE : WS_INPUT_LATE_PIECE;
  size_t most = ws_deflate_in_use(&conn->deflate) ? small : n;
  size_t at = 0, piece, consumed;
  do {
    piece = n - at < most ? n - at : most;
    uint64_t before = ws_session_work(session);
    *outcome = ws_session_feed(session, bytes + at, piece, &ws_input_sink, conn, &consumed);
    at += consumed;
    uint64_t after = *outcome == WS_FEED_MORE ? ws_session_work(session) : 0;
    thread->work_left -= after > before ? (int64_t)(after - before) : 0;
  } while (*outcome == WS_FEED_MORE && consumed == piece && at < n && thread->work_left > 0);
  return at;
}

WS_ASIDE static size_t ws_input_feed_session(struct ws_conn *conn, uint8_t *bytes, size_t n,
                                             enum ws_feed_outcome *outcome) {
  const struct ws_limits *limits = &conn->group->rules->limits;
  struct ws_session fresh;
  struct ws_session *session = conn->session;
  if (!session) {
    session = &fresh;
    ws_session_init(session, conn->group->rules->role, (uint32_t)limits->max_message_bytes,
                    (uint32_t)limits->max_fragments, &conn->deflate);
    session->max_ratio = (uint16_t)limits->max_ratio;
  }
  size_t at = ws_input_feed_pieces(conn, session, bytes, n, outcome);
  ws_input_fed(conn, session, *outcome);
  return at;
}

static bool ws_input_is_between(const struct ws_conn *conn) {
  return conn->session ? ws_session_is_between(conn->session) : conn->group->rules->role == WS_ROLE_SERVER;
}

/* Feeds bytes until the work of this run is done. Returns how many were consumed: all of them where no more input is
 * parsed. */
WS_STRAIGHT WS_ASIDE static size_t ws_input_feed(struct ws_conn *conn, uint8_t *bytes, size_t n) {
  struct ws_loop_thread *thread = conn->group->thread;
  uint32_t max_message_bytes = (uint32_t)conn->group->rules->limits.max_message_bytes;
  enum ws_feed_outcome outcome = WS_FEED_MORE;
  size_t at = 0, consumed;
  while (outcome == WS_FEED_MORE && at < n && thread->work_left > 0) {
    if (ws_input_is_between(conn)) {
      outcome = ws_session_feed_whole(max_message_bytes, bytes + at, n - at, &ws_input_sink, conn, &consumed);
      at += consumed;
    }
    if (outcome == WS_FEED_MORE && at < n)
      at += ws_input_feed_session(conn, bytes + at, n - at, &outcome);
  }
  if (outcome == WS_FEED_MORE || outcome == WS_FEED_PAUSED)
    return at;
  if (!thread->call_in_use)
    ws_call_drop(&thread->call); /* a text that turned out to be invalid, or was not wanted */
  return n;
}

/* ---- input that is not parsed yet */

static void ws_input_discard_unparsed(struct ws_conn *conn) {
  ws_unparsed_free(conn->unparsed);
  conn->unparsed = NULL;
}

/* Keeps what a run left. */
WS_ASIDE static void ws_input_keep(struct ws_conn *conn, const uint8_t *bytes, size_t n) {
  if (!ws_input_is_parsed(conn))
    return;
  conn->unparsed = ws_unparsed_new(bytes, n);
  if (!conn->unparsed)
    ws_end_fail(conn, WS_CLOSE_INTERNAL_ERROR, "out of memory", NULL);
}

/* Goes on with input of an earlier run. Handlers may turn the loop meanwhile, but not read this connection. */
WS_ASIDE static void ws_input_use_unparsed(struct ws_conn *conn) {
  struct ws_unparsed *unparsed = conn->unparsed;
  ws_input_seen(conn);
  if (ws_input_is_parsed(conn))
    unparsed->at += ws_input_feed(conn, unparsed->bytes + unparsed->at, unparsed->size - unparsed->at);
  if (unparsed->at == unparsed->size || !ws_input_is_parsed(conn))
    ws_input_discard_unparsed(conn);
}

/* ---- bytes */

static void ws_input_bytes(struct ws_conn *conn, uint8_t *bytes, size_t n) {
  ws_input_seen(conn);
  if (ws_conn_state(conn) == WS_CONN_HANDSHAKE) {
    size_t used = conn->group->ops->head(conn, bytes, n);
    if (ws_conn_state(conn) == WS_CONN_HANDSHAKE)
      return;
    bytes += used;
    n -= used;
  }
  if (n > 0 && ws_input_is_parsed(conn)) {
    size_t used = ws_input_feed(conn, bytes, n);
    if (used < n)
      ws_input_keep(conn, bytes + used, n - used);
  }
}

/* Reads once: the rest of a large message straight to its place, anything else into the shared buffer. Returns as
 * ws_stream_read; *filled: the read used all room. */
static ssize_t ws_input_receive(struct ws_conn *conn, uint8_t *buffer, bool *filled) {
  uint8_t *room = NULL;
  size_t size = conn->session && ws_input_is_parsed(conn) ? ws_session_reserve(conn->session, &room) : 0;
  ssize_t n = ws_stream_read(&conn->stream, size ? room : buffer, size ? size : WS_LOOP_BUFFER_SIZE);
  *filled = n == (ssize_t)(size ? size : WS_LOOP_BUFFER_SIZE);
  if (n <= 0)
    return n;
  if (size) {
    ws_input_seen(conn);
    conn->group->thread->work_left -= n;
    ws_input_fed(conn, conn->session, ws_session_commit(conn->session, (size_t)n, &ws_input_sink, conn));
  } else {
    ws_input_bytes(conn, buffer, (size_t)n);
  }
  return n;
}

/* What was answered before the peer's end of stream is written: the peer may still read. */
WS_ASIDE static void ws_input_ended(struct ws_conn *conn, ssize_t outcome) {
  if (outcome == 0)
    ws_flush(conn);
  if (outcome == 0 && ws_end_deafen(conn))
    return;
  ws_end_drop(conn, WS_DROP_PEER,
              outcome == 0 ? "the connection was closed during the handshake" : ws_stream_error(&conn->stream));
}

WS_ASIDE static void ws_input_flooded(struct ws_conn *conn) {
  static const char why[] = "too many TLS messages without data, such as key updates";
  if (ws_conn_state(conn) > WS_CONN_HANDSHAKE)
    ws_end_fail(conn, WS_CLOSE_POLICY_VIOLATION, why, NULL);
  else
    ws_end_drop(conn, WS_DROP_PEER, why);
}

/* Watches for input again after a handler returned. Returns true if there may be some. */
static bool ws_input_unpause(struct ws_conn *conn) {
  if (!conn->paused || ws_conn_state(conn) == WS_CONN_ENDED)
    return false;
  conn->paused = false;
  if (ws_conn_watch(conn) == 0)
    return true;
  ws_end_drop(conn, WS_DROP_LOCAL, "out of memory");
  return false;
}

/* Of its message, which may be broadcast when the last byte comes, much is there. */
static bool ws_input_is_large(const struct ws_conn *conn) {
  return conn->session && ws_session_unfinished(conn->session) > WS_INPUT_WORK;
}

/* It has sent much, or is about to. */
static bool ws_input_is_heavy(const struct ws_conn *conn) {
  return conn->heavy || ws_input_is_large(conn);
}

static uint16_t *ws_input_of_address(const struct ws_conn *conn) {
  uint8_t host[16] = {0};
  unsigned hash = 0;
  if (conn->remote)
    ws_address_host(conn->remote, host);
  for (size_t i = 0; i < sizeof host; i++)
    hash = 31 * hash + host[i];
  return &conn->group->thread->buffered_of[hash % WS_LOOP_ADDRESSES];
}

/* The poller would tell of its input in each turn. */
static void ws_input_unwatch(struct ws_conn *conn) {
  if (conn->paused)
    return;
  conn->paused = true;
  if (ws_conn_watch(conn))
    ws_end_drop(conn, WS_DROP_LOCAL, "out of memory");
}

WS_ASIDE static void ws_input_wait(struct ws_conn *conn) {
  struct ws_loop_thread *thread = conn->group->thread;
  if (conn->buffered)
    return;
  conn->buffered = true;
  ws_conn_ref(conn);
  uint16_t *of_address = ws_input_of_address(conn);
  enum ws_buffered kind = ws_input_is_heavy(conn) ? WS_BUFFERED_HEAVY : WS_BUFFERED_LIGHT;
  ws_queue_add(&thread->buffered[(*of_address)++ ? kind : WS_BUFFERED_ALONE], &conn->buffered_node);
  thread->buffered_count++;
  ws_loop_defer(thread->loop, &thread->resume);
  /* Many that wait would hide those that do not: the poller tells of so many at a time. */
  if (thread->buffered_count > WS_INPUT_WATCHED)
    ws_input_unwatch(conn);
}

/* Returns true if the stream may have more. */
static bool ws_input_read_once(struct ws_conn *conn, uint8_t *buffer) {
  bool filled;
  ssize_t n = ws_input_receive(conn, buffer, &filled);
  if (n == 0 || n == WS_STREAM_FAILED) {
    ws_input_ended(conn, n);
    return false;
  }
  if (n == WS_STREAM_FLOODED)
    ws_input_flooded(conn);
  return ws_conn_state(conn) != WS_CONN_ENDED && n > 0 && (filled || ws_stream_pending(&conn->stream));
}

static void ws_input_run(struct ws_conn *conn, uint8_t *buffer) {
  const int64_t *work_left = &conn->group->thread->work_left;
  int64_t until_ns = conn->group->thread->work_until_ns;
  bool more = true;
  if (conn->unparsed)
    ws_input_use_unparsed(conn);
  for (int reads = 0; more && !conn->unparsed && ws_conn_state(conn) != WS_CONN_ENDED; reads++) {
    bool left = ws_input_read_once(conn, buffer);
    bool over = reads >= WS_INPUT_READS_PER_TURN || (left && (*work_left <= 0 || ws_clock_coarse_ns() > until_ns));
    more = ws_input_unpause(conn) || (left && !over);
  }
}

/* Work that broadcasts have caused is left to do, on this loop thread or on others. */
static bool ws_input_is_ahead(const struct ws_conn *conn) {
  const struct ws_loop_thread *thread = conn->group->thread;
  return !ws_queue_is_empty(&thread->compressing) || thread->receivers_wait || ws_loop_is_behind(thread->loop) ||
         atomic_load_explicit(&conn->group->ahead, memory_order_relaxed) > WS_INPUT_AHEAD;
}

/* What broadcasts much waits for receivers that do not keep up, what has caused much while others are behind. */
static bool ws_input_is_held(const struct ws_conn *conn) {
  return ws_input_is_heavy(conn) &&
         (ws_crowd_delays(conn, ws_input_is_large(conn)) || (conn->causing && ws_input_is_ahead(conn)));
}

/* Returns false if it only waits. Runs nest where a handler turns the loop. */
static bool ws_input_start(struct ws_conn *conn, int64_t now_ns, bool late, bool waits) {
  struct ws_loop *loop = ws_conn_loop(conn);
  struct ws_loop_thread *thread = conn->group->thread;
  if (conn->handling) {
    conn->paused = true;
    if (ws_conn_watch(conn))
      ws_end_drop(conn, WS_DROP_LOCAL, "out of memory");
    return true;
  }
  if (conn->buffered)
    return true;
  bool held = ws_input_is_held(conn);
  if (held)
    ws_input_unwatch(conn);
  if (held || waits) {
    ws_input_wait(conn);
    return false;
  }
  uint8_t *buffer = ws_loop_buffer_acquire(loop);
  if (!buffer) {
    ws_end_drop(conn, WS_DROP_LOCAL, "out of memory");
    return true;
  }
  int64_t outer_work_left = thread->work_left;
  int64_t outer_until_ns = thread->work_until_ns;
  int64_t outer_delivery_work = thread->delivery_work;
  thread->work_left = late ? WS_INPUT_LATE_WORK : WS_INPUT_WORK;
  thread->delivery_work = late ? WS_INPUT_LATE_DELIVERY : 0;
  thread->work_caused = 0;
  thread->work_spread = 0;
  thread->work_ticked = false;
  thread->work_until_ns = now_ns + (int64_t)(late ? WS_INPUT_LATE_MS : WS_INPUT_MS_PER_TURN) * WS_CLOCK_NS;
  ws_input_run(conn, buffer);
  if (thread->work_spread > 0)
    ws_crowd_sent(conn, thread->work_spread);
  conn->causing = thread->work_caused >= WS_INPUT_WORK;
  conn->heavy = (thread->work_left <= 0 && !thread->work_ticked) || conn->causing;
  if (ws_conn_state(conn) != WS_CONN_ENDED && (conn->unparsed || ws_stream_pending(&conn->stream)))
    ws_input_wait(conn);
  thread->work_left = outer_work_left;
  thread->delivery_work = outer_delivery_work;
  thread->work_until_ns = outer_until_ns;
  ws_loop_buffer_release(loop, buffer);
  /* Of one with output, the end of the turn counts what it holds. */
  if (!conn->queued && ws_conn_state(conn) != WS_CONN_ENDED && ws_held_count(conn))
    ws_evict(conn->group);
  return true;
}

/* Late in a turn, and behind others that wait, what has sent much waits for its turn of ws_input_resume; when the turn
 * is over, or has spread much, all do but requests, which have waited already (turn.c). */
static bool ws_input_is_to_wait(const struct ws_conn *conn, int64_t now_ns, bool late) {
  const struct ws_loop_thread *thread = conn->group->thread;
  if (ws_conn_state(conn) <= WS_CONN_HANDSHAKE)
    return false;
  return thread->spread > WS_SPREAD || (late && ws_loop_turn_exceeds(thread->loop, WS_INPUT_OVER_MS, now_ns)) ||
         ((late || thread->buffered_count > 0) && ws_input_is_heavy(conn));
}

void ws_input_read(struct ws_conn *conn) {
  int64_t now_ns = ws_clock_coarse_ns();
  bool late = ws_loop_turn_exceeds(ws_conn_loop(conn), WS_INPUT_MS_PER_TURN, now_ns);
  ws_input_start(conn, now_ns, late, ws_input_is_to_wait(conn, now_ns, late));
}

/* Returns false if it waits on. */
static bool ws_input_resume_next(struct ws_loop_thread *thread, struct ws_queue *queue) {
  struct ws_conn *conn = ws_container_of(ws_queue_pop(queue), struct ws_conn, buffered_node);
  thread->buffered_count--;
  (*ws_input_of_address(conn))--;
  conn->buffered = false;
  /* A handler may turn the loop: the others go on in its turns. */
  if (thread->buffered_count > 0)
    ws_loop_defer(thread->loop, &thread->resume);
  bool ran = ws_conn_state(conn) == WS_CONN_ENDED ||
             ws_input_start(conn, ws_clock_coarse_ns(), !ws_input_is_heavy(conn), false);
  if (conn->queued)
    ws_flush(conn);
  ws_conn_unref(conn);
  return ran;
}

void ws_input_resume_later(struct ws_loop *loop, struct ws_timer *timer) {
  struct ws_loop_thread *thread = ws_container_of(timer, struct ws_loop_thread, resume_later);
  ws_loop_defer(loop, &thread->resume);
}

/* All that are queued wait for other loop threads, which may take long: no turns meanwhile for their sake. */
static void ws_input_rest(struct ws_loop_thread *thread) {
  struct ws_loop *loop = thread->loop;
  ws_loop_undefer(loop, &thread->resume);
  ws_timer_arm(loop, &thread->resume_later, ws_loop_now(loop) + WS_INPUT_AHEAD_MS);
}

/* Returns true if any ran. */
static bool ws_input_resume_some(struct ws_loop_thread *thread, struct ws_queue *queue, int most) {
  int64_t until_ms = ws_clock_coarse_ms() + WS_INPUT_MS_PER_TURN;
  bool any = false;
  for (; most > 0 && !ws_queue_is_empty(queue); most--) {
    any = ws_input_resume_next(thread, queue) || any;
    if (ws_clock_coarse_ms() > until_ms || thread->spread > WS_SPREAD)
      break;
  }
  return any;
}

void ws_input_resume(struct ws_loop_thread *thread) {
  bool any = false;
  int most = thread->buffered_count;
  for (int kind = 0; kind < WS_BUFFERED; kind++) {
    thread->spread = 0;
    any = ws_input_resume_some(thread, &thread->buffered[kind], most) || any;
  }
  if (thread->buffered_count == 0)
    ws_loop_undefer(thread->loop, &thread->resume);
  else if (!any && !ws_loop_is_behind(thread->loop) && !thread->receivers_wait &&
           ws_queue_is_empty(&thread->compressing))
    ws_input_rest(thread);
  else
    ws_loop_defer(thread->loop, &thread->resume);
}
