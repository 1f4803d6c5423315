/* permessage-deflate: negotiation, and compressed messages in a session. */
#include "support.h"

#include <zlib.h>

#include "protocol/deflate.h"
#include "protocol/deflater.h"

/* DEFLATE-1 DEFLATE-2: offers and the server's responses. NULL: declined; "!": malformed. */
static const struct {
  const char *offer;
  const char *answer;
} offers[] = {
    {"permessage-deflate", "permessage-deflate"},
    {"Permessage-Deflate", "permessage-deflate"},
    {"permessage-deflate; client_max_window_bits", "permessage-deflate"},
    {"permessage-deflate; client_max_window_bits=15", "permessage-deflate"},
    {"permessage-deflate; client_max_window_bits=10", "permessage-deflate; client_max_window_bits=10"},
    {"permessage-deflate; client_max_window_bits=\"9\"", "permessage-deflate; client_max_window_bits=9"},
    {"permessage-deflate; client_max_window_bits=8", "permessage-deflate; client_max_window_bits=8"},
    {"permessage-deflate; server_max_window_bits=15", "permessage-deflate; server_max_window_bits=15"},
    {"permessage-deflate; server_max_window_bits=\"1\\2\"", "permessage-deflate; server_max_window_bits=12"},
    {"x; bar=\"ba\\z\", permessage-deflate", "permessage-deflate"},
    {"permessage-deflate; server_max_window_bits=9", "permessage-deflate; server_max_window_bits=9"},
    {"permessage-deflate;server_no_context_takeover", "permessage-deflate; server_no_context_takeover"},
    {"permessage-deflate ; client_no_context_takeover ", "permessage-deflate; client_no_context_takeover"},
    {"permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=12; "
     "client_max_window_bits=11",
     "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=12; "
     "client_max_window_bits=11"},
    /* the first acceptable one */
    {"permessage-deflate; server_max_window_bits=8, permessage-deflate; server_max_window_bits=10",
     "permessage-deflate; server_max_window_bits=10"},
    {"x-webkit-deflate-frame, permessage-deflate", "permessage-deflate"},
    {"permessage-deflate; server_max_window_bits=11, permessage-deflate",
     "permessage-deflate; server_max_window_bits=11"},
    {", ,permessage-deflate,", "permessage-deflate"},
    /* declined */
    {"", NULL},
    {"x-webkit-deflate-frame", NULL},
    {"permessage-deflate; server_max_window_bits=8", NULL},
    {"permessage-deflate; server_max_window_bits", NULL},
    {"permessage-deflate; server_max_window_bits=7", NULL},
    {"permessage-deflate; server_max_window_bits=16", NULL},
    {"permessage-deflate; server_max_window_bits=09", NULL},
    {"permessage-deflate; server_max_window_bits=1", NULL},
    {"permessage-deflate; server_max_window_bits=100", NULL},
    {"permessage-deflate; server_max_window_bits=1a", NULL},
    {"permessage-deflate; server_max_window_bits=1!", NULL},
    {"permessage-deflate; server_max_window_bits=25", NULL},
    {"permessage-deflate; client_max_window_bits=16", NULL},
    {"permessage-deflate; client_max_window_bits=x", NULL},
    {"permessage-deflate; client_max_window_bits; client_max_window_bits", NULL},
    {"permessage-deflate; server_max_window_bits=10; server_max_window_bits=10", NULL},
    {"permessage-deflate; server_no_context_takeover=1", NULL},
    {"permessage-deflate; client_no_context_takeover; client_no_context_takeover", NULL},
    {"permessage-deflate; unknown", NULL},
    {"permessage-deflate; unknown=1", NULL},
    /* malformed */
    {"permessage deflate", "!"},
    {"permessage-deflate;", "!"},
    {"permessage-deflate; =", "!"},
    {"permessage-deflate; client_max_window_bits=", "!"},
    {"permessage-deflate; client_max_window_bits=\"\"", "!"},
    {"permessage-deflate; client_max_window_bits=\"10", "!"},
    {"permessage-deflate; client_max_window_bits=\"", "!"},
    {"permessage-deflate; client_max_window_bits=a b", "!"},
    {"; permessage-deflate", "!"},
    {"permessage-deflate, @", "!"},
    {"x; y=\"a,b\"", "!"},
    {"x; y=\"a\\ b\"", "!"},
    {"x; y=\"a\\\"", "!"},
};

