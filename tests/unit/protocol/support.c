#include "support.h"

#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#define GUARD_ROOM (32u << 20)

uint8_t *guard_place(const void *bytes, size_t n) {
  static uint8_t *end;
  assert_true(n <= GUARD_ROOM);
  if (!end) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uint8_t *start = mmap(NULL, GUARD_ROOM + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(start, MAP_FAILED);
    assert_int_equal(mprotect(start + GUARD_ROOM, page, PROT_NONE), 0);
    end = start + GUARD_ROOM;
  }
  if (n > 0)
    memmove(end - n, bytes, n);
  return end - n;
}

uint32_t next_random(uint32_t *state) {
  *state = *state * 1664525u + 1013904223u;
  return *state >> 8;
}

uint32_t hash_bytes(const uint8_t *bytes, size_t n) {
  uint32_t hash = 2166136261u;
  for (size_t i = 0; i < n; i++)
    hash = (hash ^ bytes[i]) * 16777619u;
  return hash;
}

size_t from_hex(uint8_t *to, const char *hex) {
  size_t n = 0;
  unsigned byte;
  int used;
  while (sscanf(hex, "%2x%n", &byte, &used) == 1) {
    to[n++] = (uint8_t)byte;
    hex += used;
  }
  return n;
}

/* ---- recording */

size_t event_line(char *to, const char *what, const uint8_t *bytes, size_t n) {
  size_t size = (size_t)sprintf(to, "%s %zu ", what, n);
  if (n > 125)
    size += (size_t)sprintf(to + size, "#%08x", hash_bytes(bytes, n));
  else
    for (size_t i = 0; i < n; i++)
      to[size++] = bytes[i] ? (char)bytes[i] : '~';
  to[size++] = '\n';
  to[size] = '\0';
  return size;
}

static void record_line(struct record *record, const char *what, size_t n, const uint8_t *bytes) {
  assert_true(sizeof record->log - record->size > 200);
  record->size += event_line(record->log + record->size, what, bytes, n);
}

static enum ws_sink_verdict record_verdict(struct record *record) {
  if (++record->events == record->stop_after) {
    ws_session_deinit(record->session);
    memset(record->session, 0xA5, sizeof *record->session);
    return WS_SINK_STOP;
  }
  return record->pause ? WS_SINK_PAUSE : WS_SINK_GO;
}

/* Short texts are unmasked into room, behind which nothing may be written. */
static uint8_t text_room[4096 + 1];

static uint8_t *record_room(void *ctx, enum ws_message_kind kind, size_t n) {
  (void)ctx;
  if (kind == WS_MESSAGE_BINARY || n >= sizeof text_room)
    return NULL;
  text_room[n] = 0x5A;
  return text_room;
}

static enum ws_sink_verdict record_message(void *ctx, enum ws_message_kind kind, uint8_t *bytes, size_t n) {
  assert_true(bytes != text_room || text_room[n] == 0x5A);
  record_line(ctx, kind == WS_MESSAGE_TEXT ? "text" : "binary", n, bytes);
  memset(bytes, 0xEE, n); /* a sink may modify the bytes */
  return record_verdict(ctx);
}

static enum ws_sink_verdict record_ping(void *ctx, const uint8_t *payload, size_t n) {
  record_line(ctx, "ping", n, payload);
  return record_verdict(ctx);
}

static enum ws_sink_verdict record_pong(void *ctx, const uint8_t *payload, size_t n) {
  record_line(ctx, "pong", n, payload);
  return record_verdict(ctx);
}

static enum ws_sink_verdict record_close(void *ctx, int code, const char *reason, size_t n) {
  char what[32];
  snprintf(what, sizeof what, "close %d", code);
  record_line(ctx, what, n, (const uint8_t *)reason);
  return record_verdict(ctx);
}

const struct ws_session_sink record_sink = {record_room, record_message, record_ping, record_pong, record_close};

/* ---- playing */

/* Feeds what comes first. */
static enum ws_feed_outcome play_front(struct record *record, uint8_t *bytes, size_t n, bool whole, size_t *consumed) {
  struct ws_session *session = record->session;
  enum ws_feed_outcome outcome = WS_FEED_MORE;
  *consumed = 0;
  if (whole && ws_session_is_between(session))
    outcome = ws_session_feed_whole(session->max_message_bytes, bytes, n, &record_sink, record, consumed);
  if (outcome == WS_FEED_MORE && *consumed == 0) {
    outcome = ws_session_feed(session, bytes, n, &record_sink, record, consumed);
    assert_true(outcome != WS_FEED_MORE || *consumed > 0);
  }
  assert_true(*consumed <= n);
  return outcome;
}

/* Feeds one piece, and continues after pauses. */
static enum ws_feed_outcome play_piece(struct record *record, const uint8_t *bytes, size_t n, bool whole) {
  uint8_t *at = guard_place(bytes, n);
  enum ws_feed_outcome outcome;
  size_t consumed;
  do {
    outcome = play_front(record, at, n, whole, &consumed);
    at += consumed;
    n -= consumed;
  } while ((outcome == WS_FEED_MORE || outcome == WS_FEED_PAUSED) && n > 0);
  return outcome;
}

