#pragma once
/* A session: the bytes of an open connection in, messages and control frames out. No I/O.
 *
 * ws_session_feed unmasks the received bytes and calls the sink for each message and control frame. A message that
 * arrived in one piece is delivered where the sink wants it, or in place. A message that arrives in pieces or fragments
 * is gathered in a buffer, which grows with the received bytes, not with the announced length, and is freed after
 * delivery.
 *
 * The rest of a large message can be received without a copy: ws_session_reserve returns room in the message's buffer,
 * and ws_session_commit consumes the bytes received there. A readv into this room and the caller's buffer also
 * receives the bytes behind the frame.
 *
 * A text message fails at the first byte that cannot be UTF-8. A message fails when its frames announce more than the
 * limit, also within a frame. With permessage-deflate both apply to the inflated bytes, while they are inflated.
 *
 * The sink's arguments are valid until it returns, and it may modify the bytes. It may send, close, and free the
 * connection with the session; it then returns WS_SINK_STOP, and the session is not accessed again. It must not feed
 * the same session. After WS_SINK_PAUSE feeding stops behind the event; `consumed` is the offset at which to continue.
 *
 * Invariants between calls: frame_open <=> a header was decoded and its payload is incomplete <=> remaining > 0;
 * header_size > 0 => no frame is open; partial != NULL => a message or control frame is incomplete and part of it is
 * stored. After CLOSED or VIOLATION the session is `over`: it holds no memory and ignores further bytes.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "deflate.h"
#include "frame.h"
#include "utf8.h"
#include "violation.h"

enum ws_role {
  WS_ROLE_SERVER,
  WS_ROLE_CLIENT,
};

enum ws_message_kind {
  WS_MESSAGE_TEXT = WS_OPCODE_TEXT,
  WS_MESSAGE_BINARY = WS_OPCODE_BINARY,
};

enum ws_sink_verdict {
  WS_SINK_GO = 0,
  WS_SINK_PAUSE = 1, /* stop feeding after this event */
  WS_SINK_STOP = 2,  /* return at once; the session may be freed */
};

struct ws_session_sink {
  /* Room for a message of n bytes that was received whole, which is unmasked into it. NULL, as the member may be too:
   * it is unmasked where it is. If it turns out to be invalid, on_message does not follow. */
  uint8_t *(*room)(void *ctx, enum ws_message_kind kind, size_t n);
  enum ws_sink_verdict (*on_message)(void *ctx, enum ws_message_kind kind, uint8_t *bytes, size_t n);
  enum ws_sink_verdict (*on_ping)(void *ctx, const uint8_t *payload, size_t n);
  enum ws_sink_verdict (*on_pong)(void *ctx, const uint8_t *payload, size_t n);
  /* The peer's close frame. Without a code, `code` is WS_CLOSE_NO_STATUS. The reason is UTF-8. */
  enum ws_sink_verdict (*on_close)(void *ctx, int code, const char *reason, size_t n);
};

enum ws_feed_outcome {
  WS_FEED_MORE = 0,      /* the session goes on with what follows */
  WS_FEED_PAUSED = 1,    /* the sink returned WS_SINK_PAUSE */
  WS_FEED_STOPPED = 2,   /* the sink returned WS_SINK_STOP; the session may be freed */
  WS_FEED_CLOSED = 3,    /* the peer's close frame was delivered, now or before */
  WS_FEED_VIOLATION = 4, /* see session->violation */
};

struct ws_partial; /* an incomplete message or control frame */

struct ws_session {
  uint64_t remaining; /* payload bytes of the open frame not yet received */
  struct ws_partial *partial;
  struct ws_inflater *inflater;
  uint32_t max_message_bytes;
  uint32_t max_fragments;
  uint16_t max_ratio; /* of compressed messages: 1 to WS_DEFLATE_RATIO_MAX, by default WS_DEFLATE_RATIO */
  struct ws_deflate_params deflate;
  uint8_t key[4]; /* of the open frame, rotated to its next byte */
  struct ws_utf8 utf8;
  uint8_t head;    /* first byte of the open frame */
  uint8_t message; /* enum ws_message_kind of the current message; 0: none */
  uint8_t role;
  uint8_t violation;   /* enum ws_violation */
  uint8_t header_size; /* bytes of an incomplete header in `header` */
  uint8_t header[WS_FRAME_HEADER_MAX];
  bool frame_open;
  bool compressed; /* the current message is compressed */
  bool over;
};

_Static_assert(sizeof(struct ws_session) <= 80, "a session exists while a message is incomplete");

/* Limits are 1 to 2^30. `deflate` is NULL or zeroed without compression. */
void ws_session_init(struct ws_session *session, enum ws_role role, uint32_t max_message_bytes, uint32_t max_fragments,
                     const struct ws_deflate_params *deflate);

/* Frees the session's memory. Idempotent; the struct may be initialised again. */
void ws_session_deinit(struct ws_session *session);

/* Returns true in a server's session that goes on, if no message or frame has begun. */
bool ws_session_is_between(const struct ws_session *session);

/* Consumes the uncompressed messages in front of n bytes from a client that are there as a whole, in a frame each.
 * Between messages these need no session. Sets *consumed to less than n where something else follows, for
 * ws_session_feed, and after PAUSED and STOPPED. */
enum ws_feed_outcome ws_session_feed_whole(uint32_t max_message_bytes, uint8_t *bytes, size_t n,
                                           const struct ws_session_sink *sink, void *ctx, size_t *consumed);

/* Consumes n bytes. Sets *consumed to n, or to less after PAUSED (feed the rest later) and STOPPED, and after MORE
 * where whole messages follow behind others: ws_session_feed_whole takes them in fewer steps, or again
 * ws_session_feed. */
enum ws_feed_outcome ws_session_feed(struct ws_session *session, uint8_t *bytes, size_t n,
                                     const struct ws_session_sink *sink, void *ctx, size_t *consumed);

/* Returns the size of the room in the message's buffer for the payload of the open frame, or 0 if it is not worthwhile.
 * The room does not extend past the frame, and is valid until the next call on this session. */
size_t ws_session_reserve(struct ws_session *session, uint8_t **room);

/* Payload bytes of the message in progress that were kept so far, and 1; 0 if none is. */
uint32_t ws_session_unfinished(const struct ws_session *session);

/* What the message in progress has cost so far: those bytes, what they became by inflating, and WS_SESSION_FRAME for
 * each of its frames. 0 if none is in progress. */
enum { WS_SESSION_FRAME = 64 };
uint64_t ws_session_work(const struct ws_session *session);

/* Bytes of memory that the session holds. */
size_t ws_session_held(const struct ws_session *session);

/* Consumes n bytes that were received into the room of the latest ws_session_reserve. */
enum ws_feed_outcome ws_session_commit(struct ws_session *session, size_t n, const struct ws_session_sink *sink,
                                       void *ctx);
