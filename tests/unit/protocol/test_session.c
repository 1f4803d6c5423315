/* The events of a session. Each case is played in both roles, whole, byte by byte and at every split. */
#include "support.h"

struct message_case {
  const char *name;
  struct frame_spec frames[8];
  const char *expected;
};

#define END                                                                                                            \
  { END_OF_FRAMES, NULL, 0 }
#define L123                                                                                                           \
  "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"               \
  "01234567890123456789012"
#define L125                                                                                                           \
  "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"               \
  "0123456789012345678901234"

static const struct message_case cases[] = {
    /* WS-TEXT-1 */
    {"text", {{FIN | TEXT, "hello", 0}, END}, "text 5 hello\n"},
    {"binary", {{FIN | BIN, "\x01\x02\xFF", 0}, END}, "binary 3 \x01\x02\xFF\n"},
    {"empty text", {{FIN | TEXT, "", 0}, END}, "text 0 \n"},
    {"empty binary", {{FIN | BIN, "", 0}, END}, "binary 0 \n"},
    {"pipelined",
     {{FIN | TEXT, "a", 0},
      {FIN | TEXT, "bb", 0},
      {FIN | BIN, "ccc", 0},
      {FIN | TEXT, "", 0},
      {FIN | TEXT, "e", 0},
      END},
     "text 1 a\ntext 2 bb\nbinary 3 ccc\ntext 0 \ntext 1 e\n"},
    {"text with U+0000", {{FIN | TEXT, "a\0b", 3}, {FIN | TEXT, "c", 0}, END}, "text 3 a~b\ntext 1 c\n"},
    /* MSG-3 */
    {"two fragments", {{TEXT, "hel", 0}, {FIN | CONT, "lo", 0}, END}, "text 5 hello\n"},
    {"five fragments",
     {{BIN, "a", 0}, {CONT, "b", 0}, {CONT, "c", 0}, {CONT, "d", 0}, {FIN | CONT, "e", 0}, END},
     "binary 5 abcde\n"},
    {"empty fragments", {{TEXT, "", 0}, {CONT, "", 0}, {FIN | CONT, "", 0}, END}, "text 0 \n"},
    {"empty first and last", {{TEXT, "", 0}, {CONT, "mid", 0}, {FIN | CONT, "", 0}, END}, "text 3 mid\n"},
    {"fragments, then a message",
     {{TEXT, "a", 0}, {FIN | CONT, "b", 0}, {FIN | BIN, "c", 0}, END},
     "text 2 ab\nbinary 1 c\n"},
    /* MSG-4 MSG-10 */
    {"ping", {{PING, "", 0}, END}, "ping 0 \n"},
    {"ping with payload", {{PING, "are you there", 0}, END}, "ping 13 are you there\n"},
    {"ping of 125", {{PING, L125, 0}, END}, "ping 125 " L125 "\n"},
    {"pong", {{PONG, "yes", 0}, END}, "pong 3 yes\n"},
    {"pings between fragments",
     {{TEXT, "he", 0}, {PING, "1", 0}, {CONT, "ll", 0}, {PING, "22", 0}, {PONG, "", 0}, {FIN | CONT, "o", 0}, END},
     "ping 1 1\nping 2 22\npong 0 \ntext 5 hello\n"},
    {"close between fragments",
     {{TEXT, "he", 0}, {CLOSE, "\x03\xE8", 0}, {FIN | CONT, "llo", 0}, END},
     "close 1000 0 \n"},
    /* MSG-5 */
    {"nothing to continue", {{FIN | CONT, "x", 0}, END}, "fail 1002 a continuation frame without a message\n"},
    {"nothing to continue, unfinished", {{CONT, "x", 0}, END}, "fail 1002 a continuation frame without a message\n"},
    {"a continuation after a message",
     {{FIN | TEXT, "a", 0}, {FIN | CONT, "b", 0}, END},
     "text 1 a\nfail 1002 a continuation frame without a message\n"},
    {"a continuation after fragments",
     {{TEXT, "a", 0}, {FIN | CONT, "b", 0}, {FIN | CONT, "c", 0}, END},
     "text 2 ab\nfail 1002 a continuation frame without a message\n"},
    /* MSG-6 */
    {"a text inside a text",
     {{TEXT, "a", 0}, {FIN | TEXT, "b", 0}, END},
     "fail 1002 a message starts within a fragmented message\n"},
    {"a binary inside a text",
     {{TEXT, "", 0}, {BIN, "b", 0}, END},
     "fail 1002 a message starts within a fragmented message\n"},
    /* FRAME-2 FRAME-3 FRAME-6 in a session, MSG-11 */
    {"reserved bit after a message",
     {{FIN | TEXT, "a", 0}, {FIN | 0x20 | TEXT, "b", 0}, {PING, "", 0}, END},
     "text 1 a\nfail 1002 a reserved bit is set\n"},
    {"RSV1 without compression", {{FIN | RSV1 | TEXT, "b", 0}, END}, "fail 1002 a reserved bit is set\n"},
    {"reserved opcode between fragments", {{TEXT, "a", 0}, {FIN | 0x0B, "", 0}, END}, "fail 1002 a reserved opcode\n"},
    {"ping of 126", {{PING, L125 "x", 0}, END}, "fail 1002 a control frame is longer than 125 bytes\n"},
    /* UTF8-1 UTF8-2 UTF8-3 in a session */
    {"multi-byte text", {{FIN | TEXT, "h\xC3\xA9 \xF0\x9F\x98\x80", 0}, END}, "text 8 h\xC3\xA9 \xF0\x9F\x98\x80\n"},
    {"a character over fragments",
     {{TEXT, "\xF0\x9F", 0}, {CONT, "\x98", 0}, {PING, "\xFF", 0}, {FIN | CONT, "\x80", 0}, END},
     "ping 1 \xFF\ntext 4 \xF0\x9F\x98\x80\n"},
    {"invalid text", {{FIN | TEXT, "ab\xFF", 0}, END}, "fail 1007 a text message is not UTF-8\n"},
    {"C0 80", {{FIN | TEXT, "\xC0\x80", 0}, END}, "fail 1007 a text message is not UTF-8\n"},
    {"surrogate", {{FIN | TEXT, "\xED\xA0\x80", 0}, END}, "fail 1007 a text message is not UTF-8\n"},
    {"cut text", {{FIN | TEXT, "\xE2\x82", 0}, END}, "fail 1007 a text message is not UTF-8\n"},
    {"cut text in fragments",
     {{TEXT, "\xE2", 0}, {FIN | CONT, "\x82", 0}, END},
     "fail 1007 a text message is not UTF-8\n"},
    {"invalid over fragments",
     {{TEXT, "\xE2", 0}, {FIN | CONT, "\x41", 0}, END},
     "fail 1007 a text message is not UTF-8\n"},
    {"the state is fresh for each text",
     {{FIN | BIN, "\xE2", 0}, {FIN | TEXT, "ok", 0}, END},
     "binary 1 \xE2\ntext 2 ok\n"},
    /* CLOSE-1 CLOSE-2 CLOSE-3 MSG-11 */
    {"close without code", {{CLOSE, "", 0}, {FIN | TEXT, "late", 0}, END}, "close 1005 0 \n"},
    {"close with code", {{CLOSE, "\x03\xE9", 0}, {CLOSE, "\x03\xE9", 0}, END}, "close 1001 0 \n"},
    {"close with reason",
     {{CLOSE,
       "\x0F\xA0"
       "bye \xC3\xA9",
       0},
      END},
     "close 4000 6 bye \xC3\xA9\n"},
    {"close with one byte", {{CLOSE, "\x03", 0}, END}, "fail 1002 a close frame has one byte of payload\n"},
    {"close with invalid reason", {{CLOSE, "\x03\xE8\xFF", 0}, END}, "fail 1007 a close reason is not UTF-8\n"},
    {"close with cut reason",
     {{CLOSE,
       "\x03\xE8"
       "a\xC3",
       0},
      END},
     "fail 1007 a close reason is not UTF-8\n"},
    {"close with reason of 123", {{CLOSE, "\x03\xE8" L123, 0}, END}, "close 1000 123 " L123 "\n"},
    {"close with reason of 124",
     {{CLOSE, "\x03\xE8" L125, 126}, END},
     "fail 1002 a control frame is longer than 125 bytes\n"},
};

