/* What members send each other, as a broken or hostile member could: WS-CLUSTER-12 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cluster/wire.h"

static const struct ws_wire sound = {.kind = WS_WIRE_MESSAGE,
                                     .opcode = 1,
                                     .sender = "0123456789abcdef",
                                     .since = 7,
                                     .number = 9,
                                     .total = 5,
                                     .offset = 2};

/* A payload of exactly n bytes, so that access past it is a report of the sanitizer. */
static uint8_t *payload(const struct ws_wire *head, size_t n) {
  uint8_t whole[WS_WIRE_HEAD], *bytes = calloc(1, n ? n : 1);
  ws_wire_encode(whole, head);
  memcpy(bytes, whole, n < sizeof whole ? n : sizeof whole);
  return bytes;
}

static void expect_problem(const char *problem, const struct ws_wire *head, size_t n) {
  struct ws_wire decoded;
  uint8_t *bytes = payload(head, n);
  const char *found = ws_wire_decode(&decoded, bytes, n);
  free(bytes);
  if (problem)
    assert_string_equal(found, problem);
  else
    assert_null(found);
}

static void test_a_head_comes_back(void **state) {
  struct ws_wire decoded;
  uint8_t *bytes = payload(&sound, WS_WIRE_HEAD + 3);
  (void)state;
  assert_null(ws_wire_decode(&decoded, bytes, WS_WIRE_HEAD + 3));
  assert_memory_equal(decoded.sender, sound.sender, WS_WIRE_ID);
  assert_int_equal(decoded.kind, WS_WIRE_MESSAGE);
  assert_int_equal(decoded.opcode, 1);
  assert_int_equal(decoded.since, 7);
  assert_int_equal(decoded.number, 9);
  assert_int_equal(decoded.total, 5);
  assert_int_equal(decoded.offset, 2);
  free(bytes);
}

static void test_short_and_strange_payloads(void **state) {
  (void)state;
  for (size_t n = 0; n < WS_WIRE_HEAD; n++)
    expect_problem("it is not of this cluster's kind", &sound, n);
  for (size_t i = 0; i < 4; i++) {
    struct ws_wire decoded;
    uint8_t *bytes = payload(&sound, WS_WIRE_HEAD + 3);
    bytes[i] ^= 1;
    assert_string_equal(ws_wire_decode(&decoded, bytes, WS_WIRE_HEAD + 3), "it is not of this cluster's kind");
    free(bytes);
  }
  for (size_t i = 6; i < 8; i++) {
    struct ws_wire decoded;
    uint8_t *bytes = payload(&sound, WS_WIRE_HEAD + 3);
    bytes[i] = 1;
    assert_string_equal(ws_wire_decode(&decoded, bytes, WS_WIRE_HEAD + 3), "its head is broken");
    free(bytes);
  }
  struct ws_wire unknown = sound;
  unknown.kind = (enum ws_wire_kind)'X';
  expect_problem("its kind is unknown", &unknown, WS_WIRE_HEAD + 3);
}

static void test_numbers_that_do_not_fit(void **state) {
  static const char problem[] = "its numbers do not fit together";
  struct ws_wire head = sound;
  (void)state;
  expect_problem(NULL, &head, WS_WIRE_HEAD + 3);
  expect_problem(problem, &head, WS_WIRE_HEAD + 4); /* a part that ends behind the message */
  expect_problem(problem, &head, WS_WIRE_HEAD);     /* a part of nothing */
  head.offset = 6;
  expect_problem(problem, &head, WS_WIRE_HEAD + 1);
  head.offset = UINT32_MAX;
  expect_problem(problem, &head, WS_WIRE_HEAD + 6);
  head = (struct ws_wire){.kind = WS_WIRE_MESSAGE, .since = 9, .number = 9};
  expect_problem(problem, &head, WS_WIRE_HEAD);
  head.number = 10;
  expect_problem(NULL, &head, WS_WIRE_HEAD); /* an empty message has one part, which is empty */
}

/* A payload of several messages, whose lengths are those of `texts`, but for the last, which is `last`. */
static const char *decode_several(uint32_t count, const char *const texts[], size_t n, size_t last, uint64_t number) {
  const struct ws_wire head = {.kind = WS_WIRE_SEVERAL, .opcode = 1, .since = 7, .number = number, .total = count};
  size_t used = WS_WIRE_HEAD;
  struct ws_wire decoded;
  for (size_t i = 0; i < n; i++)
    used += WS_WIRE_LENGTH + strlen(texts[i]);
  uint8_t *bytes = payload(&head, used);
  used = WS_WIRE_HEAD;
  for (size_t i = 0; i < n; i++) {
    size_t size = strlen(texts[i]);
    ws_wire_encode_length(bytes + used, i + 1 < n ? size : last);
    memcpy(bytes + used + WS_WIRE_LENGTH, texts[i], size);
    used += WS_WIRE_LENGTH + size;
  }
  const char *problem = ws_wire_decode(&decoded, bytes, used);
  const uint8_t *message, *at = bytes + WS_WIRE_HEAD;
  for (size_t i = 0; !problem && i < n; i++) {
    assert_int_equal(ws_wire_next(&message, at), strlen(texts[i]));
    assert_memory_equal(message, texts[i], strlen(texts[i]));
    at = message + strlen(texts[i]);
  }
  free(bytes);
  return problem;
}

