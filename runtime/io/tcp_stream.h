#pragma once
/* A plain TCP stream. */
#include "stream.h"

/* Opens the stream on a connected, non-blocking descriptor and takes it. Cannot fail. */
void ws_tcp_stream_open(struct ws_stream *stream, int fd);