static uint8_t *encode(const struct frame_spec *frames, enum ws_role receiver, size_t *n) {
  uint8_t *bytes = NULL;
  *n = 0;
  for (; frames->head != END_OF_FRAMES; frames++)
    frame_append(&bytes, n, receiver, frames->head, frames->payload,
                 frames->size ? frames->size : strlen(frames->payload));
  return bytes;
}

static void test_messages_at_every_split(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    for (int role = 0; role < 2; role++) {
      size_t n;
      uint8_t *bytes = encode(cases[i].frames, (enum ws_role)role, &n);
      struct setup setup = {.role = (enum ws_role)role};
      check_play(cases[i].name, &setup, bytes, n, cases[i].expected);
      free(bytes);
    }
  }
}

/* CLOSE-1 */
static void test_every_close_code(void **state) {
  struct setup setup = {.role = WS_ROLE_CLIENT};
  (void)state;
  for (unsigned code = 0; code <= 65535; code++) {
    bool valid = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
    uint8_t bytes[] = {0x88, 0x02, (uint8_t)(code >> 8), (uint8_t)code};
    struct record record = {0};
    char expected[64];
    snprintf(expected, sizeof expected, valid ? "close %u 0 \n" : "fail 1002 a close code is not valid\n", code);
    play(&record, &setup, bytes, sizeof bytes, (struct way){4, 4, false, false});
    assert_string_equal(record.log, expected);
  }
}