/* WS-CLUSTER-15 */
static void test_several_messages(void **state) {
  static const char problem[] = "its messages do not fit together";
  static const char *const texts[] = {"one", "", "three"}, *many[WS_WIRE_SEVERAL_MAX + 1];
  (void)state;
  assert_null(decode_several(3, texts, 3, 5, 8));
  assert_null(decode_several(1, texts, 1, 3, 8));
  assert_string_equal(decode_several(0, texts, 0, 0, 8), problem);
  assert_string_equal(decode_several(2, texts, 3, 5, 8), problem); /* bytes behind the last */
  assert_string_equal(decode_several(4, texts, 3, 5, 8), problem); /* one is missing */
  assert_string_equal(decode_several(3, texts, 3, 6, 8), problem); /* one is longer than what came */
  assert_string_equal(decode_several(3, texts, 3, UINT32_MAX, 8), problem);
  assert_string_equal(decode_several(3, texts, 3, 4, 8), problem);
  assert_string_equal(decode_several(3, texts, 3, 5, 7), problem); /* its number was before `since` */
  assert_string_equal(decode_several(3, texts, 3, 5, UINT64_MAX - 1), problem);
  for (size_t i = 0; i <= WS_WIRE_SEVERAL_MAX; i++)
    many[i] = "x";
  assert_null(decode_several(WS_WIRE_SEVERAL_MAX, many, WS_WIRE_SEVERAL_MAX, 1, 8));
  assert_string_equal(decode_several(WS_WIRE_SEVERAL_MAX + 1, many, WS_WIRE_SEVERAL_MAX + 1, 1, 8), problem);
  for (size_t n = 0; n < WS_WIRE_LENGTH; n++) { /* not even a length */
    const struct ws_wire head = {.kind = WS_WIRE_SEVERAL, .number = 1, .total = 1};
    expect_problem(problem, &head, WS_WIRE_HEAD + n);
  }
}

static void test_beats(void **state) {
  struct ws_wire beat = {.kind = WS_WIRE_BEAT, .number = 2};
  (void)state;
  expect_problem(NULL, &beat, WS_WIRE_HEAD + 2 * WS_WIRE_ENTRY);
  expect_problem("its beat is broken", &beat, WS_WIRE_HEAD + WS_WIRE_ENTRY);
  expect_problem("its beat is broken", &beat, WS_WIRE_HEAD + 2 * WS_WIRE_ENTRY + 1);
  beat.number = UINT64_MAX / WS_WIRE_ENTRY + 2; /* times the size of an entry, it wraps */
  expect_problem("its beat is broken", &beat, WS_WIRE_HEAD + WS_WIRE_ENTRY);
  expect_problem(NULL, &(struct ws_wire){.kind = WS_WIRE_LEAVE}, WS_WIRE_HEAD);

  uint8_t bytes[WS_WIRE_ENTRY];
  struct ws_wire_entry entry, from = {ws_wire_stream("news"), 1, UINT64_MAX};
  ws_wire_encode_entry(bytes, &from);
  ws_wire_decode_entry(&entry, bytes);
  assert_memory_equal(&entry, &from, sizeof entry);
  assert_int_equal(ws_wire_stream(NULL), 0);
}

/* No topic makes another subject than its own: WS-CLUSTER-7 */
static void test_subjects(void **state) {
  char subject[WS_WIRE_SUBJECT], topic[WS_TOPIC_MAX + 1], longest[WS_TOPIC_MAX + 1];
  char prefix[WS_WIRE_PREFIX_MAX + 1];
  (void)state;
  memset(longest, '\xff', WS_TOPIC_MAX);
  longest[WS_TOPIC_MAX] = '\0';
  memset(prefix, 'p', WS_WIRE_PREFIX_MAX);
  prefix[WS_WIRE_PREFIX_MAX] = '\0';
  const char *const topics[] = {"a", "all", ".", "*", ">", "a.b", "a b\r\nPUB x 1", "\x01\x7f\xc3\xa9", longest};
  for (size_t i = 0; i < sizeof topics / sizeof *topics; i++) {
    ws_wire_subject(subject, prefix, topics[i]);
    assert_int_equal(strspn(subject + strlen(prefix) + strlen(".topic."), "0123456789abcdef"), 2 * strlen(topics[i]));
    assert_int_equal(ws_wire_parse_subject(topic, prefix, subject), WS_WIRE_TOPIC);
    assert_string_equal(topic, topics[i]);
  }
  ws_wire_subject(subject, prefix, NULL);
  assert_int_equal(ws_wire_parse_subject(topic, prefix, subject), WS_WIRE_ALL);
  ws_wire_beat_subject(subject, prefix);
  assert_int_equal(ws_wire_parse_subject(topic, prefix, subject), WS_WIRE_BEATS);
}

static void test_subjects_of_nobody(void **state) {
  static const char *const subjects[] = {"",           "p",           "q.all",        "p.all.x",    "p.beats",
                                         "p.topic.",   "p.topic.6",   "p.topic.6G",   "p.topic.G6", "p.topic.616",
                                         "p.topic.00", "p.topic.61.", "p.topic.6100", "p.topic.4A", "p.topicc61"};
  char topic[WS_TOPIC_MAX + 1], subject[WS_WIRE_SUBJECT + 2];
  (void)state;
  for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++)
    assert_int_equal(ws_wire_parse_subject(topic, "p", subjects[i]), WS_WIRE_NOWHERE);
  int n = snprintf(subject, sizeof subject, "p.topic.");
  for (size_t i = 0; i <= WS_TOPIC_MAX; i++)
    memcpy(subject + n + 2 * i, "61", 3);
  assert_int_equal(ws_wire_parse_subject(topic, "p", subject), WS_WIRE_NOWHERE); /* a topic that is too long */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_head_comes_back),
      cmocka_unit_test(test_short_and_strange_payloads),
      cmocka_unit_test(test_numbers_that_do_not_fit),
      cmocka_unit_test(test_several_messages),
      cmocka_unit_test(test_beats),
      cmocka_unit_test(test_subjects),
      cmocka_unit_test(test_subjects_of_nobody),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
