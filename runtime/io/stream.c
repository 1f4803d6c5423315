#include "stream.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>

#include "sys.h"

size_t ws_stream_unacked(const struct ws_stream *stream) {
  int bytes;
  return stream->ops && ws_sys_ioctl(stream->watch.fd, SIOCOUTQ, &bytes) == 0 && bytes > 0 ? (size_t)bytes : 0;
}

bool ws_stream_has_unread(const struct ws_stream *stream) {
  int bytes;
  return stream->ops && ws_sys_ioctl(stream->watch.fd, FIONREAD, &bytes) == 0 && bytes > 0;
}

/* tcpi_bytes_acked is there since Linux 4.1. */
uint32_t ws_stream_acked(const struct ws_stream *stream) {
  struct tcp_info info = {0};
  socklen_t size = sizeof info;
  if (!stream->ops || ws_sys_getsockopt(stream->watch.fd, IPPROTO_TCP, TCP_INFO, &info, &size))
    return 1;
  return (uint32_t)info.tcpi_bytes_acked ? (uint32_t)info.tcpi_bytes_acked : 1;
}

void ws_stream_close(struct ws_loop *loop, struct ws_stream *stream) {
  if (!stream->ops)
    return;
  ws_loop_watch(loop, &stream->watch, 0);
  stream->ops->close(stream);
  ws_sys_close(stream->watch.fd);
  *stream = (struct ws_stream){.watch.ready = stream->watch.ready, .watch.fd = -1};
}

int ws_stream_want(struct ws_loop *loop, struct ws_stream *stream, unsigned wanted) {
  return ws_loop_watch(loop, &stream->watch, stream->ops->interest(stream, wanted));
}