/* Feeds one piece, through the reserved room if there is any. Sets *taken to the consumed size. */
static enum ws_feed_outcome play_step(struct record *record, const uint8_t *bytes, size_t n, bool reserved,
                                      size_t *taken) {
  uint8_t *room = NULL;
  size_t there = reserved ? ws_session_reserve(record->session, &room) : 0;
  if (there == 0) {
    *taken = n;
    return play_piece(record, bytes, n, reserved);
  }
  *taken = n < there ? n : there;
  memcpy(room, bytes, *taken);
  return ws_session_commit(record->session, *taken, &record_sink, record);
}

void play(struct record *record, const struct setup *setup, const void *bytes, size_t n, struct way way) {
  const uint8_t *at = bytes;
  struct ws_session session;
  enum ws_feed_outcome outcome = WS_FEED_MORE;
  size_t piece = way.first, taken;
  record->pause = way.pause;
  record->session = &session;
  ws_session_init(&session, setup->role, setup->max_message_bytes ? setup->max_message_bytes : 1u << 20,
                  setup->max_fragments ? setup->max_fragments : 1000, &setup->deflate);
  while (n > 0 && (outcome == WS_FEED_MORE || outcome == WS_FEED_PAUSED)) {
    outcome = play_step(record, at, piece < n ? piece : n, way.reserved, &taken);
    at += taken;
    n -= taken;
    piece = way.step;
  }
  if (outcome == WS_FEED_STOPPED)
    return;
  if (outcome == WS_FEED_VIOLATION) {
    char line[160];
    int size = snprintf(line, sizeof line, "fail %d %s\n", ws_violation_code(session.violation),
                        ws_violation_text(session.violation));
    memcpy(record->log + record->size, line, (size_t)size + 1);
    record->size += (size_t)size;
  }
  if (n > 0) { /* MSG-11: further bytes are ignored, the outcome remains */
    size_t before = record->size;
    assert_int_equal(play_piece(record, at, n, way.reserved), outcome);
    assert_int_equal(record->size, before);
  }
  ws_session_deinit(&session);
}

static void check_way(const char *name, const struct setup *setup, const void *bytes, size_t n, struct way way,
                      const char *expected) {
  struct record record = {0};
  play(&record, setup, bytes, n, way);
  if (strcmp(record.log, expected) != 0)
    fail_msg("%s (role %d, first %zu, step %zu, pause %d, reserved %d): expected\n%sgot\n%s", name, setup->role,
             way.first, way.step, way.pause, way.reserved, expected, record.log);
}

void check_play(const char *name, const struct setup *setup, const void *bytes, size_t n, const char *expected) {
  size_t stride = n > 600 ? n / 97 : 1;
  check_way(name, setup, bytes, n, (struct way){n, n, false, false}, expected);
  check_way(name, setup, bytes, n, (struct way){n, n, false, true}, expected);
  check_way(name, setup, bytes, n, (struct way){n, n, true, false}, expected);
  check_way(name, setup, bytes, n, (struct way){n, n, true, true}, expected);
  if (n < 20000) {
    check_way(name, setup, bytes, n, (struct way){1, 1, false, false}, expected);
    check_way(name, setup, bytes, n, (struct way){1, 1, true, true}, expected);
  }
  check_way(name, setup, bytes, n, (struct way){20, 997, false, true}, expected);
  for (size_t cut = 1; cut < n; cut += stride) {
    check_way(name, setup, bytes, n, (struct way){cut, n, false, false}, expected);
    check_way(name, setup, bytes, n, (struct way){cut, n, true, true}, expected);
  }
}

void frame_append(uint8_t **bytes, size_t *n, enum ws_role receiver, unsigned head, const void *payload, size_t size) {
  const uint8_t key[4] = {0x37, 0xFA, 0x21, 0x3D};
  uint8_t header[WS_FRAME_HEADER_MAX];
  size_t header_size = ws_frame_encode(header, (uint8_t)head, size, receiver == WS_ROLE_SERVER ? key : NULL);
  *bytes = realloc(*bytes, *n + header_size + size);
  assert_non_null(*bytes);
  memcpy(*bytes + *n, header, header_size);
  if (size > 0)
    memcpy(*bytes + *n + header_size, payload, size);
  for (size_t i = 0; receiver == WS_ROLE_SERVER && i < size; i++)
    (*bytes)[*n + header_size + i] ^= key[i % 4];
  *n += header_size + size;
}

uint8_t *bomb(enum ws_role receiver, size_t size, size_t *n) {
  z_stream stream = {.zalloc = NULL};
  uint8_t *zeros = calloc(1, size), *payload = malloc(size), *bytes = NULL;
  assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
  stream.next_in = zeros;
  stream.avail_in = (uInt)size;
  stream.next_out = payload;
  stream.avail_out = (uInt)size;
  assert_int_equal(deflate(&stream, Z_SYNC_FLUSH), Z_OK);
  *n = 0;
  frame_append(&bytes, n, receiver, FIN | RSV1 | BIN, payload, size - stream.avail_out - 4);
  deflateEnd(&stream);
  free(payload);
  free(zeros);
  return bytes;
}
