#pragma once
/* A stream: a connected socket, plain or under TLS. What is above never asks which.
 *
 * Embedded in its connection (32 bytes; TLS state is apart), and not moved while open. A stream owns its descriptor and
 * closes it. Its owner sets stream.watch.ready and hears of readiness there; the callback first gives the events to
 * ws_stream_ready, which says what the owner may now try.
 *
 * Life: open (tcp, tls) → ws_stream_handshake until 0 → read and write → ws_stream_shutdown → ws_stream_close. Where an
 * operation returns WS_STREAM_AGAIN, call ws_stream_want(…) with what the owner wants to go on with, WS_READ or
 * WS_WRITE (for the handshake, both): the stream translates it into what TLS waits for. It is kept until changed.
 *
 * No call blocks, none raises SIGPIPE. After WS_STREAM_FAILED the stream is only good for ws_stream_error and
 * ws_stream_close.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "loop.h"
#include "why.h"

enum {
  WS_STREAM_AGAIN = -1,
  WS_STREAM_FAILED = -2,
};

struct ws_stream;
struct ws_tls;

struct ws_stream_ops {
  int (*handshake)(struct ws_stream *stream);
  ssize_t (*read)(struct ws_stream *stream, uint8_t *bytes, size_t size);
  ssize_t (*writev)(struct ws_stream *stream, const struct iovec *parts, int count);
  int (*shutdown)(struct ws_stream *stream);
  void (*close)(struct ws_stream *stream);
  bool (*pending)(const struct ws_stream *stream);
  unsigned (*interest)(const struct ws_stream *stream, unsigned wanted);
  unsigned (*ready)(struct ws_stream *stream, unsigned events);
  const char *(*error)(const struct ws_stream *stream);
};

struct ws_stream {
  const struct ws_stream_ops *ops; /* NULL: closed */
  struct ws_watch watch;
  union {
    struct ws_tls *tls;
    int error; /* of a plain one: the errno of its failure */
  };
};

/* One step of the handshake: 0 done (at once for TCP), WS_STREAM_AGAIN or WS_STREAM_FAILED. */
static inline int ws_stream_handshake(struct ws_stream *stream) {
  return stream->ops->handshake(stream);
}

/* Reads what there is, up to size. >0 bytes; 0 the peer sends no more; WS_STREAM_AGAIN; WS_STREAM_FAILED. After a read
 * that gave bytes, ask ws_stream_pending.
 */
static inline ssize_t ws_stream_read(struct ws_stream *stream, uint8_t *bytes, size_t size) {
  return stream->ops->read(stream, bytes, size);
}

/* There may be something left to read that no readiness will announce (TLS, after a read that filled its buffer or met
 * the end behind the last bytes): read again without waiting. Where reading pauses, ask again when it resumes.
 */
static inline bool ws_stream_pending(const struct ws_stream *stream) {
  return stream->ops->pending(stream);
}

/* Writes as much as is taken now: >0 bytes, WS_STREAM_AGAIN or WS_STREAM_FAILED. Less than the total means that no more
 * is taken just now. The next call must then begin with the first byte not taken (the bytes may have moved, more may
 * follow). The total is not 0.
 */
static inline ssize_t ws_stream_writev(struct ws_stream *stream, const struct iovec *parts, int count) {
  return stream->ops->writev(stream, parts, count);
}

/* Says to the peer that no more is coming (close_notify, FIN), after everything was written. 0 said; WS_STREAM_AGAIN:
 * wait for WS_WRITE and call again; WS_STREAM_FAILED. Reading goes on. Never waits for the peer's answer.
 */
static inline int ws_stream_shutdown(struct ws_stream *stream) {
  return stream->ops->shutdown(stream);
}

/* Unwatches, closes and zeroes the stream. A closed (or zeroed) one: nothing. */
void ws_stream_close(struct ws_loop *loop, struct ws_stream *stream);

/* Waits for what the owner wants to do next: WS_READ, WS_WRITE, both, or 0. Returns as ws_loop_watch. */
int ws_stream_want(struct ws_loop *loop, struct ws_stream *stream, unsigned wanted);

/* To be called first in watch.ready: what may be tried now, as WS_READ | WS_WRITE. */
static inline unsigned ws_stream_ready(struct ws_stream *stream, unsigned events) {
  return stream->ops->ready(stream, events);
}

/* Why the stream failed: `Connection reset by peer`, `the certificate of example.org has expired`. Lives until close.
 */
static inline const char *ws_stream_error(const struct ws_stream *stream) {
  return stream->ops->error(stream);
}
