#include "tcp_stream.h"

#include <errno.h>

#include "base/path.h"
#include "sys.h"

static ssize_t ws_tcp_stream_failed(struct ws_stream *stream) {
  if (errno == EAGAIN || errno == EINTR)
    return WS_STREAM_AGAIN;
  stream->error = errno;
  return WS_STREAM_FAILED;
}

static int ws_tcp_stream_handshake(struct ws_stream *stream) {
  (void)stream;
  return 0;
}

static ssize_t ws_tcp_stream_read(struct ws_stream *stream, uint8_t *bytes, size_t size) {
  ssize_t count = ws_sys_recv(stream->watch.fd, bytes, size);
  return count >= 0 ? count : ws_tcp_stream_failed(stream);
}

WS_ASIDE static ssize_t ws_tcp_stream_send_parts(int fd, const struct iovec *parts, int count) {
  struct msghdr message = {.msg_iov = (struct iovec *)parts, .msg_iovlen = (size_t)count};
  return ws_sys_sendmsg(fd, &message);
}

static ssize_t ws_tcp_stream_writev(struct ws_stream *stream, const struct iovec *parts, int count) {
  int fd = stream->watch.fd;
  ssize_t written =
      count == 1 ? ws_sys_send(fd, parts->iov_base, parts->iov_len) : ws_tcp_stream_send_parts(fd, parts, count);
  return written >= 0 ? written : ws_tcp_stream_failed(stream);
}

static int ws_tcp_stream_shutdown(struct ws_stream *stream) {
  return ws_sys_shutdown(stream->watch.fd, SHUT_WR) == 0 ? 0 : (int)ws_tcp_stream_failed(stream);
}

static void ws_tcp_stream_close(struct ws_stream *stream) {
  (void)stream;
}

static unsigned ws_tcp_stream_interest(const struct ws_stream *stream, unsigned wanted) {
  (void)stream;
  return wanted;
}

static const char *ws_tcp_stream_error(const struct ws_stream *stream) {
  return ws_why_errno(stream->error);
}

static const struct ws_stream_ops ws_tcp_stream_ops = {
    .handshake = ws_tcp_stream_handshake,
    .read = ws_tcp_stream_read,
    .writev = ws_tcp_stream_writev,
    .shutdown = ws_tcp_stream_shutdown,
    .close = ws_tcp_stream_close,
    .interest = ws_tcp_stream_interest,
    .error = ws_tcp_stream_error,
};

void ws_tcp_stream_open(struct ws_stream *stream, int fd) {
  *stream = (struct ws_stream){.ops = &ws_tcp_stream_ops, .watch = {.ready = stream->watch.ready, .fd = fd}};
}
