#pragma once
/*
 * What is inside an output queue: for outq.c and pool.c only.
 *
 * The pieces are at[first .. first+count), none of them empty while nothing is reserved. They live in `own` until there are more than
 * fit there. All of it goes back to the loop's pool when the last piece is written.
 */
#include "outq.h"

enum {
  WS_OUTQ_CHUNK = 16 * 1024, /* a block of the pool, its head included */
  WS_OUTQ_PIECES = 16,
};

struct ws_outq_piece {
  struct ws_chunk *chunk;
  uint32_t offset;
  uint32_t length;
};

struct ws_outq_pieces {
  uint32_t first;
  uint32_t count;
  uint32_t room;
  struct ws_outq_piece *at;
  struct ws_outq_piece own[WS_OUTQ_PIECES];
};
