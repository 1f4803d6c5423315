/* Osprey values, errors, and calls of handlers. */
#include "osprey/call.h"
#include "osprey/value.h"
#include "osprey/error.h"
#include "osprey/hooks.h"
#include "support/osprey.h"
#include "support/test.h"

/* Truncates a sentence that is too long. */
static void test_long_errors(void **state) {
  struct ws_error error;
  char url[3000];
  (void)state;
  ws_error_clear(&error);
  assert_false(ws_error_is_set(&error));
  assert_null(ws_error_give(&error));
  memset(url, 'u', sizeof url);
  url[sizeof url - 1] = '\0';
  ws_error_connect(&error, url, "cause");
  char *text = ws_error_give(&error);
  assert_int_equal(strlen(text), sizeof error.text - 1);
  osp_release(text);
}

/* WS-TEXT-2 */
static void test_values(void **state) {
  struct osprey_connection *record;
  (void)state;
  char *text = ws_value_text((const uint8_t *)"a\0b", 3);
  assert_string_equal(text, "a\xC0\x80"
                            "b");
  osp_release(text);
  text = ws_value_text((const uint8_t *)"", 0);
  assert_string_equal(text, "");
  osp_release(text);
  record = ws_value_connection(7, "ws://h/", true);
  assert_int_equal(record->tag, 0);
  assert_int_equal(record->id, 7);
  assert_string_equal(record->url, "ws://h/");
  assert_true(record->is_connected);
  osp_release(record);
}

/* An Err without a text, as a host may make. */
static void *fail_without_a_text(void *cell, const char *text) {
  (void)cell;
  (void)text;
  return result_error(NULL);
}

/* WS-ONMESSAGE-5 */
static void test_an_error_without_a_text(void **state) {
  static void *cell[] = {(void *)fail_without_a_text};
  struct ws_call call = {0};
  (void)state;
  assert_int_equal(ws_call_init(&call), 0);
  assert_int_equal(ws_call_text(&call, cell, (const uint8_t *)"x", 1), WS_VERDICT_ERROR);
  assert_string_equal(call.message, "Error");
  ws_call_deinit(&call);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_long_errors),
      cmocka_unit_test(test_values),
      cmocka_unit_test(test_an_error_without_a_text),
  };
  return cmocka_run_group_tests_name("value", tests, NULL, NULL);
}
