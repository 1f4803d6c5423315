#pragma once
/* A stream with TLS (OpenSSL). Every operation leaves OpenSSL's error queue empty. Parts written together share a
 * record. */
#include "stream.h"
#include "tls_context.h"

/* Opens the stream on a connected, non-blocking descriptor, as a server, or as a client of `host`: a DNS name or an IP
 * address without brackets, for which the certificate must be valid. Returns 0, and the stream owns the descriptor; or
 * -1 with the reason, and the caller still owns it. */
int ws_tls_stream_open_server(struct ws_stream *stream, int fd, struct ws_tls_context *context, struct ws_why *why);
int ws_tls_stream_open_client(struct ws_stream *stream, int fd, struct ws_tls_context *context, const char *host,
                              struct ws_why *why);

/* After a failed handshake of a client: returns true if the certificate of the server was not accepted. */
bool ws_tls_stream_distrusts(const struct ws_stream *stream);
