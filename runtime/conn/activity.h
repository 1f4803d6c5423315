#pragma once
/* Whether a connection's peer is alive, and takes what is sent to it.
 *
 * Two things prove that the peer is alive: input, and progress of output that is backed up, in the queue or in the
 * kernel. While output is backed up, a pong cannot come, because the ping waits behind it. Bytes that the kernel took
 * into an empty buffer prove nothing; bytes that the peer's TCP acknowledged do.
 *
 * The owner calls ws_activity_look from the connection's timer; input itself costs a store. All times are milliseconds
 * of the loop's clock, truncated to 32 bits. On the loop thread.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "io/loop.h"
#include "io/outq.h"
#include "io/stream.h"
#include "protocol/session.h"

/* Payload bytes a second that an unfinished message must gain. */
enum { WS_ACTIVITY_MESSAGE_RATE = 16 };

struct ws_activity {
  uint32_t alive;         /* time of the latest proof */
  uint32_t output;        /* time at which output began to back up, or last progressed */
  uint32_t acked;         /* the stream's mark of the latest look; 0: nothing was backed up */
  uint32_t message;       /* time since which an unfinished message is measured; 0: none is */
  uint32_t message_bytes; /* its payload bytes at that time */
  uint32_t away;          /* ws_loop_away at the latest look */
};

/* Zeroes the marks and sets their times to now. */
void ws_activity_start(struct ws_activity *activity, const struct ws_loop *loop);

/* The peer is alive: its input arrived, or waits to be parsed. */
void ws_activity_heard(struct ws_activity *activity, const struct ws_loop *loop);

/* The socket is full from now on. */
void ws_activity_backs_up(struct ws_activity *activity, const struct ws_loop *loop);

/* The socket took bytes after it had been full. */
void ws_activity_progressed(struct ws_activity *activity, const struct ws_loop *loop);

/* Asks the kernel for progress. `blocked`: it took less than it was offered. Moves all times by the time that the loop
 * was away since the latest look, because the peer was not heard for that long; returns that time in milliseconds. */
uint32_t ws_activity_look(struct ws_activity *activity, const struct ws_loop *loop, const struct ws_stream *stream,
                          bool blocked);

/* Bracket a time in which the peer waits for this end: it counts as time in which the loop was away. Between the two
 * no other function here is valid. */
void ws_activity_pause(struct ws_activity *activity, const struct ws_loop *loop);
void ws_activity_resume(struct ws_activity *activity, const struct ws_loop *loop);

/* Milliseconds since the latest proof. */
uint32_t ws_activity_silent(const struct ws_activity *activity, const struct ws_loop *loop);

/* Milliseconds since the socket was full, or took bytes since then. Of one that is full. */
uint32_t ws_activity_full(const struct ws_activity *activity, const struct ws_loop *loop);

/* Milliseconds without progress of backed-up output, as of the latest look. 0: none is backed up. */
uint32_t ws_activity_stalled(const struct ws_activity *activity, const struct ws_loop *loop);

/* A message is complete: the next one is measured anew. */
void ws_activity_message_ended(struct ws_activity *activity);

/* Returns true if the unfinished message of the session (NULL: none) gained less than WS_ACTIVITY_MESSAGE_RATE over
 * `over_ms`. Measures it anew after each such time. */
bool ws_activity_message_is_slow(struct ws_activity *activity, const struct ws_loop *loop,
                                 const struct ws_session *session, int64_t over_ms);

/* Bytes that the peer has not acknowledged, in the queue and in the kernel. */
size_t ws_activity_backlog(const struct ws_stream *stream, const struct ws_outq *out);