/* FRAME-4: each role receives its own frames. */
static void test_masking_in_the_wrong_direction_fails(void **state) {
  uint8_t *bytes = NULL;
  size_t n = 0;
  (void)state;
  frame_append(&bytes, &n, WS_ROLE_CLIENT, FIN | TEXT, "hi", 2);
  check_play("unmasked", &(struct setup){.role = WS_ROLE_SERVER}, bytes, n,
             "fail 1002 a client's frame is not masked\n");
  n = 0;
  frame_append(&bytes, &n, WS_ROLE_SERVER, FIN | TEXT, "hi", 2);
  check_play("masked", &(struct setup){.role = WS_ROLE_CLIENT}, bytes, n, "fail 1002 a server's frame is masked\n");
  free(bytes);
}

/* WS-TEXT-1: the sizes of the conformance suites, whole and in fragments. */
static void test_messages_of_many_sizes(void **state) {
  static const size_t sizes[] = {126, 127, 128, 4095, 4096, 65535, 65536, 65537, 262144, 1048576};
  static const size_t fragments[] = {1u << 30, 65536, 997};
  (void)state;
  for (size_t i = 0; i < COUNT(sizes); i++) {
    size_t size = sizes[i];
    uint8_t *payload = malloc(size);
    for (size_t k = 0; k < size; k++)
      payload[k] = (uint8_t)('a' + k * 31 % 26);
    memcpy(payload + size / 2, "\xF0\x9F\x98\x80", 4);
    for (size_t f = 0; f < COUNT(fragments); f++) {
      struct setup setup = {.role = i % 2 ? WS_ROLE_CLIENT : WS_ROLE_SERVER, .max_fragments = 2000};
      uint8_t *bytes = NULL;
      size_t n = 0;
      char expected[64];
      for (size_t at = 0; at < size; at += fragments[f]) {
        size_t left = size - at, piece = left < fragments[f] ? left : fragments[f];
        unsigned opcode = at > 0 ? CONT : TEXT;
        frame_append(&bytes, &n, setup.role, piece == left ? FIN | opcode : opcode, payload + at, piece);
      }
      snprintf(expected, sizeof expected, "text %zu #%08x\n", size, hash_bytes(payload, size));
      check_play("sizes", &setup, bytes, n, expected);
      free(bytes);
    }
    free(payload);
  }
}

/* WS-TEXT-1: the sink notes the address of the message. */
static enum ws_sink_verdict note_place(void *ctx, enum ws_message_kind kind, uint8_t *bytes, size_t n) {
  (void)kind;
  (void)n;
  *(uint8_t **)ctx = bytes;
  return WS_SINK_GO;
}

static bool holds_no_state(const struct ws_session *session) {
  return !session->frame_open && session->message == 0 && session->header_size == 0;
}