static void test_server_negotiates(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(offers); i++) {
    struct ws_deflate_params params;
    char answer[WS_DEFLATE_RESPONSE_MAX];
    size_t n = strlen(offers[i].offer);
    struct ws_slice offer = {(char *)guard_place(offers[i].offer, n), n};
    enum ws_deflate_outcome outcome = ws_deflate_negotiate(&params, offer);
    enum ws_deflate_outcome expected = !offers[i].answer            ? WS_DEFLATE_DECLINED
                                       : offers[i].answer[0] == '!' ? WS_DEFLATE_MALFORMED
                                                                    : WS_DEFLATE_AGREED;
    if (outcome != expected || ws_deflate_in_use(&params) != (expected == WS_DEFLATE_AGREED))
      fail_msg("%s: outcome %d", offers[i].offer, outcome);
    if (outcome == WS_DEFLATE_AGREED) {
      assert_int_equal(ws_deflate_response(answer, &params), strlen(offers[i].answer));
      assert_string_equal(answer, offers[i].answer);
    }
  }
}

/* DEFLATE-3: responses to the client's offer, and the agreed parameters. 0 bits: rejected. */
static const struct {
  const char *answer;
  struct ws_deflate_params params;
} answers[] = {
    {"permessage-deflate", {15, 15, false, false, false}},
    {"permessage-deflate; client_max_window_bits=9", {15, 9, false, false, false}},
    {"permessage-deflate; server_max_window_bits=8", {8, 15, false, false, false}},
    {"permessage-deflate; server_max_window_bits=\"12\"; server_no_context_takeover; client_no_context_takeover",
     {12, 15, true, true, false}},
    {"permessage-deflate; client_max_window_bits=8", {0}},
    {"permessage-deflate; client_max_window_bits", {0}},
    {"permessage-deflate; client_max_window_bits=7", {0}},
    {"permessage-deflate; server_max_window_bits", {0}},
    {"permessage-deflate; server_max_window_bits=16", {0}},
    {"permessage-deflate; server_no_context_takeover; server_no_context_takeover", {0}},
    {"permessage-deflate; unknown", {0}},
    {"permessage-deflate, permessage-deflate", {0}},
    {"permessage-deflate;", {0}},
    {"other", {0}},
};

static void test_client_checks_the_response(void **state) {
  struct ws_deflate_params params;
  (void)state;
  for (size_t i = 0; i < COUNT(answers); i++) {
    enum ws_deflate_outcome outcome = ws_deflate_agree(&params, ws_slice_of(answers[i].answer));
    if ((outcome == WS_DEFLATE_MALFORMED) != (answers[i].params.server_bits == 0) ||
        memcmp(&params, &answers[i].params, sizeof params) != 0)
      fail_msg("%s: outcome %d", answers[i].answer, outcome);
  }
  assert_int_equal(ws_deflate_agree(&params, ws_slice_of("")), WS_DEFLATE_DECLINED);
  assert_int_equal(ws_deflate_agree(&params, ws_slice_of(" , ")), WS_DEFLATE_DECLINED);
}

/* ---- messages */

/* DEFLATE-14 and others: frames for a client, unmasked so that they are readable. The examples of RFC 7692 section
 * 7.2.3 come first. */
