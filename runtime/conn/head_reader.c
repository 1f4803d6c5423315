#include "head_reader.h"

#include <string.h>

#include "base/mem.h"

enum { WS_HEAD_READER_ROOM_FIRST = 1024 };

/* Grows by a copy: realloc would not wipe the old bytes. */
static int ws_head_reader_grow(struct ws_head_reader *head, size_t size) {
  size_t room = head->room ? head->room : WS_HEAD_READER_ROOM_FIRST;
  while (room < size)
    room *= 2;
  if (room == head->room)
    return 0;
  char *bytes = ws_mem_alloc(room);
  if (!bytes)
    return -1;
  if (head->bytes) {
    memcpy(bytes, head->bytes, head->size);
    ws_mem_wipe(head->bytes, head->room);
    ws_mem_free(head->bytes);
  }
  head->bytes = bytes;
  head->room = room;
  return 0;
}

static int ws_head_reader_append(struct ws_head_reader *head, const uint8_t *bytes, size_t n) {
  if (ws_head_reader_grow(head, head->size + n))
    return -1;
  memcpy(head->bytes + head->size, bytes, n);
  head->size += n;
  return 0;
}

/* Starts to gather after a partial first piece. */
static int ws_head_reader_keep(struct ws_head_reader **kept, const struct ws_http_head *http, const uint8_t *bytes,
                               size_t n) {
  struct ws_head_reader *head = ws_mem_calloc(1, sizeof *head);
  if (!head)
    return -1;
  *kept = head;
  head->http = *http;
  return ws_head_reader_append(head, bytes, n);
}

/* Wipes the caller's copy of gathered bytes: another connection uses that buffer next. */
static int ws_head_reader_moved(enum ws_http_outcome outcome, uint8_t *bytes, size_t n) {
  if (outcome == WS_HTTP_PARTIAL)
    ws_mem_wipe(bytes, n);
  return (int)outcome;
}

int ws_head_reader_feed(struct ws_head_reader **kept, struct ws_http_head *scratch, enum ws_http_kind kind,
                        uint8_t *bytes, size_t n, struct ws_http_head **head, size_t *used) {
  *used = n;
  if (!*kept) {
    *head = scratch;
    ws_http_head_init(scratch, kind);
    enum ws_http_outcome outcome = ws_http_head_parse(scratch, (const char *)bytes, n);
    if (outcome == WS_HTTP_COMPLETE)
      *used = scratch->size;
    if (outcome == WS_HTTP_PARTIAL && ws_head_reader_keep(kept, scratch, bytes, n))
      return WS_HEAD_READER_NO_MEMORY;
    return ws_head_reader_moved(outcome, bytes, n);
  }
  size_t before = (*kept)->size;
  *head = &(*kept)->http;
  /* The parser gives up one byte past its cap: more is not gathered. */
  size_t most = WS_HTTP_BYTES_MAX + 1 - before;
  if (ws_head_reader_append(*kept, bytes, n < most ? n : most))
    return WS_HEAD_READER_NO_MEMORY;
  enum ws_http_outcome outcome = ws_http_head_parse(*head, (*kept)->bytes, (*kept)->size);
  if (outcome == WS_HTTP_COMPLETE)
    *used = (*head)->size - before;
  return ws_head_reader_moved(outcome, bytes, n);
}

void ws_head_reader_wipe(struct ws_head_reader **kept, uint8_t *bytes, size_t used) {
  if (used)
    ws_mem_wipe(bytes, used);
  if (!*kept)
    return;
  if ((*kept)->bytes) {
    ws_mem_wipe((*kept)->bytes, (*kept)->room);
    ws_mem_free((*kept)->bytes);
  }
  ws_mem_free(*kept);
  *kept = NULL;
}