/* WS-TEXT-1 */
static void test_whole_message_is_delivered_in_place(void **state) {
  const struct ws_session_sink sink = {.on_message = note_place};
  uint8_t *bytes = NULL, *place = NULL;
  struct ws_session session;
  size_t n = 0, consumed;
  (void)state;
  frame_append(&bytes, &n, WS_ROLE_SERVER, FIN | TEXT, L125, 125);
  ws_session_init(&session, WS_ROLE_SERVER, 1000, 1, NULL);
  assert_true(holds_no_state(&session));
  assert_int_equal(ws_session_feed(&session, bytes, 1, &sink, &place, &consumed), WS_FEED_MORE);
  assert_false(holds_no_state(&session));
  assert_int_equal(ws_session_feed(&session, bytes + 1, 5, &sink, &place, &consumed), WS_FEED_MORE);
  assert_int_equal(ws_session_feed(&session, bytes + 6, n - 6, &sink, &place, &consumed), WS_FEED_MORE);
  assert_ptr_equal(place, bytes + 6);
  assert_null(session.partial);
  assert_true(holds_no_state(&session));
  ws_session_deinit(&session);
  free(bytes);
}

/* WS-TEXT-1: a whole message needs no session. What else follows is left to one, unchanged. */
static void test_whole_messages_need_no_session(void **state) {
  struct record record = {0};
  uint8_t *bytes = NULL, before[9];
  size_t n = 0, whole, consumed;
  (void)state;
  frame_append(&bytes, &n, WS_ROLE_SERVER, FIN | TEXT, "ab", 2);
  frame_append(&bytes, &n, WS_ROLE_SERVER, FIN | BIN, L125 "x", 126);
  whole = n;
  frame_append(&bytes, &n, WS_ROLE_SERVER, FIN | TEXT, "a\xFF\x62", 3);
  memcpy(before, bytes + whole, sizeof before);
  assert_int_equal(ws_session_feed_whole(1000, bytes, n, &record_sink, &record, &consumed), WS_FEED_MORE);
  assert_int_equal(consumed, whole);
  assert_memory_equal(bytes + whole, before, sizeof before);
  assert_int_equal(record.events, 2);
  assert_int_equal(ws_session_feed_whole(1, bytes, n, &record_sink, &record, &consumed), WS_FEED_MORE);
  assert_int_equal(consumed, 0); /* longer than the limit */
  assert_int_equal(ws_session_feed_whole(1000, bytes, 7, &record_sink, &record, &consumed), WS_FEED_MORE);
  assert_int_equal(consumed, 0); /* incomplete */
  assert_int_equal(record.events, 2);
  free(bytes);
}

/* WS-TEXT-1: a sink with room. */
struct wanted {
  uint8_t *place, room[200];
  size_t size;
};

static enum ws_sink_verdict note_wanted(void *ctx, enum ws_message_kind kind, uint8_t *bytes, size_t n) {
  (void)kind;
  (void)n;
  ((struct wanted *)ctx)->place = bytes;
  return WS_SINK_GO;
}

static uint8_t *give_room(void *ctx, enum ws_message_kind kind, size_t n) {
  assert_int_equal(kind, WS_MESSAGE_TEXT);
  ((struct wanted *)ctx)->size = n;
  return ((struct wanted *)ctx)->room;
}

/* WS-TEXT-1 */
static void test_whole_message_is_delivered_in_the_room_of_the_sink(void **state) {
  const struct ws_session_sink sink = {.room = give_room, .on_message = note_wanted};
  struct wanted wanted = {0};
  uint8_t *bytes = NULL;
  struct ws_session session;
  size_t n = 0, consumed;
  (void)state;
  frame_append(&bytes, &n, WS_ROLE_SERVER, FIN | TEXT, L125, 125);
  uint8_t first = bytes[6] ^ bytes[2];
  ws_session_init(&session, WS_ROLE_SERVER, 1000, 1, NULL);
  assert_int_equal(ws_session_feed(&session, bytes, n, &sink, &wanted, &consumed), WS_FEED_MORE);
  assert_int_equal(wanted.size, 125);
  assert_ptr_equal(wanted.place, wanted.room);
  assert_int_equal(wanted.room[0], first);
  assert_true(holds_no_state(&session));
  wanted = (struct wanted){0};
  bytes[130] ^= 0x80; /* the last byte begins a character */
  assert_int_equal(ws_session_feed(&session, bytes, n, &sink, &wanted, &consumed), WS_FEED_VIOLATION);
  assert_int_equal(wanted.size, 125);
  assert_null(wanted.place);
  ws_session_deinit(&session);
  free(bytes);
}