static const struct {
  const char *name;
  const char *hex;
  const char *expected;
} vectors[] = {
    {"one block", "C1 07 F2 48 CD C9 C9 07 00", "text 5 Hello\n"},
    {"two fragments", "41 03 F2 48 CD 80 04 C9 C9 07 00", "text 5 Hello\n"},
    {"shared window", "C1 07 F2 48 CD C9 C9 07 00 C1 05 F2 00 11 00 00", "text 5 Hello\ntext 5 Hello\n"},
    {"stored block", "C1 0B 00 05 00 FA FF 48 65 6C 6C 6F 00", "text 5 Hello\n"},
    {"a last block", "C1 08 F3 48 CD C9 C9 07 00 00", "text 5 Hello\n"},
    {"a last block, then a shared window", "C1 08 F3 48 CD C9 C9 07 00 00 C1 05 F2 00 11 00 00",
     "text 5 Hello\ntext 5 Hello\n"},
    {"a message after two last blocks", "C1 0F F3 48 CD C9 C9 07 00 F3 48 CD C9 C9 07 00 00", "text 10 HelloHello\n"},
    {"two blocks", "C1 0D F2 48 05 00 00 00 FF FF CA C9 C9 07 00", "text 5 Hello\n"},
    {"empty", "C1 01 00", "text 0 \n"},
    {"empty, of no bytes", "C2 00", "binary 0 \n"},
    {"empty, in fragments of no bytes", "42 00 00 00 80 00", "binary 0 \n"},
    {"an empty message between", "C1 07 F2 48 CD C9 C9 07 00 C1 01 00 C1 05 F2 00 11 00 00",
     "text 5 Hello\ntext 0 \ntext 5 Hello\n"},
    {"not compressed", "81 02 68 69", "text 2 hi\n"},
    {"compressed and not, in turn", "C1 07 F2 48 CD C9 C9 07 00 81 02 68 69 C1 05 F2 00 11 00 00",
     "text 5 Hello\ntext 2 hi\ntext 5 Hello\n"},
    {"a ping between fragments", "41 03 F2 48 CD 89 01 21 80 04 C9 C9 07 00", "ping 1 !\ntext 5 Hello\n"},
    /* DEFLATE-4 */
    {"RSV1 on a continuation", "41 03 F2 48 CD C0", "fail 1002 a reserved bit is set\n"},
    {"RSV1 on a ping", "C9", "fail 1002 a reserved bit is set\n"},
    {"RSV2", "E1", "fail 1002 a reserved bit is set\n"},
    /* DEFLATE-8 */
    {"a reserved kind of block", "C1 02 07 00", "fail 1007 a compressed message is damaged\n"},
    {"a distance before the start", "C1 05 F2 00 11 00 00", "fail 1007 a compressed message is damaged\n"},
    {"a stored block of the wrong length", "C1 06 00 05 00 FA FE 48", "fail 1007 a compressed message is damaged\n"},
    {"cut within a block", "C1 04 F2 48 CD C9", "fail 1007 a compressed message is damaged\n"},
    {"cut within a stored block", "C2 07 00 05 00 FA FF 48 65", "fail 1007 a compressed message is damaged\n"},
    {"a last block without another", "C1 07 F3 48 CD C9 C9 07 00", "text 5 Hello\n"}, /* DEFLATE-13 */
    {"a last block without another, then a shared window", "C1 07 F3 48 CD C9 C9 07 00 C1 05 F2 00 11 00 00",
     "text 5 Hello\ntext 5 Hello\n"},
    {"not UTF-8 once inflated", "C1 07 00 01 00 FE FF FF 00", "fail 1007 a text message is not UTF-8\n"},
    {"a binary need not be", "C2 07 00 01 00 FE FF FF 00", "binary 1 \xFF\n"},
    {"cut UTF-8 once inflated", "C1 07 00 01 00 FE FF C3 00", "fail 1007 a text message is not UTF-8\n"},
};

