/* Close codes, the payload of close frames, and the codes of violations. */
#include "support.h"

#include "protocol/close_code.h"
#include "protocol/refusal.h"
#include "protocol/utf8.h"

/* CLOSE-1: from -1 to beyond 16 bits. */
static void test_valid_codes(void **state) {
  (void)state;
  for (int64_t code = -1; code < 70000; code++)
    assert_int_equal(ws_close_code_valid(code), (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
                                                    (code >= 3000 && code <= 4999));
  assert_false(ws_close_code_valid(INT64_MAX));
  assert_false(ws_close_code_valid((int64_t)1000 + ((int64_t)1 << 32)));
}

static void test_codes_have_texts(void **state) {
  (void)state;
  assert_string_equal(ws_close_code_text(1000), "normal closure");
  assert_string_equal(ws_close_code_text(1006), "abnormal closure");
  assert_string_equal(ws_close_code_text(3000), "application code");
  assert_string_equal(ws_close_code_text(4999), "application code");
  assert_string_equal(ws_close_code_text(1004), "unknown code");
  assert_string_equal(ws_close_code_text(5000), "unknown code");
}

/* CLOSE-4 */
static void test_payloads_are_encoded(void **state) {
  uint8_t payload[WS_CLOSE_PAYLOAD_MAX];
  char reason[WS_CLOSE_REASON_MAX];
  (void)state;
  assert_int_equal(ws_close_code_encode(payload, WS_CLOSE_NO_STATUS, NULL, 0), 0);
  assert_int_equal(ws_close_code_encode(payload, 1001, NULL, 0), 2);
  assert_memory_equal(payload, "\x03\xE9", 2);
  assert_int_equal(ws_close_code_encode(payload, 4000, "bye", 3), 5);
  assert_memory_equal(payload,
                      "\x0F\xA0"
                      "bye",
                      5);
  memset(reason, 'r', sizeof reason);
  assert_int_equal(ws_close_code_encode(payload, 1000, reason, sizeof reason), WS_CLOSE_PAYLOAD_MAX);
  assert_memory_equal(payload + 2, reason, sizeof reason);
}

/* CLOSE-5 */
static void test_violations_fit_a_close_frame(void **state) {
  (void)state;
  for (int i = 1; i < WS_VIOLATION_COUNT; i++) {
    const char *text = ws_violation_text((enum ws_violation)i);
    assert_true(ws_close_code_valid(ws_violation_code((enum ws_violation)i)));
    assert_in_range(strlen(text), 1, WS_CLOSE_REASON_MAX);
    assert_int_equal(ws_utf8_check((const uint8_t *)text, strlen(text)), strlen(text));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_valid_codes),
      cmocka_unit_test(test_codes_have_texts),
      cmocka_unit_test(test_payloads_are_encoded),
      cmocka_unit_test(test_violations_fit_a_close_frame),
  };

  return cmocka_run_group_tests_name("close code", tests, NULL, NULL);
}