/* FRAME-7, MSG-5 to MSG-8: of several violations in a header, the first by offset is reported, at its byte, whether
 * the header arrives whole or in pieces. */
static void test_violation_is_reported_at_its_first_byte(void **state) {
  static const struct {
    const char *name;
    const char *bytes;
    size_t n, shown; /* the first `shown` bytes show the violation */
    const char *expected;
  } headers[] = {
      {"nothing to continue, then a mask", "\x80\x81", 2, 1, "fail 1002 a continuation frame without a message\n"},
      {"inside a message, then a long form", "\x01\x00\x81\x7E\x00\x01", 6, 3,
       "fail 1002 a message starts within a fragmented message\n"},
      {"too many fragments and too long", "\x01\x00\x00\x00\x80\x7E\x40\x00", 8, 5,
       "fail 1008 a message has too many fragments\n"},
      {"a reserved bit and nothing to continue", "\x90\x00", 2, 1, "fail 1002 a reserved bit is set\n"},
      {"too long by its fourth byte", "\x82\x7F\x00\x01\x00\x00\x00\x00\x00\x00", 10, 4,
       "fail 1009 a message is too big\n"},
      {"too long and with its top bit", "\x82\x7F\x80", 3, 3, "fail 1002 a length has its top bit set\n"},
      {"too long by the first byte of two", "\x82\x7E\x10\x01", 4, 3, "fail 1009 a message is too big\n"},
  };
  struct setup setup = {.role = WS_ROLE_CLIENT, .max_message_bytes = 1000, .max_fragments = 2};
  (void)state;
  for (size_t i = 0; i < COUNT(headers); i++) {
    check_play(headers[i].name, &setup, (const uint8_t *)headers[i].bytes, headers[i].n, headers[i].expected);
    check_play(headers[i].name, &setup, (const uint8_t *)headers[i].bytes, headers[i].shown, headers[i].expected);
    check_play(headers[i].name, &setup, (const uint8_t *)headers[i].bytes, headers[i].shown - 1, "");
  }
}