static void test_messages_at_every_split(void **state) {
  const struct setup setup = {.role = WS_ROLE_CLIENT, .deflate = {15, 15, false, false, false}};
  (void)state;
  for (size_t i = 0; i < COUNT(vectors); i++) {
    uint8_t bytes[64];
    size_t n = from_hex(bytes, vectors[i].hex);
    check_play(vectors[i].name, &setup, bytes, n, vectors[i].expected);
  }
}

/* DEFLATE-8: at the inflated byte, before the rest of the frame arrives. */
static void test_inflated_text_fails_within_its_frame(void **state) {
  const struct setup setup = {.role = WS_ROLE_CLIENT, .deflate = {15, 15, false, false, false}};
  (void)state;
  check_play("stored", &setup, "\xC1\x7E\x03\xE8\x00\x02\x00\xFD\xFF\xFF\x61", 11,
             "fail 1007 a text message is not UTF-8\n");
}

/* Kind 0: one letter; 1: words; 2: random bytes. */
static void fill_message(uint8_t *to, size_t n, int kind, uint32_t *random) {
  static const char words[] = "the quick brown fox jumps over the lazy dog; \xD0\xBF\xD1\x80\xD0\xB8 ";
  for (size_t i = 0; i < n; i++)
    to[i] = kind == 0 ? 'a' : kind == 1 ? (uint8_t)words[i % (sizeof words - 1)] : (uint8_t)next_random(random);
}

/* Compresses a message into frames of at most `fragment` bytes. */
static void append_compressed(uint8_t **bytes, size_t *n, enum ws_role receiver, struct ws_deflater *deflater,
                              const uint8_t *message, size_t size, size_t fragment) {
  size_t bound = ws_deflater_bound(deflater, size);
  uint8_t *payload = malloc(bound);
  size_t left = ws_deflater_run(deflater, payload, message, size), at = 0;
  assert_true(left <= bound);
  do {
    size_t piece = left < fragment ? left : fragment;
    unsigned head = (at == 0 ? RSV1 | BIN : CONT) | (piece == left ? FIN : 0);
    frame_append(bytes, n, receiver, head, payload + at, piece);
    at += piece;
    left -= piece;
  } while (left > 0);
  free(payload);
}

/* DEFLATE-5 DEFLATE-9: messages of many sizes and kinds in one conversation. */
static void conversation(const struct setup *setup, uint8_t bits, bool no_takeover, size_t fragment) {
  static const size_t sizes[] = {0, 1, 16, 125, 1000, 0, 4096, 65536, 131072, 3};
  struct ws_deflater *deflater = ws_deflater_new(bits, no_takeover);
  char expected[8192] = "";
  uint8_t *bytes = NULL, *message = malloc(131072);
  size_t n = 0, expected_size = 0;
  uint32_t random = bits;
  for (size_t i = 0; i < COUNT(sizes); i++) {
    for (int kind = 0; kind < 3; kind++) {
      fill_message(message, sizes[i], kind, &random);
      append_compressed(&bytes, &n, setup->role, deflater, message, sizes[i], fragment);
      expected_size += event_line(expected + expected_size, "binary", message, sizes[i]);
      frame_append(&bytes, &n, setup->role, FIN | BIN, "-", 1);
      expected_size += event_line(expected + expected_size, "binary", (const uint8_t *)"-", 1);
    }
  }
  for (size_t step = 1; step < n + 1000; step = step * 30 + 7) {
    struct record record = {0};
    play(&record, setup, bytes, n, (struct way){step, step, false, true});
    if (strcmp(record.log, expected) != 0)
      fail_msg("bits %d, takeover %d, role %d: got\n%s", bits, !no_takeover, setup->role, record.log);
  }
  ws_deflater_free(deflater);
  free(message);
  free(bytes);
}

