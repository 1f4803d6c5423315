#include "stream.h"

#include "sys.h"

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
