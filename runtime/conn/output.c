#include "output.h"

#include <string.h>

#include "random.h"

int ws_output_frame(struct ws_conn *conn, uint8_t head, const uint8_t *payload, size_t n) {
  bool masked = conn->group->rules->role == WS_ROLE_CLIENT;
  size_t size = ws_frame_header_size(n, masked) + n;
  uint8_t key[4];
  if (masked && ws_random_mask(key))
    return -1;
  uint8_t *to = ws_outq_extend(&conn->out, ws_conn_loop(conn), size);
  if (!to)
    return -1;
  size_t header = ws_frame_encode(to, head, n, masked ? key : NULL);
  if (masked)
    ws_frame_mask(to + header, payload, n, key);
  else if (n)
    memcpy(to + header, payload, n);
  ws_outq_charge(&conn->out, size);
  ws_conn_queue(conn);
  return 0;
}

int ws_output_bytes(struct ws_conn *conn, const void *bytes, size_t n) {
  if (ws_outq_append(&conn->out, ws_conn_loop(conn), bytes, n))
    return -1;
  ws_outq_charge(&conn->out, n);
  ws_conn_queue(conn);
  return 0;
}

static struct ws_chunk *ws_output_secret_chunk(const void *bytes, size_t n) {
  struct ws_chunk *chunk = ws_chunk_new(n);
  if (!chunk)
    return NULL;
  chunk->secret = 1;
  memcpy(chunk->bytes, bytes, n);
  return chunk;
}

int ws_output_secret(struct ws_conn *conn, const void *bytes, size_t n) {
  struct ws_chunk *chunk = ws_output_secret_chunk(bytes, n);
  if (!chunk || ws_outq_take(&conn->out, ws_conn_loop(conn), chunk, 0, n)) {
    ws_chunk_unref(chunk);
    return -1;
  }
  ws_outq_charge(&conn->out, n);
  ws_conn_queue(conn);
  return 0;
}

int ws_output_replace(struct ws_conn *conn, size_t replaced, const void *bytes, size_t n) {
  struct ws_chunk *chunk = ws_output_secret_chunk(bytes, n);
  if (chunk && ws_outq_replace(&conn->out, ws_conn_loop(conn), replaced, chunk) == 0)
    return 0;
  ws_chunk_unref(chunk);
  return -1;
}