/* DEFLATE-5 DEFLATE-9: every window of zlib, with and without takeover, in both roles. */
static void test_every_window_round_trips(void **state) {
  (void)state;
  for (uint8_t bits = 9; bits <= 15; bits++) {
    for (int no_takeover = 0; no_takeover < 2; no_takeover++) {
      struct setup server = {
          .role = WS_ROLE_SERVER, .max_fragments = 5000, .deflate = {15, bits, false, no_takeover, false}};
      struct setup client = {
          .role = WS_ROLE_CLIENT, .max_fragments = 5000, .deflate = {bits, 15, no_takeover, false, false}};
      conversation(&server, bits, no_takeover, SIZE_MAX);
      conversation(&client, bits, no_takeover, 100);
    }
  }
  /* A peer that asks its zlib for 8 bits gets 9. */
  conversation(&(struct setup){.role = WS_ROLE_SERVER, .deflate = {15, 8, false, false, false}}, 9, false, 1000);
}

/* DEFLATE-9: without takeover a repeated message has the same size; with it, a smaller one. */
static void test_takeover_shrinks_repeated_messages(void **state) {
  static const char message[] = "a sentence that nobody said before, and that is not short";
  (void)state;
  for (int no_takeover = 0; no_takeover < 2; no_takeover++) {
    struct ws_deflater *deflater = ws_deflater_new(15, no_takeover);
    uint8_t first[200], second[200];
    size_t n = ws_deflater_run(deflater, first, (const uint8_t *)message, sizeof message);
    size_t m = ws_deflater_run(deflater, second, (const uint8_t *)message, sizeof message);
    if (no_takeover) {
      assert_int_equal(n, m);
      assert_memory_equal(first, second, n);
    } else {
      assert_true(m < n);
    }
    ws_deflater_free(deflater);
  }
  ws_deflater_free(NULL);
}

/* The payload by zlib at a level, for a deflater without takeover. */
static size_t zlib_payload(uint8_t *to, size_t room, const uint8_t *message, size_t n, int level) {
  z_stream stream = {.next_in = (z_const Bytef *)message, .avail_in = (uInt)n, .next_out = to, .avail_out = (uInt)room};
  deflateInit2(&stream, level, Z_DEFLATED, -15, ws_deflater_level(15), Z_DEFAULT_STRATEGY);
  deflate(&stream, Z_SYNC_FLUSH);
  size_t size = room - stream.avail_out - 4;
  deflateEnd(&stream);
  return size;
}

/* Lines of text, of which zlib makes different bytes at each level. */
static void fill_lines(uint8_t *to, size_t n) {
  uint32_t random = 1;
  for (size_t at = 0, size; at < n; at += size) {
    char line[80];
    random = random * 1664525 + 1013904223;
    size = (size_t)snprintf(line, sizeof line, "{\"symbol\":\"OSP%u\",\"price\":%u.%02u,\"open\":true},", random >> 30,
                            random >> 20 & 0x3FF, random >> 8 & 0x3F);
    if (size > n - at)
      size = n - at;
    memcpy(to + at, line, size);
  }
}

/* DEFLATE-16: small and large messages in turn. */
static void test_level_follows_the_size(void **state) {
  static const size_t sizes[] = {1024, 4096, 4097, 60000, 1024, 60000, 4096};
  static uint8_t message[60000], payload[70000], expected[70000];
  struct ws_deflater *deflater = ws_deflater_new(15, true);
  (void)state;
  fill_lines(message, sizeof message);
  assert_true(zlib_payload(expected, sizeof expected, message, 4096, 3) !=
              zlib_payload(expected, sizeof expected, message, 4096, 5));
  for (size_t i = 0; i < COUNT(sizes); i++) {
    size_t n = zlib_payload(expected, sizeof expected, message, sizes[i], sizes[i] <= 4096 ? 3 : 5);
    assert_int_equal(ws_deflater_run(deflater, payload, message, sizes[i]), n);
    assert_memory_equal(payload, expected, n);
  }
  ws_deflater_free(deflater);
}

