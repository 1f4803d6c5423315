/* The session: bytes of an open connection in, messages and control frames out. No I/O.
 *
 * ws_session_feed() takes what arrived, unmasks it in place and calls the sink for each message and control frame. A message
 * that arrived whole is handed over where it lies, without a copy. One that arrives in pieces or in fragments is
 * gathered in a buffer that grows with what came, never with what was announced, and that exists only as long.
 *
 * The rest of a large message need not pass through the caller's buffer: ws_session_reserve() offers room in the
 * message's own, and ws_session_commit() takes what was received into it. (readv() into that room and then into the caller's
 * buffer takes what follows in one call.)
 *
 * A text fails as soon as it cannot become UTF-8, a message as soon as its frames announce more than the cap, in the middle of a
 * frame too. With permessage-deflate what is checked and capped is what inflating puts out, while it does.
 *
 * The sink: what it is given lives until its function returns and may be changed in place. It may send, close, and free the
 * connection, session included: it then returns WS_SINK_STOP, and the session is not touched again. It must not feed the session
 * it was called for. With WS_SINK_PAUSE feeding ends after this event; `consumed` tells where to go on, later.
 *
 * Invariants between calls: frame_open <=> a frame's header was read and its payload is not complete <=> remaining > 0;
 * header_size > 0 => no frame is open; partial != NULL => a message or a control payload is under way, and something of it
 * had to be kept. After CLOSED or VIOLATION the session is `over`: it holds nothing and ignores every further byte.
 */
#pragma once

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
  WS_SINK_PAUSE = 1, /* return to the caller after this event */
  WS_SINK_STOP = 2,  /* the session is gone, or must not be used: return at once */
};

struct ws_session_sink {
  enum ws_sink_verdict (*on_message)(void *ctx, enum ws_message_kind kind, uint8_t *bytes, size_t n);
  enum ws_sink_verdict (*on_ping)(void *ctx, const uint8_t *payload, size_t n);
  enum ws_sink_verdict (*on_pong)(void *ctx, const uint8_t *payload, size_t n);
  /* The peer's close frame: its code, WS_CLOSE_NO_STATUS if it has none, and its reason, which is UTF-8. */
  enum ws_sink_verdict (*on_close)(void *ctx, int code, const char *reason, size_t n);
};

enum ws_feed_outcome {
  WS_FEED_MORE = 0,      /* all was consumed */
  WS_FEED_PAUSED = 1,    /* the sink asked for a pause; the session is as before */
  WS_FEED_STOPPED = 2,   /* the sink asked to stop; the session may be gone */
  WS_FEED_CLOSED = 3,    /* the peer's close frame was delivered, now or before; whatever follows is ignored */
  WS_FEED_VIOLATION = 4, /* session->violation tells what was wrong; whatever follows is ignored */
};

struct ws_partial; /* a message or control payload under way */

struct ws_session {
  uint64_t remaining; /* payload bytes of the open frame still to come */
  struct ws_partial *partial;
  struct ws_inflater *inflater;
  uint32_t max_message_bytes;
  uint32_t max_fragments;
  uint16_t max_ratio; /* how much a message may expand: 1 to WS_DEFLATE_RATIO_MAX, by default WS_DEFLATE_RATIO */
  struct ws_deflate_params deflate;
  uint8_t key[4]; /* of the open frame, rotated to its next byte */
  struct ws_utf8 utf8;
  uint8_t head;    /* first byte of the open frame */
  uint8_t message; /* enum ws_message_kind of the message under way, 0 if there is none */
  uint8_t role;
  uint8_t violation;   /* enum ws_violation */
  uint8_t header_size; /* bytes of an unfinished header in `header` */
  uint8_t header[WS_FRAME_HEADER_MAX];
  bool frame_open;
  bool compressed; /* the message under way is compressed */
  bool over;
};

_Static_assert(sizeof(struct ws_session) <= 80, "an idle connection has 256 bytes for everything");

/* Limits are 1 to 2^30. `deflate` is NULL or all zero for none. */
void ws_session_init(struct ws_session *session, enum ws_role role, uint32_t max_message_bytes, uint32_t max_fragments,
                     const struct ws_deflate_params *deflate);

/* Frees what the session holds. Idempotent; the struct may be initialised again. */
void ws_session_deinit(struct ws_session *session);

/* Takes n bytes. *consumed is how many were used up: all of them, except after PAUSED (then feed the rest later) and after
 * STOPPED. */
enum ws_feed_outcome ws_session_feed(struct ws_session *session, uint8_t *bytes, size_t n,
                                     const struct ws_session_sink *sink, void *ctx, size_t *consumed);

/* The room for the payload of the open frame that the message's buffer offers, 0 if receiving there is of no use. The room
 * never reaches past the frame, and stays valid until the next call on this session. */
size_t ws_session_reserve(struct ws_session *session, uint8_t **room);

/* Takes n bytes that were received into the room that the latest ws_session_reserve() offered. */
enum ws_feed_outcome ws_session_commit(struct ws_session *session, size_t n, const struct ws_session_sink *sink,
                                       void *ctx);