/* MSG-7: at the header that exceeds the limit, before its payload. */
static void test_message_size_is_limited(void **state) {
  static const struct {
    const char *name;
    struct frame_spec frames[4];
    const char *expected;
  } capped[] = {
      {"at the cap", {{FIN | TEXT, "0123456789", 0}, END}, "text 10 0123456789\n"},
      {"over the cap", {{FIN | TEXT, "0123456789a", 0}, END}, "fail 1009 a message is too big\n"},
      {"fragments at the cap",
       {{TEXT, "01234", 0}, {CONT, "56789", 0}, {FIN | CONT, "", 0}, END},
       "text 10 0123456789\n"},
      {"fragments over the cap",
       {{BIN, "01234", 0}, {CONT, "56789", 0}, {FIN | CONT, "a", 0}, END},
       "fail 1009 a message is too big\n"},
      {"the next message has its own cap",
       {{FIN | TEXT, "0123456789", 0}, {FIN | TEXT, "0123456789", 0}, END},
       "text 10 0123456789\ntext 10 0123456789\n"},
      {"a ping is not a message", {{PING, "0123456789a", 0}, END}, "ping 11 0123456789a\n"},
  };
  struct setup setup = {.role = WS_ROLE_SERVER, .max_message_bytes = 10};
  (void)state;
  for (size_t i = 0; i < COUNT(capped); i++) {
    size_t n;
    uint8_t *bytes = encode(capped[i].frames, setup.role, &n);
    check_play(capped[i].name, &setup, bytes, n, capped[i].expected);
    free(bytes);
  }
  check_play("announced only", &(struct setup){.role = WS_ROLE_CLIENT, .max_message_bytes = 1u << 30},
             "\x82\x7F\x00\x00\x00\x00\x40\x00\x00\x01", 10, "fail 1009 a message is too big\n");
  check_play("2^63-1 announced", &(struct setup){.role = WS_ROLE_CLIENT, .max_message_bytes = 1u << 30},
             "\x82\x7F\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 10, "fail 1009 a message is too big\n");
  check_play("2^63-1 announced inside a message", &(struct setup){.role = WS_ROLE_CLIENT},
             "\x02\x01X\x80\x7F\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 13, "fail 1009 a message is too big\n");
}

/* MSG-8 */
static void test_fragments_are_limited(void **state) {
  struct setup setup = {.role = WS_ROLE_SERVER, .max_fragments = 3};
  static const struct frame_spec three[] = {
      {TEXT, "a", 0}, {CONT, "", 0}, {FIN | CONT, "b", 0}, {FIN | TEXT, "c", 0}, END};
  static const struct frame_spec four[] = {{TEXT, "", 0}, {CONT, "", 0},       {PING, "", 0},
                                           {CONT, "", 0}, {FIN | CONT, "", 0}, END};
  size_t n;
  uint8_t *bytes = encode(three, setup.role, &n);
  (void)state;
  check_play("three", &setup, bytes, n, "text 2 ab\ntext 1 c\n");
  free(bytes);
  bytes = encode(four, setup.role, &n);
  check_play("four", &setup, bytes, n, "ping 0 \nfail 1008 a message has too many fragments\n");
  free(bytes);
}

/* UTF8-2: at the byte, before the rest of the frame arrives. */
static void test_invalid_text_fails_within_its_frame(void **state) {
  struct setup setup = {.role = WS_ROLE_CLIENT};
  (void)state;
  check_play("frame of 1000", &setup,
             "\x81\x7E\x03\xE8"
             "abc\xF5",
             8, "fail 1007 a text message is not UTF-8\n");
  check_play("first fragment of 65536", &setup, "\x01\x7F\x00\x00\x00\x00\x00\x01\x00\x00\xC3\xA9\xED\xA0", 14,
             "fail 1007 a text message is not UTF-8\n");
}

/* At each event of a conversation in turn. */
static void test_sink_may_free_the_session(void **state) {
  static const struct frame_spec frames[] = {{FIN | TEXT, "one", 0},
                                             {PING, "two", 0},
                                             {TEXT, "th", 0},
                                             {PONG, "p", 0},
                                             {FIN | CONT, "ree", 0},
                                             {FIN | BIN, "", 0},
                                             {CLOSE,
                                              "\x03\xE8"
                                              "end",
                                              0},
                                             END};
  struct setup setup = {.role = WS_ROLE_SERVER};
  size_t n;
  uint8_t *bytes = encode(frames, setup.role, &n);
  (void)state;
  for (size_t stop = 1; stop <= 6; stop++) {
    for (size_t cut = 1; cut <= n; cut++) {
      for (int reserved = 0; reserved < 2; reserved++) {
        struct record record = {.stop_after = stop};
        play(&record, &setup, bytes, n, (struct way){cut, 1 + cut % 7, false, reserved});
        assert_int_equal(record.events, stop);
      }
    }
  }
  free(bytes);
}

/* MSG-9: a frame that announces 1 GiB uses memory for the received bytes; an idle session uses none. */
static void test_memory_grows_with_received_bytes(void **state) {
  static uint8_t bytes[100000] = {0x82, 0x7F, 0, 0, 0, 0, 0x40, 0, 0, 0};
  struct ws_session session;
  struct record record = {.session = &session};
  uint8_t *room;
  size_t consumed, there, came = 10;
  (void)state;
  ws_session_init(&session, WS_ROLE_CLIENT, 1u << 30, 1, NULL);
  assert_int_equal(ws_session_reserve(&session, &room), 0);
  assert_int_equal(ws_session_feed(&session, bytes, 10, &record_sink, &record, &consumed), WS_FEED_MORE);
  assert_null(session.partial);
  assert_false(holds_no_state(&session));
  there = ws_session_reserve(&session, &room);
  assert_true(there > 0 && there <= 16384);
  assert_int_equal(ws_session_feed(&session, bytes + 10, 50000, &record_sink, &record, &consumed), WS_FEED_MORE);
  for (came = 50000; came < 10000000; came += there) {
    there = ws_session_reserve(&session, &room);
    assert_true(there > 0 && there <= 3 * came);
    memset(room, 'x', there);
    assert_int_equal(ws_session_commit(&session, there, &record_sink, &record), WS_FEED_MORE);
  }
  ws_session_deinit(&session);
  assert_null(session.partial);
  ws_session_deinit(&session);
}

/* only for payloads of 4 KiB and more. */
static void test_no_room_is_reserved_for_small_payloads(void **state) {
  struct ws_session session;
  struct record record = {.session = &session};
  uint8_t small[] = {0x82, 0x7E, 0x0F, 0xFF, 'x'}, ping[] = {0x89, 0x05, 'x'}, wrong[] = {0xF1}, *room;
  size_t consumed;
  (void)state;
  ws_session_init(&session, WS_ROLE_CLIENT, 1u << 20, 1, NULL);
  ws_session_feed(&session, small, sizeof small, &record_sink, &record, &consumed);
  assert_int_equal(ws_session_reserve(&session, &room), 0);
  ws_session_deinit(&session);
  ws_session_init(&session, WS_ROLE_CLIENT, 1u << 20, 1, NULL);
  ws_session_feed(&session, ping, sizeof ping, &record_sink, &record, &consumed);
  assert_int_equal(ws_session_reserve(&session, &room), 0);
  ws_session_deinit(&session);
  ws_session_init(&session, WS_ROLE_CLIENT, 1u << 20, 1, NULL);
  ws_session_feed(&session, wrong, sizeof wrong, &record_sink, &record, &consumed);
  assert_int_equal(ws_session_reserve(&session, &room), 0);
  ws_session_deinit(&session);
}

/* UTF8-2 */
static void test_invalid_text_in_reserved_room_fails(void **state) {
  struct ws_session session;
  struct record record = {.session = &session};
  uint8_t header[] = {0x81, 0x7E, 0xFF, 0xFF}, *room;
  size_t consumed;
  (void)state;
  ws_session_init(&session, WS_ROLE_CLIENT, 1u << 20, 1, NULL);
  ws_session_feed(&session, header, sizeof header, &record_sink, &record, &consumed);
  assert_true(ws_session_reserve(&session, &room) > 100);
  memset(room, 'x', 100);
  room[70] = 0xFE;
  assert_int_equal(ws_session_commit(&session, 100, &record_sink, &record), WS_FEED_VIOLATION);
  assert_int_equal(ws_violation_code(session.violation), 1007);
  assert_null(session.partial);
  ws_session_deinit(&session);
}

/* a thousand messages in one buffer, with a pause after each. */
static void test_pause_after_each_message(void **state) {
  struct ws_session session;
  struct record record = {.session = &session, .pause = true};
  uint8_t *bytes = NULL, *at;
  size_t n = 0, consumed;
  int messages = 0;
  (void)state;
  for (int i = 0; i < 1000; i++)
    frame_append(&bytes, &n, WS_ROLE_SERVER, FIN | TEXT, "0123456789abcdef", 16);
  ws_session_init(&session, WS_ROLE_SERVER, 100, 1, NULL);
  for (at = bytes; n > 0; at += consumed, n -= consumed, messages++) {
    record.size = 0;
    assert_int_equal(ws_session_feed(&session, at, n, &record_sink, &record, &consumed), WS_FEED_PAUSED);
    assert_string_equal(record.log, "text 16 0123456789abcdef\n");
    assert_int_equal(consumed, 22);
  }
  assert_int_equal(messages, 1000);
  ws_session_deinit(&session);
  free(bytes);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_messages_at_every_split),
      cmocka_unit_test(test_every_close_code),
      cmocka_unit_test(test_masking_in_the_wrong_direction_fails),
      cmocka_unit_test(test_messages_of_many_sizes),
      cmocka_unit_test(test_whole_message_is_delivered_in_place),
      cmocka_unit_test(test_whole_messages_need_no_session),
      cmocka_unit_test(test_whole_message_is_delivered_in_the_room_of_the_sink),
      cmocka_unit_test(test_violation_is_reported_at_its_first_byte),
      cmocka_unit_test(test_message_size_is_limited),
      cmocka_unit_test(test_fragments_are_limited),
      cmocka_unit_test(test_invalid_text_fails_within_its_frame),
      cmocka_unit_test(test_sink_may_free_the_session),
      cmocka_unit_test(test_memory_grows_with_received_bytes),
      cmocka_unit_test(test_no_room_is_reserved_for_small_payloads),
      cmocka_unit_test(test_invalid_text_in_reserved_room_fails),
      cmocka_unit_test(test_pause_after_each_message),
  };

  return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
