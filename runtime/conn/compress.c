#include "compress.h"

#include "base/mem.h"
#include "end.h"
#include "output.h"

/* zlib's least window for what it compresses. */
enum { WS_COMPRESS_BITS_MIN = 9 };

bool ws_compress_applies(const struct ws_conn *conn, size_t size) {
  return ws_deflate_in_use(&conn->deflate) && size <= WS_DEFLATER_MESSAGE_MAX;
}

struct ws_compressor *ws_compress_prepare(struct ws_conn *conn) {
  if (!conn->compressor)
    conn->compressor = ws_mem_calloc(1, sizeof *conn->compressor);
  if (conn->compressor)
    conn->compressor->conn = conn;
  return conn->compressor;
}

/* The bits of the window for what this end sends. */
static uint8_t ws_compress_bits(const struct ws_conn *conn) {
  return conn->group->rules->role == WS_ROLE_SERVER ? conn->deflate.server_bits : conn->deflate.client_bits;
}

enum ws_window ws_compress_window(const struct ws_conn *conn) {
  return ws_compress_bits(conn) == WS_DEFLATE_BITS_MAX ? WS_WINDOW_LARGE : WS_WINDOW_SMALL;
}

struct ws_deflater *ws_compress_deflater(struct ws_conn *conn) {
  static const uint8_t bits_of[WS_WINDOWS] = {WS_DEFLATE_BITS_MAX, WS_COMPRESS_BITS_MIN};
  bool server = conn->group->rules->role == WS_ROLE_SERVER;
  enum ws_window window = ws_compress_window(conn);
  bool no_takeover = server ? conn->deflate.server_no_takeover : conn->deflate.client_no_takeover;
  if (!no_takeover && !ws_compress_prepare(conn))
    return NULL;
  struct ws_deflater **deflater = no_takeover ? &conn->group->thread->deflaters[window] : &conn->compressor->deflater;
  if (!*deflater)
    *deflater = ws_deflater_new(no_takeover ? bits_of[window] : ws_compress_bits(conn), no_takeover);
  return *deflater;
}

int ws_compress_message(struct ws_conn *conn, uint8_t opcode, const uint8_t *payload, size_t n) {
  if (ws_outq_is_unready(&conn->out))
    return ws_output_frame(conn, (uint8_t)(WS_FRAME_FIN | opcode), payload, n);
  struct ws_deflater *deflater = ws_compress_deflater(conn);
  uint8_t *bytes = deflater ? ws_mem_alloc(ws_deflater_bound(deflater, n)) : NULL;
  if (!bytes)
    return -1;
  size_t size = ws_deflater_run(deflater, bytes, payload, n);
  int outcome = size ? ws_output_frame(conn, (uint8_t)(WS_FRAME_FIN | WS_FRAME_RSV1 | opcode), bytes, size)
                     : ws_output_frame(conn, (uint8_t)(WS_FRAME_FIN | opcode), payload, n);
  ws_mem_free(bytes);
  if (outcome)
    ws_end_drop(conn, WS_DROP_LOCAL, "out of memory");
  return outcome;
}