/* DEFLATE-10 */
static void test_inflater_exists_only_while_needed(void **state) {
  (void)state;
  for (int no_takeover = 0; no_takeover < 2; no_takeover++) {
    const struct ws_deflate_params params = {15, 15, no_takeover, false, false};
    struct ws_session session;
    struct record record = {.session = &session};
    uint8_t plain[] = {0x81, 0x02, 'h', 'i'}, compressed[] = {0xC1, 0x07, 0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00};
    size_t consumed;
    ws_session_init(&session, WS_ROLE_CLIENT, 1000, 10, &params);
    ws_session_feed(&session, plain, 2, &record_sink, &record, &consumed);
    assert_in_range(ws_session_unfinished(&session), 0, 1);
    assert_in_range(ws_session_work(&session), 0, WS_SESSION_FRAME);
    ws_session_feed(&session, plain + 2, sizeof plain - 2, &record_sink, &record, &consumed);
    assert_null(session.inflater);
    assert_int_equal(ws_session_unfinished(&session), 0);
    assert_int_equal(ws_session_work(&session), 0);
    ws_session_feed(&session, compressed, 2, &record_sink, &record, &consumed);
    assert_in_range(ws_session_unfinished(&session), 0, 1);
    ws_session_feed(&session, compressed + 2, 3, &record_sink, &record, &consumed);
    assert_non_null(session.inflater);
    assert_int_equal(ws_session_unfinished(&session), 3 + 1);
    assert_in_range(ws_session_work(&session), 3, 100 + WS_SESSION_FRAME);
    ws_session_feed(&session, compressed + 5, 4, &record_sink, &record, &consumed);
    assert_int_equal(session.inflater == NULL, no_takeover);
    assert_null(session.partial);
    assert_string_equal(record.log, "text 2 hi\ntext 5 Hello\n");
    ws_session_deinit(&session);
    assert_null(session.inflater);
  }
}

/* DEFLATE-6: at the limit, one byte above it, far above it. */
static void test_inflated_size_is_limited(void **state) {
  static const size_t sizes[] = {50000, 50001, 30 << 20};
  const struct setup setup = {.max_message_bytes = 50000, .deflate = {15, 15, false, false, false}};
  (void)state;
  for (size_t i = 0; i < COUNT(sizes); i++) {
    size_t n;
    uint8_t *bytes = bomb(WS_ROLE_SERVER, sizes[i], &n);
    struct record record = {0};
    play(&record, &setup, bytes, n, (struct way){n, n, false, false});
    if (i == 0)
      assert_memory_equal(record.log, "binary 50000 #", 14);
    else
      assert_string_equal(record.log, "fail 1009 a message is too big\n");
    free(bytes);
  }
  /* The announced payload is too long for any message within the limit. */
  check_play(
      "announced",
      &(struct setup){.role = WS_ROLE_CLIENT, .max_message_bytes = 8000, .deflate = {15, 15, false, false, false}},
      "\xC2\x7E\x2B\x00", 4, "fail 1009 a message is too big\n");
}

/* A large message of random bytes passes the guard. */
static void noise_passes(const struct setup *setup) {
  struct ws_deflater *deflater = ws_deflater_new(15, false);
  uint8_t *message = malloc(3u << 20), *bytes = NULL;
  size_t n = 0;
  uint32_t random = 1;
  char expected[200];
  struct record record = {0};
  fill_message(message, 3u << 20, 2, &random);
  append_compressed(&bytes, &n, setup->role, deflater, message, 3u << 20, SIZE_MAX);
  event_line(expected, "binary", message, 3u << 20);
  play(&record, setup, bytes, n, (struct way){n, n, false, false});
  assert_string_equal(record.log, expected);
  ws_deflater_free(deflater);
  free(message);
  free(bytes);
}

