#include "stream.h"

#include "sys.h"

size_t ws_stream_unacked(const struct ws_stream *stream) {
  int bytes = stream->ops ? ws_sys_unacked(stream->watch.fd) : -1;
  return bytes > 0 ? (size_t)bytes : 0;
}

bool ws_stream_has_unread(const struct ws_stream *stream) {
  return stream->ops && ws_sys_unread(stream->watch.fd) > 0;
}

bool ws_stream_acked_since(const struct ws_stream *stream, uint32_t *mark) {
  if (stream->ops)
    return ws_sys_acked_since(stream->watch.fd, mark);
  *mark = 1;
  return false;
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
