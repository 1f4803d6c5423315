#pragma once
/* A stream: a connected socket, plain or with TLS. Users of a stream do not distinguish the two.
 *
 * A stream is embedded in its connection (32 bytes; the TLS state is separate) and does not move while open. It owns
 * its descriptor. The owner sets stream.watch.ready, which is called on readiness. That callback first passes the
 * events to ws_stream_ready, which returns what the owner may try.
 *
 * Life cycle: open (tcp_stream.h, tls_stream.h), ws_stream_handshake until it returns 0, read and write,
 * ws_stream_shutdown, ws_stream_close. When an operation returns WS_STREAM_AGAIN, call ws_stream_want with the
 * operations that the owner wants to continue: WS_READ, WS_WRITE, or both (as for the handshake). The stream translates
 * this into what TLS waits for. The setting remains until changed.
 *
 * No call blocks, and none raises SIGPIPE. A read takes a bounded number of bytes from the socket, even if TLS records
 * carry no data. After WS_STREAM_FAILED, only ws_stream_error and ws_stream_close are valid. */
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
  WS_STREAM_FLOODED = -3,
};

struct ws_stream;
struct ws_tls;

struct ws_stream_ops {
  int (*handshake)(struct ws_stream *stream);
  ssize_t (*read)(struct ws_stream *stream, uint8_t *bytes, size_t size);
  ssize_t (*writev)(struct ws_stream *stream, const struct iovec *parts, int count);
  int (*shutdown)(struct ws_stream *stream);
  void (*close)(struct ws_stream *stream);
  bool (*pending)(const struct ws_stream *stream);   /* NULL: never */
  bool (*keep)(struct ws_stream *stream, bool keep); /* NULL: there is nothing to keep */
  unsigned (*interest)(const struct ws_stream *stream, unsigned wanted);
  unsigned (*ready)(struct ws_stream *stream, unsigned events); /* NULL: what the events say */
  const char *(*error)(const struct ws_stream *stream);
  bool secure;
};

struct ws_stream {
  const struct ws_stream_ops *ops; /* NULL: closed */
  struct ws_watch watch;
  union {
    struct ws_tls *tls;
    int error; /* without TLS: the errno of the failure */
  };
};

/* Continues the handshake. Returns 0 when it is done (at once for TCP), WS_STREAM_AGAIN or WS_STREAM_FAILED. */
static inline int ws_stream_handshake(struct ws_stream *stream) {
  return stream->ops->handshake(stream);
}

/* Reads up to `size` available bytes. Returns their number, 0 at the end of the stream, WS_STREAM_AGAIN,
 * WS_STREAM_FAILED, or WS_STREAM_FLOODED: the peer sends more than it needs of what is no data, such as key updates of
 * TLS. That is returned once; from then on input is discarded. After a read that returned bytes, call
 * ws_stream_pending. */
static inline ssize_t ws_stream_read(struct ws_stream *stream, uint8_t *bytes, size_t size) {
  return stream->ops->read(stream, bytes, size);
}

/* Returns true if input may be left that no readiness event will announce: with TLS, after a read that filled its
 * buffer or reached the end of the stream. The owner must then read again without waiting. After a pause in reading,
 * check again. */
static inline bool ws_stream_pending(const struct ws_stream *stream) {
  return stream->ops->pending && stream->ops->pending(stream);
}

/* TLS frees its buffers whenever they are empty, 34 KB of them, and allocates them for the next record. With `keep` it
 * keeps them instead, until it is told not to: it frees them at once then. Returns false, and keeps them, if they hold
 * bytes. No effect on a closed stream, or one without TLS. */
static inline bool ws_stream_keep_buffers(struct ws_stream *stream, bool keep) {
  return !stream->ops || !stream->ops->keep || stream->ops->keep(stream, keep);
}

/* Writes as much as the stream accepts now. The total must not be 0. Returns the number of bytes, WS_STREAM_AGAIN or
 * WS_STREAM_FAILED. If it is less than the total, the stream accepts no more now; the next call must start with the
 * first byte not written. The bytes may have moved, and more may follow. */
static inline ssize_t ws_stream_writev(struct ws_stream *stream, const struct iovec *parts, int count) {
  return stream->ops->writev(stream, parts, count);
}

/* Shuts down writing (close_notify, FIN) after everything was written. Returns 0 when done, WS_STREAM_AGAIN (wait for
 * WS_WRITE and call again) or WS_STREAM_FAILED. Reading continues. Does not wait for the peer's answer. */
static inline int ws_stream_shutdown(struct ws_stream *stream) {
  return stream->ops->shutdown(stream);
}

/* Returns true for an open stream under TLS. */
static inline bool ws_stream_is_secure(const struct ws_stream *stream) {
  return stream->ops && stream->ops->secure;
}

/* Returns true if bytes from the peer wait in the kernel. */
bool ws_stream_has_unread(const struct ws_stream *stream);

/* Bytes written that the peer's TCP has not acknowledged yet; 0 where the system cannot tell. */
size_t ws_stream_unacked(const struct ws_stream *stream);

/* Returns true if the peer's TCP is known to have acknowledged bytes since the mark, and moves the mark, which is not 0
 * then. A mark of 0 only begins. */
bool ws_stream_acked_since(const struct ws_stream *stream, uint32_t *mark);

/* Removes the watch, closes the descriptor and zeroes the stream. No callback follows. No effect on a closed or zeroed
 * stream. */
void ws_stream_close(struct ws_loop *loop, struct ws_stream *stream);

/* Watches for the next operations of the owner: WS_READ, WS_WRITE, both, or 0. Returns as ws_loop_watch. */
int ws_stream_want(struct ws_loop *loop, struct ws_stream *stream, unsigned wanted);

/* Call this first in watch.ready. Returns the operations to try now: WS_READ, WS_WRITE or both. */
static inline unsigned ws_stream_ready(struct ws_stream *stream, unsigned events) {
  return stream->ops->ready ? stream->ops->ready(stream, events) : events;
}

/* The reason of the failure: `Connection reset by peer`, `the certificate of example.org has expired`. Valid until
 * close. */
static inline const char *ws_stream_error(const struct ws_stream *stream) {
  return stream->ops->error(stream);
}