/* DEFLATE-7 */
static void test_ratio_is_limited(void **state) {
  const struct setup setup = {.max_message_bytes = 1u << 30, .deflate = {15, 15, false, false, false}};
  size_t n;
  uint8_t *bytes = bomb(WS_ROLE_SERVER, 1u << 20, &n);
  struct record record = {0}, over = {0};
  (void)state;
  play(&record, &setup, bytes, n, (struct way){n, n, false, false});
  assert_memory_equal(record.log, "binary 1048576 #", 16);
  free(bytes);
  noise_passes(&setup);
  bytes = bomb(WS_ROLE_SERVER, 8u << 20, &n);
  play(&over, &setup, bytes, n, (struct way){n, n, false, false});
  assert_string_equal(over.log, "fail 1009 a compressed message over 1 MiB expands too much\n");
  free(bytes);
}

/* DEFLATE-13: a compressed message passes the receiver's guard at every byte. One that would not is sent uncompressed,
 * and later messages are compressed with a valid context. */
static void test_deflater_respects_the_ratio_of_receivers(void **state) {
  enum { SIZE = 4 << 20, HALF = SIZE / 2 };
  static const struct {
    const char *name;
    int first, second; /* kinds of the halves */
    bool compressed;
  } cases[] = {
      {"letters", 0, 0, false},
      {"words", 1, 1, false},
      {"letters, then noise", 0, 2, false},
      {"noise, then letters", 2, 0, true},
      {"noise", 2, 2, true},
  };
  const struct setup setup = {.max_message_bytes = 1u << 30, .deflate = {15, 15, false, false, false}};
  struct ws_deflater *deflater = ws_deflater_new(15, false);
  uint8_t *message = malloc(SIZE), *bytes = NULL;
  char expected[2048] = "";
  size_t n = 0, expected_size = 0;
  uint32_t random = 1;
  struct record record = {0};
  (void)state;
  for (size_t i = 0; i < COUNT(cases); i++) {
    size_t bound = ws_deflater_bound(deflater, SIZE), size;
    uint8_t *payload = malloc(bound);
    fill_message(message, HALF, cases[i].first, &random);
    fill_message(message + HALF, HALF, cases[i].second, &random);
    size = ws_deflater_run(deflater, payload, message, SIZE);
    if ((size > 0) != cases[i].compressed || size > bound)
      fail_msg("%s: %zu", cases[i].name, size);
    if (size > 0)
      frame_append(&bytes, &n, WS_ROLE_SERVER, FIN | RSV1 | BIN, payload, size);
    else
      frame_append(&bytes, &n, WS_ROLE_SERVER, FIN | BIN, message, SIZE);
    expected_size += event_line(expected + expected_size, "binary", message, SIZE);
    fill_message(message, 1000, 1, &random);
    append_compressed(&bytes, &n, setup.role, deflater, message, 1000, SIZE_MAX);
    expected_size += event_line(expected + expected_size, "binary", message, 1000);
    free(payload);
  }
  play(&record, &setup, bytes, n, (struct way){4096, 4096, false, false});
  assert_string_equal(record.log, expected);
  ws_deflater_free(deflater);
  free(message);
  free(bytes);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_server_negotiates),
      cmocka_unit_test(test_client_checks_the_response),
      cmocka_unit_test(test_messages_at_every_split),
      cmocka_unit_test(test_inflated_text_fails_within_its_frame),
      cmocka_unit_test(test_every_window_round_trips),
      cmocka_unit_test(test_takeover_shrinks_repeated_messages),
      cmocka_unit_test(test_level_follows_the_size),
      cmocka_unit_test(test_inflater_exists_only_while_needed),
      cmocka_unit_test(test_inflated_size_is_limited),
      cmocka_unit_test(test_ratio_is_limited),
      cmocka_unit_test(test_deflater_respects_the_ratio_of_receivers),
  };

  return cmocka_run_group_tests_name("deflate", tests, NULL, NULL);
}
